"""The content hash: the same for the same rows however they lie in memory, another for other rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedmark.runner.data.hashing import content_hash
from embedmark.runner.data.table import RetrievalTables, Table

VALUES = st.one_of(
    st.lists(st.none() | st.text(max_size=5), max_size=12),
    st.lists(st.none() | st.integers(-(2**40), 2**40), max_size=12),
    st.lists(st.none() | st.floats(allow_nan=False), max_size=12),
    st.lists(st.none() | st.booleans(), max_size=12),
    st.lists(st.none() | st.lists(st.none() | st.text(max_size=3), max_size=3), max_size=12),
    st.lists(st.none() | st.fixed_dictionaries({"a": st.integers(0, 9)}), max_size=12),
)


@given(values=VALUES, cut=st.integers(0, 12))
def test_chunks_do_not_matter(values: list[Any], cut: int) -> None:
    whole = Table(pa.table({"x": pa.array(values)}))
    kind = whole.arrow.column("x").type
    chunks = pa.chunked_array([pa.array(values[:cut], kind), pa.array(values[cut:], kind)])
    assert content_hash(Table(pa.table({"x": chunks}))) == content_hash(whole)


@given(values=VALUES, other=VALUES)
def test_other_values_have_another_hash(values: list[Any], other: list[Any]) -> None:
    def kinds(rows: list[Any]) -> list[str]:
        return [repr(row) for row in rows]

    same = kinds(values) == kinds(other)
    equal = content_hash(Table(pa.table({"x": pa.array(values)}))) == content_hash(
        Table(pa.table({"x": pa.array(other)}))
    )
    assert equal == same or [value for value in values if value is not None] == []


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (pa.array([1, 2], pa.int8()), pa.array([1, 2], pa.int64())),
        (pa.array([0.5], pa.float32()), pa.array([0.5], pa.float64())),
        (pa.array(["a"], pa.string()), pa.array(["a"], pa.large_string())),
        (pa.array(["a", "b", "a"]), pa.array(["a", "b", "a"]).dictionary_encode()),
        (pa.array([["a"]], pa.list_(pa.string())), pa.array([["a"]], pa.large_list(pa.large_string()))),
        (pa.array([None], pa.string()), pa.array([None])),
        (pa.array(["x", "a", "y"]).slice(1, 1), pa.array(["a"])),
    ],
)
def test_the_width_of_types_does_not_matter(one: pa.Array, two: pa.Array) -> None:
    assert content_hash(Table(pa.table({"x": one}))) == content_hash(Table(pa.table({"x": two})))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"x": ["a", "b"]}, {"x": ["b", "a"]}),
        ({"x": ["ab", "c"]}, {"x": ["a", "bc"]}),
        ({"x": ["a"]}, {"y": ["a"]}),
        ({"x": [1]}, {"x": ["1"]}),
        ({"x": [["a"], ["b", "c"]]}, {"x": [["a", "b"], ["c"]]}),
        ({"x": [None, "a"]}, {"x": ["a", None]}),
        ({"x": [""]}, {"x": [None]}),
    ],
)
def test_what_matters(one: dict[str, list[Any]], two: dict[str, list[Any]]) -> None:
    assert content_hash(Table.of(one)) != content_hash(Table.of(two))


def test_columns_may_come_in_any_order() -> None:
    assert content_hash(Table.of({"a": [1], "b": [2]})) == content_hash(Table.of({"b": [2], "a": [1]}))


def test_class_numbers_count_as_their_names() -> None:
    """So that the hash of a split does not depend on which other splits lent their classes."""
    two = Table.of({"x": [0, 1]}).put("x", pa.array([0, 1]), ("a", "c"))
    three = Table.of({"x": [0, 2]}).put("x", pa.array([0, 2]), ("a", "b", "c"))
    assert content_hash(two) == content_hash(three)
    assert content_hash(two) != content_hash(Table.of({"x": [0, 1]}))


def test_parts_of_a_retrieval_layout_are_told_apart() -> None:
    texts, others = Table.of({"id": ["1"], "text": ["a"]}), Table.of({"id": ["1"], "text": ["b"]})
    qrels = Table.of({"query-id": ["1"], "corpus-id": ["1"], "score": [1]})
    assert content_hash(RetrievalTables(texts, others, qrels)) != content_hash(RetrievalTables(others, texts, qrels))
