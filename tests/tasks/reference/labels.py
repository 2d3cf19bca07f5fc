"""Makes labels.json and labels.npz: what the reference implementation says of small data about labelled texts.

    .venv-reference/bin/python tests/tasks/reference/labels.py

Each case is one task with its data, the (split, subset) pairs in the order in which one task object scored them, and
all metrics that the reference's own task class reports, every repetition included. The vectors of all texts lie in
labels.npz, in the order of "texts" in labels.json. A text's topic decides most of its label, not all of it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, DatasetDict
from mteb.abstasks.classification import AbsTaskClassification
from mteb.abstasks.clustering import AbsTaskClustering
from mteb.abstasks.clustering_legacy import AbsTaskClusteringLegacy
from mteb.abstasks.multilabel_classification import AbsTaskMultilabelClassification
from mteb.abstasks.regression import AbsTaskRegression
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.abstasks.zeroshot_classification import AbsTaskZeroShotClassification
from mteb.models import ModelMeta
from sentence_transformers import SimilarityFunction
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier

HERE = Path(__file__).parent
DIM = 24
TOPICS = 9
VOCABULARY = ["", *(f"topic {topic}, text {i}" for topic in range(TOPICS) for i in range(45))]
DEFAULT = [("test", "default")]

BASES = {
    "classification": (AbsTaskClassification, "Classification"),
    "multilabel_classification": (AbsTaskMultilabelClassification, "MultilabelClassification"),
    "clustering": (AbsTaskClustering, "Clustering"),
    "clustering_legacy": (AbsTaskClusteringLegacy, "Clustering"),
    "regression": (AbsTaskRegression, "Regression"),
    "zeroshot_classification": (AbsTaskZeroShotClassification, "ZeroShotClassification"),
}
NAMES = {
    "input_column": "input_column_name",
    "label_column": "label_column_name",
    "n_clusterings": "n_clusters",
}
CLASSIFIERS = {
    ("classification", "k_nearest_neighbours"): KNeighborsClassifier(5),
    ("multilabel_classification", "logistic_regression"): MultiOutputClassifier(LogisticRegression()),
}


def vectors() -> np.ndarray:
    """A row a text: topics with noise, not of one length; one of zeros."""
    rng = np.random.default_rng(11)
    topics = rng.standard_normal((TOPICS, DIM))
    found = np.repeat(topics, 45, axis=0) + 1.2 * rng.standard_normal((TOPICS * 45, DIM))
    found *= rng.uniform(0.5, 1.5, (len(found), 1))
    return np.concatenate([np.zeros((1, DIM)), found]).astype(np.float32)


class Lookup:
    """An encoder whose vectors are looked up."""

    def __init__(self, similarity: str) -> None:
        self.table = dict(zip(VOCABULARY, vectors(), strict=True))
        self.similarity = SimilarityFunction.to_similarity_fn(similarity)
        self.similarity_pairwise = SimilarityFunction.to_similarity_pairwise_fn(similarity)
        self.mteb_model_meta = ModelMeta.create_empty()

    def encode(self, inputs: Any, **_: Any) -> np.ndarray:
        return np.stack([self.table[text] for batch in inputs for text in batch["text"]])


# ---------------------------------------------------------------------------------------------------- the data


def labelled(seed: int, n: int, names: list[Any], weights: list[int] | None = None) -> dict[str, list[Any]]:
    """Texts whose topic is their label's place, but for one in five. Texts repeat."""
    rng = random.Random(seed)
    labels = rng.choices(range(len(names)), weights, k=n)
    topics = [label if rng.random() < 0.8 else rng.randrange(TOPICS) for label in labels]
    texts = [f"topic {topic}, text {rng.randrange(45)}" if rng.random() < 0.98 else "" for topic in topics]
    return {"text": texts, "label": [names[label] for label in labels]}


def split_pair(seed: int, names: list[Any], weights: list[int] | None = None, n: int = 90) -> dict[str, Any]:
    return {"train": labelled(seed, n, names, weights), "test": labelled(seed + 1, 70, names, weights)}


def many_labels(seed: int, n: int, names: list[Any]) -> dict[str, list[Any]]:
    """Texts with none to four labels, the topic's own and its neighbours'."""
    rng = random.Random(seed)
    topics = [rng.randrange(len(names)) for _ in range(n)]
    labels = [
        sorted({names[(topic + rng.choice([0, 0, 1, 3])) % len(names)] for _ in range(rng.randrange(4))})
        for topic in topics
    ]
    return {"text": [f"topic {topic}, text {rng.randrange(45)}" for topic in topics], "label": labels}


def documents(seed: int, n: int, label: Any) -> dict[str, list[Any]]:
    rng = random.Random(seed)
    topics = [rng.randrange(TOPICS) for _ in range(n)]
    return {
        "sentences": [f"topic {topic}, text {rng.randrange(45)}" for topic in topics],
        "labels": [label(topic, rng) for topic in topics],
    }


def valued(seed: int, n: int) -> dict[str, list[Any]]:
    rng = random.Random(seed)
    topics = [rng.randrange(TOPICS) for _ in range(n)]
    return {
        "text": [f"topic {topic}, text {rng.randrange(45)}" for topic in topics],
        "value": [round(topic + rng.gauss(0, 1), 1) for topic in topics],
    }


def sets_of_sentences(seed: int) -> dict[str, list[Any]]:
    rng = random.Random(seed)
    sets = [documents(rng.randrange(999), n, lambda topic, _: topic // 2) for n in (40, 75, 12)]
    sets.append({"sentences": ["topic 1, text 1", "topic 2, text 2"], "labels": [3, 3]})
    return {name: [one[name] for one in sets] for name in ("sentences", "labels")}


def three(make: Any) -> dict[str, Any]:
    return {subset: make(100 * i, i) for i, subset in enumerate(("aa", "bb", "cc"), start=1)}


IN_ORDER = [(split, subset) for split in ("validation", "test") for subset in ("aa", "bb", "cc")]


def shared_generator(make: Any) -> dict[str, Any]:
    return three(lambda seed, i: {split: make(seed + len(split), i) for split in ("train", "validation", "test")})


def classification_cases() -> Iterator[dict[str, Any]]:
    def case(name: str, splits: dict[str, Any], order: Any = DEFAULT, **settings: Any) -> dict[str, Any]:
        data = {"default": splits}
        return {"name": name, "type": "classification", "settings": settings, "data": data, "order": order}

    yield case("two classes", split_pair(1, [0, 1]))
    yield case("two classes, imbalanced", split_pair(3, [0, 1], [9, 1]), samples_per_label=16)
    yield case("two classes called -1 and 1", split_pair(5, [-1, 1]))
    yield case("two classes called 1 and 2", split_pair(7, [1, 2]))
    yield case("true and false", split_pair(9, [False, True]))
    yield case("nine classes, imbalanced", split_pair(11, list(range(9)), [9, 8, 7, 6, 5, 4, 3, 2, 1]))
    yield case("strings", split_pair(13, ["zebra", "ant", "Ünit", "mole"]), n_experiments=4, seed=7)
    unseen = {"train": labelled(15, 60, [0, 1, 2]), "test": labelled(16, 50, [0, 1, 2, 3])}
    yield case("a test label that was never learnt", unseen)
    two = {"train": labelled(17, 60, [0, 1, 2]), "test": labelled(18, 50, [0, 1])}
    yield case("two of three labels tested", two)
    yield case("tested on the train split", split_pair(19, [0, 1, 2]), [("train", "default"), ("test", "default")])
    yield case("nearest neighbours", split_pair(21, list("abcd")), classifier="k_nearest_neighbours")
    folds = {"evaluation": labelled(23, 53, [0, 1, 2, 3])}
    cross = {"train_split": "evaluation", "is_cross_validation": True}
    yield case("cross-validation", folds, [("evaluation", "default")], **cross)
    yield case("cross-validation, three folds", folds, [("evaluation", "default")], **cross, n_splits=3)
    renamed = {
        split: {"sentence": rows["text"], "class": rows["label"]} for split, rows in split_pair(25, [0, 1]).items()
    }
    yield case("other columns", renamed, input_column="sentence", label_column="class", samples_per_label=3)


def multilabel_cases() -> Iterator[dict[str, Any]]:
    def case(name: str, data: dict[str, Any], order: Any = DEFAULT, **settings: Any) -> dict[str, Any]:
        return {
            "name": name,
            "type": "multilabel_classification",
            "settings": settings,
            "data": data,
            "order": order,
        }

    def pair(seed: int, names: list[Any]) -> dict[str, Any]:
        return {"default": {"train": many_labels(seed, 120, names), "test": many_labels(seed + 1, 150, names)}}

    yield case("six labels", pair(31, list(range(6))))
    yield case("strings, the test split cut", pair(33, ["b", "a", "Z", "é"]), max_eval_samples=61)
    yield case("nine labels, the test split cut", pair(35, list(range(9))), max_eval_samples=40, samples_per_label=3)
    yield case("logistic regressions", pair(37, list(range(4))), classifier="logistic_regression")
    yield case(
        "three subsets",
        shared_generator(lambda seed, i: many_labels(seed, 40 + 20 * i, list(range(5)))),
        IN_ORDER,
        draws="mteb",
        n_experiments=4,
        samples_per_label=5,
    )


def clustering_cases() -> Iterator[dict[str, Any]]:
    def case(name: str, rows: Any, order: Any = DEFAULT, **settings: Any) -> dict[str, Any]:
        small = {"n_clusterings": 3, "max_documents_per_cluster": 300}
        data = rows if "aa" in rows else {"default": {"test": rows}}
        return {"name": name, "type": "clustering", "settings": small | settings, "data": data, "order": order}

    every: dict[str, Any] = {"max_fraction_of_documents_to_embed": None}

    def to_depth(topic: int, rng: random.Random) -> list[int]:
        return [topic % 2, topic % 4, topic][: rng.randrange(1, 4)]

    yield case(
        "numbers, a fraction", documents(41, 400, lambda topic, _: topic), max_fraction_of_documents_to_embed=0.3
    )
    yield case("strings, at most", documents(43, 200, lambda t, _: f"t{t // 2}"), **every, max_document_to_embed=90)
    yield case("all documents", documents(45, 150, lambda topic, _: topic), **every)
    yield case(
        "as by default", documents(47, 1500, lambda t, _: t // 3), n_clusterings=10, max_documents_per_cluster=16384
    )
    yield case("levels", documents(49, 160, lambda topic, _: [topic % 2, topic % 4, topic]), **every)
    yield case("levels, not all of them", documents(51, 160, to_depth), **every)
    yield case("two of three levels", documents(53, 160, to_depth), **every, max_depth=2)
    names = documents(55, 160, lambda topic, rng: [str(label) for label in to_depth(topic, rng)])
    yield case("levels of strings, not all of them", names, **every)
    yield case("no label is -1", documents(57, 160, lambda topic, rng: rng.choice([topic, -1])), **every)
    yield case("one label", documents(59, 50, lambda *_: 4), **every)
    for draws in ("job", "mteb"):
        yield case(
            f"three subsets, draws {draws}",
            shared_generator(lambda seed, i: documents(seed, 70 * i, lambda topic, _: topic // 2)),
            IN_ORDER,
            max_fraction_of_documents_to_embed=0.5,
            draws=draws,
        )


def other_cases() -> Iterator[dict[str, Any]]:
    def case(kind: str, name: str, splits: Any, order: Any = DEFAULT, **settings: Any) -> dict[str, Any]:
        return {"name": name, "type": kind, "settings": settings, "data": {"default": splits}, "order": order}

    yield case("clustering_legacy", "rows of sentences", {"test": sets_of_sentences(61)})
    yield case("regression", "all rows", {"train": valued(71, 120), "test": valued(72, 60)})
    yield case("regression", "drawn rows", {"train": valued(73, 300), "test": valued(74, 60)}, n_samples=77)
    cross = {"train_split": "test", "is_cross_validation": True, "n_splits": 4}
    yield case("regression", "cross-validation", {"test": valued(75, 203)}, **cross, n_samples=100)
    yield case("regression", "cross-validation, all rows", {"test": valued(77, 103)}, **cross)
    candidates = [f"topic {topic}, text 0" for topic in range(4)]
    zero = "zeroshot_classification"
    yield case(zero, "positions", {"test": labelled(81, 90, [0, 1, 2, 3])}, candidate_labels=candidates)
    yield case(zero, "two candidates", {"test": labelled(83, 90, [0, 1])}, candidate_labels=candidates[:2])
    yield case(zero, "candidates", {"test": labelled(85, 90, candidates)}, candidate_labels=candidates)


def cases() -> Iterator[dict[str, Any]]:
    yield from classification_cases()
    yield from multilabel_cases()
    yield from clustering_cases()
    yield from other_cases()
    zero_shot = next(case for case in other_cases() if case["name"] == "two candidates")
    for similarity in ("dot", "euclidean", "manhattan"):
        yield zero_shot | {"similarity": similarity}


# ---------------------------------------------------------------------------------------------------- the reference


def task_of(case: dict[str, Any]) -> Any:
    base, type_name = BASES[case["type"]]
    subsets = list(case["data"])
    metadata = TaskMetadata(
        name="LabelFacts",
        description="Small data with labels.",
        reference=None,
        dataset={"path": "none/none", "revision": "none"},
        type=type_name,
        category="t2c",
        modalities=["text"],
        eval_splits=sorted({split for split, _ in case["order"]}),
        eval_langs=["eng-Latn"] if subsets == ["default"] else {subset: ["eng-Latn"] for subset in subsets},
        main_score=MAIN[case["type"]],
    )
    settings = dict(case["settings"])
    seed = settings.pop("seed", 42)
    settings.pop("draws", None)
    candidates = settings.pop("candidate_labels", None)
    classifier = CLASSIFIERS.get((case["type"], settings.pop("classifier", None)))
    attributes = {NAMES.get(name, name): value for name, value in settings.items()}
    attributes |= {"metadata": metadata, "load_data": lambda self, **_: None}
    if classifier is not None:
        attributes["evaluator_model"] = classifier
    if candidates is not None:
        attributes |= {"get_candidate_labels": lambda self: candidates, "input_column_name": "text"}
    task = type("LabelFacts", (base,), attributes)(seed=seed)
    tables = {
        subset: DatasetDict({split: Dataset.from_dict(rows) for split, rows in splits.items()})
        for subset, splits in case["data"].items()
    }
    task.dataset = tables["default"] if subsets == ["default"] else tables
    task.data_loaded = True
    return task


MAIN = {
    "classification": "accuracy",
    "multilabel_classification": "accuracy",
    "clustering": "v_measure",
    "clustering_legacy": "v_measure",
    "regression": "kendalltau",
    "zeroshot_classification": "accuracy",
}


def reported(case: dict[str, Any]) -> dict[str, Any]:
    """Scores by "split/subset". With draws "job" each pair is scored by a task object of its own."""
    model = Lookup(case.get("similarity", "cosine"))
    task = task_of(case)
    found = {}
    for split, subset in case["order"]:
        if case["settings"].get("draws") == "job":
            task = task_of(case)
        scores = task.evaluate(model, split, subsets_to_run=[subset], encode_kwargs={})[subset]
        found[f"{split}/{subset}"] = plain(scores)
    return found


def plain(value: Any) -> Any:
    """Only what JSON has; metrics that do not apply (None, NaN) are left out."""
    if value is None:
        return None
    if isinstance(value, dict):
        kept = {name: plain(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    number = float(value)
    return None if np.isnan(number) else number


def main() -> None:
    found = [case | {"main": MAIN[case["type"]], "expected": reported(case)} for case in cases()]
    text = json.dumps({"texts": VOCABULARY, "cases": found}, ensure_ascii=False, separators=(",", ":"))
    (HERE / "labels.json").write_text(text + "\n", encoding="utf-8")
    np.savez_compressed(HERE / "labels.npz", vectors=vectors())


if __name__ == "__main__":
    main()
