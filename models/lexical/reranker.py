"""A search out of pair scores: each query's candidates, scored one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedmark.models.base import Scorer, takes
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import Modality, TaskContext
from embedmark.tasks.retrieval.ranking import Hits, Lookup

PAIRS_AT_ONCE = 4096
"""Pairs held at once."""


@dataclass(frozen=True)
class Reranker:
    """A Searcher that can order candidates and find none."""

    scorer: Scorer

    @property
    def modalities(self) -> frozenset[Modality]:
        """Those of the scorer."""
        return takes(self.scorer)

    @property
    def facts(self) -> Mapping[str, Any]:
        """Those of the scorer."""
        return self.scorer.facts

    def search(self, lookup: Lookup, context: TaskContext) -> Sequence[Hits]:
        """All candidates of each query. Raises ModelError without candidates and for invalid scores."""
        if lookup.candidates is None:
            raise ModelError(f"{context.name} gives no candidates, and this model only orders those it is given")
        candidates = [np.unique(positions) for positions in lookup.candidates]
        pairs = [(query, place) for query, positions in enumerate(candidates) for place in positions]
        scores = [np.zeros(0, dtype=np.float32)]
        for start in range(0, len(pairs), PAIRS_AT_ONCE):
            block = [(lookup.queries[q], lookup.documents[d]) for q, d in pairs[start : start + PAIRS_AT_ONCE]]
            found = self.scorer.score(block, context)
            if found.shape != (len(block),):
                raise ModelError(f"the model returned scores of shape {found.shape} for {len(block)} pairs")
            scores.append(found)
        ends = np.cumsum([len(positions) for positions in candidates])[:-1]
        return list(zip(candidates, np.split(np.concatenate(scores), ends), strict=True))
