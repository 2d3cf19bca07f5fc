"""Laws that scores of labelled texts obey, and what becomes of data that a protocol cannot score."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from datasets import ClassLabel, Dataset
from facts_labels import VECTORS, score
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, label_ranking_average_precision_score

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Rows, Scores, TaskContext, TaskData
from embedmark.tasks.clusters import clustering
from embedmark.tasks.labels import multilabel
from embedmark.tasks.labels.class_metrics import binary_metrics
from embedmark.tasks.labels.draws import balanced_draws, label_codes, multilabel_draw
from embedmark.tasks.labels.stratification import multilabel_sample, stratified_sample
from embedmark.tasks.types import task_types

Table = dict[str, list[Any]]


def topical(n: int, n_topics: int = 3) -> Table:
    """Texts whose topic is their label, without exception."""
    rows = [(i % n_topics, f"topic {i % n_topics}, text {i % 45}") for i in range(n)]
    return {"text": [text for _, text in rows], "label": [label for label, _ in rows]}


def perfect(table: Table) -> dict[str, Any]:
    """Equal vectors for texts of one topic, orthogonal ones otherwise."""
    return {text: np.eye(9)[int(text.split(",")[0].split()[-1])] for text in table["text"]}


def constant(_: Table) -> dict[str, Any]:
    return {text: np.ones(9) for text in VECTORS}


def documents(n: int, n_topics: int = 3) -> Table:
    table = topical(n, n_topics)
    return {"sentences": table["text"], "labels": table["label"]}


ALL: dict[str, Any] = {"max_fraction_of_documents_to_embed": None, "n_clusterings": 2, "max_documents_per_cluster": 90}
CANDIDATES = {"candidate_labels": tuple(f"topic {i}, text {i}" for i in range(3))}


# ------------------------------------------------------------------------------------------ known values, order


def defined(found: Scores) -> dict[str, float]:
    """The metrics but those that are NaN: average precision of other than two classes."""
    return {metric: value for metric, value in found.values.items() if not np.isnan(value)}


def test_perfect_vectors_score_one() -> None:
    table, vectors = topical(60), perfect(topical(60))
    splits = {"train": table, "test": table}
    assert set(defined(score("classification", splits, vectors=vectors)).values()) == {1.0}
    lists = {name: {"text": rows["text"], "label": [[x] for x in rows["label"]]} for name, rows in splits.items()}
    found = score("multilabel_classification", lists, vectors=vectors)
    assert set(found.values.values()) == {1.0}
    found = score("clustering", {"test": documents(60)}, ALL, vectors=vectors, main="v_measure")
    assert found.values == pytest.approx({"v_measure": 1, "v_measure_std": 0, "ami": 1, "ami_std": 0})
    rows = {"sentences": [table["text"]] * 2, "labels": [table["label"]] * 2}
    found = score("clustering_legacy", {"test": rows}, vectors=vectors, main="v_measure")
    assert found.values == pytest.approx({"v_measure": 1, "v_measure_std": 0})
    assert set(defined(score("zeroshot_classification", {"test": table}, CANDIDATES, vectors=vectors)).values()) == {
        1.0
    }
    values = {name: {"text": rows["text"], "value": rows["label"]} for name, rows in splits.items()}
    found = score("regression", values, vectors=vectors, main="r2")
    assert found.values == pytest.approx({"mse": 0, "mae": 0, "rmse": 0, "r2": 1, "kendalltau": 1}, abs=1e-5)


def test_constant_vectors_score_as_if_nothing_was_known() -> None:
    table = topical(60)
    splits, vectors = {"train": table, "test": table}, constant(table)
    assert score("classification", splits, vectors=vectors).values["accuracy"] == pytest.approx(1 / 3)
    lists = {name: {"text": rows["text"], "label": [[x] for x in rows["label"]]} for name, rows in splits.items()}
    found = score("multilabel_classification", lists, vectors=vectors)
    assert {round(experiment["accuracy"], 9) for experiment in found.experiments} <= {0, round(1 / 3, 9)}
    assert score("zeroshot_classification", {"test": table}, CANDIDATES, vectors=vectors).values[
        "accuracy"
    ] == pytest.approx(1 / 3)
    found = score("clustering", {"test": documents(60)}, ALL, vectors=vectors, main="v_measure")
    assert found.values["v_measure"] == pytest.approx(0, abs=1e-9)
    rows = {"sentences": [table["text"]] * 2, "labels": [table["label"]] * 2}
    found = score("clustering_legacy", {"test": rows}, vectors=vectors, main="v_measure")
    assert found.values == pytest.approx({"v_measure": 0, "v_measure_std": 0}, abs=1e-9)
    values = {name: {"text": rows["text"], "value": rows["label"]} for name, rows in splits.items()}
    metrics = score("regression", values, vectors=vectors, main="r2").values
    assert metrics["r2"] == pytest.approx(0, abs=1e-6)
    assert np.isnan(metrics["kendalltau"])


def rows_of(kind: str, rng: random.Random) -> tuple[dict[str, Table], dict[str, Any], str]:
    """Train and test rows of a type, settings, and the metric that its items are of."""
    labels = [rng.randrange(2) for _ in range(40)]
    texts = [f"topic {label + rng.randrange(2)}, text {rng.randrange(45)}" for label in labels]
    train, few = topical(30, 2), {"n_experiments": 2}
    match kind:
        case "classification":
            return {"train": train, "test": {"text": texts, "label": labels}}, few, "accuracy"
        case "multilabel_classification":
            listed = {"text": texts, "label": [[label, 2][: rng.randrange(3)] for label in labels]}
            return {"train": {**train, "label": [[x] for x in train["label"]]}, "test": listed}, few, "hamming"
        case "regression":
            named = {"text": train["text"], "value": [x + rng.random() for x in train["label"]]}
            return {"train": named, "test": {"text": texts, "value": labels}}, few, "squared_error"
        case "zeroshot_classification":
            return {"test": {"text": texts, "label": labels}}, CANDIDATES, "accuracy"
    sizes = [rng.randrange(2, 20) for _ in range(6)]
    rows: Table = {
        "sentences": [[rng.choice(texts) for _ in range(n)] for n in sizes],
        "labels": [[rng.randrange(2) for _ in range(n)] for n in sizes],
    }
    return {"test": rows}, {}, "v_measure"


@pytest.mark.parametrize(
    "kind",
    ["classification", "multilabel_classification", "regression", "zeroshot_classification", "clustering_legacy"],
)
@given(seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_the_order_of_test_rows_does_not_matter(kind: str, seed: int) -> None:
    rng = random.Random(seed)
    splits, extra, item = rows_of(kind, rng)
    n = len(next(iter(splits["test"].values())))
    order = rng.sample(range(n), n)
    shuffled = {name: [column[i] for i in order] for name, column in splits["test"].items()}
    main = {"regression": "mse", "clustering_legacy": "v_measure"}.get(kind, "accuracy")
    straight = score(kind, splits, extra, main=main)
    turned = score(kind, {**splits, "test": shuffled}, extra, main=main)
    # Sums of float32 predictions are rounded by their order.
    close = 1e-5 if kind == "regression" else 1e-12
    assert turned.values == pytest.approx(straight.values, rel=close, abs=close, nan_ok=True)
    assert turned.items[item] == pytest.approx(straight.items[item][order], rel=close, abs=close)


def test_items_average_to_the_score() -> None:
    rng = random.Random(3)
    noisy = {"text": [f"topic {rng.randrange(9)}, text 1" for _ in range(50)], "label": topical(50)["label"]}
    splits = {"train": noisy, "test": noisy}
    found = score("classification", splits)
    assert found.items["accuracy"].mean() == pytest.approx(found.values["accuracy"])
    assert 0 < found.values["accuracy"] < 1
    folds = {"is_cross_validation": True, "train_split": "test"}
    found = score("classification", {"test": noisy}, folds)
    assert found.items["accuracy"].mean() == pytest.approx(found.values["accuracy"])
    lists = {name: {"text": rows["text"], "label": [[x, 7] for x in rows["label"]]} for name, rows in splits.items()}
    found = score("multilabel_classification", lists)
    assert found.items["hamming"].mean() == pytest.approx(found.values["hamming"])
    values = {name: {"text": rows["text"], "value": rows["label"]} for name, rows in splits.items()}
    found = score("regression", values, main="mse")
    assert found.items["squared_error"].mean() == pytest.approx(found.values["mse"], rel=1e-5)


# ------------------------------------------------------------------------------------------ draws


@given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=60), per_label=st.integers(1, 5))
def test_balanced_draws_take_as_many_rows_a_label_as_there_are(labels: list[int], per_label: int) -> None:
    codes = label_codes(labels)
    draws = list(balanced_draws([codes] * 3, per_label, seed=42))
    expected = {label: min(n, per_label) for label, n in Counter(labels).items()}
    for drawn in draws:
        assert Counter(labels[i] for i in drawn) == expected
        assert len(set(drawn.tolist())) == len(drawn)


def test_only_drawn_rows_are_encoded() -> None:
    train = {"text": [f"row {i}" for i in range(500)], "label": [i % 2 for i in range(500)]}
    kind = task_types()["classification"]
    task = kind.bind(kind.settings(n_experiments=3), TaskContext("Few", "Classification"), "accuracy")
    drawn, tested = task.items(TaskData({"train": Rows(train), "test": Rows(topical(30))}))
    assert 16 < len(drawn.items) <= 3 * 16
    assert (drawn.name, tested.name) == ("train", "test")
    assert len(tested.items) == 30


@given(
    rows=st.lists(st.lists(st.integers(0, 4), max_size=3), min_size=1, max_size=40),
    per_label=st.integers(1, 4),
    seed=st.integers(0, 5),
)
def test_multilabel_draws_stop_where_no_label_lacks_rows(rows: list[list[int]], per_label: int, seed: int) -> None:
    """Against the rule as it is told: a row is taken while any of its labels has fewer than `per_label` rows."""
    expected, taken = [], Counter[int]()
    for i in np.random.default_rng(seed).permutation(len(rows)).tolist():
        if any(taken[label] < per_label for label in rows[i]):
            expected.append(i)
            taken.update(rows[i])
    assert multilabel_draw(rows, per_label, np.random.default_rng(seed)) == expected


@given(seed=st.integers(0, 2**32), n=st.integers(0, 2000))
@settings(max_examples=25)
def test_skipping_draws_equals_making_them(seed: int, n: int) -> None:
    skipped, made = random.Random(seed), random.Random(seed)
    clustering.skip(skipped, n)
    made.choices(range(7), k=n)
    assert skipped.random() == made.random()


@pytest.mark.parametrize("kind", ["clustering", "multilabel_classification"])
def test_draws_of_a_job_depend_on_no_other_job(kind: str) -> None:
    """And draws "mteb" do: that is what they are for."""
    if kind == "clustering":
        rng = random.Random(1)
        table = documents(60)
        table["labels"] = [rng.randrange(3) for _ in range(60)]
        splits, extra, main = {"test": table}, {**ALL, "max_fraction_of_documents_to_embed": 0.5}, "v_measure"
    else:
        rng = random.Random(1)
        table = {"text": topical(60)["text"], "label": [[rng.randrange(3)] for _ in range(60)]}
        splits, extra, main = {"train": table, "test": table}, {"samples_per_label": 4}, "accuracy"

    def found(draws: str, before: tuple[int, ...]) -> float:
        return score(kind, splits, {**extra, "draws": draws}, main=main, replayed_split_sizes=before).main_score

    assert found("job", (50, 70)) == found("job", ()) == found("mteb", ())
    assert found("mteb", (50, 70)) != found("mteb", ())


@given(
    counts=st.lists(st.integers(2, 30), min_size=2, max_size=5),
    share=st.floats(0.3, 0.7),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_a_stratified_sample_equals_the_split_of_hugging_face_datasets(
    counts: list[int], share: float, seed: int
) -> None:
    labels = [label for label, n in enumerate(counts) for _ in range(n)]
    random.Random(seed).shuffle(labels)
    n_samples = int(share * len(labels))
    if min(n_samples, len(labels) - n_samples) < len(counts):
        return
    table = Dataset.from_dict({"label": labels, "row": list(range(len(labels)))})
    table = table.cast_column("label", ClassLabel(names=[str(i) for i in range(len(counts))]))
    expected = table.train_test_split(test_size=n_samples, seed=seed, stratify_by_column="label")["test"]["row"]
    assert stratified_sample(labels, n_samples, seed).tolist() == list(expected)


def test_a_multilabel_sample_keeps_the_shares_of_labels() -> None:
    rng = random.Random(5)
    rows = [[label for label in range(6) if rng.random() < 0.1 * (label + 1)] for _ in range(600)]
    whole = Counter(label for row in rows for label in row)

    def error(sample: Iterable[int]) -> float:
        part = Counter(label for i in sample for label in rows[i])
        return sum(abs(part[label] - n / 3) for label, n in whole.items())

    sample = multilabel_sample(rows, 200, seed=42)
    assert len(sample) == pytest.approx(200, abs=6)
    assert error(sample) < np.mean([error(rng.sample(range(600), 200)) for _ in range(20)]) / 1.5


# ------------------------------------------------------------------------------------------ metrics


@given(data=st.data(), n_labels=st.integers(2, 5), n=st.integers(1, 12))
def test_ranking_by_votes_equals_scikit_learn(data: st.DataObject, n_labels: int, n: int) -> None:
    marks = st.lists(st.lists(st.booleans(), min_size=n_labels, max_size=n_labels), min_size=n, max_size=n)
    true, predicted = np.array(data.draw(marks)), np.array(data.draw(marks))
    expected = label_ranking_average_precision_score(true, predicted.astype(float))
    assert multilabel.ranked_by_votes(true, predicted).mean() == pytest.approx(expected, abs=1e-12)


@given(data=st.data(), n_labels=st.integers(2, 5), n=st.integers(1, 12))
def test_ranking_by_probability_equals_scikit_learn(data: st.DataObject, n_labels: int, n: int) -> None:
    marks = st.lists(st.lists(st.booleans(), min_size=n_labels, max_size=n_labels), min_size=n, max_size=n)
    tied = st.lists(
        st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=n_labels, max_size=n_labels), min_size=n, max_size=n
    )
    true, probability = np.array(data.draw(marks)), np.array(data.draw(tied))
    expected = label_ranking_average_precision_score(true, probability)
    assert multilabel._ranked_by_probability(true, probability).mean() == pytest.approx(expected, abs=1e-12)


def test_average_precision_only_where_one_label_of_two_is_one() -> None:
    true, scored = np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.2, 0.4])
    assert binary_metrics(true, scored)["ap"] == pytest.approx(average_precision_score(true, scored))
    assert binary_metrics(true * 5, scored) == {}
    assert binary_metrics(np.array([0, 1, 2, 0]), scored) == {}
    assert binary_metrics(np.array([1, 1, 1, 1]), scored) == {}


# ------------------------------------------------------------------------------------------ data that cannot be scored

GOOD = topical(30)
ONE_LABEL = {"text": GOOD["text"], "label": [1] * 30}
EMPTY: Table = {"text": [], "label": []}


@pytest.mark.parametrize(
    ("kind", "splits", "extra", "message"),
    [
        ("classification", {"train": ONE_LABEL, "test": GOOD}, {}, "one label"),
        ("classification", {"train": GOOD, "test": EMPTY}, {}, "'test' is empty"),
        ("classification", {"train": EMPTY, "test": GOOD}, {}, "'train' is empty"),
        ("classification", {"test": GOOD}, {}, "no split 'train'"),
        ("classification", {"train": GOOD, "test": {"text": GOOD["text"]}}, {}, "no column 'label'"),
        ("classification", {"train": GOOD, "test": {"label": GOOD["label"]}}, {}, "no column 'text'"),
        ("classification", {"train": GOOD, "test": {**GOOD, "label": [None] * 30}}, {}, "expected one label"),
        ("classification", {"train": GOOD, "test": {**GOOD, "label": [[1]] * 30}}, {}, "expected one label"),
        ("classification", {"train": GOOD, "test": {**GOOD, "label": [0.5] * 30}}, {}, "fractions"),
        ("classification", {"train": GOOD, "test": {**GOOD, "label": ["a"] * 30}}, {}, "different kinds"),
        ("classification", {"train": GOOD, "test": {**GOOD, "text": [None] * 30}}, {}, "expected a text"),
        ("classification", {"train": GOOD, "test": GOOD}, {"is_cross_validation": True}, "cross-validation"),
        (
            "classification",
            {"train": {"text": GOOD["text"][:3], "label": [0, 1, 2]}, "test": GOOD},
            {"classifier": "k_nearest_neighbours"},
            "5 neighbours",
        ),
        ("multilabel_classification", {"train": GOOD, "test": GOOD}, {}, "expected a list"),
        (
            "multilabel_classification",
            {"train": {**GOOD, "label": [[]] * 30}, "test": {**GOOD, "label": [[1]] * 30}},
            {},
            "no row of split 'train' has a label",
        ),
        (
            "multilabel_classification",
            {"train": {**GOOD, "label": [[1]] * 30}, "test": {**GOOD, "label": [[1]] * 30}},
            {},
            "needs two",
        ),
        ("clustering", {"test": documents(20)}, {}, "less than one"),
        ("clustering", {"test": {**documents(20), "labels": [-1] * 20}}, ALL, "all labels are -1"),
        ("clustering", {"test": {**documents(20), "labels": [[]] * 20}}, ALL, "only empty lists"),
        ("clustering", {"test": documents(20)}, {**ALL, "max_documents_per_cluster": 2}, "3 labels"),
        ("clustering_legacy", {"test": {"sentences": [["a", "b"]], "labels": [[1, 2, 3]]}}, {}, "2 sentences"),
        ("clustering_legacy", {"test": {"sentences": ["a"], "labels": [[1]]}}, {}, "expected a list"),
        (
            "regression",
            {"train": {"text": ["a"], "value": ["x"]}, "test": {"text": ["a"], "value": [1]}},
            {},
            "numbers",
        ),
        ("zeroshot_classification", {"test": GOOD}, {"candidate_labels": ("one",)}, "at least two"),
        (
            "zeroshot_classification",
            {"test": {**GOOD, "label": ["topic 8, text 1"] * 30}},
            {"candidate_labels": ("topic 1, text 1", "topic 2, text 2")},
            "not among",
        ),
    ],
)
def test_data_that_cannot_be_scored_is_refused_with_a_reason(
    kind: str, splits: dict[str, Table], extra: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        score(kind, splits, extra)


def test_a_row_of_one_label_is_not_clustered_and_scores_one() -> None:
    rows = {"sentences": [["never encoded", "either"]], "labels": [[4, 4]]}
    assert score("clustering_legacy", {"test": rows}, main="v_measure").main_score == 1


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("classification", {"samples_per_label": 0}),
        ("classification", {"n_splits": 1}),
        ("clustering", {"max_document_to_embed": 100}),
    ],
)
def test_settings_that_no_protocol_has_are_refused(kind: str, values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        task_types()[kind].settings(**values)
