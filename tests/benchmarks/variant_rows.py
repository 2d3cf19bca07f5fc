"""Small datasets, in their publishers' layouts, for one task of every variant of a type that the shared hub lacks.

`publish(root)` writes them as a hub's folder, which `parity.py --variants` serves to both sides.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import variant_pictures
from layout_rows import Repository, Row
from layouts_parity import write_repository

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import HubDataset, TaskConfig

N_DOCUMENTS, N_QUERIES = 60, 12

Make = Callable[[random.Random, TaskConfig, tuple[str, ...]], Repository]


def publish(root: Path) -> None:
    """Write the datasets of all variants into a hub's folder."""
    catalogue = Catalogue()
    for name, (subsets, make) in VARIANTS.items():
        task = catalogue.task(name)
        assert isinstance(task.dataset, HubDataset)
        folder = root / "datasets" / task.dataset.hub / str(task.dataset.revision)
        if not folder.exists():
            write_repository(folder, make(random.Random(name), task, subsets))


def tasks() -> list[str]:
    """The tasks as parity.py is asked for them."""
    return [f"{name}:{','.join(subsets)}" for name, (subsets, _) in VARIANTS.items()]


def _text(rng: random.Random, what: str = "text") -> str:
    """One of a few hundred, so that texts repeat."""
    return f"{what} {rng.randrange(400)}"


def _table(column: Callable[[random.Random], Row], n: int = 60) -> Make:
    """A table, the same in all splits but for its draws."""

    def make(rng: random.Random, task: TaskConfig, subsets: tuple[str, ...]) -> Repository:
        splits = ("train", "test", *task.splits)
        return {
            (subset, split): [column(rng) for _ in range(n)] for subset in subsets for split in dict.fromkeys(splits)
        }

    return make


def _growing(column: Callable[[random.Random], Row], n: int = 60) -> Make:
    """Tables of different sizes, so that draws depend on the order in which subsets and splits are scored."""

    def make(rng: random.Random, task: TaskConfig, subsets: tuple[str, ...]) -> Repository:
        places = [(subset, split) for subset in subsets for split in dict.fromkeys(("train", *task.splits))]
        return {place: [column(rng) for _ in range(n + 17 * i)] for i, place in enumerate(places)}

    return make


def _search(
    query_id: Callable[[int], str] = "q{}".format,
    *,
    document_id: Callable[[int], str] = "d{}".format,
    candidates: bool = False,
    instructed: bool = False,
    changed: bool = False,
    alike: bool = False,
) -> Make:
    """Corpus, queries and judgments; perhaps candidates, instructions, and documents whose relevance changed.

    alike: queries have the judgments of all those whose id differs after the last "_" only, as parts of one query have.
    """

    def make(rng: random.Random, task: TaskConfig, subsets: tuple[str, ...]) -> Repository:
        made: Repository = {}
        for subset in subsets:
            prefix = "" if subset == "default" else f"{subset}-"
            documents = [document_id(i) for i in range(N_DOCUMENTS)]
            queries = [query_id(i) for i in range(N_QUERIES)]
            for split in task.splits:
                made[f"{prefix}corpus", split] = [
                    {"_id": key, "title": rng.choice(["", "title"]), "text": f"{_text(rng)} {key}"} for key in documents
                ]
                made[f"{prefix}queries", split] = [{"_id": key, "text": f"{_text(rng)}? {key}"} for key in queries]
                bases = [query.rpartition("_")[0] if alike else query for query in queries]
                grades = {
                    base: {document: rng.choice([0, 1, 1, 2]) for document in rng.sample(documents, 4)}
                    for base in dict.fromkeys(bases)
                }
                made[f"{prefix}qrels" if prefix else "default", split] = [
                    {"query-id": query, "corpus-id": document, "score": grade}
                    for query, base in zip(queries, bases, strict=True)
                    for document, grade in grades[base].items()
                ]
                if candidates:
                    made[f"{prefix}top_ranked", split] = [
                        {"query-id": query, "corpus-ids": rng.sample(documents, 20)} for query in queries
                    ]
                if instructed:
                    made[f"{prefix}instruction", split] = [
                        {"query-id": query, "instruction": f"Only {_text(rng)}."} for query in queries
                    ]
            if changed:
                made["qrel_diff", "qrel_diff"] = [
                    {"query-id": base, "corpus-ids": rng.sample(documents, 3)}
                    for base in dict.fromkeys(query.rpartition("-")[0] for query in queries)
                ]
        return made

    return make


def _levels(rng: random.Random) -> Row:
    return {"sentences": _text(rng), "labels": [f"{depth}{rng.randrange(3)}" for depth in range(rng.randint(1, 3))]}


def _topical(rng: random.Random) -> Row:
    return {"sentences": _text(rng), "labels": rng.choice(["a", "b", "c"])}


def _news(rng: random.Random) -> Row:
    told = {name: _text(rng, name) for name in ("text", "summary", "title", "url", "date")}
    return {**told, "topic": rng.choice(["politik", "sport", "kultur"])}


def _emotional(rng: random.Random) -> Row:
    return {"text": _text(rng), "label": sorted(rng.sample(["anger", "fear", "joy"], rng.randrange(3)))}


def _summaries(rng: random.Random) -> Row:
    human, machine = ([_text(rng, what) for _ in range(n)] for what, n in (("human", 4), ("machine", 8)))
    scores = [rng.randrange(1, 21) / 4 for _ in machine]
    return {"text": _text(rng), "human_summaries": human, "machine_summaries": machine, "relevance": scores}


def _pair(rng: random.Random, **more: Any) -> Row:
    return {"sentence1": _text(rng), "sentence2": _text(rng), **more}


def _with_gold(rng: random.Random, task: TaskConfig, subsets: tuple[str, ...]) -> Repository:
    ahead, behind = [f"source {i}" for i in range(80)], [f"target {i}" for i in range(90)]
    gold = [[1 + i, 1 + j] for i, j in zip(rng.sample(range(80), 40), rng.sample(range(90), 40), strict=True)]
    row = {"sentence1": ahead, "sentence2": behind, "gold": gold}
    return {(subset, "test"): [row] for subset in subsets}


def _parallel(rng: random.Random, task: TaskConfig, subsets: tuple[str, ...]) -> Repository:
    languages = sorted({language for subset in subsets for language in subset.split("-")})
    rows = [{language: rng.choice([f"{language} {i}", f"name {i}"]) for language in languages} for i in range(90)]
    return {("default", split): rows for split in task.splits}


def _merged(rng: random.Random, task: TaskConfig, subsets: tuple[str, ...]) -> Repository:
    rows = [_pair(rng, score=rng.random() * 5, lang=rng.choice(list(task.subsets))) for _ in range(600)]
    return {("default", "test"): rows}


def _paper(rng: random.Random) -> Row:
    return {"title": _text(rng), "abstract": _text(rng, "about"), "label": rng.choice(["a", "b", "c"])}


def _folds(rng: random.Random, task: TaskConfig, subsets: tuple[str, ...]) -> Repository:
    return {("biomimicry", "evaluation"): [_paper(rng) for _ in range(90)]}


def _by_kind(i: int) -> str:
    return f"{i // 2}-{'changed' if i % 2 else 'og'}"


def _arranged(rng: random.Random) -> Row:
    texts = rng.sample([f"statement {i}" for i in range(60)], 20)
    x, y = ([rng.random() for _ in texts] for _ in "xy")
    return {"round_id": f"round {rng.random()}", "texts": texts, "x": x, "y": y}


_ONE = ("default",)

VARIANTS: Mapping[str, tuple[tuple[str, ...], Make]] = {
    **variant_pictures.VARIANTS,
    "SciRepEvalBiomimicryClassification": (_ONE, _folds),
    "RuSciBenchYearPublRegression": (
        ("yearpubl_en",),
        _table(lambda rng: {"text": _text(rng), "value": rng.randrange(1950, 2020)}, 300),
    ),
    "SNLHierarchicalClusteringP2P": (_ONE, _table(_levels, 300)),
    "ClusTREC-Covid": (("title and abstract", "title"), _growing(_topical, 900)),
    "MLSUMClusteringS2S.v2": (("de", "fr", "ru", "es"), _growing(_news, 120)),
    "EmotionAnalysisPlus": (("mar", "gaz", "ary"), _growing(_emotional, 120)),
    "SummEval": (_ONE, _table(_summaries, 20)),
    "SummEvalSummarization.v2": (_ONE, _table(_summaries, 20)),
    "TERRa.V2": (_ONE, _table(lambda rng: _pair(rng, labels=rng.randrange(2)), 200)),
    "STS17": (("en-de", "es-es"), _merged),
    "StakeholderGrounding": (("rai",), _table(_arranged, 12)),
    "BUCC": (("de-en",), _with_gold),
    "FloresBitextMining": (("deu_Latn-fra_Latn", "fra_Latn-deu_Latn"), _parallel),
    "ArguAna": (_ONE, _search(document_id="q{}".format)),
    "NQHardNegatives": (_ONE, _search()),
    "CQADupstackAndroidRetrieval": (_ONE, _search()),
    "EPBench": (("default_claude_long__Entities",), _search()),
    "AskUbuntuDupQuestions": (_ONE, _search(candidates=True)),
    "MindSmallReranking": (_ONE, _search(lambda i: f"day_{i // 3}_{i % 3}", candidates=True, alike=True)),
    "NevIR": (_ONE, _search(lambda i: f"{i // 2}_q{1 + i % 2}", candidates=True)),
    "InstructIR": (_ONE, _search(lambda i: f"{i // 3}_{i % 3}", instructed=True)),
    "IFIRAila": (_ONE, _search(lambda i: f"{i // 3}-v{1 + i % 3}")),
    "Core17InstructionRetrieval": (_ONE, _search(_by_kind, candidates=True, instructed=True, changed=True)),
}
"""Task → some of its subsets, and what makes their rows."""
