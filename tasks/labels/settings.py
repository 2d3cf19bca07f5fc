"""The settings of the types that predict labels and numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from embedmark.tasks.base import ColumnRoles, ItemModality
from embedmark.tasks.settings import LATER, ClusterColumn, Draws, at_least, clusters, input_roles

Classifier = Literal["logistic_regression", "k_nearest_neighbours"]
"""What learns the classes from vectors: scikit-learn's LogisticRegression or KNeighborsClassifier."""

Likeness = Literal["similarity", "softmax"]
"""How alike an input and a candidate text are: "similarity" is the model's own; "softmax", of 100 times the cosine
similarity over all candidates, is what the reference uses for tasks that name images before texts among their
modalities. The two differ in average precision, and in all metrics for models whose own similarity is not cosine."""

_OF_CLASSES = frozenset(
    {"accuracy", *(f"{name}{form}" for name in ("f1", "precision", "recall", "ap") for form in ("", "_weighted"))}
)


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
    modality: ItemModality = field(default="text", metadata=LATER)
    image_column: str = field(default="image", metadata=LATER)
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        at_least(1, self, "samples_per_label", "n_experiments", "max_iter", "n_neighbors")
        at_least(2, self, "n_splits")

    def column_roles(self) -> ColumnRoles:
        """The columns that it reads, and as what."""
        return (*input_roles(self), (self.label_column, "label"), *clusters(self.cluster_column))

    def metrics(self) -> frozenset[str]:
        """The metrics that it computes."""
        return _OF_CLASSES


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
    modality: ItemModality = field(default="text", metadata=LATER)
    image_column: str = field(default="image", metadata=LATER)
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        at_least(1, self, "samples_per_label", "n_experiments", "n_neighbors")

    def drawn_split(self, split: str) -> str:  # noqa: ARG002 - one question to every type that draws
        """The split whose row count decides how far evaluating `split` advances the generator."""
        return self.train_split

    def column_roles(self) -> ColumnRoles:
        """The columns that it reads, and as what."""
        return (*input_roles(self), (self.label_column, "label"), *clusters(self.cluster_column))

    def metrics(self) -> frozenset[str]:
        """The metrics that it computes."""
        return frozenset({"accuracy", "hamming", "lrap", "f1"})


@dataclass(frozen=True)
class RegressionSettings:
    """Linear regression on at most n_samples train rows, repeated; or on the folds of one split."""

    n_samples: int = 2048
    n_experiments: int = 10
    seed: int = 42
    train_split: str = "train"
    input_column: str = "text"
    label_column: str = "value"
    is_cross_validation: bool = False
    n_splits: int = 5
    modality: ItemModality = field(default="text", metadata=LATER)
    image_column: str = field(default="image", metadata=LATER)
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        at_least(1, self, "n_samples", "n_experiments")
        at_least(2, self, "n_splits")

    def column_roles(self) -> ColumnRoles:
        """The columns that it reads, and as what."""
        return (*input_roles(self), (self.label_column, "value"), *clusters(self.cluster_column))

    def metrics(self) -> frozenset[str]:
        """The metrics that it computes."""
        return frozenset({"mse", "mae", "r2", "kendalltau", "rmse"})


@dataclass(frozen=True)
class ZeroShotClassificationSettings:
    """Each input's most similar candidate text. Rows are labelled by the candidate's position or by its text.

    candidate_labels: the texts; by default `template`, with each class name of the label column for {label}.
    """

    candidate_labels: tuple[str, ...] = ()
    template: str = field(default="{label}", metadata=LATER)
    input_column: str = "text"
    label_column: str = "label"
    likeness: Likeness = field(default="similarity", metadata=LATER)
    modality: ItemModality = field(default="text", metadata=LATER)
    image_column: str = field(default="image", metadata=LATER)
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        _check_candidates(self.candidate_labels, self.template)

    def column_roles(self) -> ColumnRoles:
        """The columns that it reads, and as what."""
        return (*input_roles(self), (self.label_column, "label"), *clusters(self.cluster_column))

    def metrics(self) -> frozenset[str]:
        """The metrics that it computes."""
        return _OF_CLASSES


@dataclass(frozen=True)
class ZeroShotImageClassificationSettings:
    """The same where the inputs are images, under the names of keys that tasks of images have."""

    candidate_labels: tuple[str, ...] = ()
    template: str = "{label}"
    image_column: str = "image"
    label_column: str = "label"
    likeness: Likeness = "similarity"
    cluster_column: ClusterColumn = None

    def __post_init__(self) -> None:
        _check_candidates(self.candidate_labels, self.template)

    @property
    def input_column(self) -> str:
        """The column of inputs."""
        return self.image_column

    @property
    def modality(self) -> ItemModality:
        """What the inputs are."""
        return "image"

    def column_roles(self) -> ColumnRoles:
        """The columns that it reads, and as what."""
        return ((self.image_column, "image"), (self.label_column, "label"), *clusters(self.cluster_column))

    def metrics(self) -> frozenset[str]:
        """The metrics that it computes."""
        return _OF_CLASSES


def _check_candidates(candidate_labels: tuple[str, ...], template: str) -> None:
    if "{label}" not in template:
        raise ValueError(f"template is {template!r}; expected {{label}} in it, where the class name goes")
    if candidate_labels and template != "{label}":
        raise ValueError("candidate_labels and template are both set; candidate_labels are whole texts")
