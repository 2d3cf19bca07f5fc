"""What is kept of items: every type's metrics can be computed from it again, and it says which items they are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import test_any_to_any
import test_labels
import test_odd_data
import test_pairs
import test_pictures
import test_retrieval
import test_zeroshot_images
from hypothesis import given
from hypothesis import strategies as st

from embedmark.runner.common.errors import DataError, UserError
from embedmark.runner.config.catalogue import SHIPPED
from embedmark.runner.results.items import npz, read_items
from embedmark.tasks.base import Embeddings, Image, Rows, Scores, TaskContext, TaskData
from embedmark.tasks.item_arrays import (
    bounded,
    class_names,
    clusters,
    codes,
    main_score_of,
    shared_items,
    units,
    units_of,
)
from embedmark.tasks.types import task_types

RANKED = {kind.name for kind in task_types().values() if kind.retrieval_layout}
OF_THE_MAIN_METRIC = {"sts", "pair_classification", "summarization"} | RANKED
"""Types whose items depend on the main metric; the items of the others hold all metrics."""


class Case(NamedTuple):
    """Small data of a type; scores: main metric → what is measured under it."""

    kind: str
    name: str
    scores: Callable[[str], Scores]
    main: str


def cases() -> Iterator[Case]:
    """Everything that the reference was asked about: what is usual, and what is odd."""
    for case in test_odd_data.FACTS:
        if case["name"] not in test_odd_data.REFUSED_BY_OURS_ALONE and "expected" in case:
            yield Case(case["type"], case["name"], partial(odd, case), case["main"])
    for case in test_labels.FACTS["cases"]:
        yield Case(case["type"], case["name"], partial(labelled, case), case["main"])
    for case in test_pairs.FACTS["cases"]:
        yield Case(case["type"], f"facts, {case['similarity']}", partial(paired, case), case["main"])
    yield from cases_of_images()
    for case in test_retrieval.CASES:
        settings = case["settings"]
        kind = "instruction_reranking" if "changed" in case["data"] else "retrieval"
        kind = "reranking" if "top_ranked" in case["data"] and kind == "retrieval" else kind
        kind = "instruction_retrieval" if "instruction" in case["data"]["queries"] and kind == "retrieval" else kind
        yield Case(kind, f"{case['name']} {settings}", partial(ranked, kind, case), "ndcg_at_10")


def cases_of_images() -> Iterator[Case]:
    """Those of types and metrics that texts do not have."""
    for case in test_zeroshot_images.FACTS:
        name = f"{case['modalities'][0]}, {case['similarity']}, {len(case['digits'])}"
        yield Case("zeroshot_image_classification", name, partial(pictured, case), "accuracy")
    for case in test_pictures.FACTS:
        if case["type"] not in {"compositionality", "clustering_legacy"}:
            continue  # what is kept is of labels and vectors, as of texts
        yield Case(case["type"], test_pictures.name_of(case), partial(test_pictures.score, case), case["main"])
    for case in test_any_to_any.CASES:
        if not case["settings"].get("extra_metrics"):
            continue
        kind = "reranking" if case["data"].get("top_ranked") else "retrieval"
        yield Case(kind, case["name"], partial(any_to_any, case), "ndcg_at_10")


FEW = {"n_experiments": 3, "n_clusterings": 2, "max_documents_per_cluster": 300}
"""Fewer repetitions than the reference makes: each is computed again by itself."""


def few(case: dict[str, Any], main: str) -> dict[str, Any]:
    known = {field.name for field in fields(task_types()[case["type"]].settings)}
    settings = case["settings"] | {name: value for name, value in FEW.items() if name in known}
    return {**case, "main": main, "settings": settings}


def odd(case: dict[str, Any], main: str) -> Scores:
    return test_odd_data.score(few(case, main))


def labelled(case: dict[str, Any], main: str) -> Scores:
    return test_labels.ours(few(case, main), "/".join(case["order"][-1]))


def paired(case: dict[str, Any], main: str) -> Scores:
    return test_pairs.score(
        case["type"],
        case["columns"],
        values=case["settings"],
        main=main,
        similarity=case["similarity"],
        subset=next(iter(case["expected"])),
    )


def pictured(case: dict[str, Any], main: str) -> Scores:
    kind = task_types()["zeroshot_image_classification"]
    likeness = "softmax" if case["modalities"] == ["image", "text"] else "similarity"
    settings = kind.settings(template=test_zeroshot_images.NUMBER, likeness=likeness)
    task, data = (
        kind.bind(settings, TaskContext("Digits", kind.label), main),
        test_zeroshot_images.digits(case["digits"]),
    )
    sets = task.items(TaskData({"test": data}))
    vectors = {items.name: np.stack([test_zeroshot_images.vector(item) for item in items.items]) for items in sets}
    return task.evaluate(Embeddings(vectors, case["similarity"]), TaskData({"test": data}))


def any_to_any(case: dict[str, Any], main: str) -> Scores:
    bound, data = test_any_to_any.task(case)
    task = replace(bound, main_metric=main)
    vectors = test_any_to_any.ENCODERS[case["vectors"]]
    found = {one.name: vectors(test_any_to_any.parts(one, case["takes"])) for one in task.items(data)}
    return task.evaluate(Embeddings(found, case["similarity"]), data)


def ranked(kind: str, case: dict[str, Any], main: str) -> Scores:
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in case["settings"].items()}
    task = task_types()[kind].bind(task_types()[kind].settings(**values), test_retrieval.CONTEXT, main)
    data = TaskData({"test": test_retrieval.rows(case["data"])})
    return task.evaluate(test_retrieval.embeddings(task, data, case["similarity"]), data)  # type: ignore[arg-type]


def shipped() -> set[tuple[str, str]]:
    """Type and main metric of every task that is shipped."""
    texts = [path.read_text(encoding="utf-8") for path in (SHIPPED / "task").rglob("*.yaml")]
    found = [[re.search(rf"^{key}: (\S+)", text, re.M) for key in ("type", "main_metric")] for text in texts]
    return {(kind[1], metric[1]) for kind, metric in found if kind and metric}


EXTRA = {
    "p-MRR",
    "paired_accuracy",
    "robustness_at_10",
    "max_over_subqueries_map_at_1000",
    "taxon_top_1_accuracy",
    "ravenea_ndcg_at_5",
}
CASES = list(cases())


@cache
def first_scores(case: Case) -> Scores:
    return case.scores(case.main)


def metrics_of(case: Case) -> list[str]:
    """All metrics of a case; of the hundreds of a ranking some, in every case others, and those of extra metrics."""
    names = list(first_scores(case).values)
    if case.kind not in RANKED:
        return names
    number = CASES.index(case)
    return [name for i, name in enumerate(names) if name in EXTRA or i % 17 == number % 17]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.name}")
@pytest.mark.filterwarnings("ignore:.*(less than two samples|too small)")
def test_every_metric_is_computed_from_the_file_again(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "items.npz"
    scores = first_scores(case)
    for metric in metrics_of(case):
        if case.kind in OF_THE_MAIN_METRIC:
            scores = case.scores(metric)
        path.write_bytes(npz(scores.items))
        found = main_score_of(case.kind, metric, read_items(path))
        assert found == pytest.approx(scores.values[metric], rel=0, abs=1e-12, nan_ok=True), metric


@pytest.mark.filterwarnings("ignore:.*(less than two samples|too small)")
def test_every_shipped_main_metric_is_among_the_cases() -> None:
    tried = {(case.kind, metric) for case in CASES for metric in metrics_of(case)}
    ranked = {metric for kind, metric in tried if kind in RANKED}
    tried |= {(kind, metric) for kind in RANKED for metric in ranked}  # one implementation scores all four
    assert len(shipped()) > 30
    assert not {(kind, re.sub(r"_at_\d+$", "", metric)) for kind, metric in shipped()} - {
        (kind, re.sub(r"_at_\d+$", "", metric)) for kind, metric in tried
    }


@pytest.mark.parametrize("kind", sorted({case.kind for case in CASES}))
def test_every_row_has_a_unit_of_its_own(kind: str) -> None:
    case = next(case for case in CASES if case.kind == kind)
    items = first_scores(case).items
    assert len(set(items["_unit"].tolist())) == len(items["_unit"])
    assert items["_unit"].dtype == np.uint64
    assert not any(values.dtype == object for values in items.values())


# ------------------------------------------------------------------------------------------ groups of queries


@pytest.mark.parametrize(
    ("extra", "metric"),
    [
        ("pairs", "paired_accuracy"),
        ("robustness", "robustness_at_10"),
        ("subqueries", "max_over_subqueries_map_at_1000"),
        ("levels", "level_scores/level_2"),
        ("capped recall", "R_cap_at_10"),
        ("changed instructions", "p-MRR"),
        ("changed instructions", "og/ndcg_at_5"),
        ("changed instructions", "changed/nauc_map_at_100_std"),
    ],
)
def test_groups_of_queries_have_units_of_their_own(extra: str, metric: str) -> None:
    case = next(case for case in CASES if case.name.startswith(f"{extra} {{") and case.kind in RANKED)
    items = case.scores(metric).items
    for name, values in items.items():
        if not name.startswith("_"):
            assert len(values) == len(units_of(name, items)), name
    assert len(items["_unit"]) > 0


def test_a_query_keeps_its_unit_wherever_it_stands() -> None:
    case = next(case for case in test_retrieval.CASES if case["name"] == "search by dot")
    ids = [query for query in case["data"]["queries"]["id"] if case["data"]["qrels"].get(query)]
    expected = [int.from_bytes(hashlib.sha256(query.encode()).digest()[:8], "big") for query in ids]
    assert ranked("retrieval", case, "ndcg_at_10").items["_unit"].tolist() == expected


# ------------------------------------------------------------------------------------------ identity, clusters, codes


@given(st.lists(st.text(max_size=3), max_size=30), st.randoms())
def test_units_do_not_depend_on_the_order(texts: list[str], random: Any) -> None:
    found = units(texts)
    assert len(set(found.tolist())) == len(texts)
    turned = list(texts)
    random.shuffle(turned)
    assert set(units(turned).tolist()) == set(found.tolist())


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ("a", Image(b"a"), True),
        (["a", "b"], [Image(b"a"), Image(b"b")], True),
        ("ab", ["ab"], True),
        (["a", "b"], ["b", "a"], False),
        (["ab", ""], ["a", "b"], False),
        ("é", "e\u0301", False),
        ("\ud800", "\ud801", False),
        ("", " ", False),
        ("a", "A", False),
    ],
)
def test_units_are_of_the_bytes_of_texts(first: Any, second: Any, equal: bool) -> None:
    assert (units([first]).tolist() == units([second]).tolist()) is equal


@pytest.mark.parametrize(
    ("values", "n_clusters"),
    [
        ([1, 1, 2], 2),
        (["a", "b", "a"], 2),
        (["1", 1], 2),
        (["a", Image(b"a"), Image(b"b")], 2),
        ([2**40, 2**40, -(2**40)], 2),
        ([-1, 0, 2**31 - 1], 3),
        ([True, False, True], 2),
        ([], 0),
    ],
)
def test_equal_values_are_one_cluster(values: list[Any], n_clusters: int) -> None:
    found = clusters(values, "column")
    assert found.dtype == np.int32
    assert len(set(found.tolist())) == n_clusters
    assert clusters(list(reversed(values)), "column").tolist() == found.tolist()[::-1]


@pytest.mark.parametrize("value", [None, 1.5, float("nan"), ["a"], {"a": 1}])
def test_a_cluster_is_a_text_or_a_whole_number(value: Any) -> None:
    with pytest.raises(DataError, match=r"column 'c', row 1: found .*expected a text or whole number"):
        clusters(["a", value], "column 'c'")


def test_pairs_that_share_a_text_are_a_cluster() -> None:
    assert shared_items(["a", "b"], ["c", "d"]) == {}
    found = shared_items(["a", "b", "c"], ["x", "x", "y"])["_cluster"]
    assert found[0] == found[1] != found[2]
    sharing = {"sentence1": ["text 1", "text 1", "text 2"], "sentence2": ["text 3", "text 4", "text 5"]}
    kept = test_pairs.score("sts", {**sharing, "score": [1.0, 2.0, 3.0]}, main="cosine_spearman").items["_cluster"]
    assert kept[0] == kept[1] != kept[2]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([-1, 0, 32_767], np.int16),
        ([32_768], np.int32),
        ([-32_769], np.int32),
        ([2**31], np.int64),
        ([], np.int16),
    ],
)
def test_codes_take_as_many_bits_as_they_need(values: list[int], kind: Any) -> None:
    found = codes(np.array(values, dtype=np.int64))
    assert found.dtype == kind
    assert found.tolist() == values


@pytest.mark.parametrize(
    "classes",
    [
        ["a", "b"],
        [0, 1],
        [-1, 1],
        [1.0, 2.0],
        [False, True],
        [2**70, 1],
        ["a", "ärger", "日本"],
        ["x" * 300, "x" * 301],
    ],
)
def test_class_names_can_be_kept(classes: list[Any], tmp_path: Path) -> None:
    (tmp_path / "items.npz").write_bytes(npz({"classes": class_names(classes)}))
    kept = read_items(tmp_path / "items.npz")["classes"]
    assert len(set(kept.tolist())) == 2 + (len(classes) > 2)
    assert max(map(len, map(str, kept.tolist()))) <= 200
    if not any(isinstance(name, str) for name in classes):
        assert kept.tolist() == classes


# ------------------------------------------------------------------------------------------ what is missing


def test_what_is_too_large_is_left_out_and_named() -> None:
    items = {"_unit": np.zeros(100, np.uint64), "predicted": np.zeros((10, 100), np.int16), "label": np.zeros(100)}
    assert bounded(items).keys() == items.keys()
    kept = bounded(items, 1700)
    assert kept["_left_out"].tolist() == ["predicted"]
    assert kept.keys() == {"_unit", "label", "_left_out"}
    assert bounded(items, 900).keys() == {"_unit", "_left_out"}
    assert bounded(items, 0)["_left_out"].tolist() == ["_unit", "label", "predicted"]
    with pytest.raises(DataError, match="needs the array 'predicted', left out for its size"):
        main_score_of("classification", "accuracy", {**kept, "label": np.zeros(100, int), "classes": np.arange(2)})


@pytest.mark.parametrize(
    ("kind", "metric", "items", "message"),
    [
        ("Classification", "f1", {}, "no task type 'Classification'"),
        ("classification", "f1", {}, "f1 of classification needs the array 'label'; the items have none"),
        ("sts", "cosine_spearman", {"gold": np.arange(3.0)}, "needs the array 'similarity'"),
        ("retrieval", "ndcg_at_10", {"ndcg_at_20": np.zeros(3)}, "needs the array 'ndcg_at_10'"),
        ("retrieval", "nauc_ndcg_at_10_max", {"ndcg_at_10": np.zeros(3)}, "needs the array 'confidence_max'"),
        ("reranking", "max_over_subqueries_map_at_5", {}, "needs the array 'max_over_subqueries_map_at_5'"),
        ("summarization", "dot_pearson", {"scored": np.ones(3, bool)}, "needs the array 'dot_pearson'"),
        ("bitext_mining", "f1", {"gold": np.zeros(1, int)}, "needs the array 'found'"),
        ("clustering", "v_measure", {"drawn": np.zeros((1, 1), int)}, "needs the array 'level'"),
        ("clustering_legacy", "ami", {"v_measure": np.ones(2)}, "main metric 'ami' is not among the metrics"),
    ],
)
def test_what_cannot_be_computed_is_said(kind: str, metric: str, items: Any, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        main_score_of(kind, metric, items)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a file of arrays", b"\x93NUMPY"])
def test_a_file_that_holds_no_arrays_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "items.npz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=re.escape(f"{path}: ")):
        read_items(path)
    with pytest.raises(UserError, match="cannot be read: No such file"):
        read_items(tmp_path / "none.npz")


def test_equal_items_are_equal_bytes_and_python_objects_are_refused() -> None:
    rows = {"file": np.arange(3), "og/ndcg": np.ones(2), "one": np.array(["cosine"])}
    assert npz(rows) == npz(dict(rows))
    with pytest.raises(ValueError, match="allow_pickle"):
        npz({"a": np.array([{}], dtype=object)})


# ------------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize("kind", sorted(task_types()))
def test_every_type_may_name_a_column_of_clusters(kind: str) -> None:
    settings: Any = task_types()[kind].settings
    more = {"candidate_labels": ("a", "b")} if kind == "zeroshot_classification" else {}
    assert settings(**more).cluster_column is None
    assert settings(**more, cluster_column="document").cluster_column == "document"


def test_clusters_follow_the_rows() -> None:
    rows = {
        "text": test_labels.FACTS["texts"][:40],
        "label": [0, 1] * 20,
        "document": [f"d{i // 4}" for i in range(40)],
    }
    settings = {"n_experiments": 2, "cluster_column": "document"}
    found = test_labels.score("classification", {"train": rows, "test": rows}, settings).items["_cluster"]
    assert [len(set(found[i : i + 4].tolist())) for i in range(0, 40, 4)] == [1] * 10
    assert len(set(found.tolist())) == 10
    case = next(case for case in test_retrieval.CASES if case["name"] == "search by dot")
    queries = case["data"]["queries"]
    by_document = {**queries, "document": [len(query) % 2 for query in queries["id"]]}
    clustered = {
        **case,
        "settings": {"cluster_column": "document"},
        "data": {**case["data"], "queries": by_document},
    }
    items = ranked("retrieval", clustered, "ndcg_at_10").items
    assert len(items["_cluster"]) == len(items["_unit"])
    with pytest.raises(DataError, match="no column 'document'"):
        ranked("retrieval", {**clustered, "data": case["data"]}, "ndcg_at_10")


def test_gold_pairs_have_no_column_of_clusters() -> None:
    with pytest.raises(ValueError, match="cluster_column and gold_column are both set"):
        task_types()["bitext_mining"].settings(gold_column="gold", cluster_column="document")


def test_rows_of_a_parallel_table_are_clusters() -> None:
    columns = {"eng": ["text 1", "text 2", "text 2"], "deu": ["text 3", "text 4", "text 5"]}
    found = test_pairs.score(
        "bitext_mining", columns, values={"parallel_subsets": True}, main="f1", subset="eng-deu"
    ).items
    assert found["_cluster"].tolist() == [0, 1, 2]
    assert found["gold"].dtype == found["found"].dtype == np.int32
    assert Rows(columns).n_rows == 3
