"""Spatial arrangement: the laws that hold; test_odd_data.py holds it against the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Embeddings, Rows, Scores, SimilarityName, TaskContext, TaskData
from embedmark.tasks.types import task_types

Columns = dict[str, list[list[Any]]]


def score(columns: Columns, vectors: Any, similarity: SimilarityName = "euclidean", **values: Any) -> Scores:
    """`vectors`: a text → its vector."""
    kind = task_types()["arrangement"]
    task = kind.bind(kind.settings(**values), TaskContext("Canvas", kind.label), "alpha_auc")
    data = TaskData({"test": Rows(columns)})
    found = {texts.name: np.array([vectors(text) for text in texts.items], np.float32) for texts in task.items(data)}  # type: ignore[union-attr]
    return task.evaluate(Embeddings(found, similarity), data)


def drawn(seed: int) -> tuple[Columns, dict[str, tuple[int, int]]]:
    """Arrangements of texts that lie where they like, no two in one place."""
    rng = np.random.default_rng(seed)
    places = {f"text {i}": divmod(int(place), 32) for i, place in enumerate(rng.permutation(32 * 32)[:25])}
    rows = [rng.permutation(list(places))[:n].tolist() for n in (9, 3, 14)]
    columns = {"texts": rows, "x": [[places[t][0] for t in row] for row in rows]}
    return columns | {"y": [[places[t][1] for t in row] for row in rows]}, places


seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=20, deadline=None)


@few
@given(seeds)
def test_a_model_that_sees_the_canvas_agrees_with_it(seed: int) -> None:
    columns, places = drawn(seed)
    found = score(columns, places.__getitem__)
    assert found.values == {"alpha_auc": pytest.approx(1)}
    assert found.items["agreement"].tolist() == [1, 1, 1]


def test_a_model_that_says_the_same_of_every_text_agrees_with_nothing() -> None:
    found = score(drawn(1)[0], lambda text: [1.0, 2.0], "cosine")
    assert found.values == {"alpha_auc": pytest.approx(-1)}


@few
@given(seeds, st.sampled_from([0.25, 1, 8]))
def test_order_and_scale_change_nothing(seed: int, scale: float) -> None:
    """Of rows, and of texts within them; of the canvas by powers of two, which round nothing."""
    columns, _ = drawn(seed)
    rng = np.random.default_rng(seed)
    noise = {f"text {i}": rng.standard_normal(5) for i in range(25)}
    rows = rng.permutation(3).tolist()
    within = [rng.permutation(len(columns["texts"][row])).tolist() for row in rows]
    turned = {
        name: [[columns[name][row][i] for i in order] for row, order in zip(rows, within, strict=True)]
        for name in columns
    }
    for axis in ("x", "y"):
        turned[axis] = [[scale * value for value in row] for row in turned[axis]]
    once, again = (score(given, noise.__getitem__) for given in (columns, turned))
    assert again.values == pytest.approx(once.values, abs=1e-12)
    assert again.items["agreement"] == pytest.approx(once.items["agreement"][rows])


def test_only_triplets_of_that_ratio_count() -> None:
    """From its end a line's texts lie at 1 and 3, from its middle at 1 and 2, from the other end at 2 and 3."""
    line: Columns = {"texts": [["a", "b", "c"]], "x": [[0, 1, 3]], "y": [[0, 0, 0]]}
    right_at_the_other = {"a": [0.0], "b": [5.0], "c": [4.5]}
    found = score(line, right_at_the_other.__getitem__, n_thresholds=20_000)
    assert found.items["agreement"].tolist() == [1 / 3]
    # One of three agrees where ratios of 1.5 count, none beyond; no ratio is larger than 3.
    area = (-1 / 3 * np.log(1.5) - np.log(3 / 1.5)) / np.log(3)
    assert found.values["alpha_auc"] == pytest.approx(area, abs=1e-3)


GOOD: Columns = {"texts": [["a", "b", "c"]], "x": [[0, 1, 3]], "y": [[0, 0, 0]]}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({**GOOD, "texts": [["a", "b", "a"]]}, "row 0: a text occurs twice"),
        ({**GOOD, "texts": [["a", "b", None]]}, "row 0: expected a list of texts"),
        ({**GOOD, "texts": ["a b c"]}, "row 0: expected a list, found str"),
        ({**GOOD, "x": [[0, 1]]}, r"row 0 has 3 texts, but \[2, 3\] places"),
        ({**GOOD, "y": [[0, None, 0]]}, "row 0: .*missing"),
        ({**GOOD, "x": [[0, 0, 0]]}, "no three texts of an arrangement lie at different distances"),
        ({"texts": [["a", "b"]], "x": [[0, 1]], "y": [[0, 1]]}, "no three texts"),
        ({name: column for name, column in GOOD.items() if name != "y"}, "no column 'y'"),
    ],
)
def test_arrangements_that_cannot_be_scored_are_refused(columns: Columns, message: str) -> None:
    with pytest.raises(DataError, match=message):
        score(columns, lambda text: [float(ord(text))])


@pytest.mark.parametrize("values", [{"max_ratio": 1}, {"n_thresholds": 1}])
def test_settings_that_leave_no_area_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        task_types()["arrangement"].settings(**values)
