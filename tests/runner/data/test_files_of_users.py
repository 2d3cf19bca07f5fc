"""Files as people have them: what can be read is read, and what cannot is one line that says what to do."""

from __future__ import annotations

import datetime
import decimal
import gzip
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_project import small_project, task

from embedmark.runner.cli.main import main

Files = Mapping[str, bytes]

DOCUMENTS = [{"_id": f"d{i}", "title": "", "text": text} for i, text in enumerate(["a b", "c d", "e f", "g h"])]
QUERIES = [{"_id": f"q{i}", "text": text} for i, text in enumerate(["a b", "c d", "e f", "g h"])]
QRELS = [{"query-id": f"q{i}", "corpus-id": f"d{i}", "score": 1} for i in range(4)]
LABELS = [{"text": f"{word} {word}", "label": word} for word in "ab"] * 8


def lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def cells(rows: Sequence[Mapping[str, Any]], by: str = ",", *, header: bool = True) -> bytes:
    table = [list(rows[0])] * header + [[str(value) for value in row.values()] for row in rows]
    return "".join(by.join(row) + "\n" for row in table).encode()


def parquet(columns: Any, **more: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), file, **more)
    return file.getvalue()


def search(**changed: bytes | None) -> Files:
    """A retrieval folder in BEIR's layout. changed: parts by name, their ending behind two underscores; None: not."""
    files: dict[str, bytes | None] = {
        "corpus.jsonl": lines(DOCUMENTS),
        "queries.jsonl": lines(QUERIES),
        "qrels/test.jsonl": lines(QRELS),
    }
    for key, content in changed.items():
        part, _, ending = key.partition("__")
        name = "qrels/test" if part == "qrels" else part
        files = {file: old for file, old in files.items() if not file.startswith(name)}
        files[f"{name}.{ending.replace('__', '.') or 'jsonl'}"] = content
    return {name: content for name, content in files.items() if content is not None}


def classes(test: bytes, ending: str = "jsonl", train: bytes | None = None) -> Files:
    return {f"test.{ending}": test, f"train.{ending}": test if train is None else train}


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _with(rows: Sequence[Mapping[str, Any]], **values: Sequence[Any]) -> list[dict[str, Any]]:
    return [{**row, **{name: v[i % len(v)] for name, v in values.items()}} for i, row in enumerate(rows)]


def _odd_columns() -> dict[str, pa.Array]:
    n = len(LABELS)

    def repeated(value: Any, kind: pa.DataType) -> pa.Array:
        return pa.array([value, None] * (n // 2), kind)

    return {
        "decimal": repeated(decimal.Decimal("1.25"), pa.decimal128(10, 2)),
        "moment": repeated(1, pa.timestamp("ns")),
        "zoned": repeated(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), pa.timestamp("us", "UTC")),
        "far": repeated(10**15, pa.timestamp("s")),
        "day": repeated(10**8, pa.date32()),
        "span": repeated(10**15, pa.duration("ms")),
        "time": repeated(1, pa.time64("ns")),
        "bytes": repeated(b"\xff", pa.binary()),
        "many bytes": repeated(b"\xff", pa.large_binary()),
        "two bytes": repeated(b"\xff\x00", pa.binary(2)),
        "map": repeated([("a", 1)], pa.map_(pa.string(), pa.int64())),
        "object": repeated({"a": {"b": [1]}}, pa.struct({"a": pa.struct({"b": pa.list_(pa.int8())})})),
        "objects": repeated([{"a": 1}], pa.list_(pa.struct({"a": pa.int64()}))),
        "nothing": pa.nulls(n),
        "large": repeated(2**64 - 1, pa.uint64()),
        "half": pa.array([0.5] * n, pa.float32()).cast(pa.float16()),
        "category": repeated("x", pa.string()).dictionary_encode(),
        "categories": pa.ListArray.from_arrays(
            pa.array(range(n + 1), pa.int32()), pa.array(["x"] * n).dictionary_encode()
        ),
        "three": repeated([1.0, 2.0, 3.0], pa.list_(pa.float32(), 3)),
    }


def _odd_views() -> dict[str, pa.Array]:
    n = len(LABELS)
    return {
        "views": pa.array([["a"]] * n, pa.list_(pa.string_view())),
        "view in an object": pa.array([{"a": "b"}] * n, pa.struct({"a": pa.string_view()})),
        "bytes": pa.array([b"a"] * n, pa.binary_view()),
        "json": pa.array(['{"a": 1}'] * n, pa.json_()),
        "uuid": pa.array([b"x" * 16] * n, pa.uuid()),
        "tensor": pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(pa.int32(), [2]), pa.array([[1, 2]] * n, pa.list_(pa.int32(), 2))
        ),
    }


MIXED = ["none", {"url": "x"}, 1, [1], None, 2.5, True, 2**70]
BOM = b"\xef\xbb\xbf"

READ: dict[str, Files] = {
    "tsv": search(qrels__tsv=cells(QRELS, "\t")),
    "tsv without a header": search(qrels__tsv=cells(QRELS, "\t", header=False)),
    "csv without a header": search(qrels__csv=cells(QRELS, header=False)),
    "tsv in large letters": search(qrels__TSV=cells(QRELS, "\t")),
    "tsv from Windows": search(qrels__tsv=cells(QRELS, "\t").replace(b"\n", b"\r\n")),
    "tsv with gzip": search(qrels__tsv__gz=gzip.compress(cells(QRELS, "\t"))),
    "jsonl with gzip": search(corpus__jsonl__gz=gzip.compress(lines(DOCUMENTS))),
    "json": search(corpus__json=json.dumps(DOCUMENTS, indent=2).encode()),
    "BOM in jsonl": search(corpus=BOM + lines(DOCUMENTS), queries=BOM + lines(QUERIES), qrels=BOM + lines(QRELS)),
    "BOM in json": search(corpus__json=BOM + json.dumps(DOCUMENTS).encode()),
    "BOM in tsv": search(qrels__tsv=BOM + cells(QRELS, "\t")),
    "metadata of many types": search(
        corpus=lines(_with(DOCUMENTS, metadata=MIXED)), queries=lines(_with(QUERIES, metadata=MIXED))
    ),
    "metadata with half a letter": search(corpus=lines(_with(DOCUMENTS, metadata=["\ud800"]))),
    "titles that are null": search(corpus=lines(_with(DOCUMENTS, title=[None]))),
    "documents without titles": search(corpus=lines([{"_id": d["_id"], "text": d["text"]} for d in DOCUMENTS])),
    "blank lines": search(corpus=lines(DOCUMENTS).replace(b"\n", b"\n\n")),
    "qrels with a fourth column": search(qrels__csv=cells(_with(QRELS, note=["x"]))),
    "large text": search(
        corpus__parquet=parquet({k: pa.array(v, pa.large_string()) for k, v in _columns(DOCUMENTS).items()})
    ),
    "ids in categories": search(
        corpus__parquet=parquet({k: pa.array(v).dictionary_encode() for k, v in _columns(DOCUMENTS).items()}),
        qrels__parquet=parquet({k: pa.array(v).dictionary_encode() for k, v in _columns(QRELS).items()}),
    ),
    "labels in categories": classes(
        parquet({k: pa.array(v).dictionary_encode() for k, v in _columns(LABELS).items()}), "parquet"
    ),
    "views": classes(
        parquet({k: pa.array(v, pa.string_view()) for k, v in _columns(LABELS).items()} | _odd_views()), "parquet"
    ),
    "columns of odd types": classes(parquet({**_columns(LABELS), **_odd_columns()}), "parquet"),
    "columns of mixed types": classes(lines(_with(LABELS, more=MIXED))),
    "a folder called like a partition": {
        f"lang=en/{name}": content for name, content in classes(parquet(_columns(LABELS)), "parquet").items()
    },
    "long cells": classes(cells(_with(LABELS, more=["x" * 200_000])), "csv"),
}  # fmt: skip

LATIN = "text,label\nschön,ja\nnaïve,nein\n"

REFUSED: dict[str, tuple[Files, str]] = {
    "Latin-1": (classes(LATIN.encode("latin-1"), "csv"), r"test\.csv: .*not UTF-8: line 2 .*0xF6.*iconv -f LATIN1"),
    "Latin-1 in jsonl": (classes('{"text": "a"}\n{"text": "ö"}'.encode("latin-1")), r"test\.jsonl: .*UTF-8: line 2"),
    "UTF-16": (classes(LATIN.encode("utf-16"), "csv"), r"not UTF-8: line 1.*iconv -f UTF-16"),
    "UTF-16 in jsonl": (classes(lines(LABELS).decode().encode("utf-16")), r"not UTF-8: .*iconv -f UTF-16"),
    "UTF-16 without a mark": (classes(LATIN.encode("utf-16-le"), "csv"), r"UTF-16; save it as UTF-8|not UTF-8"),
    "JSON lines in json": (classes(lines(LABELS), "json"), r"test\.json: .*JSON lines.*\.jsonl"),
    "a list in jsonl": (classes(json.dumps(LABELS).encode()), r"line 1: expected an object, found a list.*\.json"),
    "an object in json": (classes(b'{"data": []}', "json"), "expected a list of objects, found an object"),
    "unknown endings": ({"test.txt": b"x", "train.jsonl": lines(LABELS)}, r"no split 'test'.*test\.txt; expected"),
    "yml": ({"test.yml": b"- text: a", "train.jsonl": lines(LABELS)}, r"test\.yml; expected \.jsonl"),
    "torn gzip": (classes(gzip.compress(lines(LABELS))[:-9], "jsonl.gz"), "no whole gzip"),
    "no gzip": (classes(lines(LABELS), "csv.gz"), "no whole gzip"),
    "torn Parquet": (classes(parquet(_columns(LABELS))[:-9], "parquet"), "no whole Parquet"),
    "no Parquet": (classes(lines(LABELS), "parquet"), "no whole Parquet"),
    "no header": (classes(cells(LABELS, header=False), "csv"), "no column 'text'.*first row of a CSV or TSV"),
    "ragged": (classes(b"text,label\na,x\n\nb,y,z\n", "csv"), r"test\.csv: .*line 4: 3 cells, and the header has 2"),
    "a short row": (classes(b'text,label\n"a\nb",x\nb\n', "csv"), "line 4: 1 cells"),
    "columns of one name": (classes(b"text,label,text\na,x,b\n", "csv"), "two columns are called 'text'"),
    "semicolons": (classes(cells(LABELS, ";"), "csv"), "parted by semicolons, expected commas"),
    "tabs in a CSV": (classes(cells(LABELS, "\t"), "csv"), r"parted by tabs.*call it \.tsv"),
    "commas in a TSV": (classes(cells(LABELS), "tsv"), "parted by commas, expected tabs"),
    "an open quote": (classes(b'text,label\n"a,x\nb,y\n', "csv"), "line 2: .*double quote"),
    "stray quotes": (classes(b'text,label\n"a b" c,x\n', "csv"), "line 2: .*double quote"),
    "quotes that swallow rows": (classes(b'text,label\n"a,x\n"b,y\n', "csv"), "double quote|cells"),
    "an empty file": (classes(b"", "csv"), "no header"),
    "no rows": (classes(b"text,label\n", "csv"), "is empty"),
    "an empty label": (classes(b"text,label\na,x\nb,\n", "csv"), "1 of 2 rows have no value in 'label'"),
    "labels of two types": (
        classes(lines(_with(LABELS, label=[1, "1"]))),
        r"column 'label' mixes types: a number \(line 1\) and text \(line 2\)",
    ),
    "truth among labels": (classes(lines(_with(LABELS, label=[1, True]))), "'label' mixes types: .*true or false"),
    "texts of two types": (classes(lines(_with(LABELS, text=["a", 5]))), "column 'text' mixes types"),
    "titles of two types": (search(corpus=lines(_with(DOCUMENTS, title=["a", 1]))), "column 'title' mixes types"),
    "ids of two types": (search(corpus=lines(_with(DOCUMENTS, _id=["1", 1]))), "column '_id' mixes types"),
    "ids with fractions": (search(corpus=lines(_with(DOCUMENTS, _id=[1.0, 2.0]))), "fractions, expected text or whole"),
    "ids that are true": (search(qrels=lines(_with(QRELS, **{"corpus-id": [True]}))), "expected text or whole numbers"),
    "long ids": (search(corpus=lines(_with(DOCUMENTS, _id=[2**70]))), r"more than 64 bits \(line 1\); put"),
    "an empty id": (search(corpus__csv=b"_id,text\n,a\n"), "no value in 'id'"),
    "a grade in words": (
        search(qrels__tsv=cells(_with(QRELS, score=[1, "high"]), "\t")),
        r"test\.tsv: column 'score', row 1: expected a number, found 'high'",
    ),
    "half a grade": (
        search(qrels__tsv=cells(_with(QRELS, score=[1, "0.5"]), "\t")),
        "expected whole numbers .*row 1 is 0.5",
    ),
    "other names in qrels": (search(qrels__tsv=b"query\tdoc\trel\nq0\td0\t1\n"), "no column 'query-id'"),
    "documents without a header": (
        search(corpus__csv=b"d0,,a b\nd1,,c d\n"),
        "no column '_id': the first row has to name",
    ),
    "texts that are bytes": (
        classes(parquet({"text": [b"a"], "label": ["x"]}), "parquet"),
        "column 'text' holds bytes, expected text",
    ),
    "labels that are days": (
        classes(parquet({"text": ["a"], "label": [datetime.date(2020, 1, 1)]}), "parquet"),
        "holds dates or times",
    ),
    "deep JSON": (classes(b"[" * 100_000), "line 1: .*nested too deeply|no JSON"),
    "broken JSON": (classes(lines(LABELS) + b'{"text": '), "line 17: is no JSON"),
}  # fmt: skip

RAW_WORDS = re.compile(
    r"large_binary|large_string|dictionary<|struct<|list<|int64|NoneType|Arrow|Traceback|tuple|dict\b|null\b"
)


def _name(label: str) -> str:
    return "".join(word.capitalize() for word in re.split(r"\W+", label))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Mapping[str, Any], Mapping[str, str]]:
    """Exit status, records and messages of failures of one run over all of the files."""
    folder = tmp_path_factory.mktemp("files")
    project = small_project(folder / "project")
    inputs = {**READ, **{label: files for label, (files, _) in REFUSED.items()}}
    for label, files in inputs.items():
        for file, content in files.items():
            path = project / "data" / _name(label).lower() / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        retrieval = any(file.startswith("qrels") for file in files)
        subset = {"subsets": {"lang=en": ["eng-Latn"]}, "languages": []} if "lang=en" in str(list(files)) else {}
        kind = ("retrieval", "ndcg_at_1") if retrieval else ("classification", "accuracy")
        task(project, _name(label), *kind, **subset)
    outputs = folder / "outputs"
    arguments = ["run", "--config-dir", str(project), "model=tiny", f"outputs={outputs}"]
    status = main([*arguments, f"tasks=[{','.join(map(_name, inputs))}]"])
    records = [json.loads(path.read_text()) for path in outputs.glob("jobs/*/result.json")]
    failures = [json.loads(path.read_text()) for path in outputs.glob("jobs/*/failure.json")]
    return (
        status,
        {record["job"]["task"]: record for record in records},
        {failure["job"]["task"]: failure["message"] for failure in failures},
    )


Results = tuple[int, Mapping[str, Any], Mapping[str, str]]


@pytest.mark.parametrize("label", READ)
def test_it_is_read(results: Results, label: str) -> None:
    _, records, failures = results
    assert failures.get(_name(label)) is None
    assert records[_name(label)]["main_score"] == 1


@pytest.mark.parametrize("label", [label for label, (_, message) in REFUSED.items() if message])
def test_it_is_refused_in_one_line(results: Results, label: str) -> None:
    status, records, failures = results
    assert status == 1
    assert _name(label) not in records
    message = failures[_name(label)]
    assert re.search(REFUSED[label][1], message), message
    assert not RAW_WORDS.search(message), message
    assert len(message) <= 600
    assert "\n" not in message
