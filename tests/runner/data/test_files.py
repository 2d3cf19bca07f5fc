"""A user's own folder as a dataset."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.schema import FilesDataset
from embedmark.runner.data.sources.files import content_revision, read
from embedmark.runner.data.table import RetrievalTables, Table

ROWS = [{"text": "a", "label": 1}, {"text": "zwei,\nzeilig", "label": 0}]


def jsonl(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.endswith(".jsonl"):
        path.write_text(jsonl(rows), encoding="utf-8")
    elif path.name.endswith(".jsonl.gz"):
        path.write_bytes(gzip.compress(jsonl(rows).encode()))
    elif path.name.endswith(".json"):
        path.write_text(json.dumps(rows), encoding="utf-8")
    elif path.name.endswith(".csv"):
        import pyarrow.csv

        pyarrow.csv.write_csv(pa.Table.from_pylist(rows), path)
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)


def table(folder: Path, subset: str = "default", split: str = "test") -> list[dict[str, Any]]:
    found = read(FilesDataset(files=str(folder)), subset, [split], retrieval=False).splits[split]
    assert isinstance(found, Table)
    rows: list[dict[str, Any]] = found.arrow.to_pylist()
    return rows


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "json", "csv", "parquet"])
@pytest.mark.parametrize("folder", [".", "default"])
def test_kinds_of_files(tmp_path: Path, kind: str, folder: str) -> None:
    write(tmp_path / folder / f"test.{kind}", ROWS)
    as_text = [{**row, "label": str(row["label"])} for row in ROWS]
    assert table(tmp_path) == (as_text if kind == "csv" else ROWS)


def test_subsets_are_folders(tmp_path: Path) -> None:
    write(tmp_path / "de" / "test.jsonl", ROWS)
    assert table(tmp_path, "de") == ROWS
    with pytest.raises(UserError, match=r"no subset 'den'.*it has de"):
        table(tmp_path, "den")


@pytest.mark.parametrize("layout", ["corpus/test.jsonl", "corpus.jsonl", "default/corpus.jsonl"])
def test_retrieval(tmp_path: Path, layout: str) -> None:
    write(tmp_path / layout, [{"_id": 1, "text": "a"}, {"_id": 2, "text": "b"}])
    write(tmp_path / layout.replace("corpus", "queries"), [{"_id": 5, "text": "q"}, {"_id": 6, "text": "unjudged"}])
    write(tmp_path / layout.replace("corpus", "qrels"), [{"query-id": 5, "corpus-id": 2, "score": 1}])
    write(tmp_path / layout.replace("corpus", "top_ranked"), [{"query-id": 5, "corpus-ids": ["2", "1"]}])
    split = read(FilesDataset(files=str(tmp_path)), "default", ["test"], retrieval=True).splits["test"]
    assert isinstance(split, RetrievalTables)
    rows = split.rows()
    assert list(rows.corpus["id"]) == ["1", "2"]
    assert list(rows.queries["text"]) == ["q"]
    assert rows.qrels == {"5": {"2": 1}}
    assert rows.top_ranked == {"5": ["2", "1"]}


def test_judgments_of_another_split_are_not_taken(tmp_path: Path) -> None:
    write(tmp_path / "corpus" / "test.jsonl", [{"_id": "d", "text": "a"}])
    write(tmp_path / "queries" / "test.jsonl", [{"_id": "q", "text": "a"}])
    write(tmp_path / "qrels" / "test.jsonl", [{"query-id": "q", "corpus-id": "d", "score": 1}])
    dataset = FilesDataset(files=str(tmp_path))
    assert read(dataset, "default", ["test"], retrieval=True).splits
    with pytest.raises(UserError, match=r"no split 'dev'.*; it has test"):
        read(dataset, "default", ["dev"], retrieval=True)


def test_retrieval_of_subsets(tmp_path: Path) -> None:
    for part, row in {
        "de-corpus": {"id": "1", "text": "a"},
        "de-queries": {"id": "5", "text": "q"},
        "de-qrels": {"query-id": "5", "corpus-id": "1", "score": 1},
    }.items():
        write(tmp_path / part / "test.jsonl", [row])
    split = read(FilesDataset(files=str(tmp_path)), "de", ["test"], retrieval=True).splits["test"]
    assert isinstance(split, RetrievalTables)
    with pytest.raises(UserError, match="no qrels for subset 'fr'"):
        read(FilesDataset(files=str(tmp_path)), "fr", ["test"], retrieval=True)


def test_content_is_the_revision(tmp_path: Path) -> None:
    write(tmp_path / "test.jsonl", ROWS)
    before = content_revision(tmp_path)
    (tmp_path / "notes.txt").write_text("not data", encoding="utf-8")
    assert content_revision(tmp_path) == before
    assert read(FilesDataset(files=str(tmp_path)), "default", ["test"], retrieval=False).facts.revision == before
    write(tmp_path / "test.jsonl", ROWS[:1])
    assert content_revision(tmp_path) != before


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("test.jsonl", '{"text": "a"}\n{"text"', "test.jsonl: cannot be read: line 2"),
        ("test.jsonl", '{"text": "a"}\n7\n', "line 2: expected an object, found a number"),
        ("test.json", "{}", "expected a list of objects, found an object"),
        ("test.jsonl.gz", "not gzip", "test.jsonl.gz: cannot be read"),
        ("test.parquet", "not parquet", "test.parquet: cannot be read"),
        ("tests.jsonl", "{}", "no split 'test'.*it has tests"),
    ],
)
def test_bad_files(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        table(tmp_path)


def test_two_files_for_one_split(tmp_path: Path) -> None:
    write(tmp_path / "test.jsonl", ROWS)
    write(tmp_path / "test.csv", ROWS)
    with pytest.raises(UserError, match=r"split 'test' has two files, test.csv and test.jsonl"):
        table(tmp_path)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist; expected an existing folder"):
        table(tmp_path / "nowhere")


def test_names_written_with_other_signs_of_unicode(tmp_path: Path) -> None:
    """As a Mac writes them: configs name them in NFC."""
    write(tmp_path / "franc\u0327ais" / "e\u0301te\u0301.jsonl", [{"te\u0302te": "a", "label": 1}])
    assert table(tmp_path, "fran\u00e7ais", "\u00e9t\u00e9") == [{"t\u00eate": "a", "label": 1}]


@pytest.mark.parametrize("name", ["\u00e9/test.jsonl", "e\u0301/test.csv"])
def test_two_folders_of_one_name(tmp_path: Path, name: str) -> None:
    write(tmp_path / "e\u0301" / "test.jsonl", ROWS)
    write(tmp_path / name, ROWS)
    with pytest.raises(UserError, match=r"split 'test' has two files, .* and "):
        table(tmp_path, "\u00e9")


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    write(tmp_path / "test.jsonl", [{"\u00e9": "a", "e\u0301": "b"}])
    with pytest.raises(UserError, match="two columns have one name"):
        table(tmp_path)
