"""The model loaders: one row each, light enough for planning to import.

To add a loader, write its module with a function `load(spec: ModelSpec) -> Encoder` (or Searcher, or Scorer) and add a
row. Loaders of other packages come through the entry-point group `embedmark.models`, whose values are `Loader` objects;
a class of one's own needs neither, see models/own.py.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Literal, get_args

from models.base import CHECKPOINT_DTYPE, Dtype, Model, ModelError, ModelSpec, Outline
from tasks.base import Modality
from tasks.plugins import PlugIns, plug_ins

Kind = Literal["encoder", "scorer", "searcher", "any"]
"""What a loader makes; "any" where only loading tells."""


@dataclass(frozen=True)
class Loader:
    """One way to load a model.

    version: raised whenever a change of code changes what the model gives. needs_weights: whether it reads files.
    extra: the extra of this package that installs what it needs. executes: the parameters that say how a run executes,
    and so are no part of a model's identity. modalities: what it can hand to a model; whether a model takes it, the
    `about` of its file says. takes_members: whether it makes one model out of several, its config's `members`.
    parameters: the names that a config's `parameters` may have, None where only the loader itself knows.
    dtypes: the number formats that it can load weights in, besides the one they are stored in.
    """

    name: str
    implementation: str
    version: int
    kind: Kind = "encoder"
    needs_weights: bool = True
    extra: str | None = None
    executes: frozenset[str] = frozenset()
    modalities: frozenset[Modality] = frozenset({"text"})
    takes_members: bool = False
    parameters: frozenset[str] | None = None
    dtypes: frozenset[Dtype] = frozenset(get_args(Dtype))

    @property
    def known_dtypes(self) -> tuple[Dtype, ...]:
        """What a model of this loader may give as its dtype."""
        own = self.dtypes if self.needs_weights else ()
        return tuple(dtype for dtype in get_args(Dtype) if dtype == CHECKPOINT_DTYPE or dtype in own)

    def load(self, spec: ModelSpec) -> Model:
        """The model, ready for use. Raises ModelError."""
        model: Model = getattr(self._module(), self.implementation.partition(":")[2])(spec)
        return model

    def outline(self, spec: ModelSpec) -> Outline | None:
        """How the model would treat texts, where its module can say so without weights, key and network.

        Such modules have a function `outline(spec)`. Raises ModelError.
        """
        function = getattr(self._module(), "outline", None)
        made: Outline | None = function(spec) if function else None
        return made

    def _module(self) -> ModuleType:
        module = self.implementation.partition(":")[0]
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as error:
            if self.extra is None:
                raise
            raise ModelError(
                f"loader {self.name} needs {error.name}, which is not installed; run: pip install "
                f"'embedmark[{self.extra}]'"
            ) from error


_IMAGES_TOO: frozenset[Modality] = frozenset({"text", "image"})
_PACE = frozenset({"requests_per_minute", "tokens_per_minute"})
_REQUESTS = _PACE | {"key", "batch", "retries", "timeout"}
_CHECKPOINT = frozenset({"attention", "tokenizer"})
_SERVICE = _REQUESTS | {"url", "model", "dimensions", "encode"}
_OWN_FORWARD_PASS = _CHECKPOINT | {"pooling", "include_prompt", "encode", "context", "backend", "file", "weights"}


def _service(name: str, executes: frozenset[str] = _REQUESTS, extra: str = "api", more: Sequence[str] = ()) -> Loader:
    return Loader(
        name, f"models.api.{name}:load", 1, needs_weights=False, extra=extra, executes=executes,
        parameters=_SERVICE.union(more),
    )  # fmt: skip


_BUILT_IN = [
    Loader(
        "sentence_transformer",
        "models.sentence_transformer:load",
        2,
        modalities=_IMAGES_TOO,
        parameters=_OWN_FORWARD_PASS,
    ),
    Loader(
        "model2vec",
        "models.static:load",
        1,
        extra="static",
        parameters=frozenset(),
        dtypes=frozenset({"float32", "float16"}),
    ),
    Loader("cross_encoder", "models.cross_encoder:load", 2, kind="scorer", parameters=_CHECKPOINT | {"activation"}),
    Loader("sparse_encoder", "models.sparse:load", 2, kind="searcher", parameters=_CHECKPOINT),
    Loader("multi_vector", "models.multi_vector:load", 3, kind="searcher", parameters=_CHECKPOINT),
    Loader(
        "bm25",
        "models.bm25:load",
        1,
        kind="searcher",
        needs_weights=False,
        extra="bm25",
        parameters=frozenset({"k1", "b", "delta", "method", "frequent"}),
    ),
    Loader(
        "fusion",
        "models.fusion:load",
        1,
        kind="searcher",
        needs_weights=False,
        takes_members=True,
        parameters=frozenset({"method", "weights", "k", "depth"}),
    ),
    _service("openai", executes=_PACE, extra="openai"),
    _service("cohere"),
    _service("voyage"),
    _service("google"),
    _service("vertex"),
    _service("tei", more=("truncate", "normalize")),
]


@cache
def loaders() -> dict[str, Loader]:
    """All loaders by name, those of installed packages included."""
    return {**{loader.name: loader for loader in _BUILT_IN}, **added_loaders().found}


@cache
def added_loaders() -> PlugIns[Loader]:
    """The loaders of installed packages, which take no name of one that is built in."""
    taken = {loader.name for loader in _BUILT_IN}
    return plug_ins("embedmark.models", "loader", Loader, taken, lambda loader: (str(loader.name),), _fault)


def _fault(loader: Loader) -> str | None:
    if ":" in loader.name:
        return "whose name has a colon, as only module:Class of a class of one's own has"
    if not isinstance(loader.version, int):
        return "whose `version` is no whole number"
    if not isinstance(loader.implementation, str) or ":" not in loader.implementation:
        return "whose `implementation` is not of the form module:function"
    return None


def find_loader(name: str) -> Loader | None:
    """The loader of that name, or the one for a class of one's own, given as "module:Class"."""
    if ":" in name:
        return Loader(name, "models.own:load", 1, kind="any", modalities=_IMAGES_TOO)
    return loaders().get(name)
