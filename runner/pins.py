"""What models and datasets that are not pinned resolve to. Heavy imports wait until something has to be resolved."""

from __future__ import annotations

import logging

from runner.config.identity import Pin
from runner.config.schema import FilesDataset, HubDataset, ModelConfig, PackageDataset, TaskConfig
from runner.plan import Pins

log = logging.getLogger(__name__)


def default_pins() -> Pins:
    """Commits from the hub, the content of local folders."""
    return Pins(_model, _dataset)


def _model(model: ModelConfig) -> Pin:
    from runner.encode.weights import resolve

    return resolve(model)


def _dataset(task: TaskConfig) -> Pin:
    dataset = task.dataset
    if isinstance(dataset, PackageDataset):
        return Pin()
    if isinstance(dataset, FilesDataset):
        from runner.data.sources.files import content_of

        return Pin(dataset.revision, content_of(task))
    assert isinstance(dataset, HubDataset)
    from runner.data.sources.hub_files import Hub

    commit = Hub.from_environment().resolve_revision(dataset.hub, "dataset", dataset.revision or "main")
    log.warning("task %s: dataset %s is not pinned; it is now at `revision: %s`", task.name, dataset.hub, commit)
    return Pin(commit)
