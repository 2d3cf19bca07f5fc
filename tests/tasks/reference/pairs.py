"""Makes pairs.json and pairs.npz: what the reference implementation says of small data about pairs of texts.

    .venv-reference/bin/python tests/tasks/reference/pairs.py

Each case is one task with its data, a similarity for the model, and all metrics that the reference's own task class
reports. The vectors of all texts lie in pairs.npz, in the order of "texts" in pairs.json. The data is drawn so that
texts repeat, pairs repeat, pairs of equal texts have different labels and scores, and one text has a vector of zeros.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, DatasetDict
from mteb._evaluators.text.summarization_evaluator import DeprecatedSummarizationEvaluator
from mteb.abstasks.pair_classification import AbsTaskPairClassification
from mteb.abstasks.sts import AbsTaskSTS
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.abstasks.text.bitext_mining import AbsTaskBitextMining
from mteb.abstasks.text.summarization import AbsTaskSummarization
from mteb.models import ModelMeta
from sentence_transformers import SimilarityFunction

HERE = Path(__file__).parent
DIM = 100
SIMILARITIES = ("cosine", "dot", "euclidean", "manhattan")
VOCABULARY = ["", *(f"text {i}" for i in range(180))]


def vectors() -> np.ndarray:
    """A row a text: topics with noise, lengths that differ, one vector twice as long as another, one of zeros."""
    rng = np.random.default_rng(7)
    topics = rng.standard_normal((30, DIM))
    found = topics[rng.integers(0, 30, len(VOCABULARY))] + 0.8 * rng.standard_normal((len(VOCABULARY), DIM))
    found *= rng.uniform(0.5, 2, (len(VOCABULARY), 1))
    found[5] = 2 * found[4]
    found[0] = 0
    return found.astype(np.float32)


class Lookup:
    """An encoder whose vectors are looked up."""

    def __init__(self, similarity: str) -> None:
        self.table = dict(zip(VOCABULARY, vectors(), strict=True))
        self.similarity = SimilarityFunction.to_similarity_fn(similarity)
        self.similarity_pairwise = SimilarityFunction.to_similarity_pairwise_fn(similarity)
        self.mteb_model_meta = ModelMeta.create_empty()

    def encode(self, inputs: Any, **_: Any) -> np.ndarray:
        return np.stack([self.table[text] for batch in inputs for text in batch["text"]])


def metadata(kind: str, main: str, languages: Any) -> TaskMetadata:
    return TaskMetadata(
        name=f"Facts{kind}",
        description="facts",
        dataset={"path": "none", "revision": "none"},
        type=kind,
        category="t2t",
        modalities=["text"],
        eval_splits=["test"],
        eval_langs=languages,
        main_score=main,
    )


def reference_scores(
    base: type, attributes: dict[str, Any], main: str, splits: Any, similarity: str, subsets: tuple[str, ...] = ()
) -> dict[str, Any]:
    """All metrics of every subset, from a subclass of the reference's task class made for this data."""
    languages = {name: ["eng-Latn"] for name in subsets} or ["eng-Latn"]
    described = metadata(base.__name__.removeprefix("AbsTask"), main, languages)
    task = type("Facts", (base,), {"metadata": described, **attributes})()
    task.dataset = splits
    task.data_loaded = True
    return task.evaluate(Lookup(similarity), split="test", encode_kwargs={"batch_size": 32})


def pairs(draw: random.Random, n: int) -> dict[str, list[Any]]:
    first = draw.choices(VOCABULARY, k=n)
    second = [text if draw.random() < 0.15 else draw.choice(VOCABULARY) for text in first]
    first[1::10], second[1::10] = first[::10], second[::10]
    return {"sentence1": first, "sentence2": second}


def closeness(columns: dict[str, list[Any]], draw: random.Random) -> list[float]:
    """Noisy cosine: what a human would say, between 0 and 1."""
    table = dict(
        zip(VOCABULARY, vectors() / np.maximum(np.linalg.norm(vectors(), axis=1, keepdims=True), 1e-9), strict=True)
    )
    return [
        min(1.0, max(0.0, float(table[a] @ table[b]) + draw.gauss(0, 0.3)))
        for a, b in zip(columns["sentence1"], columns["sentence2"], strict=True)
    ]


def sts(draw: random.Random) -> Iterator[dict[str, Any]]:
    for n, low, high in ((220, 0, 5), (40, 1, 4), (2, 0, 1)):
        columns = pairs(draw, n)
        columns["score"] = [round(low + (high - low) * value, 1) for value in closeness(columns, draw)]
        settings = {"min_score": low, "max_score": high}
        for similarity in SIMILARITIES:
            scores = reference_scores(AbsTaskSTS, settings, "cosine_spearman", as_test_split(columns), similarity)
            yield case("sts", columns, settings, "cosine_spearman", similarity, scores)


def pair_classification(draw: random.Random) -> Iterator[dict[str, Any]]:
    for n, label, older_layout in (
        (220, None, False),
        (60, None, True),
        (30, 1, False),
        (30, 0, False),
        (2, None, False),
    ):
        columns = pairs(draw, n)
        columns["labels"] = [int(value > 0.4) if label is None else label for value in closeness(columns, draw)]
        if older_layout:
            columns = {name: [values] for name, values in columns.items()}
        for similarity in SIMILARITIES:
            scores = reference_scores(AbsTaskPairClassification, {}, "max_ap", as_test_split(columns), similarity)
            yield case("pair_classification", columns, {}, "max_ap", similarity, scores)


def bitext_mining(draw: random.Random) -> Iterator[dict[str, Any]]:
    columns = pairs(draw, 130)
    columns["sentence2"][70:80] = columns["sentence2"][20:30]
    for similarity in SIMILARITIES:
        scores = reference_scores(AbsTaskBitextMining, {}, "f1", as_test_split(columns), similarity)
        yield case("bitext_mining", columns, {}, "f1", similarity, scores)


def parallel_bitext_mining(draw: random.Random) -> Iterator[dict[str, Any]]:
    columns = {name: draw.sample(VOCABULARY[1:], k=90) for name in ("eng_Latn", "deu_Latn", "fra_Latn")}
    columns["deu_Latn"][:60] = columns["eng_Latn"][:60]
    columns["fra_Latn"][30:] = columns["eng_Latn"][30:]
    subsets = ("eng_Latn-deu_Latn", "deu_Latn-eng_Latn", "fra_Latn-deu_Latn")
    settings = {"parallel_subsets": True}
    for similarity in ("cosine", "dot"):
        scores = reference_scores(AbsTaskBitextMining, settings, "f1", as_test_split(columns), similarity, subsets)
        yield case("bitext_mining", columns, settings, "f1", similarity, scores)


def bitext_mining_with_gold(draw: random.Random) -> Iterator[dict[str, Any]]:
    """As BUCC: sentences without a translation on either side, and a list of those that have one."""
    gold = [(draw.randrange(80), j) for j in draw.sample(range(100), k=50)]
    sources, targets = draw.sample(VOCABULARY[1:], k=80), draw.sample(VOCABULARY[1:], k=100)
    for i, j in gold[:25]:
        targets[j] = sources[i]
    columns = {"sentence1": [sources], "sentence2": [targets], "gold": [[(i + 1, j + 1) for i, j in gold]]}
    transformed = {"sentence1": [sources[i] for i, _ in gold], "sentence2": targets, "gold": gold}
    scores = reference_scores(AbsTaskBitextMining, {}, "f1", {"test": transformed}, "cosine")
    yield case("bitext_mining", columns, {"gold_column": "gold"}, "f1", "cosine", scores)


def summarization(draw: random.Random) -> Iterator[dict[str, Any]]:
    columns: dict[str, list[Any]] = {"text": [], "human_summaries": [], "machine_summaries": [], "relevance": []}
    for i in range(14):
        machine = draw.choices(VOCABULARY[1:], k=draw.randint(3, 9))
        columns["text"].append(f"article {i}")
        columns["human_summaries"].append(draw.sample(VOCABULARY, k=draw.randint(1, 5)))
        columns["machine_summaries"].append(machine[:1] * len(machine) if i == 5 else [*machine, machine[0]])
        columns["relevance"].append(
            [2.0 if i == 3 else draw.randint(0, 20) / 4 for _ in columns["machine_summaries"][i]]
        )
    for old in (False, True):
        attributes = {
            "min_score": 0,
            "max_score": 5,
            **({"evaluator": DeprecatedSummarizationEvaluator} if old else {}),
        }
        for similarity in SIMILARITIES:
            scores = reference_scores(
                AbsTaskSummarization, attributes, "cosine_spearman", as_test_split(columns), similarity
            )
            yield case("summarization", columns, {"average_p_values": old}, "cosine_spearman", similarity, scores)


def as_test_split(columns: dict[str, list[Any]]) -> DatasetDict:
    return DatasetDict({"test": Dataset.from_dict(columns)})


def case(kind: str, columns: Any, settings: Any, main: str, similarity: str, scores: Any) -> dict[str, Any]:
    """One fact. `scores` is a subset's name → its metrics."""
    return {
        "type": kind,
        "similarity": similarity,
        "settings": settings,
        "main": main,
        "columns": columns,
        "expected": scores,
    }


def main() -> None:
    draw = random.Random(42)
    kinds = (sts, pair_classification, bitext_mining, parallel_bitext_mining, bitext_mining_with_gold, summarization)
    facts = {"texts": VOCABULARY, "cases": [fact for kind in kinds for fact in kind(draw)]}
    (HERE / "pairs.json").write_text(json.dumps(facts, ensure_ascii=False) + "\n", encoding="utf-8")
    np.savez_compressed(HERE / "pairs.npz", vectors=vectors())


if __name__ == "__main__":
    main()
