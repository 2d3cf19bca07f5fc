"""Cells of CSV and TSV are text: ids, texts and labels stay as they are written, and numbers are read where wanted.

One run of tasks over the same rows as CSV or TSV and as JSON; the scores have to be equal.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_project import WORDS, small_project, task

from embedmark.runner.cli.main import main
from embedmark.runner.data.parse import parse

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]


def _search(ids: Sequence[str], **more: Any) -> Tables:
    """A query for each document, whose words are the document's own."""
    texts = [f"{WORDS[i]} {WORDS[i + 1]} {WORDS[i]}" for i in range(len(ids))]
    return {
        "corpus": [{"_id": d, "title": "", "text": text} for d, text in zip(ids, texts, strict=True)],
        "queries": [{"_id": f"q{d}", "text": text} for d, text in zip(ids, texts, strict=True)],
        "qrels/test": [{"query-id": f"q{d}", "corpus-id": d, "score": more.get("score", 1)} for d in ids],
    }


def _labels(*labels: Any) -> Tables:
    rows = [{"text": f"{WORDS[i % 20]} {WORDS[i * 7 % 23]}", "label": labels[i % len(labels)]} for i in range(36)]
    return {"train": rows, "test": rows[:15]}


IDS = {
    "zeros": ["001", "002", "003", "A04", "5"],
    "merging": ["01", "1", "1.0", "001", "+1"],
    "dates": ["2020-01-01", "2020-1-1", "12:30", "2020-01-01T00:00:00"],
    "floats": ["1e5", "100000", "1E5", "100000.0"],
    "words": ["true", "True", "false", "1", "0"],
    "missing": ["NA", "null", "nan", "None", "N/A", "#N/A"],
    "hex": ["0x10", "16", "0b1", "1"],
    "infinite": ["inf", "-inf", "Infinity", "∞"],
    "long": ["12345678901234567890123", "12345678901234567890124", "9007199254740993", "9007199254740992"],
    "signs": ["-0", "0", "+0", "00", "-1"],
    "blanks": [" 1", "1", "1 ", "1  2"],
    "quotes": ['a"b', "a,b", "a\nb", "a\tb"],
}
LABELS: Mapping[str, Sequence[Any]] = {
    "digits": [0, 1],
    "tens": [1, 2, 10],
    "zeroed": ["01", "1", "10"],
    "mixed": ["1", "2", "other"],
    "truth": ["true", "false"],
    "null": ["null", "NA", "x"],
    "versions": ["1.0", "1.10", "1.1"],
    "large": ["12345678901234567890123", "12345678901234567890124"],
}
NUMBERS = ["0", "1.5", " 2 ", "1e0", "+3", ".5", "4.", "2.25", "5E-1", "-0"]


def _pairs(name: str) -> Tables:
    score = {"score": lambda i: NUMBERS[i], "labels": lambda i: ["0", "1", " 1", "0.0"][i % 4]}[name]
    return {
        "test": [
            {"sentence1": f"{WORDS[i]} {WORDS[i + 5]}", "sentence2": f"{WORDS[i + 3]} {WORDS[2 * i]}", name: score(i)}
            for i in range(10)
        ]
    }


def _as_numbers(tables: Tables, name: str) -> Tables:
    return {part: [{**row, name: float(row[name])} for row in rows] for part, rows in tables.items()}


def _with(tables: Tables, name: str, values: Sequence[Any]) -> Tables:
    return {part: [{**row, name: values[i % len(values)]} for i, row in enumerate(t)] for part, t in tables.items()}


TASKS: dict[str, tuple[str, str, Tables, Tables]] = {
    **{f"Ids-{name}": ("retrieval", "ndcg_at_1", _search(ids), _search(ids)) for name, ids in IDS.items()},
    "Grades": ("retrieval", "ndcg_at_1", _search(["1", "02"], score=" 2.0 "), _search(["1", "02"], score=2)),
    **{f"Labels-{n}": ("classification", "accuracy", _labels(*ls), _labels(*ls)) for n, ls in LABELS.items()},
    "Scores": ("sts", "cosine_spearman", _pairs("score"), _as_numbers(_pairs("score"), "score")),
    "Truth": (
        "pair_classification",
        "max_ap",
        _with(_pairs("labels"), "labels", ["True", "FALSE", " false"]),
        _with(_pairs("labels"), "labels", [True, False, False]),
    ),
    "Together": ("pair_classification", "max_ap", _pairs("labels"), _as_numbers(_pairs("labels"), "labels")),
    "Values": (
        "regression",
        "kendalltau",
        {s: [{"text": r["text"], "value": NUMBERS[i % 10]} for i, r in enumerate(t)] for s, t in _labels(1).items()},
        {
            s: [{"text": r["text"], "value": float(NUMBERS[i % 10])} for i, r in enumerate(t)]
            for s, t in _labels(1).items()
        },
    ),
}

AS_TSV = ("Ids-zeros", "Ids-quotes", "Labels-digits", "Scores")


def _untyped(rows: Sequence[Row], delimiter: str) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _write(folder: Path, kind: str, tables: Tables) -> None:
    for name, rows in tables.items():
        path = folder / f"{name}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "jsonl":
            text = "".join(json.dumps(row) + "\n" for row in rows)
        else:
            text = _untyped(rows, "," if kind == "csv" else "\t")
        path.write_text(text, encoding="utf-8-sig" if kind == "csv" else "utf-8")


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Any]]:
    """Of each task its scores, null as null."""
    folder = tmp_path_factory.mktemp("types")
    project = small_project(folder / "project")
    names = []
    for name, (kind, metric, untyped, typed) in TASKS.items():
        for ending, tables in (("csv", untyped), ("jsonl", typed), *([("tsv", untyped)] if name in AS_TSV else [])):
            _write(project / "data" / f"{name}-{ending}".lower(), ending, tables)
            task(project, f"{name}-{ending}", kind, metric)
            names.append(f"{name}-{ending}")
    outputs = folder / "outputs"
    arguments = ["run", "--config-dir", str(project), "model=tiny", f"outputs={outputs}"]
    assert main([*arguments, f"tasks=[{','.join(names)}]"]) == 0
    records = [json.loads(path.read_text()) for path in outputs.glob("jobs/*/result.json")]
    return {record["job"]["task"]: record["scores"] for record in records}


@pytest.mark.parametrize("name", TASKS)
def test_a_csv_scores_as_the_same_rows_in_json(scores: Mapping[str, Mapping[str, Any]], name: str) -> None:
    for kind in ("csv", "tsv") if name in AS_TSV else ("csv",):
        assert scores[f"{name}-{kind}"] == pytest.approx(scores[f"{name}-jsonl"], abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", [f"Ids-{name}" for name in IDS])
def test_each_query_finds_its_own_document(scores: Mapping[str, Mapping[str, Any]], name: str) -> None:
    assert scores[f"{name}-csv"]["ndcg_at_1"] == 1


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=6), st.sampled_from(["csv", "tsv"]))
def test_every_cell_is_read_as_it_was_written(rows: list[list[str]], kind: str) -> None:
    file = io.StringIO()
    delimiter = "," if kind == "csv" else "\t"
    csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["a", "b"], *rows])
    table = parse(f"x.{kind}", file.getvalue().encode())
    assert [list(row.values()) for row in table.arrow.to_pylist()] == rows


def test_labels_that_are_whole_numbers_have_an_average_precision(scores: Mapping[str, Mapping[str, Any]]) -> None:
    assert scores["Labels-digits-csv"]["ap"] is not None
    assert scores["Labels-truth-csv"]["ap"] is None
