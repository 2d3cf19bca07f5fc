"""The settings of clustering."""

from __future__ import annotations

from dataclasses import dataclass, field

from embedmark.tasks.base import ColumnRoles, ItemModality
from embedmark.tasks.settings import LATER, ClusterColumn, Draws, at_least, clusters, input_roles


@dataclass(frozen=True)
class ClusteringSettings:
    """Mini-batch k-means on drawn documents, repeated; hierarchical labels are scored a level."""

    max_fraction_of_documents_to_embed: float | None = 0.04
    max_document_to_embed: int | None = None
    max_documents_per_cluster: int = 16_384
    n_clusterings: int = 10
    k_mean_batch_size: int = 512
    max_depth: int | None = None
    seed: int = 42
    draws: Draws = "job"
    input_column: str = "sentences"
    label_column: str = "labels"
    modality: ItemModality = field(default="text", metadata=LATER)
    image_column: str = field(default="image", metadata=LATER)
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        at_least(1, self, "max_documents_per_cluster", "n_clusterings", "k_mean_batch_size")
        if self.max_fraction_of_documents_to_embed is not None and self.max_document_to_embed is not None:
            raise ValueError(
                "max_document_to_embed and max_fraction_of_documents_to_embed are both set; "
                "set the one that is not meant to null"
            )

    def drawn_split(self, split: str) -> str:
        """The split whose row count decides how far evaluating `split` advances the generator."""
        return split

    def column_roles(self) -> ColumnRoles:
        """The columns that it reads, and as what."""
        return (*input_roles(self), (self.label_column, "label"), *clusters(self.cluster_column))

    def metrics(self) -> frozenset[str]:
        """The metrics that it computes."""
        return frozenset({"v_measure", "v_measure_std", "ami", "ami_std"})


@dataclass(frozen=True)
class LegacyClusteringSettings:
    """Each row holds many sentences and their labels, and is clustered by itself.

    whole: instead, each row is one item, and the split is clustered once; so does the reference with all but texts.
    """

    k_mean_batch_size: int = 500
    seed: int = 42
    input_column: str = "sentences"
    label_column: str = "labels"
    cluster_column: ClusterColumn = None
    whole: bool = field(default=False, metadata=LATER)
    modality: ItemModality = field(default="text", metadata=LATER)
    image_column: str = field(default="image", metadata=LATER)

    def __post_init__(self) -> None:
        if self.modality != "text" and not self.whole:
            raise ValueError(f"modality is {self.modality}; only texts are clustered a row, so set `whole: true`")

    def column_roles(self) -> ColumnRoles:
        """The columns that it reads, and as what."""
        return (*input_roles(self), (self.label_column, "label"), *clusters(self.cluster_column))

    def metrics(self) -> frozenset[str]:
        """The metrics that it computes."""
        if self.whole:
            return frozenset({"v_measure", "nmi", "ari", "cluster_accuracy"})
        return frozenset({"v_measure", "v_measure_std"})
