"""The settings of the types that compare pairs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from embedmark.tasks.base import ColumnRoles, ItemModality, Side
from embedmark.tasks.settings import LATER, ClusterColumn, at_least, clusters, item_roles

PairSides = tuple[Side | None, Side | None]
"""Which sides the two items of a pair are on; None where the task is symmetric."""

PairModalities = tuple[ItemModality, ItemModality] | None
"""What the two items of a pair are, where they are not of one kind: it takes the place of `modality`."""

_CORRELATIONS = ("pearson", "spearman")
_WAYS = ("similarity", "cosine", "dot", "manhattan", "euclidean", "max")
_AT_THRESHOLDS = ("accuracy", "f1", "precision", "recall", "ap")


class PairInputs(Protocol):
    """What settings of types that compare pairs say of the pairs."""

    @property
    def columns(self) -> tuple[str, str]: ...  # noqa: D102
    @property
    def sides(self) -> PairSides: ...  # noqa: D102
    @property
    def modality(self) -> ItemModality: ...  # noqa: D102
    @property
    def modalities(self) -> PairModalities: ...  # noqa: D102
    @property
    def image_columns(self) -> tuple[str, str]: ...  # noqa: D102


def pair_modalities(settings: PairInputs) -> tuple[ItemModality, ItemModality]:
    """What the first and the second item of a pair are."""
    return settings.modalities or (settings.modality, settings.modality)


def _pair_roles(settings: PairInputs) -> ColumnRoles:
    sides = zip(pair_modalities(settings), settings.columns, settings.image_columns, strict=True)
    return tuple(role for side in sides for role in item_roles(*side))


@dataclass(frozen=True)
class STSSettings:
    """Correlation of similarity with gold scores. image_columns: of items that are a text and an image."""

    columns: tuple[str, str] = ("sentence1", "sentence2")
    score_column: str = "score"
    min_score: float = 0.0
    max_score: float = 5.0
    sides: PairSides = (None, None)
    modality: ItemModality = field(default="text", metadata=LATER)
    cluster_column: ClusterColumn = None
    modalities: PairModalities = field(default=None, metadata=LATER)
    image_columns: tuple[str, str] = field(default=("image1", "image2"), metadata=LATER)

    def column_roles(self) -> ColumnRoles:
        """The columns that it reads, and as what."""
        return (*_pair_roles(self), (self.score_column, "number"), *clusters(self.cluster_column))

    def metrics(self) -> frozenset[str]:
        """The metrics that it computes."""
        return _correlations("cosine_", "manhattan_", "euclidean_")


@dataclass(frozen=True)
class ArrangementSettings:
    """Agreement of similarity with places on a canvas, over triplets whose distance ratio is up to max_ratio."""

    text_column: str = "texts"
    place_columns: tuple[str, str] = ("x", "y")
    max_ratio: float = 6.5
    n_thresholds: int = 30
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        at_least(2, self, "n_thresholds")
        if self.max_ratio <= 1:
            raise ValueError(f"max_ratio is {self.max_ratio}; it must be larger than 1")

    def column_roles(self) -> ColumnRoles:
        """The columns that it reads, and as what."""
        places: ColumnRoles = tuple((column, "list") for column in self.place_columns)
        return ((self.text_column, "text"), *places, *clusters(self.cluster_column))

    def metrics(self) -> frozenset[str]:
        """The metrics that it computes."""
        return frozenset({"alpha_auc"})


@dataclass(frozen=True)
class PairClassificationSettings:
    """Whether two items belong together: accuracy, F1 and average precision over thresholds."""

    columns: tuple[str, str] = ("sentence1", "sentence2")
    label_column: str = "labels"
    sides: PairSides = (None, None)
    modality: ItemModality = field(default="text", metadata=LATER)
    cluster_column: ClusterColumn = None
    modalities: PairModalities = field(default=None, metadata=LATER)
    image_columns: tuple[str, str] = field(default=("image1", "image2"), metadata=LATER)

    def column_roles(self) -> ColumnRoles:
        """The columns that it reads, and as what."""
        return (*_pair_roles(self), (self.label_column, "value"), *clusters(self.cluster_column))

    def metrics(self) -> frozenset[str]:
        """The metrics that it computes."""
        return frozenset(f"{way}_{metric}" for way in _WAYS for metric in _AT_THRESHOLDS)


@dataclass(frozen=True)
class BitextMiningSettings:
    """Nearest neighbour of every source sentence among the target sentences.

    parallel_subsets: one table with a column a language, of which the subset `a-b` takes the columns `a` and `b`.
    gold_column: one row of lists, as in BUCC; the column holds pairs of positions (from 1) of source and target, and
    only sources in such a pair are searched for. By default source i belongs to target i.
    """

    columns: tuple[str, str] = ("sentence1", "sentence2")
    parallel_subsets: bool = False
    gold_column: str | None = None
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        if self.gold_column is not None and self.cluster_column is not None:
            raise ValueError(
                "cluster_column and gold_column are both set; pairs of positions have no column of clusters"
            )

    def column_roles(self) -> ColumnRoles:
        """The columns that it reads, and as what; those of parallel subsets are named by the subsets alone."""
        texts: ColumnRoles = () if self.parallel_subsets else tuple((column, "text") for column in self.columns)
        gold: ColumnRoles = () if self.gold_column is None else ((self.gold_column, "list"),)
        return (*texts, *gold, *clusters(self.cluster_column))

    def metrics(self) -> frozenset[str]:
        """The metrics that it computes."""
        return frozenset({"precision", "recall", "f1", "accuracy"})


@dataclass(frozen=True)
class SummarizationSettings:
    """Correlation of human judgement with similarity to human summaries, within each text.

    average_p_values: the older version of the type, which averages each correlation with its p-value.
    """

    columns: tuple[str, str] = ("human_summaries", "machine_summaries")
    relevance_column: str = "relevance"
    min_score: float = 0.0
    max_score: float = 5.0
    average_p_values: bool = False
    cluster_column: ClusterColumn = None

    def column_roles(self) -> ColumnRoles:
        """The columns that it reads, and as what."""
        items: ColumnRoles = tuple((column, "text") for column in self.columns)
        return (*items, (self.relevance_column, "list"), *clusters(self.cluster_column))

    def metrics(self) -> frozenset[str]:
        """The metrics that it computes."""
        return _correlations("cosine_", "dot_")


@dataclass(frozen=True)
class CompositionalitySettings:
    """Whether images and captions that belong together are nearest to each other, among those of a row.

    image_columns, text_columns: columns of one image or text a row, or of lists of them. The first image belongs to the
    first text, the second to the second.
    """

    image_columns: tuple[str, ...] = ("image",)
    text_columns: tuple[str, ...] = ("caption",)
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        for name in ("image_columns", "text_columns"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty; it names at least one column")
        columns = (*self.image_columns, *self.text_columns)
        if twice := sorted({column for column in columns if columns.count(column) > 1}):
            raise ValueError(f"image_columns and text_columns name {twice[0]!r} twice")

    def column_roles(self) -> ColumnRoles:
        """The columns that it reads, and as what."""
        images: ColumnRoles = tuple((column, "images") for column in self.image_columns)
        texts: ColumnRoles = tuple((column, "text") for column in self.text_columns)
        return (*images, *texts, *clusters(self.cluster_column))

    def metrics(self) -> frozenset[str]:
        """The metrics that it computes."""
        return frozenset({"image_acc", "text_acc", "accuracy"})


def _correlations(*prefixes: str) -> frozenset[str]:
    return frozenset(f"{prefix}{name}" for prefix in ("", *prefixes) for name in _CORRELATIONS)
