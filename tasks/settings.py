"""What the YAML of a task may decide about its protocol, one class a task type.

Kept apart from the protocols so that planning, which needs names, defaults and checks, imports no numpy. Every field
decides the score and enters the job's fingerprint; `cluster_column` moves no score, but decides what a record keeps.
`numeric` names the fields whose columns hold numbers: where a file has them as text (CSV), they are read as numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

Draws = Literal["job", "mteb"]
"""Whose random draws: "job" starts every job afresh; "mteb" replays the reference's generator, which the subsets of a
task share, so that a subset's score depends on the subsets before it."""

Classifier = Literal["logistic_regression", "k_nearest_neighbours"]
"""What learns the classes from vectors: scikit-learn's LogisticRegression or KNeighborsClassifier."""

ClusterColumn = str | None
"""The column that says which rows belong together (a document's paragraphs, one sentence in several languages). Items
keep it as `_cluster`, for intervals that do not take such rows for independent ones. A task that names none has the
fingerprint that it always had."""

PairSides = tuple[Literal["query", "document"] | None, Literal["query", "document"] | None]
"""Which sides the two texts of a pair are on; None where the task is symmetric."""


@dataclass(frozen=True)
class ClassificationSettings:
    """A classifier on a few rows a label, repeated; or on the folds of one split, in cross-validation."""

    samples_per_label: int = 8
    n_experiments: int = 10
    seed: int = 42
    train_split: str = "train"
    input_column: str = "text"
    label_column: str = "label"
    classifier: Classifier = "logistic_regression"
    max_iter: int = 100
    n_neighbors: int = 5
    is_cross_validation: bool = False
    n_splits: int = 5
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        _at_least(1, self, "samples_per_label", "n_experiments", "max_iter", "n_neighbors")
        _at_least(2, self, "n_splits")


@dataclass(frozen=True)
class MultilabelClassificationSettings:
    """A classifier of several labels a row on a few rows a label, repeated.

    max_eval_samples: a larger test split is cut to about so many rows, by iterative stratification; None keeps all.
    """

    samples_per_label: int = 8
    n_experiments: int = 10
    max_eval_samples: int | None = 3000
    seed: int = 42
    draws: Draws = "job"
    train_split: str = "train"
    input_column: str = "text"
    label_column: str = "label"
    classifier: Classifier = "k_nearest_neighbours"
    n_neighbors: int = 5
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        _at_least(1, self, "samples_per_label", "n_experiments", "n_neighbors")

    def drawn_split(self, split: str) -> str:  # noqa: ARG002 - one question to every type that draws
        """The split whose row count decides how far evaluating `split` advances the generator."""
        return self.train_split


@dataclass(frozen=True)
class RegressionSettings:
    """Linear regression on at most n_samples train rows, repeated; or on the folds of one split."""

    numeric: ClassVar[tuple[str, ...]] = ("label_column",)

    n_samples: int = 2048
    n_experiments: int = 10
    seed: int = 42
    train_split: str = "train"
    input_column: str = "text"
    label_column: str = "value"
    is_cross_validation: bool = False
    n_splits: int = 5
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        _at_least(1, self, "n_samples", "n_experiments")
        _at_least(2, self, "n_splits")


@dataclass(frozen=True)
class ZeroShotClassificationSettings:
    """Each text's most similar candidate label. Rows are labelled by the candidate's position or by its text."""

    candidate_labels: tuple[str, ...]
    input_column: str = "text"
    label_column: str = "label"
    cluster_column: ClusterColumn = None


Likeness = Literal["similarity", "softmax"]
"""How alike an image and a text are: "similarity" is the model's own; "softmax", of 100 times the cosine similarity
over all candidates, is what the reference uses for tasks that name images before texts among their modalities. The two
differ in average precision, and in all metrics for models whose own similarity is not cosine."""


@dataclass(frozen=True)
class ZeroShotImageClassificationSettings:
    """Each image's most similar candidate text. Rows are labelled by the candidate's position or by its text.

    candidate_labels: the texts; by default `template`, with each class name of the label column for {label}.
    """

    candidate_labels: tuple[str, ...] = ()
    template: str = "{label}"
    image_column: str = "image"
    label_column: str = "label"
    likeness: Likeness = "similarity"
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        if "{label}" not in self.template:
            raise ValueError(f"template is {self.template!r}; expected {{label}} in it, where the class name goes")
        if self.candidate_labels and self.template != "{label}":
            raise ValueError("candidate_labels and template are both set; candidate_labels are whole texts")


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
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        _at_least(1, self, "max_documents_per_cluster", "n_clusterings", "k_mean_batch_size")
        if self.max_fraction_of_documents_to_embed is not None and self.max_document_to_embed is not None:
            raise ValueError(
                "max_document_to_embed and max_fraction_of_documents_to_embed are both set; "
                "set the one that is not meant to null"
            )

    def drawn_split(self, split: str) -> str:
        """The split whose row count decides how far evaluating `split` advances the generator."""
        return split


@dataclass(frozen=True)
class LegacyClusteringSettings:
    """Each row holds many sentences and their labels, and is clustered by itself."""

    k_mean_batch_size: int = 500
    seed: int = 42
    input_column: str = "sentences"
    label_column: str = "labels"
    cluster_column: ClusterColumn = None


@dataclass(frozen=True)
class STSSettings:
    """Correlation of similarity with gold scores."""

    numeric: ClassVar[tuple[str, ...]] = ("score_column",)

    columns: tuple[str, str] = ("sentence1", "sentence2")
    score_column: str = "score"
    min_score: float = 0.0
    max_score: float = 5.0
    sides: PairSides = (None, None)
    cluster_column: ClusterColumn = None


@dataclass(frozen=True)
class ArrangementSettings:
    """Agreement of similarity with places on a canvas, over triplets whose distance ratio is up to max_ratio."""

    text_column: str = "texts"
    place_columns: tuple[str, str] = ("x", "y")
    max_ratio: float = 6.5
    n_thresholds: int = 30
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        _at_least(2, self, "n_thresholds")
        if self.max_ratio <= 1:
            raise ValueError(f"max_ratio is {self.max_ratio}; it must be larger than 1")


@dataclass(frozen=True)
class PairClassificationSettings:
    """Whether two texts belong together: accuracy, F1 and average precision over thresholds."""

    numeric: ClassVar[tuple[str, ...]] = ("label_column",)

    columns: tuple[str, str] = ("sentence1", "sentence2")
    label_column: str = "labels"
    sides: PairSides = (None, None)
    cluster_column: ClusterColumn = None


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


ExtraMetric = Literal[
    "capped_recall", "instruction_levels", "max_over_subqueries", "p_mrr", "paired_accuracy", "robustness_at_10"
]
"""Metrics beyond the common ones, which a task asks for by name; tasks/rank_extras.py says what each is."""


@dataclass(frozen=True)
class RetrievalSettings:
    """Exact search, or the scoring of given candidates, and TREC metrics at `k_values`.

    As many documents as the largest k are kept. ignore_identical_ids: drop the hit whose id is the query's own, after
    that cut. skip_first_result: drop each query's best hit. extra_metrics: see ExtraMetric.
    """

    k_values: tuple[int, ...] = (1, 3, 5, 10, 20, 100, 1000)
    ignore_identical_ids: bool = False
    skip_first_result: bool = False
    extra_metrics: tuple[ExtraMetric, ...] = ()
    cluster_column: ClusterColumn = None


@dataclass(frozen=True)
class InstructionRerankingSettings(RetrievalSettings):
    """Reranking under an original and a changed instruction: FollowIR's p-MRR on top of the TREC metrics."""

    extra_metrics: tuple[ExtraMetric, ...] = ("p_mrr",)


def _at_least(smallest: int, settings: object, *names: str) -> None:
    for name in names:
        value = getattr(settings, name)
        if value < smallest:
            raise ValueError(f"{name} is {value}; it must be at least {smallest}")
