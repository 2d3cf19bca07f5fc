"""What models and datasets that are not pinned resolve to. Heavy imports wait until something has to be resolved."""

from __future__ import annotations

from embedmark.models.loaders import Loader
from embedmark.runner.config.identity import Pin
from embedmark.runner.config.schema import ModelConfig, TaskConfig
from embedmark.runner.config.schema.sources import function, source_of
from embedmark.runner.resolve import Pins


def default_pins() -> Pins:
    """Commits from the hub, the content of local folders."""
    return Pins(_model, _dataset)


def _model(model: ModelConfig, loader: Loader) -> Pin:
    from embedmark.runner.hub.weights import resolve

    return resolve(model, loader)


def _dataset(task: TaskConfig) -> Pin:
    name = source_of(task.dataset).pin
    if name is None:
        return Pin()
    pin: Pin = function(name)(task)
    return pin
