"""Exact search: the k most similar documents of every query, out of a corpus that need not be in memory.

**The similarity of a pair is a function of its two vectors alone**: it is summed in float64 in a fixed order and
rounded to float32. How the work is cut into blocks, the number of threads and the BLAS at hand change nothing, and
documents with equal vectors tie exactly.

**Ties** are won by the larger document id, at the cut after k as well as in the order of the hits. So does the
reference implementation, whose cut is a heap of (score, id) and whose order is trec_eval's. Its scores, though, are
cells of a float32 matrix product: their last bit depends on the place in the matrix, so that it sometimes orders equal
documents by chance, mostly among short lists of candidates.

To be fast, a float32 matrix product sifts the corpus first: what cannot be among the k best, given a bound on the
product's rounding error, is never looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import SimilarityName, VectorRows
from embedmark.tasks.retrieval.ranking import Floats, Ranking, best_first, tie_order
from embedmark.tasks.similarity import row_blocks

Vectors = NDArray[np.float32]
Positions = NDArray[np.int64]

_DOCUMENTS = 16_384
"""Documents compared at a time."""
_CELLS = 2**22
"""Cells of a block of rough similarities: 16 MiB."""
_CACHE_CELLS = 2**15
"""Cells of a block of vectors that stays in a core's cache while it is compared: 128 KiB."""
_SMALLEST_NORM = 1e-12
_ROUNDING = 2.0**-24
"""Largest relative error of one float32 operation."""


def search(
    queries: Vectors,
    corpus: VectorRows,
    query_ids: Sequence[str],
    document_ids: Sequence[str],
    k: int,
    similarity: SimilarityName = "cosine",
    block: int = _DOCUMENTS,
) -> Ranking:
    """The k best documents of each query: `queries` (n, dim) and `corpus` (m, dim) → min(k, m) hits a query.

    Memory, beside the arguments: about 20·n·k bytes, `block` vectors and 16 MiB. A document id that several rows of the
    corpus share is counted once, with its best row, after the cut. Raises DataError when shapes do not fit or a
    similarity is not finite.
    """
    _check(queries, len(query_ids), corpus, len(document_ids))
    order = tie_order(document_ids)
    pairs = _Pairs(queries, corpus, similarity)
    kept = [_Candidates(pairs, query, order, min(k, len(corpus))) for query in range(len(queries))]
    sieve = _Sieve(queries, similarity)
    step = max(1, _CELLS // block)
    for start in range(0, len(corpus), block):
        documents = sieve.block(corpus[start : start + block])
        for first in range(0, len(queries), step):
            rough, errors = sieve(slice(first, first + step), documents)
            for candidates, row, error in zip(kept[first : first + step], rough, errors.tolist(), strict=True):
                candidates.add(row, error, start)
    return _ranking(query_ids, document_ids, (candidates.best() for candidates in kept))


def rerank(
    queries: Vectors,
    corpus: VectorRows,
    query_ids: Sequence[str],
    document_ids: Sequence[str],
    candidates: Sequence[Positions],
    k: int,
    similarity: SimilarityName = "cosine",
) -> Ranking:
    """The k best of each query's own candidates, which are positions in the corpus. Raises as `search` does."""
    _check(queries, len(query_ids), corpus, len(document_ids))
    order = tie_order(document_ids)
    pairs = _Pairs(queries, corpus, similarity)
    hits = (_cut(pairs, query, np.unique(positions), order, k) for query, positions in enumerate(candidates))
    return _ranking(query_ids, document_ids, hits)


def _check(queries: Vectors, n_query_ids: int, corpus: VectorRows, n_document_ids: int) -> None:
    if queries.ndim != 2 or len(corpus.shape) != 2 or queries.shape[1] != corpus.shape[1]:
        raise DataError(f"queries have shape {queries.shape}, documents {corpus.shape}; expected (n, dim) and (m, dim)")
    if (len(queries), len(corpus)) != (n_query_ids, n_document_ids):
        raise DataError(
            f"{len(queries)} query vectors for {n_query_ids} queries, "
            f"{len(corpus)} document vectors for {n_document_ids} documents"
        )


def _ranking(
    query_ids: Sequence[str], document_ids: Sequence[str], hits: Iterator[tuple[Positions, Floats]]
) -> Ranking:
    first = {document: i for i, document in reversed(list(enumerate(document_ids)))}
    if len(first) < len(document_ids):
        row = np.array([first[document] for document in document_ids], dtype=np.int64)
        hits = (_once(row[documents], scores) for documents, scores in hits)
    documents, scores = zip(*hits, strict=True)
    return Ranking.join(query_ids, document_ids, documents, scores)


def _once(documents: Positions, scores: Floats) -> tuple[Positions, Floats]:
    """Only the first, and so best, of several hits of one document."""
    places = np.sort(np.unique(documents, return_index=True)[1])
    return documents[places], scores[places]


class _Pairs:
    """The similarity of a query and some documents, to the last bit of float32."""

    def __init__(self, queries: Vectors, corpus: VectorRows, similarity: SimilarityName) -> None:
        self._queries = np.asarray(queries)
        self._corpus = corpus
        self._similarity = similarity
        lengths = _lengths if similarity == "cosine" else _ones
        self._query_lengths = lengths(self._queries)
        self._lengths = lengths(self._corpus)

    def __call__(self, query: int, documents: Positions) -> Vectors:
        a = self._queries[query]
        similarity = np.empty(len(documents))
        vectors = np.asarray(self._corpus[documents])
        for part in row_blocks(len(documents), len(a), _CACHE_CELLS):
            similarity[part] = self._compared(a, vectors[part])
        similarity /= self._query_lengths[query] * self._lengths[documents]
        return similarity.astype(np.float32)

    def _compared(self, a: Vectors, b: Vectors) -> NDArray[np.float64]:
        match self._similarity:
            case "cosine" | "dot":
                return _dots(b, a)
            case "euclidean":
                difference = np.subtract(b, a, dtype=np.float64)
                return np.asarray(-np.sqrt(_dots(difference, difference)))
            case "manhattan":
                return np.asarray(-np.abs(np.subtract(b, a, dtype=np.float64)).sum(axis=1))


def _dots(b: Floats, a: Floats) -> NDArray[np.float64]:
    """Dot products in float64, in NumPy's pairwise order of summation, which depends on nothing but the dimension."""
    return np.asarray(np.multiply(b, a, dtype=np.float64).sum(axis=1))


def _lengths(x: VectorRows) -> NDArray[np.float64]:
    lengths = np.empty(len(x))
    for start in range(0, len(x), _DOCUMENTS):
        block = np.asarray(x[start : start + _DOCUMENTS])
        for part in row_blocks(len(block), x.shape[1], _CACHE_CELLS):
            lengths[start : start + _DOCUMENTS][part] = np.sqrt(_dots(block[part], block[part]))
    return np.maximum(lengths, _SMALLEST_NORM)


def _ones(x: VectorRows) -> NDArray[np.float64]:
    return np.ones(len(x))


class _Block(NamedTuple):
    """Vectors to compare roughly, and the length of each (the sum of its absolute values, for manhattan)."""

    vectors: Vectors
    sizes: Vectors


class _Sieve:
    """Rough similarities by one matrix product, with a bound on their error.

    A dot product of n terms in float32 is off by at most n·2^-24·|a|·|b| in any order of summation (Higham, Accuracy
    and Stability of Numerical Algorithms, section 3.1); a few more terms pay for the other roundings. Only the order of
    a query's documents matters here, so the euclidean distance stays squared and without the query's own length.
    """

    def __init__(self, queries: Vectors, similarity: SimilarityName) -> None:
        self._similarity = similarity
        self._queries = self.block(queries)

    def block(self, x: Vectors) -> _Block:
        """A block of vectors in memory, scaled to length 1 for cosine. Raises DataError where one is not finite."""
        x = np.asarray(x, dtype=np.float32)
        sizes = np.abs(x).sum(axis=1) if self._similarity == "manhattan" else np.sqrt(np.einsum("ij,ij->i", x, x))
        if not np.isfinite(sizes).all():
            row = int(np.flatnonzero(~np.isfinite(sizes))[0])
            raise DataError(f"a vector has NaN, inf or values too large to compare; it begins {x[row, :4].tolist()}")
        if self._similarity == "cosine":
            return _Block(x / np.maximum(sizes, np.float32(_SMALLEST_NORM))[:, None], np.ones_like(sizes))
        return _Block(x, sizes)

    def __call__(self, queries: slice, documents: _Block) -> tuple[Vectors, NDArray[np.float64]]:
        """Rough similarities (n, m) and the error of each query's row (n,)."""
        a, b = self._queries.vectors[queries], documents.vectors
        sizes, largest = self._queries.sizes[queries].astype(np.float64), float(documents.sizes.max())
        rounding = (a.shape[1] + 16) * _ROUNDING
        match self._similarity:
            case "cosine" | "dot":
                return a @ b.T, rounding * sizes * largest
            case "euclidean":
                return 2 * (a @ b.T) - documents.sizes**2, 4 * rounding * (sizes + largest) ** 2
            case "manhattan":
                from scipy.spatial.distance import cdist

                return -cdist(a, b, "cityblock").astype(np.float32), 4 * _ROUNDING * (sizes + largest)


class _Candidates:
    """The documents that may still be among a query's k best."""

    def __init__(self, pairs: _Pairs, query: int, order: Positions, k: int) -> None:
        self._pairs = pairs
        self._query = query
        self._order = order
        self._k = k
        self._limit = 2 * k + 256
        self._floor = -np.inf
        self._error = 0.0
        self._rough = np.zeros(0, dtype=np.float32)
        self._documents = np.zeros(0, dtype=np.int64)

    def add(self, rough: Vectors, error: float, start: int) -> None:
        """Look at a block of documents, whose first has position `start`."""
        self._error = max(self._error, error)
        found = np.flatnonzero(rough >= self._floor)
        self._rough = np.concatenate([self._rough, rough[found]])
        self._documents = np.concatenate([self._documents, found + start])
        if len(self._rough) > self._limit:
            self._sift()

    def best(self) -> tuple[Positions, Vectors]:
        """The k best documents and their similarities, best first."""
        self._sift()
        return _cut(self._pairs, self._query, self._documents, self._order, self._k)

    def _sift(self) -> None:
        """Drop what is worse than the k-th best by more than both could be off; if too many tie, settle them."""
        kth = float(np.partition(self._rough, -self._k)[-self._k])
        self._floor = max(self._floor, kth - 2 * self._error)
        self._keep(np.flatnonzero(self._rough >= self._floor))
        if len(self._rough) > self._limit:
            documents, _ = _cut(self._pairs, self._query, self._documents, self._order, self._k)
            self._keep(np.flatnonzero(np.isin(self._documents, documents)))

    def _keep(self, places: Positions) -> None:
        self._rough, self._documents = self._rough[places], self._documents[places]


def _cut(pairs: _Pairs, query: int, documents: Positions, order: Positions, k: int) -> tuple[Positions, Vectors]:
    """The k most similar of these documents, best first."""
    scores = pairs(query, documents)
    best = best_first(scores, order[documents])[:k]
    return documents[best], scores[best]
