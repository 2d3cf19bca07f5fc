"""Makes any2any.json: what the reference implementation says of retrieval of texts, images and both.

    .venv-reference/bin/python tests/tasks/reference/any2any.py

Each case is one task of the reference's own class: its data, with captions in place of images, which
tests/captioned.py draws, settings, similarity, what the model takes, what it was given, and all metrics that are
reported. Some of the data has columns that its sides have not. Vectors have no rounding error, so that equal documents
tie.

After these come the reference's own mock tasks of images, whose captions are hashes of their pixels.

Where a model's similarity is the cosine, candidates do not repeat but for vectors of length 1: with a single query the
reference's matrix product rounds equal documents differently, by their place, and so breaks ties by chance.
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
from datasets import Dataset, Image
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.mocks.mock_tasks import retrieval as mocks
from mteb.models import ModelMeta
from mteb.tasks.reranking.eng.biovita import BioVITAA2TReranking
from mteb.tasks.retrieval.eng.ravenea import RAVENEAI2TRetrieval
from sentence_transformers import SimilarityFunction

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
from captioned import ENCODERS, caption_of, picture  # noqa: E402

NAMES = {"t": "text", "i": "image"}
K_VALUES = (1, 3, 5, 10, 20, 100, 1000)
MOCKS = (
    mocks.MockAny2AnyRetrievalI2TTask,
    mocks.MockAny2AnyRetrievalT2ITask,
    mocks.MockMultiChoiceTask,
    mocks.MockMultilingualMultiChoiceTask,
)


class Towers:
    """An encoder of two towers, or of one, that takes the columns it knows and remembers what it was given."""

    def __init__(self, similarity: str, vectors: str, takes: list[str]) -> None:
        self.given: dict[str, list[Any]] = {"query": [], "document": []}
        self._vectors = ENCODERS[vectors]
        self._takes = takes
        self.similarity = SimilarityFunction.to_similarity_fn(similarity)
        self.similarity_pairwise = SimilarityFunction.to_similarity_pairwise_fn(similarity)
        self.mteb_model_meta = ModelMeta.create_empty()

    def encode(self, inputs: Any, *, prompt_type: Any, **_: Any) -> np.ndarray:
        found = []
        for batch in inputs:
            texts = batch["text"] if "text" in batch and "text" in self._takes else None
            images = batch["image"] if "image" in batch and "image" in self._takes else None
            for row in range(len(texts or images)):
                found.append((texts[row] if texts else None, caption_of(images[row]) if images else None))
        self.given[prompt_type.value] += found
        return self._vectors(found)


def dataset(columns: dict[str, list[Any]]) -> Dataset:
    """A table as the hub has it; captions become images."""
    made = dict(columns)
    if "image" in made:
        made["image"] = [picture(caption) for caption in made["image"]]
    table = Dataset.from_dict(made)
    return table.cast_column("image", Image()) if "image" in made else table


def case(
    name: str,
    category: str,
    data: dict[str, Any],
    similarity: str = "cosine",
    vectors: str = "fused",
    takes: tuple[str, ...] = ("text", "image"),
    scores_of: Callable[..., dict[str, Any]] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """One task, scored by the reference. `scores_of` is what a task's own class adds."""

    class Task(AbsTaskRetrieval):
        metadata = TaskMetadata(
            name="Facts",
            description="facts",
            dataset={"path": "none", "revision": "none"},
            type="Any2AnyRetrieval",
            category=category,
            modalities=sorted({NAMES[letter] for letter in category if letter in NAMES}),
            eval_splits=["test"],
            eval_langs=["eng-Latn"],
            main_score="accuracy",
        )
        k_values = settings.get("k_values", K_VALUES)
        skip_first_result = settings.get("skip_first_result", False)

        def task_specific_scores(self, scores: Any, qrels: Any, results: Any, **_: Any) -> dict[str, Any]:
            return scores_of(self, scores, qrels, results, "test", "default") if scores_of else {}

    task = Task()
    task.dataset = {
        "default": {
            "test": {
                "corpus": dataset(data["corpus"]),
                "queries": dataset(data["queries"]),
                "relevant_docs": dict(data["qrels"]),
                "top_ranked": data.get("top_ranked"),
            }
        }
    }
    task.data_loaded = True
    sides = ["text+image" if side == "it" else NAMES[side] for side in category.split("2")]
    modalities = dict(zip(("query_modality", "document_modality"), sides, strict=True))
    return scored(name, task, "default", data, similarity, vectors, takes, {**modalities, **settings})


def scored(
    name: str,
    task: Any,
    subset: str,
    data: dict[str, Any],
    similarity: str,
    vectors: str,
    takes: tuple[str, ...],
    settings: dict[str, Any],
) -> dict[str, Any]:
    model = Towers(similarity, vectors, list(takes))
    scores = task.evaluate(model, split="test", subsets_to_run=[subset], encode_kwargs={"show_progress_bar": False})
    kept = {key: value for key, value in scores[subset].items() if isinstance(value, float) and key != "main_score"}
    return {
        "name": name,
        "data": data,
        "similarity": similarity,
        "vectors": vectors,
        "takes": takes,
        "settings": settings,
        "given": model.given,
        "scores": {key: None if math.isnan(value) else float(value) for key, value in kept.items()},
    }


def data(category: str, seed: int, n_documents: int = 24, n_queries: int = 10, repeats: bool = True) -> dict[str, Any]:
    """A corpus where every tenth document may repeat another; judgments of absent documents, of 0, and none at all.

    Sides of images alone have a column of texts that nothing reads.
    """
    draw = random.Random(seed)
    topics = ["river", "mountain", "bread", "winter", "music", "engine"]

    def parts(side: str, subjects: list[str], what: str) -> dict[str, list[Any]]:
        n = len(subjects)
        made: dict[str, list[Any]] = {"id": [f"{what}{draw.randrange(10**6)}-{i}" for i in range(n)]}
        made["text"] = [f"{subject} {draw.randrange(10**6)}" for subject in subjects]
        if "i" in side:
            made["image"] = [f"{subject} {draw.randrange(10**6)}"[::-1] for subject in subjects]
        if what == "d" and "t" in side:
            made["title"] = [draw.choice(["", "", f"{draw.choice(topics)}s"]) for _ in range(n)]
        for i in range(10, n if repeats else 0, 10):
            for name in set(made) - {"id"}:
                made[name][i] = made[name][i - 7]
        if "t" not in side and seed % 2:
            made["text"] = [None] * n
        return made

    asked, searched = category.split("2")
    told, wanted = ([draw.choice(topics) for _ in range(n)] for n in (n_documents, n_queries))
    corpus, queries = parts(searched, told, "d"), parts(asked, wanted, "q")
    qrels = {}
    for query, subject in zip(queries["id"], wanted, strict=True):
        alike = [document for document, about in zip(corpus["id"], told, strict=True) if about == subject]
        judged = draw.sample(alike, min(3, len(alike))) + draw.sample(corpus["id"], 1)
        qrels[query] = {document: draw.choice((0, 1, 1, 2)) for document in judged}
    qrels[queries["id"][0]]["not-in-the-corpus"] = 1
    qrels[queries["id"][1]] = {"not-in-the-corpus": 1}
    qrels[queries["id"][2]] = {corpus["id"][0]: 0}
    qrels[queries["id"][3]] = {}
    return {"corpus": corpus, "queries": queries, "qrels": qrels}


def with_candidates(data: dict[str, Any], seed: int, n: int = 8) -> dict[str, Any]:
    """The same with candidates of each query; one has none, one an empty list."""
    draw = random.Random(seed)
    top_ranked = {}
    for query in data["queries"]["id"]:
        there = [document for document in data["qrels"][query] if document in data["corpus"]["id"]]
        top_ranked[query] = list(dict.fromkeys(there + draw.sample(data["corpus"]["id"], n)))
        draw.shuffle(top_ranked[query])
    del top_ranked[data["queries"]["id"][4]]
    top_ranked[data["queries"]["id"][5]] = []
    return {**data, "top_ranked": top_ranked}


def choices(category: str, seed: int) -> dict[str, Any]:
    """Questions with four answers each, of which one is right; answers that are the same text are one document."""
    made = data(category, seed, n_documents=10, n_queries=40, repeats=False)
    draw = random.Random(seed)
    made["top_ranked"] = {query: draw.sample(made["corpus"]["id"], 4) for query in made["queries"]["id"]}
    made["qrels"] = {
        query: {document: int(document == options[0]) for document in options}
        for query, options in made["top_ranked"].items()
    }
    for options in made["top_ranked"].values():
        draw.shuffle(options)
    return made


def taxa(category: str, seed: int) -> dict[str, Any]:
    """Documents of taxa, and candidate taxa of each query, some without a document among its candidates."""
    made = with_candidates(data(category, seed), seed)
    draw = random.Random(seed)
    named = [f"taxon {i}" for i in range(12)]
    made["corpus"]["taxon"] = [draw.choice(named) for _ in made["corpus"]["id"]]
    n = len(made["queries"]["id"])
    made["queries"]["candidate_taxa"] = [draw.sample(named, 10) for _ in range(n)]
    made["queries"]["correct_taxon"] = [draw.choice(taxa) for taxa in made["queries"]["candidate_taxa"]]
    return made


def ravenea(seed: int) -> dict[str, Any]:
    """Candidates with the gains of grades from -3 to 3; some are judged by nobody."""
    made = with_candidates(data("i2t", seed, repeats=False), seed, n=10)
    draw = random.Random(seed)
    for query, documents in made["top_ranked"].items():
        grades = {document: draw.randint(-3, draw.choice((0, 3))) for document in documents[:8]}
        made["qrels"][query] = {document: 2 ** (grade + 3) - 1 for document, grade in grades.items()}
    kept = [query for query in made["queries"]["id"] if made["qrels"][query]]
    made["qrels"] = {query: {d: g for d, g in made["qrels"][query].items() if g in _GAINS} for query in kept}
    return made


_GAINS = {2 ** (grade + 3) - 1 for grade in range(-3, 4)}


def cases() -> Iterator[dict[str, Any]]:
    categories = ("t2i", "i2t", "i2i", "it2t", "it2i", "it2it", "t2it")
    for seed, category in enumerate(categories):
        for number, similarity in enumerate(("cosine", "dot", "euclidean")):
            of = 10 * seed + number
            yield case(f"{category}, search by {similarity}", category, data(category, of), similarity)
            candidates = with_candidates(data(category, of + 5, repeats=similarity != "cosine"), of)
            yield case(f"{category}, candidates by {similarity}", category, candidates, similarity)
    for seed, category in enumerate(("it2t", "it2i", "t2i")):
        for similarity in ("cosine", "euclidean"):
            made = choices(category, 100 + seed)
            yield case(f"{category}, choices by {similarity}", category, made, similarity, "coarse")
    yield case("i2i, first result skipped", "i2i", data("i2i", 110), "dot", skip_first_result=True)
    yield case("t2i, other cut-offs", "t2i", data("t2i", 111), "dot", k_values=[1, 2, 4])
    alone = {"text": ("t2it", "it2t", "it2it"), "image": ("it2i", "it2it", "i2i")}
    for taken, of_model in alone.items():
        for seed, category in enumerate(of_model):
            made = data(category, 120 + seed)
            yield case(f"{category}, a model of {taken}s alone", category, made, "dot", takes=(taken,))
    for category in ("i2t", "t2i"):
        own = BioVITAA2TReranking.task_specific_scores
        made = taxa(category, 130)
        yield case(f"{category}, taxa", category, made, "dot", scores_of=own, extra_metrics=["taxon_accuracy"])
    own = RAVENEAI2TRetrieval.task_specific_scores
    yield case("i2t, RAVENEA", "i2t", ravenea(131), "dot", scores_of=own, extra_metrics=["ravenea"])
    yield from mock_cases()


def mock_cases() -> Iterator[dict[str, Any]]:
    """The reference's own mock tasks, with vectors out of hashes."""
    for kind in MOCKS:
        task = kind()
        task.load_data()
        sides = ["text+image" if side == "it" else NAMES[side] for side in task.metadata.category.split("2")]
        modalities = dict(zip(("query_modality", "document_modality"), sides, strict=True))
        for subset in task.dataset:
            split = task.dataset[subset]["test"]
            made = {
                "corpus": captions(split["corpus"]),
                "queries": captions(split["queries"]),
                "qrels": {query: dict(judged) for query, judged in split["relevant_docs"].items()},
                "top_ranked": split["top_ranked"],
            }
            name = f"{task.metadata.name}, {subset}"
            yield scored(name, task, subset, made, "cosine", "fused", ("text", "image"), modalities)


def captions(table: Dataset) -> dict[str, list[Any]]:
    """A table with captions in place of images."""
    return {
        name: [caption_of(image) for image in table[name]] if name == "image" else list(table[name])
        for name in table.column_names
    }


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(made, ensure_ascii=False) for made in cases())
    (HERE / "any2any.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
