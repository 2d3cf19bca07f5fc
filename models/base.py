"""What a model is to the runner: something that turns texts into vectors, told what the texts are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from tasks.base import Side, SimilarityName, TaskContext

if TYPE_CHECKING:  # planning imports this module, and must not wait for numpy
    import numpy as np
    from numpy.typing import NDArray

    from models.instructions import Instructions
    from tasks.ranking import Hits, Lookup


@dataclass(frozen=True)
class EncodeContext:
    """What a model may know about the texts it is given: their task (with split and subset) and their side."""

    task: TaskContext
    side: Side | None


@dataclass(frozen=True)
class Variant:
    """Everything about a context that changes a vector, and nothing else.

    Two tasks whose contexts lead to the same variant share their embeddings. `prompt` is put before each text;
    `parameters` are passed to the model's own encode call.
    """

    prompt: str = ""
    parameters: tuple[tuple[str, str | int | float | bool], ...] = ()


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
    are then the `prompts`; None where prompts are put before texts as they are. The rest is what the model's YAML says;
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
    dtype: str = "float32"
    trust_remote_code: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    device: str = "auto"
    threads: int | None = None


class ModelError(ValueError):
    """A model that cannot be loaded or that returned something other than finite vectors of one width.

    The message says what was found and what was expected; the runner adds the model and its file.
    """
