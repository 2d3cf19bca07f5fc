"""What a model is to the runner: something that turns texts or images into vectors, told what these are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from tasks.base import Image, Modality, Side, SimilarityName, TaskContext

if TYPE_CHECKING:  # planning imports this module, and must not wait for numpy
    import numpy as np
    from numpy.typing import NDArray

    from models.instructions import Instructions
    from tasks.ranking import Hits, Lookup


@dataclass(frozen=True)
class EncodeContext:
    """What a model may know about the items it is given: their task (with split and subset), side and modality."""

    task: TaskContext
    side: Side | None
    modality: Modality = "text"


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
    modality: Modality = "text"
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


class Outline(Protocol):
    """How a model treats texts: the part of an Encoder that may be known without weights, key or network."""

    def variant(self, context: EncodeContext) -> Variant:
        """How this model would treat texts of that context."""
        ...

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        """What each text costs, in tokens (or characters, where there is no tokenizer), after truncation."""
        ...


Dtype: TypeAlias = Literal["checkpoint", "float32", "float16", "bfloat16"]
"""The number format that a model's weights are loaded in; `checkpoint` is the one that they are stored in."""

BACKEND_DTYPES: tuple[Dtype, ...] = ("checkpoint", "float32")
"""What an exported model takes, which computes in float32 in any case."""

CHECKPOINT_DTYPE: Dtype = "checkpoint"

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
class ContextualEncoder(Encoder, Protocol):
    """An encoder in two stages (CDE; Morris and Rush 2024), which is itself the first one.

    The first stage's vectors of a sample of the corpus make the second, which encodes every text of a job. `variant`
    leaves the sample out; the runner draws it.
    """

    @property
    def sampling(self) -> Sampling:
        """The sample that its first stage reads."""
        ...

    def given(self, vectors: NDArray[np.float32]) -> Encoder:
        """The second stage, after the first made these vectors (n, dim) of the sample's texts, in their order."""
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


class Searcher(Protocol):
    """A model that finds documents itself: lexical search, late interaction, a service."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What decides the last digits of its scores, for the record of a run."""
        ...

    def search(self, lookup: Lookup, context: TaskContext) -> Sequence[Hits]:
        """For each query its best `lookup.k` documents or more, in any order, or all of its candidates.

        Documents that tie with the last of the k belong to the hits, or chance decides the tie. Raises ModelError.
        """
        ...


class Scorer(Protocol):
    """A model that scores a query and a document together, as cross-encoders do. It needs candidates."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What decides the last digits of its scores, for the record of a run."""
        ...

    def score(self, pairs: Sequence[tuple[str, str]], context: TaskContext) -> NDArray[np.float32]:
        """One score a (query, document): float32 (n,), larger for better. Raises ModelError."""
        ...


Model: TypeAlias = Encoder | Scorer | Searcher
"""What a loader gives."""


@dataclass(frozen=True)
class ModelSpec:
    """What a loader is given: a checked config, its weights already on disk.

    folder: the weights, or None for models without files. instructions: how the model takes instructions, whose texts
    are then the `prompts`; None where prompts are put before texts as they are. members: the models that it is made of,
    loaded already, each able to search. The rest is what the model's YAML says;
    `device` is "cpu", "cuda", "mps" or "auto", `threads` None for the library's own choice.
    """

    name: str
    folder: Path | None
    loader: str = "sentence_transformer"
    revision: str | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    instructions: Instructions | None = None
    max_tokens: int | None = None
    similarity: SimilarityName | None = None
    dtype: Dtype = CHECKPOINT_DTYPE
    trust_remote_code: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    members: Sequence[Searcher] = ()
    device: str = "auto"
    threads: int | None = None


class ModelError(ValueError):
    """A model that cannot be loaded or that returned something other than finite vectors of one width.

    The message says what was found and what was expected; the runner adds the model and its file.
    """
