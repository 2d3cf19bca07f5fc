"""Which rows, elements and columns a place gives of a table that is read."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from embedmark.runner.config.schema import Place
from embedmark.runner.data.sources.places import select_place
from embedmark.runner.data.table import Table

CAPTIONED = {"key": ["a", "b", "c"], "image": [b"0" * 9999] * 3, "captions": [["x", " ", "y"], [""], None]}


def selected(rows: dict[str, list[Any]], **place: Any) -> dict[str, list[Any]]:
    table = Table.of(rows)
    found: dict[str, list[Any]] = select_place(table, Place.model_validate(place), {"split": "test"}).arrow.to_pydict()
    return found


def test_elements_are_counted_from_0_and_from_1() -> None:
    found = selected(CAPTIONED, explode="captions", columns={"id": "{key}-{index}-{place}", "text": "captions"})
    assert found == {"id": ["a-0-1", "a-1-2", "a-2-3", "b-0-1"], "text": ["x", " ", "y", ""]}


def test_blank_elements_do_not_count() -> None:
    place = {"explode": "captions", "skip": {"captions": "blank"}, "columns": {"id": "{n}-{index}", "text": "captions"}}
    assert selected(CAPTIONED, **place) == {"id": ["0-0", "0-1"], "text": ["x", "y"]}


@pytest.mark.parametrize(("what", "kept"), [("missing", ["0 a", "1  "]), ("blank", ["0 a"])])
def test_rows_without_a_value_do_not_count(what: str, kept: list[str]) -> None:
    rows = {"text": [None, "a", " "], "lang": ["de", "de", "de"]}
    assert selected(rows, skip={"text": what}, columns={"id": "{n} {text}"}) == {"id": kept}


def test_what_is_not_read_is_not_repeated() -> None:
    before = pa.total_allocated_bytes()
    table = Table.of({**CAPTIONED, "captions": [["x"] * 50] * 3})
    allocated = pa.total_allocated_bytes() - before
    found = select_place(table, Place(explode="captions", columns={"text": "captions"}), {"split": "test"})
    assert len(found) == 150
    assert pa.total_allocated_bytes() - before - allocated < 20_000
