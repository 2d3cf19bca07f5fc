"""Steps that compute on columns of a CSV, which hold text: with a cast they do, without one they say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from resolved import load

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.schema import TaskConfig

ROWS = "text,label,stars\na,x,1\nb,y, 2 \nc,x,3.5\nd,y,+4\ne,x,1e1\nf,y,\n"


def texts(folder: Path, *transforms: dict[str, Any]) -> list[str]:
    """The texts that are left."""
    (folder / "test.csv").write_text(ROWS, encoding="utf-8")
    values: dict[str, Any] = {"name": "Mine", "type": "classification", "dataset": {"files": str(folder)}}
    config = TaskConfig(**values, languages=("eng-Latn",), main_metric="accuracy", transforms=transforms)
    (found,) = load(config, "default", ["test"]).splits.values()
    return list(found["text"])  # type: ignore[index]


CAST = {"cast": {"stars": "float"}}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([CAST, {"filter": {"column": "stars", "min": 3}}], "cde"),
        ([CAST, {"filter": {"column": "stars", "max": 2}}], "ab"),
        ([CAST, {"filter": {"column": "stars", "in": [2, 10]}}], "be"),
        ([CAST, {"filter": {"column": "stars", "not_in": [None]}}], "abcde"),
        ([{"filter": {"column": "stars", "in": ["1", "+4"]}}], "ad"),
        ([{"filter": {"column": "stars", "not_in": [""]}}], "abcde"),
        ([{"filter": {"column": "stars", "non_empty": True}}], "abcde"),
        ([{"map_values": {"column": "stars", "values": {"1": "one"}, "default": "many"}}], "abcdef"),
        ([{"drop_rare": "label"}], "abcdef"),
        ([{"class_encode": "label"}, {"filter": {"column": "label", "in": [1]}}], "bdf"),
    ],
)
def test_it_computes(tmp_path: Path, steps: list[dict[str, Any]], expected: str) -> None:
    assert texts(tmp_path, *steps) == list(expected)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"filter": {"column": "stars", "min": 3}}, "holds text, and 3.* is no text. Cast the column before this step"),
        ({"filter": {"column": "stars", "max": 3}}, "`- cast: {stars: float}`"),
        ({"filter": {"column": "stars", "in": [1, 2]}}, "and 1 is no text"),
        ({"filter": {"column": "stars", "not_in": [1]}}, "and 1 is no text"),
        ({"filter": {"column": "stars", "in": [True]}}, r"and true is no text.*`- cast: {stars: bool}`"),
        ({"map_values": {"column": "stars", "values": {1: "a"}, "default": "b"}}, "and 1 is no text"),
        ({"collect_labels": {"columns": ["stars"], "where": 1}}, "and 1 is no text"),
        ({"cast": {"label": "int"}}, "column 'label' cannot become int: row 0: expected a number, found 'x'"),
        ({"cast": {"stars": "int"}}, "'stars' .*cannot become int"),
        ({"cast": {"text": "float"}}, "expected a number, found 'a'"),
        ({"argmax": "stars"}, "."),
    ],
)
def test_it_says_what_is_missing(tmp_path: Path, step: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        texts(tmp_path, step)
