"""Makes retrieval.json: what the reference implementation says of small retrieval and reranking data.

    .venv-reference/bin/python tests/tasks/reference/retrieval.py

Each case is one task: its data, settings and similarity, the texts that the model was given, and all metrics that the
reference's own task class reports. The vector of a text is a function of its letters (tests/letters.py), so that
both sides have the same. The data has tied and repeated documents, queries without judgments or without a relevant
document, relevant documents that the corpus lacks, grades of -1 to 3, and titles that are empty or blank.

Where a model's similarity is the cosine, candidates do not repeat: with a single query the reference's matrix product
rounds equal documents differently, by their place, and so breaks ties by chance.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from mteb._evaluators import retrieval_metrics as metrics
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.models import ModelMeta
from mteb.tasks.instruction_retrieval.eng.ifir_aila_retrieval import IFIRAila
from mteb.tasks.retrieval.eng.lmeb_retrieval import EPBench
from sentence_transformers import SimilarityFunction

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
from letters import vectors  # noqa: E402

K_VALUES = (1, 3, 5, 10, 20, 100, 1000)


class Letters:
    """An encoder whose vectors are a function of a text's letters, and that remembers what it was given."""

    def __init__(self, similarity: str) -> None:
        self.given: dict[str, list[str]] = {"query": [], "document": []}
        self.similarity = SimilarityFunction.to_similarity_fn(similarity)
        self.similarity_pairwise = SimilarityFunction.to_similarity_pairwise_fn(similarity)
        self.mteb_model_meta = ModelMeta.create_empty()

    def encode(self, inputs: Any, *, prompt_type: Any, **_: Any) -> np.ndarray:
        texts = [text for batch in inputs for text in batch["text"]]
        self.given[prompt_type.value] += texts
        return vectors(texts)


def case(
    name: str,
    data: dict[str, Any],
    similarity: str = "cosine",
    extra: Callable[..., dict[str, Any]] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """One task, scored by the reference. `extra(scores, qrels, results)` adds what a task's own class would."""

    class Task(AbsTaskRetrieval):
        metadata = TaskMetadata(
            name="Facts",
            description="facts",
            dataset={"path": "none", "revision": "none"},
            type="Retrieval",
            category="t2t",
            modalities=["text"],
            eval_splits=["test"],
            eval_langs=["eng-Latn"],
            main_score="ndcg_at_10",
        )
        k_values = settings.get("k_values", K_VALUES)
        ignore_identical_ids = settings.get("ignore_identical_ids", False)
        skip_first_result = settings.get("skip_first_result", False)

        def task_specific_scores(self, scores: Any, qrels: Any, results: Any, **_: Any) -> dict[str, Any]:
            return extra(self, scores, qrels, results) if extra else {}

    task = Task()
    task.dataset = {
        "default": {
            "test": {
                "corpus": Dataset.from_dict(data["corpus"]),
                "queries": Dataset.from_dict(data["queries"]),
                "relevant_docs": data["qrels"],
                "top_ranked": data.get("top_ranked"),
            }
        }
    }
    task.data_loaded = True
    model = Letters(similarity)
    scores = task.evaluate(model, split="test", encode_kwargs={"show_progress_bar": False})["default"]
    kept = {name: value for name, value in flat(scores) if isinstance(value, float) and name != "main_score"}
    return {
        "name": name,
        "data": data,
        "similarity": similarity,
        "settings": settings,
        "given": model.given,
        "scores": {name: None if math.isnan(value) else float(value) for name, value in kept.items()},
    }


def flat(scores: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in scores.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}/")
        else:
            yield prefix + name, value


def data(
    seed: int,
    n_documents: int,
    query_ids: list[str],
    grades: tuple[int, ...] = (-1, 0, 1, 1, 2, 3),
    odd: bool = True,
    repeats: bool = True,
) -> dict[str, Any]:
    """A corpus where every tenth document may repeat another, and queries of the same few topics."""
    draw = random.Random(seed)
    topics = ["river", "mountain", "bread", "winter", "music", "engine"]
    ids = [f"d{draw.randrange(10**6)}-{i}" for i in range(n_documents)]
    texts = [f"{draw.choice(topics)} {draw.randrange(10**6)}" for _ in ids]
    titles = [draw.choice(["", "", " ", f"{draw.choice(topics)}s"]) for _ in ids]
    for i in range(10, n_documents if repeats else 0, 10):
        texts[i], titles[i] = texts[i - 7], titles[i - 7]
    texts[1] = f"  {texts[1]}\n"
    queries = {query: f"{draw.choice(topics)}? {i}" for i, query in enumerate(query_ids)}
    qrels: dict[str, dict[str, int]] = {}
    for query, text in queries.items():
        alike = [i for i, title in enumerate(texts) if title.split()[0] == text.split("?")[0]] or [0]
        judged = draw.sample(alike, min(len(alike), draw.randint(1, 5))) + draw.sample(range(n_documents), 2)
        qrels[query] = {ids[i]: draw.choice(grades) for i in judged}
        qrels[query][ids[judged[0]]] = 1
    if odd:
        qrels[query_ids[0]] = {}
        del qrels[query_ids[1]]
        qrels[query_ids[2]] = {ids[0]: 0, ids[3]: 0}
        qrels[query_ids[3]]["not-in-the-corpus"] = 2
        qrels[query_ids[4]] = {"not-in-the-corpus": 1}
    judged_ids = [query for query in query_ids if query in qrels]
    return {
        "corpus": {"id": ids, "title": titles, "text": texts},
        "queries": {"id": judged_ids, "text": [queries[query] for query in judged_ids]},
        "qrels": qrels,
    }


def candidates(data: dict[str, Any], seed: int) -> dict[str, Any]:
    """The same with candidates: most queries have ten, one has none, one has an empty list, one has all."""
    draw = random.Random(seed)
    ids = data["corpus"]["id"]
    top_ranked = {}
    for query in data["queries"]["id"]:
        relevant = [document for document in data["qrels"].get(query, {}) if document in ids]
        top_ranked[query] = list(dict.fromkeys(relevant + draw.sample(ids, 10)))
        draw.shuffle(top_ranked[query])
    del top_ranked[data["queries"]["id"][4]]
    top_ranked[data["queries"]["id"][5]] = []
    top_ranked[data["queries"]["id"][6]] = list(ids)
    return {**data, "top_ranked": top_ranked}


def identical(data: dict[str, Any]) -> dict[str, Any]:
    """The same, with queries that are documents of the corpus."""
    queries = data["queries"]["id"]
    rename = dict(zip(data["corpus"]["id"], queries, strict=False))
    titles, texts = data["corpus"]["title"], data["corpus"]["text"]
    return {
        "corpus": {"id": [rename.get(i, i) for i in data["corpus"]["id"]], "title": titles, "text": texts},
        "queries": {
            "id": queries,
            "text": [f"{title} {text}".strip() for title, text in zip(titles, texts, strict=True)][: len(queries)],
        },
        "qrels": {q: {rename.get(d, d): grade for d, grade in judged.items()} for q, judged in data["qrels"].items()},
    }


def followir(seed: int) -> dict[str, Any]:
    base = [f"q{i}" for i in range(9)]
    made = data(seed, 40, [f"{query}-{kind}" for query in base for kind in ("og", "changed")], odd=False)
    draw = random.Random(seed)
    made["queries"]["instruction"] = [f"Only {draw.choice('abcdef')}{i}." for i in range(18)]
    made = candidates(made, seed)
    changed = {query: draw.sample(made["corpus"]["id"], draw.randint(1, 4)) for query in [*base, "unknown"]}
    return {**made, "changed": changed}


def cases() -> Iterator[dict[str, Any]]:
    ids = [f"q{i}" for i in range(20)]
    for seed, similarity in enumerate(("cosine", "dot", "euclidean", "manhattan")):
        yield case(f"search by {similarity}", data(seed, 60, ids), similarity)
        yield case(
            f"candidates by {similarity}",
            candidates(data(10 + seed, 60, ids, repeats=similarity != "cosine"), seed),
            similarity,
        )
    yield case("more documents than are kept", data(20, 1300, ids))
    yield case("one query", data(21, 60, ["only"], odd=False))
    yield case("other cut-offs", data(22, 60, ids), k_values=[1, 2, 10])
    yield case("binary grades", data(23, 200, [f"q{i}" for i in range(64)], grades=(0, 1)))
    yield case("identical ids ignored", identical(data(24, 60, ids, odd=False)), "dot", ignore_identical_ids=True)
    yield case("identical ids kept", identical(data(24, 60, ids, odd=False)), "dot")
    yield case("first result skipped", data(31, 60, ids), skip_first_result=True)

    instructed = data(25, 60, ids)
    instructed["queries"]["instruction"] = [f"Only {i}." if i else "" for i in range(19)]
    yield case("instructions", instructed)
    talks = data(26, 60, ids)
    talks["queries"]["text"] = [[text, "And then?"] for text in talks["queries"]["text"]]
    yield case("conversations of texts", talks)
    turns = data(27, 60, ids)
    turns["queries"]["text"] = [
        [{"role": "user", "content": text}, {"role": "assistant", "content": "Well."}]
        for text in turns["queries"]["text"]
    ]
    turns["queries"]["instruction"] = [f"Answer {i}." for i in range(len(turns["queries"]["id"]))]
    yield case("conversations of turns, instructed", turns)

    def subqueries(task: Any, scores: Any, qrels: Any, results: Any) -> dict[str, float]:
        return metrics.max_over_subqueries(qrels, results, task.k_values)

    merged = data(28, 60, [f"day_{i}_{j}" for i in range(8) for j in range(3)], odd=False)
    for query in merged["qrels"]:
        merged["qrels"][query] = merged["qrels"][query[:-1] + "2"]
    yield case("subqueries", merged, extra=subqueries, extra_metrics=["max_over_subqueries"])
    yield case(
        "subqueries of candidates",
        candidates(merged, 3),
        "dot",
        extra=subqueries,
        extra_metrics=["max_over_subqueries"],
    )

    def paired(task: Any, scores: Any, qrels: Any, results: Any) -> dict[str, float]:
        return {"paired_accuracy": float(metrics.paired_accuracy(qrels, results, scores))}

    pairs = data(29, 12, [f"{i}_{side}" for i in range(15) for side in ("q1", "q2")], odd=False)
    yield case("pairs", pairs, extra=paired, extra_metrics=["paired_accuracy"])

    def robust(task: Any, scores: Any, qrels: Any, results: Any) -> dict[str, float]:
        return {"robustness_at_10": metrics.robustness_at_10(qrels, results, scores)}

    grouped = data(30, 60, [f"{i}_{j}" for i in range(6) for j in range(4)], odd=False)
    yield case("robustness", grouped, extra=robust, extra_metrics=["robustness_at_10"])

    def levels(task: Any, scores: Any, qrels: Any, results: Any) -> dict[str, Any]:
        return IFIRAila.task_specific_scores(task, scores, qrels, results, "test", "default")

    leveled = data(32, 60, [f"{i}-v{1 + i % 4}" for i in range(20)], odd=False)
    yield case("levels", leveled, extra=levels, extra_metrics=["instruction_levels"])

    def capped(task: Any, scores: Any, qrels: Any, results: Any) -> dict[str, float]:
        return EPBench.task_specific_scores(task, scores, qrels, results, "test", "default")

    yield case("capped recall", data(33, 60, ids), extra=capped, extra_metrics=["capped_recall"])

    changes = followir(34)

    def moved(task: Any, scores: Any, qrels: Any, results: Any) -> dict[str, Any]:
        return metrics.evaluate_p_mrr_change(qrels, results, changes["changed"], task.k_values)

    yield case("changed instructions", changes, "dot", extra=moved, extra_metrics=["p_mrr"])


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(made, ensure_ascii=False) for made in cases())
    (HERE / "retrieval.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
