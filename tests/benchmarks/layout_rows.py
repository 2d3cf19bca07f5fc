"""Small datasets in the layouts of their publishers, for tasks that are read in ways of their own.

`repository(task)` gives (configuration, split) → rows, or path → rows where the reference names files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import layout_rows_any
import layout_rows_documents

from embedmark.runner.config.schema import HubDataset, TaskConfig

Row = dict[str, Any]
Repository = dict[Any, list[Row]]

N = 7


def documents(key: str, what: str, **more: Callable[[int], Any]) -> list[Row]:
    """Documents d0… with titles."""
    rows = [{key: f"d{i}", "title": f"title {i}", "text": f"{what} text {i}"} for i in range(N)]
    return [{**row, **{name: make(i) for name, make in more.items()}} for i, row in enumerate(rows)]


def queries(key: str, what: str, **more: Callable[[int], Any]) -> list[Row]:
    """Queries q0…, of which the last has no judgments."""
    rows = [{key: f"q{i}", "text": f"{what} question {i}"} for i in range(5)]
    return [{**row, **{name: make(i) for name, make in more.items()}} for i, row in enumerate(rows)]


def judgments(query: str = "query-id", document: str = "corpus-id", **more: Callable[[int], Any]) -> list[Row]:
    """q0 has three documents, the others one each."""
    pairs = [(0, 5), (0, 2), (1, 3), (0, 1), (2, 2), (3, 6)]
    rows = [{query: f"q{i}", document: f"d{j}", "score": 1 + j % 2} for i, j in pairs]
    return [{**row, **{name: make(i) for name, make in more.items()}} for i, row in enumerate(rows)]


_OF_IMAGES = {**layout_rows_any.REPOSITORIES, **layout_rows_documents.REPOSITORIES}


def repository(task: TaskConfig, subsets: Iterable[str]) -> Repository:
    """The dataset that a task reads, for these subsets."""
    for pattern, make in {
        **_REPOSITORIES,
        **layout_rows_any.REPOSITORIES,
        **layout_rows_documents.REPOSITORIES,
    }.items():
        if re.fullmatch(pattern, task.name):
            return make(task, list(subsets))
    if is_usual(task):
        return layout_rows_any.usual(task, list(subsets))
    raise KeyError(f"no rows for {task.name}")


def is_usual(task: TaskConfig) -> bool:
    """Whether a task of images is read as any other of its type, so that its columns say what its rows are."""
    own = any(re.fullmatch(pattern, task.name) for pattern in _OF_IMAGES)
    return "image" in task.about.modalities and isinstance(task.dataset, HubDataset) and not own


def _long_embed(task: TaskConfig, subsets: list[str]) -> Repository:
    lengths = [256, 512, 1024, 2048, 4096, 8192, 16384, 32768]
    config = getattr(task.dataset, "config", None)

    def sized(rows: list[Row], *ids: str) -> list[Row]:
        return [
            {**row, **{key: f"{row[key]}-{n}" for key in ids}, "context_length": n} for n in lengths for row in rows
        ]

    parts = {
        "corpus": (documents("doc_id", "long"), ["doc_id"]),
        "queries": (queries("qid", "long"), ["qid"]),
        "qrels": (judgments("qid", "doc_id"), ["qid", "doc_id"]),
    }
    needle = task.name == "LEMBNeedleRetrieval"
    return {(config, part): sized(rows, *ids) if needle else rows for part, (rows, ids) in parts.items()}


def _sadeem(task: TaskConfig, subsets: list[str]) -> Repository:
    return {
        ("test", "corpus"): documents("corpus-id", "sadeem"),
        ("test", "queries"): queries("query-id", "sadeem"),
        ("test", "qrels"): judgments(),
    }


def _named_splits(key: str) -> Callable[[TaskConfig, list[str]], Repository]:
    return lambda task, subsets: {
        ("corpus", "corpus"): documents(key, "plain"),
        ("queries", "queries"): queries(key, "plain"),
        ("default", "test"): judgments(),
    }


def _by_subset(corpus: str, corpus_split: str, query: str, query_split: str, qrels: str) -> Any:
    def make(task: TaskConfig, subsets: list[str]) -> Repository:
        made: Repository = {}
        for subset in subsets:
            part = {"partition": lambda i: "train" if i == 3 else "test"} if "{subset}-" in query else {}
            made[corpus.format(subset=subset), corpus_split] = documents("_id", subset)
            made[query.format(subset=subset), query_split] = queries("_id", subset, **part)
            made[qrels.format(subset=subset), "test"] = judgments()
        return made

    return make


def _cure(task: TaskConfig, subsets: list[str]) -> Repository:
    made: Repository = {}
    for place, split in enumerate(sorted(set(task.splits) - {"all"})):
        own = [{**row, "_id": f"{row['_id']}-{place}"} for row in queries("_id", split)]
        pairs = [{**row, "query-id": f"{row['query-id']}-{place}"} for row in judgments()]
        made["corpus", split], made["qrels", split] = documents("_id", "shared"), pairs
        for subset in task.subsets:
            made[f"queries-{subset}", split] = [{**row, "text": f"{subset} {row['text']}"} for row in own]
    return made


def _nq_tables(task: TaskConfig, subsets: list[str]) -> Repository:
    return {
        ("corpus_md", "corpus_md"): documents("_id", "table"),
        **{("queries", f"{split}_queries"): queries("_id", split) for split in ("train", "dev", "test")},
        **{("default", split): judgments("qid", "did") for split in ("train", "dev", "test")},
    }


def _r2med(task: TaskConfig, subsets: list[str]) -> Repository:
    return {
        ("corpus", "corpus"): documents("id", "med"),
        ("query", "query"): queries("id", "med"),
        ("qrels", "qrels"): judgments("q_id", "p_id"),
    }


def _forums(task: TaskConfig, subsets: list[str]) -> Repository:
    made: Repository = {}
    for forum in ("android", "english", "gaming", "gis", "mathematica", "physics", "programmers", "stats", "tex",
                  "unix", "webmasters", "wordpress"):  # fmt: skip
        made["corpus", forum] = documents("_id", forum)
        made["queries", forum] = queries("_id", forum)
        made["test", forum] = judgments()
    return made


_DOMAINS = ("biology", "earth_science", "economics", "psychology", "robotics", "stackoverflow", "sustainable_living",
            "pony", "leetcode", "aops", "theoremqa_theorems", "theoremqa_questions")  # fmt: skip


def _bright(task: TaskConfig, subsets: list[str]) -> Repository:
    made: Repository = {}
    for domain in _DOMAINS:
        for config, gold in (("documents", "d"), ("long_documents", "l")):
            made[config, domain] = [{"id": f"{gold}{i}", "content": f"{domain} {gold} {i}"} for i in range(N)]
        excluded = ["d4", "d2", "l4"] if domain in {"aops", "pony"} else ["N/A"]
        made["examples", domain] = [
            {
                "id": f"q{i}",
                "query": f"{domain} question {i}",
                "gold_ids": ["d1", f"d{i + 2}"],
                "gold_ids_long": [f"l{i}"],
                "excluded_ids": excluded if i == 2 else ["N/A"],
            }
            for i in range(4)
        ]
    return made


def _follow_ir(task: TaskConfig, subsets: list[str]) -> Repository:
    made: Repository = {}
    for language in dict.fromkeys(subset.removeprefix("eng-") for subset in task.subsets):
        ids = [f"{query}-{kind}" for query in (1, 2) for kind in ("og", "changed")]
        made[f"corpus-{language}", "corpus"] = documents("_id", language)
        made[f"queries-{language}", "queries"] = [{"_id": key, "text": f"{language} {key}"} for key in ids]
        made[f"instruction-{language}", "instruction"] = [{"query-id": key, "instruction": f"do {key}"} for key in ids]
        made[f"default-{language}", "test"] = [
            {"query-id": key, "corpus-id": f"d{i}", "score": i % 2} for key in ids for i in range(4)
        ]
        made[f"top_ranked-{language}", "top_ranked"] = [
            {"query-id": key, "corpus-ids": [f"d{i}" for i in (3, 1, 0, 2)]} for key in ids
        ]
        made[f"qrel_diff-{language}", "qrel_diff"] = [
            {"query-id": "1", "corpus-ids": ["d3"]},
            {"query-id": "2", "corpus-ids": ["d1", "d3"]},
        ]
    return made


def _belebele(task: TaskConfig, subsets: list[str]) -> Repository:
    languages = {language for subset in subsets for language in subset.split("-")}
    return {
        (language, "test"): [
            {"link": f"http://{i // 2}", "flores_passage": f"{language} {i // 2}", "question": f"{language} ? {i % 6}"}
            for i in range(8)
        ]
        for language in languages
    }


def _lit_search(task: TaskConfig, subsets: list[str]) -> Repository:
    asked = [{"query": f"paper {i}", "corpusids": [100 + i, 103]} for i in range(3)]
    papers = [{"corpusid": 100 + i, "title": f"t{i}", "abstract": f"a{i}"} for i in range(N)]
    return {("query", "full"): asked, ("corpus_clean", "full"): papers}


def _syntec(task: TaskConfig, subsets: list[str]) -> Repository:
    articles = [{"id": f"article-{i}", "title": f"t{i}", "content": f"c{i}", "url": "u"} for i in range(N)]
    asked = [{"Question": f"question {i}", "Article": f"article-{i % 3}"} for i in range(5)]
    return {("documents", "test"): articles, ("queries", "test"): asked}


def _jurifindit(task: TaskConfig, subsets: list[str]) -> Repository:
    contents = ["a ", "<< file root node >>", " b", "a", "c", "b"]
    return {
        ("corpus", "corpus"): [{"id": i, "content": text} for i, text in enumerate(contents)],
        ("questions", "train"): [{"question": "x", "relevant_doc_ids": [3, 4]}],
        ("questions", "validation"): [
            {"question": "y", "relevant_doc_ids": [5]},
            {"question": "z", "relevant_doc_ids": [0]},
        ],
    }


def _code_edits(task: TaskConfig, subsets: list[str]) -> Repository:
    return {
        f"{language}/train.jsonl": [
            {"commit": f"c{i % 1001}", "instruction": f"{language} do {i}", "diff": f"{language} +{i}"}
            for i in range(1005)
        ]
        if language == "go"
        else [{"commit": f"c{i % 3}", "instruction": f"{language} {i}", "diff": f"+{i}"} for i in range(5)]
        for language in task.subsets
    }


def _colder(task: TaskConfig, subsets: list[str]) -> Repository:
    return {
        f"test/{subset}.jsonl": [
            {"query": f"{subset} {i}", "document_1": f"{subset} one {i}", "document_2": f"{subset} two {i}"}
            for i in range(4)
        ]
        for subset in task.subsets
    }


def _clsd(task: TaskConfig, subsets: list[str]) -> Repository:
    rows = [
        {
            "Source": f"s{i}",
            "Target": f"t{i}",
            **{f"TargetAdv{j}": f"t{i}" if i == j == 2 else f"a{i}{j}" for j in range(1, 5)},
        }
        for i in range(4)
    ]
    return {("wmt21.de.fr", "test"): rows, ("wmt21.fr.de", "test"): rows[::-1]}


def _fquad(task: TaskConfig, subsets: list[str]) -> Repository:
    rows = [{"title": f"T{i % 3}", "context": f"context {i}", "question": f"question {i}"} for i in range(6)]
    return {("default", "valid_hasAns"): rows[:4], ("default", "test_hasAns"): rows, ("default", "test"): rows[:1]}


def _questions_and_answers(task: TaskConfig, subsets: list[str]) -> Repository:
    holes: list[Row] = [
        {"question": "a", "answer": None},
        {"question": None, "answer": "1"},
        *({"question": question, "answer": answer} for question, answer in ("b2", "c1", "b3", "d3", "d2")),
    ]
    whole = [row for row in holes if all(row.values())]
    if task.name == "PublicHealthQA":
        return {(subset, "test"): holes for subset in subsets}
    if task.name == "GreekCivicsQA":
        return {
            ("default", "default"): [
                {"id": 10 + i, "question": f"{i}?", **row, **{"question": f"{i}?"}} for i, row in enumerate(whole)
            ]
        }
    return {("default", "test"): whole}


def _hun_sum(task: TaskConfig, subsets: list[str]) -> Repository:
    return {
        ("default", "test"): [
            {"uuid": f"u{i % 4}", "title": f"t{i}", "lead": f"l{i}", "article": f"a{i}"} for i in range(5)
        ]
    }


def _narrative_qa(task: TaskConfig, subsets: list[str]) -> Repository:
    return {
        ("default", "test"): [
            {
                "document": {"id": f"x{i % 3}", "text": f"story {i % 3}"},
                "question": {"text": f"why {i}", "tokens": ["why"]},
            }
            for i in range(5)
        ]
    }


def _slovak_sum(task: TaskConfig, subsets: list[str]) -> Repository:
    return {("default", "test"): [{"sum": f"s{i}", "title": f"t{i % 9}", "text": f"x{i}"} for i in range(605)]}


def _tur_hist(task: TaskConfig, subsets: list[str]) -> Repository:
    rows = [
        {"question": f"q{i}", "context": f"c{i % 50}", "answers": {"text": f"a{i % 70}", "answer_start": 1}}
        for i in range(1100)
    ]
    return {("default", "test"): rows}


def _vie_quad(task: TaskConfig, subsets: list[str]) -> Repository:
    rows = [
        {
            "title": f"t{i % 60}",
            "question": f"q{i}",
            "context": f"c{i % 80}",
            "answers": {"text": [f"a{i % 300}", "other"] if i % 5 else [], "answer_start": [1, 2] if i % 5 else []},
        }
        for i in range(2700)
    ]
    return {("default", "validation"): rows}


def _bible(task: TaskConfig, subsets: list[str]) -> Repository:
    others = {part[:3] for subset in subsets for part in subset.split("-")} - {"eng"}
    return {
        (f"eng-{other}", "train"): [{"eng": f"e{i}", other: f"{other}{i}"} for i in range(300)]
        for other in sorted(others)
    }


def _tbilisi(task: TaskConfig, subsets: list[str]) -> Repository:
    return {("default", "test"): [{"ka": f"k{i}", "en": f"e{i}"} for i in range(5)]}


def _mongabay(task: TaskConfig, subsets: list[str]) -> Repository:
    soft = ["[0.1, 0.7, 0.2]", "[0.5, 0.5]", "[0.4, 0.2, 0.4]"]
    hard = ["netral", "positif", "unclear", "negatif"]
    return {
        ("default", "train"): [{"text": f"a{i}", "softlabel": soft[i % 3]} for i in range(7)],
        ("default", "validation"): [{"text": f"v{i}", "softlabel": hard[i % 4]} for i in range(6)],
        ("default", "test"): [{"text": f"t{i}", "softlabel": hard[(i + 1) % 4]} for i in range(9)],
    }


def _injongo(task: TaskConfig, subsets: list[str]) -> Repository:
    return {
        (subset, split): [
            {"utterance" if i_subset % 2 else "text": f"{subset} {i}", "intent": f"x{i % 3}"} for i in range(6)
        ]
        for i_subset, subset in enumerate(subsets)
        for split in ("train", "test")
    }


def _sib(task: TaskConfig, subsets: list[str]) -> Repository:
    topics = ["travel", "religion", "business"]
    made: Repository = {}
    for place, subset in enumerate(subsets):
        for split in ("train", "test"):
            labels: list[Any] = [topics[i % 3] if place else i % 3 for i in range(6)]
            made[subset, split] = [{"sentence": f"{subset} {i}", "category": labels[i]} for i in range(6)]
    return made


def _patents(task: TaskConfig, subsets: list[str]) -> Repository:
    def rows(n: int) -> list[Row]:
        return [{"text": f"p{i}", "label": sorted({f"A{i % 5}", f"B{(i * i) % 7}"})} for i in range(n)]

    return {("default", "train"): rows(8300), ("default", "test"): rows(2100)}


def _turkic(task: TaskConfig, subsets: list[str]) -> Repository:
    languages, counts = ["ky", "kk", "ba"], (0, 0, 0, 1, 1, 2)
    rows = [
        {"processed_text": f"x{i}", "category": f"c{counts[i % 6] if i % 200 else 9}", "lang": languages[(i // 7) % 3]}
        for i in range(6500)
    ]
    rows += [{"processed_text": f"rare{i}", "category": "rare", "lang": "ky"} for i in range(19)]
    return {("default", "train"): rows}


def _smiles(task: TaskConfig, subsets: list[str]) -> Repository:
    columns = {
        "iso-desc": ("description", "isomeric_smiles"),
        "iso-title": ("title", "isomeric_smiles"),
        "canon-desc": ("description", "canonical_smiles"),
        "canon-title": ("title", "canonical_smiles"),
    }
    return {
        (config, "test"): [{first: f"{config} {i}", second: f"{second} {i}", "labels": i % 2} for i in range(700)]
        for config, (first, second) in columns.items()
    }


_REPOSITORIES: Mapping[str, Callable[[TaskConfig, list[str]], Repository]] = {
    "LEMB.*": _long_embed,
    "Sadeem.*": _sadeem,
    "SKQuad.*|ChatDoctor.*|GermanQuAD.*": _named_splits("_id"),
    "HumanEval.*|MBPP.*": _named_splits("id"),
    "MrTidy.*": _by_subset("{subset}-corpus", "train", "{subset}-queries", "test", "{subset}-qrels"),
    "CodeSearchNetCC.*|COIRCode.*": _by_subset(
        "{subset}-corpus", "corpus", "{subset}-queries", "queries", "{subset}-qrels"
    ),
    "RuSciBenchC.*": _by_subset("corpus-{subset}", "corpus", "queries-{subset}", "queries", "{subset}"),
    "CUREv1": _cure,
    "NQTables.*": _nq_tables,
    "R2MED.*": _r2med,
    "CQADupstack.*-NL": _forums,
    "Bright.*": _bright,
    "mFollowIR.*": _follow_ir,
    "Belebele.*": _belebele,
    "LitSearch.*": _lit_search,
    "Syntec.*": _syntec,
    "JuriFindIT.*": _jurifindit,
    "CodeEditSearch.*": _code_edits,
    "ColDeR.*": _colder,
    "CrossLingual.*WMT21": _clsd,
    "FQuAD.*": _fquad,
    "GeorgianFAQ.*|PublicHealthQA|GreekCivicsQA": _questions_and_answers,
    "HunSum2.*": _hun_sum,
    "NarrativeQA.*": _narrative_qa,
    "SlovakSum.*": _slovak_sum,
    "TurHistQuad.*": _tur_hist,
    "VieQuAD.*": _vie_quad,
    "BibleNLP.*": _bible,
    "Tbilisi.*": _tbilisi,
    "IndonesianMongabay.*": _mongabay,
    "InjongoIntent": _injongo,
    "SIB200Classification.v2": _sib,
    "SwedishPatent.*": _patents,
    "TurkicClassification": _turkic,
    "PubChemSMILESPC": _smiles,
}
