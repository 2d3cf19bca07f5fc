"""The model loaders: one row each, light enough for planning to import.

To add a loader, write its module with a function `load(spec: ModelSpec) -> Encoder` (or Searcher, or Scorer) and add a
row. Loaders of other packages come through the entry-point group `embedmark.models`, whose values are `Loader` objects;
a class of one's own needs neither, see models/own.py.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any, Literal, get_args

from embedmark.models.base import CHECKPOINT_DTYPE, Dtype, Model, Outline, Treatment
from embedmark.models.parameters import (
    BM25Parameters,
    CheckpointParameters,
    CrossEncoderParameters,
    FusionParameters,
    NoParameters,
    OcrParameters,
    Parameters,
    SentenceTransformerParameters,
    ServiceParameters,
    TeiParameters,
    TowerParameters,
    check,
    refuse_unknown,
)
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import ModelError
from embedmark.runner.common.plugins import PlugIns, plug_ins
from embedmark.tasks.base import Modality

Kind = Literal["encoder", "scorer", "searcher", "any"]
"""What a loader makes; "any" where only loading tells."""


@dataclass(frozen=True)
class Loader:
    """One way to load a model.

    version: bump it whenever a change of code changes what the model gives. needs_weights: whether it reads files.
    extra: the extra of this package that installs what it needs. executes: the parameters that say how a run executes,
    and so are no part of a model's identity. modalities: what it can hand to a model; whether a model takes it, the
    `about` of its file says. takes_members: whether it makes one model out of several, its config's `members`.
    parameters: the class of its `parameters`, or their names alone; None where only the loader itself knows them.
    dtypes: the number formats that it can load weights in, besides the one they are stored in.
    sketched: a function (spec, sketch) in a module that imports nothing heavy, see `treatment`.
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
    parameters: type[Parameters] | frozenset[str] | None = None
    dtypes: frozenset[Dtype] = frozenset(get_args(Dtype))
    sketched: str | None = None

    @property
    def known_dtypes(self) -> tuple[Dtype, ...]:
        """What a model of this loader may give as its dtype."""
        own = self.dtypes if self.needs_weights else ()
        return tuple(dtype for dtype in get_args(Dtype) if dtype == CHECKPOINT_DTYPE or dtype in own)

    def check(self, parameters: Mapping[str, Any]) -> Parameters | Mapping[str, Any]:
        """Check the parameters that a config gives.

        Args:
            parameters: As the config says them.

        Returns:
            An instance of the loader's class of parameters; the parameters themselves where it has none.

        Raises:
            ModelError: A name is unknown or a value is invalid.
        """
        if isinstance(self.parameters, type):
            return check(self.parameters, parameters)
        if self.parameters is not None:
            refuse_unknown("parameters", parameters, self.parameters)
        return parameters

    def load(self, spec: ModelSpec) -> Model:
        """Load the model, ready for use. Raises ModelError."""
        holder, function = self._implementation()
        model: Model = getattr(holder, function)(spec)
        return model

    def outline(self, spec: ModelSpec) -> Outline | None:
        """Tell how the model would treat texts, where that can be said without weights, key and network.

        What holds the function that loads has a function `outline(spec)` then. Raises ModelError.
        """
        function = getattr(self._implementation()[0], "outline", None)
        made: Outline | None = function(spec) if function else None
        return made

    def treatment(self, spec: ModelSpec, sketch: Mapping[str, Any] | None) -> Treatment | None:
        """How the model treats items, without opening it, where that can be said. Raises ModelError.

        Args:
            spec: As for `load`.
            sketch: What the encoder said of itself when it was last opened (SketchedEncoder), if it did.
        """
        if self.sketched is None:
            return self.outline(spec) if self.kind == "encoder" else None
        if sketch is None:
            return None
        module, _, name = self.sketched.partition(":")
        made: Treatment = getattr(importlib.import_module(module), name)(spec, sketch)
        return made

    def _implementation(self) -> tuple[Any, str]:
        """What holds the function that loads, a module or an object in one, and the function's name."""
        module, _, path = self.implementation.partition(":")
        *objects, function = path.split(".")
        try:
            return reduce(getattr, objects, importlib.import_module(module)), function
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


def _service(
    name: str,
    load: str = "PROTOCOL.load",
    executes: frozenset[str] = _REQUESTS,
    extra: str = "api",
    parameters: type[ServiceParameters] = ServiceParameters,
) -> Loader:
    where = f"embedmark.models.api.{name}:{load}"
    return Loader(name, where, 1, needs_weights=False, extra=extra, executes=executes, parameters=parameters)


_BUILT_IN = [
    Loader(
        "sentence_transformer",
        "embedmark.models.torch.sentence_transformer:load",
        2,
        modalities=_IMAGES_TOO,
        parameters=SentenceTransformerParameters,
        sketched="embedmark.models.treatment:of_sentence_transformer",
    ),
    Loader(
        "two_towers",
        "embedmark.models.torch.towers:load",
        1,
        extra="towers",
        modalities=_IMAGES_TOO,
        parameters=TowerParameters,
        sketched="embedmark.models.treatment:of_sentence_transformer",
    ),
    Loader(
        "ocr_text",
        "embedmark.models.torch.ocr:load",
        1,
        extra="ocr",
        modalities=_IMAGES_TOO,
        parameters=OcrParameters,
        sketched="embedmark.models.treatment:of_sentence_transformer",
    ),
    Loader(
        "open_clip",
        "embedmark.models.torch.open_clip:load",
        1,
        extra="open-clip",
        modalities=_IMAGES_TOO,
        parameters=NoParameters,
        dtypes=frozenset(),
        sketched="embedmark.models.treatment:of_sentence_transformer",
    ),
    Loader(
        "model2vec",
        "embedmark.models.static:load",
        1,
        extra="static",
        parameters=NoParameters,
        dtypes=frozenset({"float32", "float16"}),
        sketched="embedmark.models.treatment:of_static",
    ),
    Loader(
        "cross_encoder",
        "embedmark.models.torch.cross_encoder:load",
        2,
        kind="scorer",
        parameters=CrossEncoderParameters,
    ),
    Loader("sparse_encoder", "embedmark.models.torch.sparse:load", 2, kind="searcher", parameters=CheckpointParameters),
    Loader(
        "multi_vector", "embedmark.models.torch.multi_vector:load", 3, kind="searcher", parameters=CheckpointParameters
    ),
    Loader(
        "bm25",
        "embedmark.models.lexical.bm25:load",
        1,
        kind="searcher",
        needs_weights=False,
        extra="bm25",
        parameters=BM25Parameters,
    ),
    Loader(
        "fusion",
        "embedmark.models.lexical.fusion:load",
        1,
        kind="searcher",
        needs_weights=False,
        modalities=_IMAGES_TOO,
        takes_members=True,
        parameters=FusionParameters,
    ),
    _service("openai", load="load", executes=_PACE, extra="openai"),
    _service("cohere"),
    _service("voyage"),
    _service("google"),
    _service("vertex", load="load"),
    _service("tei", parameters=TeiParameters),
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
        return Loader(name, "embedmark.models.own:load", 1, kind="any", modalities=_IMAGES_TOO)
    return loaders().get(name)
