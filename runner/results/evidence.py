"""What a record keeps so that others can check it: `evidence.json`, stage by stage from files to vectors.

A score alone cannot tell what made it: another kernel moves it by 5e-8, another number format by only 6e-5. Vectors
can: kernels move a component by 2e-7, number formats by 3e-3. So a few rows of every side of a job are kept as numbers,
and all that comes before the vectors as hashes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from embedmark.runner.config.explain import invalid
from embedmark.runner.results.record import Sha256, read_object

EVIDENCE = "evidence.json"

ROWS, DIMENSIONS = 32, 16
"""Rows that are kept of all sides together, and how many of the first numbers of each vector."""

Sketch = tuple[tuple[float, ...], ...]
_Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Vectors(_Part):
    """The beginning of some vectors, six digits. dim: how many numbers a vector has in all."""

    dim: _Count
    first: Sketch


class Side(_Part):
    """What a model was given on one side of a job, as in `queries`, and what it made of a few rows of it.

    Args:
        n: How many texts or images.
        keys: SHA-256 of the keys of all in order: of what was put before each, and of its content.
        unordered: Hash of the same without their order.
        prompt: What was put before each.
        parameters: What the model's own call was given.
        rows: Which are kept.
        tokens: SHA-256 of the token ids of these; None for models without a tokenizer of their own, and where nothing
            had to be encoded.
        lengths: Tokens of these, None as well.
        raw: Vectors as the model made them.
        used: Vectors as they were compared.
    """

    n: _Count
    keys: Sha256
    unordered: str
    prompt: str = ""
    parameters: Mapping[str, Any] = {}
    rows: tuple[_Count, ...]
    tokens: Sha256 | None = None
    lengths: tuple[_Count, ...] | None = None
    raw: Vectors
    used: Vectors


class Probes(_Part):
    """What the model makes of texts that are the same for every job. norms: of the raw vectors."""

    tokens: Sha256 | None = None
    raw: Vectors
    norms: tuple[float, ...]


class Evidence(_Part):
    """All of it.

    Args:
        layout: Of this file.
        files: Weights, tokenizer and settings of the model: name → SHA-256.
        columns: Split → column → SHA-256 of its values after transforms.
        sides: Of a model with vectors.
        probes: Of a model whose weights are here.
    """

    layout: Annotated[Literal[1], Field(alias="evidence")] = 1
    files: Mapping[str, Sha256] = {}
    columns: Mapping[str, Mapping[str, Sha256]] = {}
    sides: Mapping[str, Side] = {}
    probes: Probes | None = None

    def to_json(self) -> str:
        """Return the file's text."""
        return self.model_dump_json(by_alias=True, exclude_none=True) + "\n"


def read_evidence(folder: Path) -> Evidence | None:
    """Read the evidence of a record; None where it has none, as those of schema 1.

    Raises:
        UserError: It is not what `to_json` writes.
    """
    path = folder / EVIDENCE
    if not path.is_file():
        return None
    try:
        return Evidence.model_validate(read_object(path))
    except ValidationError as error:
        raise invalid(error, str(path), Evidence) from None


def sampled_rows(n: int, n_sides: int) -> Sequence[int]:
    """Which rows of a side are kept: from the first to the last, evenly."""
    kept = min(n, max(4, ROWS // max(1, n_sides)))
    return sorted({round(place * (n - 1) / max(1, kept - 1)) for place in range(kept)})
