"""What a model is to the runner: something that turns texts or images into vectors, told what these are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from embedmark.tasks.base import (
    Composite,
    Image,
    ItemModality,
    Modality,
    Side,
    SimilarityName,
    TaskContext,
)

if TYPE_CHECKING:  # planning imports this module, and must not wait for numpy
    import numpy as np
    from numpy.typing import NDArray

    from embedmark.models.spec import ModelSpec
    from embedmark.tasks.retrieval.ranking import Hits, Lookup


@dataclass(frozen=True)
class EncodeContext:
    """What a model may know about the items it is given: their task (with split and subset), side and modality."""

    task: TaskContext
    side: Side | None
    modality: ItemModality = "text"


@dataclass(frozen=True)
class Sampling:
    """How many texts of a corpus a model in two stages reads first, and what is put before each of them."""

    size: int
    prompt: str = ""


@dataclass(frozen=True)
class Sample:
    """Texts of a corpus that a model in two stages reads first. `key` is a hash of all of it, and all that is compared.

    prompt: what is put before each text.
    """

    key: str
    texts: Sequence[str] = field(compare=False, repr=False)
    prompt: str = field(compare=False, default="")


@dataclass(frozen=True)
class Variant:
    """Everything about a context that changes a vector, and nothing else.

    Two tasks whose contexts lead to the same variant share their embeddings. `prompt` is put before each text;
    `parameters` are passed to the model's own encode call; `sample` is what a model in two stages has read before, None
    for its first stage and for all other models.
    """

    prompt: str = ""
    parameters: tuple[tuple[str, str | int | float | bool], ...] = ()
    sample: Sample | None = None
    modality: ItemModality = "text"
    """What the items are. The runner sets it; a model need not."""


class Encoder(Protocol):
    """A model with one vector a text."""

    @property
    def similarity(self) -> SimilarityName:
        """How two of its vectors are compared."""
        ...

    @property
    def batch_tokens(self) -> int:
        """A batch size that suits the model and its device, in the unit of `lengths`."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """What decides the last digits of its vectors, for the record of a run: device, dtype, threads, ..."""
        ...

    def variant(self, context: EncodeContext) -> Variant:
        """How this model would treat texts of that context."""
        ...

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        """What each text costs, in tokens (or characters, where there is no tokenizer), after truncation."""
        ...

    def encode(self, texts: Sequence[str], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim), rows in the order of `texts`. Raises MemoryError where a smaller one may do."""
        ...


class Treatment(Protocol):
    """How a model treats items: the part of an Encoder that the keys of its vectors depend on."""

    def variant(self, context: EncodeContext) -> Variant:
        """How this model would treat texts of that context."""
        ...


class Outline(Treatment, Protocol):
    """How a model treats texts: the part of an Encoder that may be known without weights, key or network."""

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        """What each text costs, in tokens (or characters, where there is no tokenizer), after truncation."""
        ...


Dtype: TypeAlias = Literal["checkpoint", "float32", "float16", "bfloat16"]
"""The number format that a model's weights are loaded in; `checkpoint` is the one that they are stored in."""

BACKEND_DTYPES: tuple[Dtype, ...] = ("checkpoint", "float32")
"""What an exported model takes, which computes in float32 in any case."""

CHECKPOINT_DTYPE: Dtype = "checkpoint"

Quantization: TypeAlias = Literal[
    "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz",
    "int8", "uint8", "int4", "uint4", "binary",
]  # fmt: skip
"""The number formats that vectors can be rounded to."""

Tokens: TypeAlias = "Sequence[int] | NDArray[np.integer[Any]]"
"""Token ids of one text."""


@runtime_checkable
class TokenEncoder(Encoder, Protocol):
    """An encoder whose tokenizer can run apart from its forward pass, so that each text is tokenized once."""

    def tokenize(self, texts: Sequence[str], variant: Variant) -> Sequence[Sequence[int]]:
        """Token ids of each text, prompt and special tokens included, truncated to the model's limit."""
        ...

    def forward(self, tokens: Sequence[Tokens], variant: Variant) -> NDArray[np.float32]:
        """One batch of tokenized texts: float32 (n, dim). Raises MemoryError where a smaller batch may do."""
        ...


@runtime_checkable
class PromptedEncoder(Encoder, Protocol):
    """An encoder whose weights can serve several configs."""

    def prompted(self, spec: ModelSpec) -> Encoder:
        """The same weights under the prompts, instructions and similarity of another config, all else being equal."""
        ...


@runtime_checkable
class SketchedEncoder(Encoder, Protocol):
    """An encoder whose treatment of items can be told later without its weights, by what it says of them now."""

    @property
    def sketch(self) -> Mapping[str, Any]:
        """What its loader needs to know of the weights for `Loader.treatment`, as JSON has it."""
        ...


@runtime_checkable
class ContextualEncoder(Encoder, Protocol):
    """An encoder in two stages (CDE; Morris and Rush 2024), which is itself the first one.

    The first stage's vectors of a sample of the corpus make the second, which encodes every text of a job. `variant`
    leaves the sample out; the runner draws it.
    """

    @property
    def sampling(self) -> Sampling:
        """The sample that its first stage reads."""
        ...

    def second_stage(self, vectors: NDArray[np.float32]) -> Encoder:
        """Make the second stage, which is conditioned on these vectors of the sample.

        Args:
            vectors: What the first stage made of the sample's texts, in their order: (n, dim).
        """
        ...


@runtime_checkable
class ImageEncoder(Encoder, Protocol):
    """An encoder that takes images too, and has them in one space with its texts."""

    def image_lengths(self, images: Sequence[Image]) -> NDArray[np.int64]:
        """What each image costs, in the unit of `batch_tokens`."""
        ...

    def encode_images(self, images: Sequence[Image], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim). Raises DataError where one cannot be decoded, and MemoryError as `encode`."""
        ...


@runtime_checkable
class PreparingEncoder(ImageEncoder, Protocol):
    """An encoder of images that decodes and scales them apart from its forward pass, so that threads can run ahead.

    One after the other gives what `encode_images` gives.
    """

    def prepare_images(self, images: Sequence[Image], variant: Variant) -> Any:
        """Make ready what `forward_images` takes of one batch, in any thread. Raises as `encode_images`."""
        ...

    def forward_images(self, prepared: Any, variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim). Raises MemoryError where a smaller one may do."""
        ...


@runtime_checkable
class CompositeEncoder(ImageEncoder, Protocol):
    """An encoder that makes one vector of a text and an image by itself, as those of messages do."""

    def composite_lengths(self, items: Sequence[Composite], variant: Variant) -> NDArray[np.int64]:
        """What each item costs, in the unit of `batch_tokens`."""
        ...

    def encode_composites(self, items: Sequence[Composite], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim). Raises as `encode_images`."""
        ...


Fusion = Literal["sum", "joint"]
"""How a model makes one vector of a text and an image: "sum", of the vectors of both before they are normalized, as the
reference does for two towers; "joint", by the model itself."""


def takes(treatment: Treatment | Searcher | Scorer) -> frozenset[Modality]:
    """What a model, opened or not, takes: what its `modalities` say, and else what it has methods for."""
    said = getattr(treatment, "modalities", None)
    if said is not None:
        return frozenset(said)
    return frozenset({"text", "image"} if isinstance(treatment, ImageEncoder) else {"text"})


def fusion(treatment: Treatment) -> Fusion | None:
    """How a model, opened or not, fuses texts and images; None where it does not."""
    said: Fusion | None = getattr(treatment, "fusion", None)
    return "joint" if said is None and isinstance(treatment, CompositeEncoder) else said


class Searcher(Protocol):
    """A model that finds documents itself: lexical search, late interaction, a service."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What decides the last digits of its scores, for the record of a run."""
        ...

    def search(self, lookup: Lookup, context: TaskContext) -> Sequence[Hits]:
        """For each query its best `lookup.k` documents or more, in any order, or all of its candidates.

        Documents that tie with the last of the k belong to the hits, or chance decides the tie. The lookup has those
        parts of queries and documents that the model's attribute `modalities` names; texts, where it has none. Raises
        ModelError.
        """
        ...


class Scorer(Protocol):
    """A model that scores a query and a document together, as cross-encoders do. It needs candidates."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What decides the last digits of its scores, for the record of a run."""
        ...

    def score(self, pairs: Sequence[tuple[Any, Any]], context: TaskContext) -> NDArray[np.float32]:
        """One score a (query, document): float32 (n,), larger for better. Raises ModelError.

        Both are texts, or what of them the model's attribute `modalities` names: texts, images, or items of both.
        """
        ...


Model: TypeAlias = Encoder | Scorer | Searcher
"""What a loader gives."""
