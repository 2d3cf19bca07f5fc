"""An encoder whose vectors a service makes: which texts go into a request, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.models.api.answers import vectors
from embedmark.models.base import EncodeContext, Variant
from embedmark.models.instructions import InstructionTable
from embedmark.models.prompts import PromptTable, most_specific
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import SimilarityName

Fields = Mapping[str, Any]
"""Fields of a request besides its texts."""

Ask = Callable[[list[str], Fields], Any]
"""One request: the rows of numbers that the service gives for those texts. Raises ModelError."""


@dataclass(frozen=True)
class Limits:
    """How much one request may hold. A text with more characters than that goes alone."""

    texts: int
    characters: int

    def portions(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """The texts in their order, cut into requests."""
        portion: list[str] = []
        characters = 0
        for text in texts:
            if portion and (len(portion) == self.texts or characters + len(text) > self.characters):
                yield portion
                portion, characters = [], 0
            portion.append(text)
            characters += len(text)
        if portion:
            yield portion


class ApiOutline:
    """How a service's model treats texts, known without its key and without asking it.

    fields: fields of the request by context, keyed like prompts, which the parameter `encode` replaces;
    `default_fields` where no key fits.
    """

    def __init__(self, spec: ModelSpec, fields: Mapping[str, Fields], default_fields: Fields) -> None:
        self._fields: Mapping[str, Fields] = spec.parameters.get("encode") or fields
        self._default_fields = default_fields
        self._prompts = (
            InstructionTable(spec.instructions, spec.prompts) if spec.instructions else PromptTable(spec.prompts)
        )

    def variant(self, context: EncodeContext) -> Variant:
        """Prompt and request fields of a context."""
        fields = most_specific(self._fields, context)
        chosen = self._default_fields if fields is None else fields
        return Variant(self._prompts.choose(context), tuple(sorted(chosen.items())))

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        """Characters of each text, prompt included."""
        return np.array([len(variant.prompt) + len(text) for text in texts], dtype=np.int64)


class ApiEncoder:
    """An Encoder.

    service: its address. width: what its vectors must have, None for what the first one has. answered: what its answers
    call the model, filled while it is asked.
    """

    def __init__(
        self,
        outline: ApiOutline,
        ask: Ask,
        limits: Limits,
        service: str,
        *,
        similarity: SimilarityName | None = None,
        width: int | None = None,
        answered: set[str] | None = None,
    ) -> None:
        self._ask, self._limits, self._service, self._width = ask, limits, service, width
        self.variant, self.lengths = outline.variant, outline.lengths
        self.batch_tokens = limits.characters
        self.similarity: SimilarityName = similarity or "cosine"
        self.facts: Mapping[str, Any] = {"service": service, "batch_independent": False}
        self.answered: set[str] = set() if answered is None else answered

    def encode(self, texts: Sequence[str], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim). Services refuse empty texts, which become a space."""
        prompted = [(variant.prompt + text) or " " for text in texts]
        fields = dict(variant.parameters)
        return np.concatenate([self._request(portion, fields) for portion in self._limits.portions(prompted)])

    def _request(self, texts: list[str], fields: Fields) -> NDArray[np.float32]:
        try:
            found = vectors(self._ask(texts, fields), len(texts), self._width)
        except ModelError as error:
            raise ModelError(f"{self._service}: {error}") from None
        self._width = found.shape[1]
        return found
