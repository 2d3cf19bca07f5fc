"""Steps for tasks of images: what they make of small tables, and that long rows are not copied."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedmark.runner.common.errors import UserError
from embedmark.runner.data.table import RetrievalTables, Table
from embedmark.runner.data.transforms.apply import apply, needed
from embedmark.runner.data.transforms.parsing import parse

LONG = 10_000


def made(split: Table | RetrievalTables, *steps: dict[str, Any]) -> RetrievalTables:
    done = apply(parse(steps), {"test": split}, "default")["test"]
    assert isinstance(done, RetrievalTables)
    return done


def columns(table: Table | None) -> dict[str, list[Any]]:
    assert table is not None
    found: dict[str, list[Any]] = table.arrow.to_pydict()
    return found


@pytest.fixture
def layout() -> RetrievalTables:
    qrels = {"query-id": ["q1", "q0", "q1", "q1"], "corpus-id": ["d1", "d0", "d2", "d1"], "score": [1, 1, 0, 1]}
    return RetrievalTables(
        corpus=Table.of({"id": ["d0", "d1", "d2"], "image": [b"0", b"1", b"2"]}),
        queries=Table.of({"id": ["q0", "q1"], "text": ["zero", "one"]}),
        qrels=Table.of(qrels),
    )


def test_sides_swapped(layout: RetrievalTables) -> None:
    turned = made(layout, {"swap_sides": {}})
    assert columns(turned.corpus) == columns(layout.queries)
    assert columns(turned.queries) == columns(layout.corpus)
    assert turned.rows().qrels == {"d1": {"q1": 1}, "d0": {"q0": 1}, "d2": {"q1": 0}}


def test_candidates_are_the_judged_in_their_order(layout: RetrievalTables) -> None:
    found = columns(made(layout, {"rerank_judged": {}}).top_ranked)
    assert found == {"query-id": ["q1", "q0"], "corpus-ids": [["d1", "d2"], ["d0"]]}


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"swap_sides": {}}, "top_ranked would still name the queries of before"),
        ({"rerank_judged": {}, "part": "qrels"}, "leave `part` out"),
    ],
)
def test_steps_over_a_whole_layout_say_what_they_cannot_do(
    layout: RetrievalTables, step: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        made(layout, {"rerank_judged": {}}, step)


def test_multiple_choice_out_of_a_plain_table() -> None:
    rows = Table.of(
        {
            "question": ["how many?", "which?"],
            "image": [b"0", b"1"],
            "choices": [["1", "2"], ["red", "2", "red"]],
            "answer": ["2", "red"],
        }
    )
    step = {
        "query": "question",
        "query_image": "image",
        "documents": ["choices"],
        "relevance": {"answer": 1},
        "otherwise": 0,
        "document_id": "c{n}",
        "numbering": "documents",
    }
    found = made(rows, {"to_retrieval": step})
    assert columns(found.queries) == {"id": ["0", "1"], "text": ["how many?", "which?"], "image": [b"0", b"1"]}
    assert columns(found.corpus) == {"id": ["c0", "c1", "c2"], "text": ["1", "2", "red"]}
    assert found.rows().qrels == {"0": {"c0": 0, "c1": 1}, "1": {"c2": 1, "c1": 0}}


QUERIES = {"id": [1, 2], "text": ["a", "b"]}
CORPUS = {"id": ["x", "y", "z"], "image": [b"x", b"y", b"z"]}
QRELS = {"query-id": [2, 1, 2, 1, 1], "corpus-id": ["z", "x", "y", "z", "y"], "score": [0, 0, 1, 1, 0]}
SPREAD = {"spread_judged": {"into": "test", "column": "image", "columns": ["right", "wrong"]}}


def _spread(qrels: dict[str, list[Any]]) -> dict[str, list[Any]]:
    given = {"queries": Table.of(QUERIES), "corpus": Table.of(CORPUS), "qrels": Table.of(qrels)}
    done = apply(parse([SPREAD]), given, "default")
    assert set(done) == {"test"}
    assert isinstance(done["test"], Table)
    return columns(done["test"])


def test_judged_documents_become_columns() -> None:
    assert needed(parse([SPREAD]), "default", ["test"]) == ("corpus", "qrels", "queries")
    assert _spread(QRELS) == {**QUERIES, "right": [b"z", b"y"], "wrong": [b"x", b"z"]}


@pytest.mark.parametrize(
    ("kept", "message"),
    [([0, 1, 3, 4], "query 2 has no relevant document"), ([1, 2, 3], "query 2 has 1 documents that are judged")],
)
def test_a_query_without_enough_judgments_is_named(kept: list[int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        _spread({name: [values[row] for row in kept] for name, values in QRELS.items()})


def test_classes_get_other_words_and_rows_keep_their_numbers() -> None:
    table = Table.of({"label": [1, 0]}).put("label", [1, 0], ("/b/boat_deck", "/c/church/outdoor"))
    step = {"reword_classes": {"column": "label", "replace": {"^/[^/]*/": "", "[/_]": " "}}}
    done = apply(parse([step]), {"test": table}, "default")["test"]
    assert isinstance(done, Table)
    assert (done.values("label"), done.labels) == ([1, 0], {"label": ("boat deck", "church outdoor")})


@given(st.lists(st.integers(0, 9), max_size=12), st.lists(st.integers(0, 9), max_size=8))
def test_long_rows_are_taken_without_a_copy(rows: list[int], again: list[int]) -> None:
    images = [bytes([row]) * LONG for row in range(10)]
    table = Table.of({"n": list(range(10)), "image": images}).put("n", list(range(10)), tuple("abcdefghij"))
    before = pa.total_allocated_bytes()
    found = table.take(rows)
    assert columns(found) == {"n": rows, "image": [images[row] for row in rows]}
    second = found.take([row for row in again if row < len(rows)])  # of a table that is in pieces
    assert pa.total_allocated_bytes() - before < LONG
    assert second.values("n") == [rows[row] for row in again if row < len(rows)]
    assert second.values("image") == [images[number] for number in second.values("n")]
    assert found.labels == second.labels == table.labels
