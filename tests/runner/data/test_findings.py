"""Data that can be scored but was perhaps not meant so: the score, a warning with counts and an example, the record's
counts, and the same in `plan --cost`."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from small_project import WORDS, small_project, table, task

from embedmark.runner.cli.main import main

Rows = list[dict[str, Any]]

TEXTS = ["a b", "c d", "e f", "g h"]


def search(
    *,
    documents: Sequence[str] = ("d0", "d1", "d2", "d3"),
    texts: Sequence[str] = TEXTS,
    titles: Sequence[str | None] = ("", "", "", ""),
    queries: Sequence[str] = ("q0", "q1", "q2", "q3"),
    asked: Sequence[str] = TEXTS,
    qrels: Sequence[tuple[str, str, int]] = tuple((f"q{i}", f"d{i}", 1) for i in range(4)),
) -> dict[str, Rows]:
    return {
        "corpus": [{"_id": d, "title": t, "text": x} for d, t, x in zip(documents, titles, texts, strict=True)],
        "queries": [{"_id": q, "text": x} for q, x in zip(queries, asked, strict=True)],
        "qrels": [{"query-id": q, "corpus-id": d, "score": s} for q, d, s in qrels],
    }


def _rows(*texts: str) -> Rows:
    return [{"text": text, "label": WORDS[i % 2]} for i, text in enumerate(texts * 4)]


ALL = tuple((f"q{i}", f"d{i}", 1) for i in range(4))

CASES: dict[str, tuple[str, dict[str, Rows], float | None, dict[str, int], str]] = {
    # name: type, data, score where it is known, counts, what is said
    "Sound": ("retrieval", search(), 1, {}, ""),
    "AllMiss": (
        "retrieval",
        search(qrels=[(q, "x" + d, s) for q, d, s in ALL]),
        0,
        {"relevant_not_in_corpus": 4},
        "4 of 4 judgments of relevance name documents that are not in the corpus, and count as not found, such as 'x",
    ),
    "HalfMiss": (
        "retrieval",
        search(qrels=[*ALL[:2], ("q2", "x", 1), ("q3", "y", 2)]),
        0.5,
        {"relevant_not_in_corpus": 2},
        "2 of 4 judgments",
    ),
    "IrrelevantMiss": ("retrieval", search(qrels=[*ALL, ("q0", "x", 0)]), 1, {}, ""),
    "NothingRelevant": (
        "retrieval",
        search(qrels=[*ALL[:2], ("q2", "d2", 0), ("q3", "d3", -1)]),
        0.5,
        {"queries_without_relevant": 2},
        "2 of 4 judged queries have no document that is judged relevant, and score 0, such as 'q2'",
    ),
    "OneIsRelevant": ("retrieval", search(qrels=[*ALL, ("q0", "d1", 0), ("q1", "d0", -1)]), 1, {}, ""),
    "RepeatedIds": (
        "retrieval",
        search(documents=["d0", "d1", "d0", "d0"], qrels=ALL[:2], queries=["q0", "q1", "q0b", "q1b"]),
        None,
        {"repeated_document_ids": 2, "queries_without_judgments": 2},
        "2 of 4 documents have the id of an earlier one, and count as the same document, such as 'd0'",
    ),
    "UnknownQueries": (
        "retrieval",
        search(qrels=[*ALL, ("q9", "d1", 1), ("q9", "d2", 1)]),
        1,
        {"judged_queries_not_found": 1},
        "1 of 5 judged queries are not among the queries, and are left out, such as 'q9'",
    ),
    "Unjudged": (
        "retrieval",
        search(qrels=ALL[:3]),
        1,
        {"queries_without_judgments": 1},
        "1 of 4 queries have no judgments, and are left out, such as 'q3'",
    ),
    "EmptyDocuments": (
        "retrieval",
        search(texts=["", " \t", "e f", "g h"]),
        None,
        {"empty_documents": 2},
        "2 of 4 documents have no text, such as 'd0'",
    ),
    "TitledDocuments": ("retrieval", search(texts=["", "", "", ""], titles=TEXTS), 1, {}, ""),
    "NoTitles": (
        "retrieval",
        search(texts=["", *TEXTS[1:]], titles=[None] * 4),
        None,
        {"empty_documents": 1},
        "1 of 4 documents have no text",
    ),
    "EmptyQueries": (
        "retrieval",
        search(asked=["\u2003", *TEXTS[1:]]),
        None,
        {"empty_queries": 1},
        "1 of 4 queries have no text, such as 'q0'",
    ),
    "BlankIds": (
        "retrieval",
        search(documents=["d0 ", "d1", "d2", "d3"]),
        0.75,
        {"relevant_not_in_corpus": 1, "ids_with_blanks": 1},
        "ids begin or end with a blank, which is part of the id, such as 'd0 '",
    ),
    "BlankQrels": (
        "retrieval",
        search(qrels=[(" q0", "d0", 1), *ALL[1:]]),
        1,
        {"judged_queries_not_found": 1, "queries_without_judgments": 1, "ids_with_blanks": 1},
        "such as ' q0'",
    ),
    "EmptyTexts": (
        "classification",
        {"train": _rows("a", "b"), "test": _rows("a", "", "a", " ")},
        None,
        {"empty_texts": 8},
        "8 of 24 texts are empty, such as number 1 of column 'text', split 'test'",
    ),
    "EmptyPairs": (
        "sts",
        {"test": [{"sentence1": x, "sentence2": "a", "score": i} for i, x in enumerate(["", "a", "b"])]},
        None,
        {"empty_texts": 1},
        "1 of 6 texts are empty",
    ),
    "EmptyClusters": (
        "clustering",
        {"test": [{"sentences": x, "labels": i % 2} for i, x in enumerate(["", *WORDS[3:20]])]},
        None,
        {"empty_texts": 1},
        "1 of 18 texts are empty",
    ),
    "FewClustered": (
        "clustering",
        {"test": [{"sentences": f"{WORDS[i % 20]} {i}", "labels": i % 2} for i in range(100)]},
        None,
        {"documents_not_sampled": 96},
        "96 of 100 documents are left out of the sample that is clustered (settings: max_fraction_of_documents_",
    ),
}

METRICS = {"retrieval": "ndcg_at_1", "classification": "accuracy", "sts": "cosine_spearman", "clustering": "v_measure"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_project(tmp_path_factory.mktemp("findings"))
    for name, (kind, data, *_) in CASES.items():
        if kind == "retrieval":
            for part, rows in data.items():
                table(folder, f"{name.lower()}/{part}", test=rows)
        else:
            table(folder, name.lower(), **data)
        settings = {"max_fraction_of_documents_to_embed": None} if name == "EmptyClusters" else {}
        task(folder, name, kind, METRICS[kind], settings=settings)
    return folder


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def verb(name: str, project: Path, outputs: Path, *flags: str) -> int:
    arguments = ["--config-dir", str(project), "model=tiny", f"outputs={outputs}", f"tasks=[{','.join(CASES)}]"]
    return main([name, *flags, *arguments])


@pytest.fixture(scope="module")
def run(project: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, Any], list[str]]:
    """Records by task, and all that was logged."""
    outputs = tmp_path_factory.mktemp("outputs")
    kept = _Kept()
    logging.getLogger("embedmark.runner").addHandler(kept)
    try:
        assert verb("run", project, outputs) == 0
    finally:
        logging.getLogger("embedmark.runner").removeHandler(kept)
    records = [json.loads(path.read_text()) for path in outputs.glob("jobs/*/result.json")]
    return {record["job"]["task"]: record for record in records}, kept.lines


@pytest.mark.parametrize("name", CASES)
def test_it_is_scored_counted_and_said_once(run: tuple[Mapping[str, Any], list[str]], name: str) -> None:
    records, logged = run
    _, _, score, counts, words = CASES[name]
    assert records[name]["dataset"]["counts"] == counts
    if score is not None:
        assert records[name]["main_score"] == score
    lines = [line for line in logged if line.startswith(f"{name}: ")]
    assert len(lines) == (1 if counts else 0)
    assert all(words in line and len(line) <= 600 for line in lines)


def test_plan_says_the_same(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], run: tuple[Mapping[str, Any], list[str]]
) -> None:
    assert verb("plan", project, tmp_path, "--cost") == 0
    out = " ".join(capsys.readouterr().out.split())
    said = [line for line in run[1] if any(line.startswith(f"{name}: ") and CASES[name][3] for name in CASES)]
    assert len(said) == sum(bool(case[3]) for case in CASES.values())
    assert all(f"data: {line}" in out for line in said)
    assert verb("plan", project, tmp_path, "--cost", "--json") == 0
    cost = json.loads(capsys.readouterr().out.splitlines()[-1])["cost"]
    assert cost["data"] == {name: counts for name, (_, _, _, counts, _) in CASES.items() if counts}
