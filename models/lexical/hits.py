"""The best documents of a query, out of its scores."""

from __future__ import annotations

import numpy as np

from embedmark.tasks.retrieval.ranking import Floats, Hits, Lookup


def best(scores: Floats, lookup: Lookup, query: int) -> Hits:
    """Out of a query's scores of all documents: its candidates, or the k best and what ties with the last of them."""
    if lookup.candidates is not None:
        documents = np.unique(lookup.candidates[query])
    elif lookup.k < len(scores):
        documents = np.flatnonzero(scores >= np.partition(scores, len(scores) - lookup.k)[len(scores) - lookup.k])
    else:
        documents = np.arange(len(scores))
    return documents.astype(np.int64), scores[documents]
