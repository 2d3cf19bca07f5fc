"""Small datasets of pages, in the layouts of their publishers, for tasks of visual documents with layouts of their own.

Ids, judgments and languages are chosen so that a wrong one would show: ids do not rise, a query has several judgments,
one of them of grade 0 and one of a page that is not there, and a query has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from layout_pictures import dataset, picture

from embedmark.runner.config.schema import TaskConfig

Row = dict[str, Any]
Repository = dict[Any, Any]

PAGES, QUERIES = [7, 3, 11, 5, 2], [40, 9, 23, 10]
JUDGED = [(40, 7, 1), (9, 11, 2), (40, 3, 0), (23, 2, 1), (40, 99, 1), (9, 7, 1), (10, 5, 1)]
LANGUAGES = ("french", "english", "spanish", "german")


def _pages(name: str, **more: Any) -> Any:
    return dataset([{"corpus-id": i, "image": picture(i, name), "doc-id": f"file {i}", **more} for i in PAGES])


def _queries(name: str, column: str = "query") -> Any:
    rows = [
        {"query-id": i, column: f"{name} {i}?", "language": LANGUAGES[n % 4], "answer": "a"}
        for n, i in enumerate([*QUERIES, 51, 52])
    ]
    return dataset(rows)


def _judgments() -> Any:
    judged = [*JUDGED, (52, 3, 1)]
    return dataset([{"query-id": q, "corpus-id": d, "score": score, "answer": "a"} for q, d, score in judged])


def _numbered(task: TaskConfig, subsets: list[str]) -> Repository:
    pages = {"corpus": _pages(task.name), "queries": _queries(task.name), "qrels": _judgments()}
    return {(part, "test"): rows for part, rows in pages.items()}


def _in_folders(task: TaskConfig, subsets: list[str]) -> Repository:
    return {
        f"{subset}/{part}/test-00000-of-00001.parquet": rows
        for subset in subsets
        for part, rows in {
            "corpus": _pages(subset),
            "queries": _queries(subset),
            "qrels": _judgments(),
        }.items()
    }


def _rephrased(task: TaskConfig, subsets: list[str]) -> Repository:
    queries = _queries("asked", "rephrase_level_3").add_column("query", ["as it was"] * 6)
    return {("corpus", "test"): _pages("report"), ("queries", "test"): queries, ("qrels", "test"): _judgments()}


def _listed(task: TaskConfig, subsets: list[str]) -> Repository:
    pages = [{"page_id": f"p{i}", "text": f"page {i}", "image": picture(i), "doc": "d"} for i in PAGES]
    queries = [
        {"id": f"q{i}", "query": f"{i}?", "valid_pages": valid, "n": i}
        for i, valid in enumerate([["p3"], ["p2", "p7"], ["p99", "p5"]])
    ]
    return {"corpus/a.parquet": dataset(pages), "queries/a.parquet": dataset(queries)}


def _called_by_files(task: TaskConfig, subsets: list[str]) -> Repository:
    made: Repository = {}
    for subset in subsets:
        corpus = [{"_id": f"{subset}#{i}", "image_id": i, "text": f"t{i}", "title": "T"} for i in (*PAGES, 1)]
        images = [{"file_name": str(i), "image": picture(i, subset)} for i in reversed(PAGES)]
        queries = [{"_id": i, "text": f"{subset} {i}"} for i in QUERIES]
        qrels = [{"query-id": q, "corpus-id": f"{subset}#{d}", "score": score} for q, d, score in JUDGED]
        parts = {"corpus": corpus, "images": images, "queries": queries, "qrels": qrels}
        made |= {(f"{part}-{subset}", "default"): dataset(rows) for part, rows in parts.items()}
    return made


def _one_row_a_page(task: TaskConfig, subsets: list[str]) -> Repository:
    def row(subset: str, i: int) -> Row:
        query = None if i % 3 == 0 else "" if i == 4 else f"{subset} {i}?"
        return {"id": f"{9 - i}-{subset}", "query": query, "image": picture(i, subset), "language": subset}

    return {(subset, "train"): dataset([row(subset, i) for i in range(6)]) for subset in subsets}


def _transcribed(task: TaskConfig, subsets: list[str]) -> Repository:
    """IRPapers: some pages have no transcription."""
    return _parts(transcription=lambda i: None if i == 11 else "" if i == 5 else f"page {i}")


def _with_texts(task: TaskConfig, subsets: list[str]) -> Repository:
    found: Repository = {}
    for subset in subsets:
        own = "" if subset == "default" else f"{subset}-"
        found |= {(f"{own}{part}", split): rows for (part, split), rows in _parts(text=lambda i: f"page {i}").items()}
    return found


def _parts(**texts: Callable[[int], str | None]) -> Repository:
    corpus = [{"id": f"d{i}", **{name: text(i) for name, text in texts.items()}, "image": picture(i)} for i in PAGES]
    queries = [{"id": f"q{i}", "text": f"{i}?"} for i in QUERIES]
    qrels = [{"query-id": f"q{q}", "corpus-id": f"d{d}", "score": score} for q, d, score in JUDGED]
    parts = {"corpus": corpus, "queries": queries, "qrels": qrels}
    return {(part, "train"): dataset(rows) for part, rows in parts.items()}


ARTICLES = ["# Title\nText of it.\n\n## Part\nMore.", "No heading # here", "#Not one\n#\tbut this\n", "#\nlost\nkept "]


def _articles(task: TaskConfig, subsets: list[str]) -> Repository:
    """RAVENEA: articles with headings as Markdown has them, and candidates."""
    corpus = [{"id": f"d{i}", "text": text, "title": ""} for i, text in enumerate(ARTICLES)]
    queries = [{"id": f"q{i}", "image": picture(i), "country": "c", "category": "k"} for i in range(3)]
    pairs = [("q0", "d1", 63), ("q1", "d0", 7), ("q2", "d3", 15), ("q0", "d2", 7)]
    qrels = [{"query-id": q, "corpus-id": d, "score": score} for q, d, score in pairs]
    candidates = [{"query-id": f"q{i}", "corpus-ids": ["d3", "d0", "d1", "d2"]} for i in range(3)]
    parts = {"corpus": corpus, "queries": queries, "qrels": qrels, "top_ranked": candidates}
    return {(part, "test"): dataset(rows) for part, rows in parts.items()}


REPOSITORIES: Mapping[str, Callable[[TaskConfig, list[str]], Repository]] = {
    "Vidore[A-Z].*|Vidore2.*|Nayana.*|MMLongBenchDocRetrieval": _numbered,
    "JinaVDR.*": _in_folders,
    "RealMMRAG.*": _rephrased,
    "DanRAG.*": _listed,
    "MIRACLVisionRetrieval": _called_by_files,
    "VDRMultilingualRetrieval": _one_row_a_page,
    "IRPapers.*": _transcribed,
    "MMDocIRT2I.*": _with_texts,
    "RAVENEAI2TRetrieval": _articles,
}
