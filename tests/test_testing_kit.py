"""The testing kit: everything built in that runs offline keeps its laws, and whatever breaks one is told which."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from embeddings_server import serving
from tiny_models import tiny_bert, tiny_colbert, tiny_cross_encoder, tiny_model2vec, tiny_splade, tiny_static

from embedmark.models.base import EncodeContext, Variant
from embedmark.models.loaders import Loader, find_loader, loaders
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import UserError
from embedmark.tasks.base import Bound, Embeddings, Image, ItemSet, RetrievalRows, Rows, Scores, TaskData
from embedmark.tasks.types import TaskType, task_types
from embedmark.testing import check_encoder, check_loader, check_task_type

RNG = random.Random(0)


def text() -> str:
    return " ".join(RNG.choices("abcdefghij", k=6))


def texts(n: int) -> list[str]:
    return [f"{text()} {number}" for number in range(n)]


LABELLED = {
    name: Rows({"text": texts(n), "label": [i % 3 for i in range(n)]}) for name, n in (("train", 60), ("test", 30))
}
PAIRS = {"sentence1": texts(30), "sentence2": texts(30)}
FOUND = RetrievalRows(
    Rows({"id": [f"d{i}" for i in range(30)], "text": texts(30)}),
    Rows({"id": [f"q{i}" for i in range(8)], "text": texts(8)}),
    {f"q{i}": {f"d{3 * i}": 1, f"d{i}": 2} for i in range(8)},
)
RERANKED = replace(FOUND, top_ranked={f"q{i}": [f"d{3 * i}", f"d{i}", "d28", "d29"] for i in range(8)})
CHANGED = RetrievalRows(
    FOUND.corpus,
    Rows({"id": [f"q{i}-{half}" for i in range(4) for half in ("og", "changed")], "text": texts(8)}),
    {f"q{i}-{half}": {f"d{i}": 1} for i in range(4) for half in ("og", "changed")},
    {f"q{i}-{half}": [f"d{i}", f"d{i + 9}", "d28"] for i in range(4) for half in ("og", "changed")},
    {f"q{i}": [f"d{i + 9}"] for i in range(4)},
)
CAPTIONED = Rows(
    {
        "picture": [[bytes([i, place]) for place in range(1 + i % 3)] for i in range(30)],
        "caption": texts(30),
        "other": texts(30),
    }
)
PICTURES = Rows({"image": [bytes([i]) for i in range(30)], "label": [i % 3 for i in range(30)]})


@dataclass(frozen=True)
class Case:
    data: dict[str, Any]
    main_metric: str
    settings: dict[str, Any]
    in_any_order: bool = True


TYPES: dict[str, Case] = {
    "classification": Case(LABELLED, "accuracy", {"n_experiments": 2}),
    "multilabel_classification": Case(
        {
            name: Rows({"text": rows["text"], "label": [[v, (v + 1) % 3] for v in rows["label"]]})
            for name, rows in LABELLED.items()
        },
        "accuracy",
        {"n_experiments": 2},
    ),
    "zeroshot_classification": Case({"test": LABELLED["test"]}, "accuracy", {"candidate_labels": ["x", "y", "z"]}),
    "zeroshot_image_classification": Case({"test": PICTURES}, "accuracy", {"candidate_labels": ["x", "y", "z"]}),
    "regression": Case(
        {
            name: Rows({"text": rows["text"], "value": [float(i) for i in range(rows.n_rows)]})
            for name, rows in LABELLED.items()
        },
        "kendalltau",
        {"n_experiments": 2},
    ),
    "clustering": Case(
        {"test": Rows({"sentences": texts(60), "labels": [i % 3 for i in range(60)]})},
        "v_measure",
        {"max_fraction_of_documents_to_embed": None, "n_clusterings": 2},
        in_any_order=False,
    ),
    "clustering_legacy": Case(
        {"test": Rows({"sentences": [texts(20), texts(30)], "labels": [["a", "b"] * 10, ["a", "b", "c"] * 10]})},
        "v_measure",
        {},
        in_any_order=False,
    ),
    "pair_classification": Case({"test": Rows({**PAIRS, "labels": [i % 2 for i in range(30)]})}, "max_ap", {}),
    "sts": Case({"test": Rows({**PAIRS, "score": [float(i % 6) for i in range(30)]})}, "cosine_spearman", {}),
    "arrangement": Case(
        {
            "test": Rows(
                {
                    "texts": [texts(6), texts(5)],
                    "x": [[0, 1, 2, 5, 9, 4], [3, 1, 8, 2, 0]],
                    "y": [[7, 1, 0, 3, 2, 2], [1, 5, 9, 2, 6]],
                }
            )
        },
        "alpha_auc",
        {},
    ),
    "compositionality": Case(
        {"test": CAPTIONED}, "text_acc", {"image_columns": ["picture"], "text_columns": ["caption", "other"]}
    ),
    "bitext_mining": Case({"test": Rows(PAIRS)}, "f1", {}),
    "summarization": Case(
        {
            "test": Rows(
                {
                    "human_summaries": [texts(3) for _ in range(6)],
                    "machine_summaries": [texts(4) for _ in range(6)],
                    "relevance": [[1.0, 2.0, 4.0, 3.0] for _ in range(6)],
                }
            )
        },
        "cosine_spearman",
        {},
    ),
    "retrieval": Case({"test": FOUND}, "ndcg_at_10", {}),
    "reranking": Case({"test": RERANKED}, "map_at_1000", {"extra_metrics": ["capped_recall"]}),
    "instruction_retrieval": Case({"test": FOUND}, "ndcg_at_10", {}),
    "instruction_reranking": Case({"test": CHANGED}, "p-MRR", {}),
}


@pytest.mark.parametrize("name", task_types())
def test_task_types_keep_the_laws(name: str) -> None:
    case = TYPES[name]
    scores = check_task_type(
        task_types()[name], case.data, case.main_metric, settings=case.settings, rows_in_any_order=case.in_any_order
    )
    assert scores.main_metric == case.main_metric


def _two_bm25(_: Path) -> dict[str, Any]:
    bm25 = loaders()["bm25"].load(ModelSpec("a", None, loader="bm25"))
    return {"members": [bm25, bm25]}


LOADERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "sentence_transformer": lambda path: {"folder": tiny_bert(path), "prompts": {"query": "query: "}},
    "model2vec": lambda path: {"folder": tiny_model2vec(path)},
    "cross_encoder": lambda path: {"folder": tiny_cross_encoder(path)},
    "sparse_encoder": lambda path: {"folder": tiny_splade(path)},
    "multi_vector": lambda path: {"folder": tiny_colbert(path)},
    "bm25": lambda _: {"parameters": {"k1": 1.2}},
    "fusion": _two_bm25,
}
SERVICES = ("openai", "cohere", "voyage", "google", "tei")


ELSEWHERE = {"vertex", "ocr_text", "open_clip", "two_towers"}
"""Vertex speaks as Google does, with Google's own login; what reads images has tests of its own."""


def test_every_loader_is_tried() -> None:
    assert {*LOADERS, *SERVICES, *ELSEWHERE} == loaders().keys()


@pytest.mark.parametrize("name", LOADERS)
def test_loaders_keep_the_laws(name: str, tmp_path: Path) -> None:
    given = {"folder": None, **LOADERS[name](tmp_path / "weights")}
    check_loader(loaders()[name], ModelSpec("org/tiny", loader=name, device="cpu", **given))


def test_static_tables_and_classes_of_ones_own_keep_the_laws(tmp_path: Path) -> None:
    folder = tiny_static(tmp_path / "static")
    check_loader(loaders()["sentence_transformer"], ModelSpec("org/tiny", folder, device="cpu"))
    own = find_loader("own_encoders:Fine")
    assert own is not None
    check_loader(own, ModelSpec("org/own", None, loader="own_encoders:Fine", trust_remote_code=True))


@pytest.mark.service
@pytest.mark.parametrize("name", SERVICES)
def test_services_keep_the_laws(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_API_KEY", "a-key")
    with serving(name) as service:
        parameters = {"url": service.url, "key": "SERVICE_API_KEY", "batch": 4}
        check_loader(loaders()[name], ModelSpec("org/served", None, loader=name, parameters=parameters))


# ------------------------------------------------------------------------------------------ what breaks a law


class Sound:
    """An encoder that keeps every law."""

    similarity: Any = "cosine"
    batch_tokens = 100
    facts: ClassVar[Any] = {"device": "cpu"}
    asked = 0

    def variant(self, context: EncodeContext) -> Any:
        return Variant("query: " if context.side == "query" else "")

    def lengths(self, texts: Sequence[str], variant: Variant) -> Any:
        return np.array([len(text) for text in texts])

    def encode(self, texts: Sequence[str], variant: Variant) -> Any:
        return np.array([[len(text), ord(text[0]), text.count("o")] for text in texts], dtype=np.float32)


def _changed(name: str, change: Callable[[Any, Any], Any]) -> Callable[[], Sound]:
    """An encoder of which one method gives something else: what it gives, changed."""

    def make() -> Sound:
        encoder = Sound()
        kept = getattr(encoder, name)

        def changed(*arguments: Any) -> Any:
            encoder.asked += 1
            return change(kept(*arguments), encoder.asked)

        setattr(encoder, name, changed)
        return encoder

    return make


def _with(**values: Any) -> Callable[[], Sound]:
    def make() -> Sound:
        encoder = Sound()
        vars(encoder).update(values)
        return encoder

    return make


BROKEN: dict[str, tuple[Callable[[], Sound], str]] = {
    "a similarity that there is not": (_with(similarity="cosin"), "similarity is in"),
    "no room in a batch": (_with(batch_tokens=0), "batch_tokens is above 0"),
    "facts that cannot be written": (_with(facts={"device": object()}), "facts is made of what JSON has"),
    "no variant": (_changed("variant", lambda found, _: found.prompt), "variant gives a Variant"),
    "another variant each time": (_changed("variant", lambda _, n: Variant(str(n))), "a context has one variant"),
    "a length too few": (_changed("lengths", lambda found, _: found[1:]), "lengths has one number a text"),
    "lengths that are no whole numbers": (_changed("lengths", lambda found, _: found / 2), "whole numbers"),
    "lists": (_changed("encode", lambda found, _: found.tolist()), "array of NumPy's"),
    "doubles": (_changed("encode", lambda found, _: found.astype(np.float64)), "vectors are float32"),
    "a vector too few": (_changed("encode", lambda found, _: found[1:]), r"vectors are \(6, dim\)"),
    "not a number": (_changed("encode", lambda found, _: found * np.float32("nan")), "vectors are finite"),
    "sorted by length": (_changed("encode", lambda found, _: found[np.argsort(found[:, 0])]), "a text alone has the"),
    "the mean of the batch": (
        _changed("encode", lambda found, _: found - found.mean(0)),
        "a text alone has the vector",
    ),
    "the place in the batch": (
        _changed("encode", lambda found, _: found + (np.arange(len(found)) * (len(found) > 1))[:, None].astype("f")),
        "a text alone has the vector",
    ),
    "another vector each time": (_changed("encode", lambda found, n: found + np.float32(n)), "a text alone has"),
}


def test_a_sound_encoder_keeps_the_laws() -> None:
    check_encoder(Sound())


@pytest.mark.parametrize("case", BROKEN)
def test_encoders_that_break_a_law_are_told_which(case: str) -> None:
    make, law = BROKEN[case]
    with pytest.raises(AssertionError, match=law):
        check_encoder(make())


@dataclass(frozen=True)
class Settings:
    column: str = "text"
    role: str = "text"

    def column_roles(self) -> Any:
        return ((self.column, self.role),)

    def metrics(self) -> Any:
        return {"words", "texts"}


@dataclass
class Open:
    """Settings that can be changed."""

    column_roles = Settings.column_roles
    metrics = Settings.metrics


class Words(Bound[Settings]):
    """The mean number of words: a type that keeps every law."""

    def items(self, data: TaskData) -> Any:
        return [ItemSet("texts", list(data.rows(self.split)[self.settings.column]), None)]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        found = [len(text.split()) for text in data.rows(self.split)[self.settings.column]]
        return Scores(self.main_metric, {"words": float(np.mean(found)), "texts": float(len(found))})


class OfTheFirst(Words):
    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        return Scores(self.main_metric, {"words": float(embeddings["texts"][0, 0]), "texts": 1.0})


class Forgetful(Words):
    asked: Iterator[int] = iter(range(100))

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        return Scores(self.main_metric, {"words": float(next(self.asked)), "texts": 1.0})


class Unnamed(Words):
    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        return Scores(self.main_metric, {"words": 1.0, "letters": 1.0})


class NoNumber(Words):
    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        return Scores(self.main_metric, {"words": float("nan")})


class Twice(Words):
    def items(self, data: TaskData) -> Any:
        return [*super().items(data), *super().items(data)]


class Pictures(Words):
    def items(self, data: TaskData) -> Any:
        return [ItemSet("texts", [Image(b"a")], None, "image")]


class Numbers(Words):
    def items(self, data: TaskData) -> Any:
        return [ItemSet("texts", [1, 2], None)]  # type: ignore[list-item]


def kind(of: type[Any] = Words, **changed: Any) -> TaskType:
    return replace(TaskType("words", "Words", f"{__name__}:{of.__name__}", Settings, 1), **changed)


WRONG: dict[str, tuple[TaskType, dict[str, Any], str]] = {
    "the order of rows": (kind(OfTheFirst), {}, "the order of rows changes no score"),
    "what ran before": (kind(Forgetful), {}, "equal vectors and data give equal scores"),
    "a metric that is not named": (kind(Unnamed), {}, r"named by metrics\(\).*letters"),
    "no number": (kind(NoNumber), {}, "the main score is finite"),
    "two item sets of one name": (kind(Twice), {}, "names of their own"),
    "a modality that is not said": (kind(Pictures), {}, "is of what the type gives"),
    "items that are none": (kind(Numbers), {}, "items of 'texts' are of str"),
    "no protocol": (kind(protocol=0), {}, "TaskType.protocol is a whole number from 1"),
    "settings that change": (kind(settings=Open), {}, "frozen dataclass"),
    "a column that is not there": (kind(), {"column": "words"}, "settings name columns of the data"),
    "a role that there is not": (kind(), {"role": "txt"}, "a column's role is in"),
    "another layout": (kind(retrieval_layout=True), {}, "retrieval_layout is True"),
}


@pytest.mark.parametrize("case", WRONG)
def test_task_types_that_break_a_law_are_told_which(case: str) -> None:
    broken, settings, law = WRONG[case]
    data = {"test": Rows({"text": ["a b c", "d e", "f"]})}
    with pytest.raises(AssertionError, match=law):
        check_task_type(broken, data, "words", settings=settings, rows_in_any_order=True)


def test_a_sound_task_type_keeps_the_laws_and_its_config_is_checked() -> None:
    data = {"test": Rows({"text": ["a b c", "d e", "f"]})}
    assert check_task_type(kind(), data, "words", rows_in_any_order=True).main_score == 2.0
    with pytest.raises(UserError, match="main_metric"):
        check_task_type(kind(), data, "letters")
    with pytest.raises(UserError, match="Did you mean 'column'"):
        check_task_type(kind(), data, "words", settings={"colum": "text"})


def test_loaders_that_break_a_law_are_told_which() -> None:
    own = ModelSpec("org/own", None)
    load = f"{__name__}:load_sound"
    check_loader(Loader("mine", load, 1, needs_weights=False, parameters=frozenset({"scale"})), own)
    for broken, law in (
        (Loader("mine", load, 0), "Loader.version is a whole number from 1"),
        (Loader("mine", load.replace(":", "."), 1), "of the form module:function"),
        (Loader("mine", load, 1, kind="searcher"), "a searcher has search"),
        (Loader("mine", f"{__name__}:load_moody", 1, kind="scorer"), "the order of pairs changes no score"),
    ):
        with pytest.raises(AssertionError, match=law):
            check_loader(broken, own)


def load_sound(spec: ModelSpec) -> Sound:
    return Sound()


class Moody:
    """Scores pairs by their place."""

    facts: ClassVar[Any] = {}

    def score(self, pairs: Sequence[tuple[str, str]], context: Any) -> Any:
        return np.arange(len(pairs), dtype=np.float32)


def load_moody(spec: ModelSpec) -> Moody:
    return Moody()
