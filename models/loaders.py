"""The model loaders: one row each, light enough for planning to import.

To add a loader, write its module with a function `load(spec: ModelSpec) -> Encoder` (or Searcher, or Scorer) and add a
row. Loaders of other packages come through the entry-point group `embedmark.models`, whose values are `Loader` objects;
a class of one's own needs neither, see models/own.py.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Literal

from models.base import Model, ModelError, ModelSpec

Kind = Literal["encoder", "scorer", "searcher", "any"]
"""What a loader makes; "any" where only loading tells."""


@dataclass(frozen=True)
class Loader:
    """One way to load a model.

    version: raised whenever a change of code changes what the model gives. needs_weights: whether it reads files.
    extra: the extra of this package that installs what it needs.
    """

    name: str
    implementation: str
    version: int
    kind: Kind = "encoder"
    needs_weights: bool = True
    extra: str | None = None

    def load(self, spec: ModelSpec) -> Model:
        """The model, ready for use. Raises ModelError."""
        module, _, function = self.implementation.partition(":")
        try:
            implementation = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if self.extra is None:
                raise
            raise ModelError(
                f"loader {self.name} needs {error.name}, which is not installed; run: pip install "
                f"'embedmark[{self.extra}]'"
            ) from error
        model: Model = getattr(implementation, function)(spec)
        return model


_BUILT_IN = [
    Loader("sentence_transformer", "models.sentence_transformer:load", 1),
    Loader("model2vec", "models.static:load", 1, extra="static"),
    Loader("cross_encoder", "models.cross_encoder:load", 1, kind="scorer"),
    Loader("sparse_encoder", "models.sparse:load", 1, kind="searcher"),
    Loader("multi_vector", "models.multi_vector:load", 1, kind="searcher"),
    Loader("bm25", "models.bm25:load", 1, kind="searcher", needs_weights=False, extra="bm25"),
    Loader("openai", "models.openai_api:load", 1, needs_weights=False, extra="openai"),
]


@cache
def loaders() -> dict[str, Loader]:
    """All loaders by name, those of installed packages included."""
    found = {loader.name: loader for loader in _BUILT_IN}
    for entry in entry_points(group="embedmark.models"):
        found[entry.name] = entry.load()
    return found


def find_loader(name: str) -> Loader | None:
    """The loader of that name, or the one for a class of one's own, given as "module:Class"."""
    if ":" in name:
        return Loader(name, "models.own:load", 1, kind="any")
    return loaders().get(name)
