"""Makes odd.json: what the reference implementation says of data at the edges of each protocol, or how it fails.

    .venv-reference/bin/python tests/tasks/reference/odd.py

Labels of other kinds and of one class, labels that only one split has, single rows, repeated and empty and very long
texts, constant gold scores, ids that are numbers or repeat, grades of 0 and -1, judgments without documents. A text's
vector is drawn from its hash (tests/benchmarks/encoders.py), so that both sides have the same. `expected` holds all
metrics, null where they are undefined; `error` holds the exception that the reference raises. A case with both is
scored by the reference in other words, which are under `read`.
"""

from __future__ import annotations

import json
import math
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, DatasetDict
from mteb.abstasks.pair_classification import AbsTaskPairClassification
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.sts import AbsTaskSTS
from mteb.abstasks.text.bitext_mining import AbsTaskBitextMining
from mteb.abstasks.text.summarization import AbsTaskSummarization
from mteb.tasks.sts.dan.stakeholder_grounding import StakeholderGrounding

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "benchmarks")]
import labels  # noqa: E402 - they lie beside this file and with the encoders
import pairs  # noqa: E402
from encoders import random_vectors  # noqa: E402

DIM = 16
LONG = "A very long text. " * 200
TEXTS = [
    "",
    " ",
    "\t",
    "\u65e5\u672c\u8a9e",
    "\U0001f600",
    "na\u00efve",
    "nai\u0308ve",
    *(f"text {i}" for i in range(60)),
]
PAIRS = {
    "sts": AbsTaskSTS,
    "pair_classification": AbsTaskPairClassification,
    "bitext_mining": AbsTaskBitextMining,
    "summarization": AbsTaskSummarization,
}
Case = dict[str, Any]


def case(
    kind: str,
    name: str,
    data: Any,
    main: str,
    *,
    similarity: str = "cosine",
    read: Case | None = None,
    **settings: Any,
) -> Case:
    """One case. `read`: the settings and data that say the same in a form that the reference does not fail on."""
    found = {"type": kind, "name": name, "main": main, "similarity": similarity, "settings": settings, "data": data}
    return found if read is None else {**found, "read": {"settings": settings, "data": data, **read}}


def renamed(data: Any, *names: Any) -> Case:
    """Labels, in this order, as numbers from 0."""
    labels_of = {split: [names.index(label) for label in rows["label"]] for split, rows in data.items()}
    return {"data": {split: {**rows, "label": labels_of[split]} for split, rows in data.items()}}


class Draw(random.Random):
    """Draws of the kinds of columns that the cases are made of."""

    def texts(self, n: int) -> list[str]:
        return self.choices(TEXTS, k=n)

    def labelled(self, n: int, names: list[Any]) -> dict[str, Any]:
        return {"text": self.texts(n), "label": self.choices(names, k=n)}

    def split(self, names: list[Any], tested: list[Any] | None = None) -> dict[str, Any]:
        return {"train": self.labelled(50, names), "test": self.labelled(30, tested or names)}

    def listed(self, n: int, names: list[Any], most: int) -> dict[str, Any]:
        return {"text": self.texts(n), "label": [self.sample(names, self.randint(0, most)) for _ in range(n)]}

    def documents(self, n: int, label: Callable[[], Any]) -> dict[str, Any]:
        return {"test": {"sentences": self.texts(n), "labels": [label() for _ in range(n)]}}

    def valued(self, n: int, value: Callable[[], Any]) -> dict[str, Any]:
        return {"text": [f"text {self.randrange(60)}" for _ in range(n)], "value": [value() for _ in range(n)]}

    def pairs(self, n: int, **columns: list[Any]) -> dict[str, Any]:
        first = self.texts(n)
        second = [text if self.random() < 0.2 else self.choice(TEXTS) for text in first]
        return {"test": {"sentence1": first, "sentence2": second, **columns}}

    def search(
        self,
        n_documents: int,
        n_queries: int,
        grades: tuple[int, ...] = (0, 1, 2),
        ids: Callable[[int], str] | None = None,
    ) -> dict[str, Any]:
        documents = [(ids or "d{}".format)(i) for i in range(n_documents)]
        queries = [(ids or "q{}".format)(i) for i in range(n_queries)]
        return {
            "corpus": {"id": documents, "text": [f"{self.choice(TEXTS)} {i}" for i in range(n_documents)]},
            "queries": {"id": queries, "text": [f"{self.choice(TEXTS)}? {i}" for i in range(n_queries)]},
            "qrels": {
                query: {document: self.choice(grades) for document in self.sample(documents, min(3, n_documents))}
                for query in queries
            },
        }


def classification(draw: Draw) -> Iterator[Case]:
    def of(name: str, data: Any, **settings: Any) -> Case:
        return case("classification", name, data, "accuracy", **{"n_experiments": 3, **settings})

    yield of("whole numbers that are floats", draw.split([0.0, 1.0]))
    yield of("fractions", draw.split([0.5, 1.0]))
    yield of("labels in other scripts", draw.split(["\u00e9", "e\u0301", "\u65e5"]))
    strings, numbers = draw.split(["no", "yes"]), draw.split([0, 5])
    yield of("two strings", strings, read=renamed(strings, "no", "yes"))
    yield of("two numbers, none of which is 1", numbers, read=renamed(numbers, 0, 5))
    yield of("numbers of many digits", draw.split([10**12, 1]))
    yield of("one label is tested, the 1", draw.split([0, 1], [1]))
    yield of("one label of three is tested", draw.split([0, 1, 2], [2]))
    yield of("two labels are tested, one never learnt", draw.split([1, 2], [0, 1]))
    yield of("no tested label was learnt", draw.split([0, 1, 2], [3, 4, 5]))
    yield of("one test row", {"train": draw.labelled(50, [0, 1]), "test": {"text": ["text 1"], "label": [1]}})
    yield of("two train rows", {"train": {"text": ["a", "b"], "label": [0, 1]}, "test": draw.labelled(9, [0, 1])})
    yield of("one label is learnt", {"train": draw.labelled(20, [1]), "test": draw.labelled(9, [0, 1])})
    yield of("booleans tested, numbers learnt", draw.split([0, 1], [False, True]))
    yield of("strings tested, numbers learnt", draw.split([0, 1], ["0", "1"]))
    yield of("a label is missing", draw.split([0, 1, None]))
    nothing = {"text": [""] * 20, "label": [0, 1] * 10}
    yield of("empty texts", {"train": nothing, "test": nothing})
    same = {"text": [LONG, *"abcabca"], "label": [0, 1, 1, 1, 0, 1, 0, 0]}
    yield of("long texts, repeated, with different labels", {"train": same, "test": same})
    folds = {"is_cross_validation": True, "train_split": "test"}
    yield of(
        "folds, some of which lack a label", {"test": {"text": draw.texts(23), "label": [0, 1] * 11 + [2]}}, **folds
    )


def multilabel(draw: Draw) -> Iterator[Case]:
    def of(name: str, train: Any, test: Any, **settings: Any) -> Case:
        found = {"n_experiments": 3, **settings}
        return case("multilabel_classification", name, {"train": train, "test": test}, "accuracy", **found)

    def rows(n: int, names: list[Any], most: int = 2) -> Any:
        return draw.listed(n, names, most)

    yield of("a label that no test row has", rows(60, [0, 1, 2, 3]), rows(30, [0, 1, 2]))
    yield of("a label that no train row has", rows(60, [0, 1, 2]), rows(30, [0, 1, 2, 9]))
    yield of(
        "labels that repeat in a row",
        {"text": draw.texts(40), "label": [[2, 0, 0], [1], [2, 2], []] * 10},
        rows(30, [0, 1, 2]),
    )
    yield of("one test row", rows(60, [0, 1, 2]), {"text": ["text 1"], "label": [[0, 2]]})
    yield of("one label", rows(60, [0], 1), rows(30, [0], 1))
    yield of("no label at all is tested", rows(60, [0, 1]), {"text": draw.texts(9), "label": [[]] * 9})
    yield of(
        "fewer train rows than neighbours", {"text": ["a", "b", "c"], "label": [[0], [1], [2]]}, rows(30, [0, 1, 2])
    )
    rare = {"text": draw.texts(60), "label": [[0]] * 54 + [[1], [1], [1, 2], [2], [2], []]}
    yield of("a cut of rare labels", rows(60, [0, 1, 2]), rare, max_eval_samples=20)


def clustering(draw: Draw) -> Iterator[Case]:
    every = {"max_fraction_of_documents_to_embed": None, "n_clusterings": 3, "max_documents_per_cluster": 100}

    def of(name: str, data: Any, **settings: Any) -> Case:
        return case("clustering", name, data, "v_measure", **{**every, **settings})

    yield of("booleans", draw.documents(60, lambda: draw.random() < 0.5))
    yield of("fractions", draw.documents(60, lambda: draw.choice([0.5, 1.5, -1.0])))
    yield of("strings, one of them -1", draw.documents(60, lambda: draw.choice(["-1", "0", "1"])))
    yield of(
        "lists of no to three numbers",
        draw.documents(60, lambda: [draw.randrange(3) for _ in range(draw.randrange(4))]),
    )
    yield of(
        "a level with one document", {"test": {"sentences": draw.texts(40), "labels": [["a"]] * 39 + [["a", "b"]]}}
    )
    yield of("a label a document", {"test": {"sentences": TEXTS[:20], "labels": list(range(20))}})
    yield of("one document", {"test": {"sentences": ["a"], "labels": [0]}})
    yield of("fewer different texts than labels", {"test": {"sentences": ["a", "b"] * 20, "labels": [0, 1, 2, 3] * 10}})
    yield of("more are wanted than there are", draw.documents(60, lambda: draw.randrange(3)), max_document_to_embed=100)
    yield of("labels are missing", draw.documents(60, lambda: draw.choice([None, 0, 1])))

    def rows(name: str, sentences: list[Any], found: list[Any]) -> Case:
        return case("clustering_legacy", name, {"test": {"sentences": sentences, "labels": found}}, "v_measure")

    yield rows("booleans", [draw.texts(20)], [draw.choices([True, False], k=20)])
    yield rows("strings, and -1", [draw.texts(20), draw.texts(30)], [draw.choices(["-1", "x"], k=n) for n in (20, 30)])
    yield rows("an empty row", [[], ["a", "b", "c"]], [[], [0, 1, 1]])
    yield rows("fewer different texts than labels", [["a", "a", "a", "b"]], [[0, 1, 2, 3]])
    yield rows("one label a row", [["a", "b"], ["c"]], [[1, 1], [2]])


def regression(draw: Draw) -> Iterator[Case]:
    def of(name: str, value: Callable[[], Any], tested: int = 30, **settings: Any) -> Case:
        data = {"train": draw.valued(80, value), "test": draw.valued(tested, value)}
        return case("regression", name, data, "kendalltau", **{"n_experiments": 2, **settings})

    yield of("few values, many ties", lambda: draw.choice([0, 0, 0, 1, 2]), n_samples=30)
    yield of("booleans", lambda: draw.random() < 0.5)
    yield of("one value", lambda: 3.0)
    yield of("one test row", lambda: draw.gauss(0, 1), tested=1)


def zero_shot(draw: Draw) -> Iterator[Case]:
    candidates = ["cat", "dog", "\U0001f600"]

    def of(name: str, names: list[Any], candidates: list[str] = candidates) -> Case:
        data = {"test": draw.labelled(40, names)}
        return case("zeroshot_classification", name, data, "accuracy", candidate_labels=candidates)

    yield of("booleans", [False, True], candidates[:2])
    yield of("two labels of three candidates", [0, 1])
    outer = {"test": draw.labelled(40, [0, 2])}
    inner = {"settings": {"candidate_labels": ["cat", "\U0001f600", "dog"]}, **renamed(outer, 0, 2)}
    kind, name = "zeroshot_classification", "two labels, none of which is 1"
    yield case(kind, name, outer, "accuracy", read=inner, candidate_labels=candidates)
    yield of("one label", [1], candidates[:2])
    yield of("equal candidates", [0, 1, 2], ["cat", "cat", "dog"])
    yield of("a label that is no candidate's", [0, 1, 7])
    yield of("strings", candidates)


def of_pairs(draw: Draw) -> Iterator[Case]:
    sts, together, mined = "sts", "pair_classification", "bitext_mining"
    for similarity in ("cosine", "dot", "euclidean", "manhattan"):
        scores = draw.pairs(40, score=draw.choices(range(6), k=40))
        yield case(sts, "few scores, many ties", scores, "cosine_spearman", similarity=similarity)
    yield case(sts, "booleans", draw.pairs(20, score=draw.choices([True, False], k=20)), "cosine_spearman")
    yield case(
        sts,
        "scores outside of the scale",
        draw.pairs(20, score=[draw.gauss(0, 50) for _ in range(20)]),
        "cosine_spearman",
    )
    yield case(
        sts,
        "one pair again and again",
        {"test": {"sentence1": ["a"] * 9, "sentence2": ["b"] * 9, "score": list(range(9))}},
        "spearman",
    )
    yield case(sts, "one score", draw.pairs(20, score=[3.0] * 20), "cosine_spearman")
    yield case(sts, "one row", draw.pairs(1, score=[3.0]), "cosine_spearman")
    written = draw.pairs(20, score=[str(i / 4) for i in range(20)])
    numbers = {"data": {"test": {**written["test"], "score": [i / 4 for i in range(20)]}}}
    yield case(sts, "scores written as text", written, "cosine_spearman", read=numbers)
    for name, found in (("booleans", [True, False]), ("floats", [0.0, 1.0]), ("numbers written as text", ["0", "1"])):
        yield case(together, name, draw.pairs(20, labels=draw.choices(found, k=20)), "max_ap")
    yield case(together, "all together", draw.pairs(20, labels=[1] * 20), "max_ap")
    yield case(together, "none together", draw.pairs(20, labels=[0] * 20), "max_ap")
    yield case(
        together, "two rows", {"test": {"sentence1": ["a", "b"], "sentence2": ["b", "c"], "labels": [1, 0]}}, "max_ap"
    )
    one = {"sentence1": ["a"], "sentence2": ["b"], "labels": [1]}
    lists = {"test": {name: [column] for name, column in one.items()}}
    yield case(together, "one row", {"test": one}, "max_ap", read={"data": lists})
    yield case(together, "one row of lists of one", lists, "max_ap")
    yield case(mined, "one pair", {"test": {"sentence1": ["a"], "sentence2": ["b"]}}, "f1")
    yield case(mined, "empty texts", {"test": {"sentence1": ["", "a", ""], "sentence2": ["", "a", "b"]}}, "f1")
    ahead, repeated = [f"a{i}" for i in range(80)], [f"b{i // 2}" for i in range(80)]
    yield case(mined, "repeated targets", {"test": {"sentence1": ahead, "sentence2": repeated}}, "f1", similarity="dot")
    yield case(
        mined,
        "few repeated targets",
        {"test": {"sentence1": ahead[:40], "sentence2": repeated[:40]}},
        "f1",
        similarity="dot",
    )


def summarization(draw: Draw) -> Iterator[Case]:
    for similarity in ("cosine", "euclidean"):
        for old in (False, True):
            sizes = [1, 2, 2, 3, 7, 9]
            data = {
                "text": ["an article"] * len(sizes),
                "human_summaries": [[LONG], *(["", "a"][: draw.randint(1, 2)] for _ in sizes[1:])],
                "machine_summaries": [draw.choices(TEXTS[7:], k=n) for n in sizes],
                "relevance": [draw.choices(range(5), k=n) for n in sizes],
            }
            yield case(
                "summarization",
                "few summaries, repeated",
                {"test": data},
                "cosine_spearman",
                similarity=similarity,
                average_p_values=old,
            )
    one = {"text": ["t"], "human_summaries": [["a"]], "machine_summaries": [["b"]], "relevance": [[3]]}
    yield case("summarization", "one machine summary", {"test": one}, "cosine_spearman")


def arrangement(draw: Draw) -> Iterator[Case]:
    """On a grid, where many distances are equal."""

    def of(name: str, sizes: list[int], edge: int = 6) -> Case:
        texts = [draw.sample(TEXTS, n) for n in sizes]
        x, y = ([[draw.randrange(edge) for _ in row] for row in texts] for _ in "xy")
        rounds = [f"round {i}" for i in range(len(sizes))]
        rows = {"round_id": rounds, "texts": texts, "x": x, "y": y}
        return case("arrangement", name, {"test": rows}, "alpha_auc")

    for similarity in ("cosine", "euclidean"):
        yield {**of("arrangements of several sizes", [20, 2, 12, 3]), "similarity": similarity}
    yield of("a canvas of four places", [9, 7], edge=2)
    yield of("no three texts", [2, 2])
    twice = of("a text that lies in two places", [5])
    twice["data"]["test"]["texts"][0][1] = twice["data"]["test"]["texts"][0][0]
    yield twice


def retrieval(draw: Draw) -> Iterator[Case]:
    def of(name: str, data: Any, *, kind: str = "retrieval", similarity: str = "cosine", **settings: Any) -> Case:
        found = {"k_values": [1, 3, 10], **settings}
        return case(kind, name, data, "ndcg_at_10", similarity=similarity, **found)

    for similarity in ("cosine", "dot", "euclidean", "manhattan"):
        yield of("grades from -1 to 3", draw.search(40, 12, (-1, 0, 1, 3)), similarity=similarity)
    yield of("no document is relevant", draw.search(40, 5, (0, -1)))
    yield of("one document", draw.search(1, 5))
    yield of("one query", draw.search(40, 1))
    yield of("ids are numbers", draw.search(40, 12, ids=str))
    yield of("ids are numbers, a query's own is ignored", draw.search(40, 12, ids=str), ignore_identical_ids=True)
    yield of("ids in other scripts", draw.search(40, 12, ids="\u00e9\u65e5\U0001f600{}".format))
    yield of("nothing but the query itself", draw.search(1, 1, ids=str), ignore_identical_ids=True)
    yield of("k larger than the corpus", draw.search(30, 8), k_values=[1, 10, 500])
    yield of("no k of 1", draw.search(30, 8), read={"settings": {"k_values": [1, 5, 10]}}, k_values=[5, 10])
    odd = draw.search(40, 8)
    odd["qrels"] |= {"q0": {}, "q2": {"missing": 1}, "unasked": {"d0": 1}}
    del odd["qrels"]["q1"]
    yield of("queries without judgments, judgments without documents", odd)
    same = draw.search(30, 8)
    same["queries"]["text"] = [""] * 8
    same["corpus"]["text"][3] = LONG
    yield of("empty queries", same)
    repeated = draw.search(30, 8)
    repeated["corpus"]["id"] = [f"d{i // 2}" for i in range(30)]
    repeated["qrels"] = {query: {f"d{draw.randrange(15)}": 1} for query in repeated["queries"]["id"]}
    yield of("document ids that repeat", repeated)
    twice = draw.search(30, 8)
    twice["queries"]["id"] = [f"q{i // 2}" for i in range(8)]
    yield of("query ids that repeat", twice)
    few = draw.search(30, 8)
    few["top_ranked"] = {query: draw.sample(few["corpus"]["id"], 10) for query in few["queries"]["id"]}
    few["top_ranked"] |= {"q1": [], "q3": ["d4"], "q5": [*few["top_ranked"]["q5"], few["top_ranked"]["q5"][0]]}
    del few["top_ranked"]["q2"]
    yield of("no, one and repeated candidates", few, kind="reranking")


def cases() -> Iterator[Case]:
    kinds = (
        classification,
        multilabel,
        clustering,
        regression,
        zero_shot,
        of_pairs,
        summarization,
        retrieval,
        arrangement,
    )
    for number, kind in enumerate(kinds):
        yield from kind(Draw(number))


# ---------------------------------------------------------------------------------------------------- the reference


class Lookup(labels.Lookup):
    """An encoder whose vectors come out of a hash of the text."""

    def __init__(self, similarity: str) -> None:
        super().__init__(similarity)
        self.table: Any = None

    def encode(self, inputs: Any, **_: Any) -> np.ndarray:
        return random_vectors([text for batch in inputs for text in batch["text"]], DIM)


def task_of(found: Case) -> Any:
    kind, settings = found["type"], found["settings"]
    if kind in labels.BASES:
        return labels.task_of({**found, "data": {"default": found["data"]}, "order": [("test", "default")]})
    name = PAIRS[kind].__name__[7:] if kind in PAIRS else "STS" if kind == "arrangement" else "Retrieval"
    described = {"metadata": pairs.metadata(name, found["main"], ["eng-Latn"])}
    if kind == "arrangement":
        task = type("Odd", (StakeholderGrounding,), described)()
        task.dataset = {"default": DatasetDict({"test": Dataset.from_dict(found["data"]["test"])})}
        task.dataset_transform()
    elif kind in PAIRS:
        scale = {"min_score": 0, "max_score": 5}
        old = {"evaluator": pairs.DeprecatedSummarizationEvaluator} if settings.get("average_p_values") else {}
        task = type("Odd", (PAIRS[kind],), {**described, **scale, **old})()
        task.dataset = DatasetDict({split: Dataset.from_dict(rows) for split, rows in found["data"].items()})
    else:
        task = type("Odd", (AbsTaskRetrieval,), {**described, **settings})()
        parts = {part: Dataset.from_dict(found["data"][part]) for part in ("corpus", "queries")}
        given = {"relevant_docs": found["data"]["qrels"], "top_ranked": found["data"].get("top_ranked")}
        task.dataset = {"default": {"test": {**parts, **given}}}
    task.data_loaded = True
    return task


def said(found: Case) -> dict[str, Any]:
    try:
        return {"expected": scores_of(found)}
    except Exception as error:
        wrong = {"error": f"{type(error).__name__}: {error}"}
    return {**wrong, "expected": scores_of({**found, **found["read"]})} if "read" in found else wrong


def scores_of(found: Case) -> Any:
    arguments = {"encode_kwargs": {"show_progress_bar": False}}
    model = Lookup(found["similarity"])
    return plain(task_of(found).evaluate(model, "test", subsets_to_run=["default"], **arguments)["default"])


def plain(value: Any) -> Any:
    """What JSON has, and null for NaN."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    number = math.nan if value is None else float(value)
    return None if math.isnan(number) else number


def main() -> None:
    warnings.simplefilter("ignore")
    lines = ",\n".join(json.dumps({**found, **said(found)}, ensure_ascii=False) for found in cases())
    (HERE / "odd.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
