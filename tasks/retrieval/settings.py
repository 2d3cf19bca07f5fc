"""The settings of retrieval and reranking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

from embedmark.tasks.base import ColumnRoles, ItemModality
from embedmark.tasks.retrieval.extras import names_of
from embedmark.tasks.settings import LATER, ClusterColumn, clusters

IMAGE = "image"
"""The column of images, of queries and documents alike."""

_AT_K = ("ndcg", "map", "recall", "precision", "hit_rate", "mrr")
_CONFIDENCES = ("max", "std", "diff1")


@dataclass(frozen=True)
class RetrievalSettings:
    """Exact search, or the scoring of given candidates, and TREC metrics at `k_values`.

    As many documents as the largest k are kept. ignore_identical_ids: drop the hit whose id is the query's own, after
    that cut. skip_first_result: drop each query's best hit. extra_metrics: those of extras.py. cluster_column: of
    queries. query_modality and document_modality: what the two sides are.
    """

    k_values: tuple[int, ...] = (1, 3, 5, 10, 20, 100, 1000)
    ignore_identical_ids: bool = False
    skip_first_result: bool = False
    extra_metrics: tuple[str, ...] = ()
    cluster_column: ClusterColumn = None
    query_modality: ItemModality = field(default="text", metadata=LATER)
    document_modality: ItemModality = field(default="text", metadata=LATER)

    def column_roles(self) -> ColumnRoles:
        """The columns of queries that it reads besides those of the layout, and as what."""
        return clusters(self.cluster_column)

    def metrics(self) -> frozenset[str]:
        """Every metric at every k, and what the extra metrics add. Raises ValueError where one is unknown."""
        return frozenset(self._metrics())

    def _metrics(self) -> Iterator[str]:
        plain = [f"{name}_at_{k}" for name, k in product(_AT_K, self.k_values)]
        common = [*plain, *(["accuracy"] if 1 in self.k_values else [])]
        common += [f"nauc_{name}_{way}" for name in plain if not name.startswith("hit_rate") for way in _CONFIDENCES]
        yield from common
        try:
            yield from names_of(self.extra_metrics, self.k_values, common)
        except ValueError as error:
            raise ValueError(f"extra_metrics: {error}") from None


@dataclass(frozen=True)
class InstructionRerankingSettings(RetrievalSettings):
    """Reranking under an original and a changed instruction: FollowIR's p-MRR on top of the TREC metrics."""

    extra_metrics: tuple[str, ...] = ("p_mrr",)
