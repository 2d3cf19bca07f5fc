"""Evidence of a job, gathered while it is done, and again when somebody checks it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedmark.models.base import ContextualEncoder, Encoder, TokenEncoder, Variant
from embedmark.models.postprocess import Postprocess
from embedmark.runner.encode.engine import Encoding, Request, encode_alone
from embedmark.runner.execute.jobs import Prepared
from embedmark.runner.execute.tokens import SideTokens, hash_of, side_tokens
from embedmark.runner.results.evidence import DIMENSIONS, Evidence, Probes, Side, Vectors, sampled_rows
from embedmark.runner.results.record import SideFacts
from embedmark.tasks.base import Item

PROBES = (
    "",
    "The quick brown fox jumps over the lazy dog.",
    "Der schnelle braune Fuchs springt über den faulen Hund.",
    "素早い茶色の狐がのろまな犬を飛び越える。",
    "الثعلب البني السريع يقفز فوق الكلب الكسول.",
    "def add(a, b):\n    return a + b",
    "word " * 64,
    " ".join(f"number {number}" for number in range(1000)),
)
"""Texts that every model with weights is given, whatever the job: empty, long, in other scripts, and code."""


def evidence(
    prepared: Prepared, files: Mapping[str, str], sides: Mapping[str, Side], probes: Probes | None
) -> Evidence:
    """Put together the evidence of a job."""
    return Evidence(files=files, columns=prepared.loaded.columns, sides=sides, probes=probes)


def sides_of(
    prepared: Prepared,
    requests: Sequence[Request],
    encoding: Encoding,
    postprocess: Postprocess,
    encoder: Encoder | None,
    folder: Path | None = None,
) -> tuple[dict[str, Side], dict[str, SideFacts]]:
    """Look at what a job's vectors in the store are.

    Args:
        prepared: The job and its data.
        requests: One an item set.
        encoding: Where all of them are encoded.
        postprocess: What is done to vectors before they are compared.
        encoder: The model, None where it was not opened.
        folder: Where the model's vectors are, and what its tokenizer made of texts; None where nothing is kept.

    Returns:
        What evidence and what the record say of each side.
    """
    sides, facts = {}, {}
    for item_set, request in zip(prepared.item_sets, requests, strict=True):
        rows = sampled_rows(len(item_set.items), len(requests))
        raw = encoding.raw(request, rows)
        used = encoding.vectors(request)[rows] if postprocess.needs_all_rows else postprocess(raw)
        keys = encoding.keys_of(request)
        tokens = side_tokens(encoder, request, encoding, _items(request, rows), _hash_of_keys(keys), folder)
        sides[item_set.name] = _side(request, keys, rows, tokens, raw, used)
        facts[item_set.name] = SideFacts(
            n=len(item_set.items),
            distinct=encoding.distinct(request),
            tokens=None if tokens is None else tokens.total,
            truncated=None if tokens is None else tokens.truncated,
            modality=request.variant.modality,
        )
    return sides, facts


def encode_rows(prepared: Prepared, requests: Sequence[Request], encoder: Encoder) -> dict[str, NDArray[np.float32]]:
    """Encode the sampled rows of every side alone, each by itself: side → float32 (rows, dim)."""
    return {
        item_set.name: encode_alone(encoder, request, sampled_rows(len(item_set.items), len(requests)))
        for item_set, request in zip(prepared.item_sets, requests, strict=True)
    }


def sides_of_rows(
    prepared: Prepared,
    requests: Sequence[Request],
    raw: Mapping[str, NDArray[np.float32]],
    postprocess: Postprocess,
    encoder: Encoder | None,
) -> dict[str, Side]:
    """Look at sampled rows that were encoded alone, as `sides_of` does at those of a whole run.

    What depends on all rows of a side (quantization) is left out: `used` is then what the model made.
    """
    found = {}
    for item_set, request in zip(prepared.item_sets, requests, strict=True):
        rows = sampled_rows(len(item_set.items), len(requests))
        vectors = raw[item_set.name]
        used = vectors if postprocess.needs_all_rows else postprocess(vectors)
        tokens = _tokens_of(encoder, _items(request, rows), request)
        found[item_set.name] = _side(request, request.keys(), rows, tokens, vectors, used)
    return found


def _items(request: Request, rows: Sequence[int]) -> list[Item]:
    return [request.items[row] for row in rows]


def probes_of(encoder: Encoder) -> Probes | None:
    """Give a model with weights the texts that are the same for all; None for services and models in two stages."""
    if isinstance(encoder, ContextualEncoder) or not isinstance(encoder, TokenEncoder):
        return None
    tokens = encoder.tokenize(PROBES, Variant())
    vectors = np.concatenate([encoder.forward([ids], Variant()) for ids in tokens])
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    return Probes(tokens=hash_of(tokens), raw=_vectors(vectors), norms=tuple(_digits(norm) for norm in norms))


def _side(
    request: Request,
    keys: NDArray[np.uint64],
    rows: Sequence[int],
    tokens: SideTokens | None,
    raw: NDArray[np.float32],
    used: NDArray[np.float32],
) -> Side:
    together = np.zeros(2, dtype=np.uint64) if not len(keys) else keys.sum(axis=0, dtype=np.uint64)
    return Side(
        n=len(keys),
        keys=_hash_of_keys(keys),
        unordered=f"{int(together[0]):016x}{int(together[1]):016x}",
        prompt=request.variant.prompt,
        parameters=dict(request.variant.parameters),
        rows=tuple(rows),
        tokens=None if tokens is None else tokens.sampled,
        lengths=None if tokens is None else tokens.lengths,
        raw=_vectors(raw),
        used=_vectors(used),
    )


def _tokens_of(encoder: Encoder | None, items: Sequence[Item], request: Request) -> SideTokens | None:
    if request.variant.modality != "text" or not isinstance(encoder, TokenEncoder):
        return None
    ids = encoder.tokenize([item for item in items if isinstance(item, str)], request.variant)
    return SideTokens(None, None, hash_of(ids), tuple(map(len, ids)))


def _hash_of_keys(keys: NDArray[np.uint64]) -> str:
    return hashlib.sha256(np.ascontiguousarray(keys).tobytes()).hexdigest()


def _vectors(vectors: NDArray[np.float32]) -> Vectors:
    first = tuple(tuple(_digits(number) for number in row[:DIMENSIONS]) for row in vectors)
    return Vectors(dim=vectors.shape[1] if vectors.ndim == 2 else 0, first=first)


def _digits(number: float) -> float:
    return float(f"{number:.6g}")
