"""Items that are damaged or by others: a sample that can be computed with, or a reason, and no warning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import v_measure_score

from embedmark.runner.stats.checked_items import NoSampleError
from embedmark.runner.stats.intervals import NoInterval, interval
from embedmark.runner.stats.of_items import sample_of
from embedmark.tasks.item_arrays import units

Arrays = dict[str, NDArray[Any]]

N = 40


def good(kind: str, metric: str) -> Arrays:
    """Items of a task type, as a record has them."""
    rng = np.random.default_rng(0)
    truth, seen, label = rng.normal(size=N), rng.normal(size=N), rng.integers(0, 3, N)
    drawn = np.array([rng.permutation(N)[:20] for _ in range(4)])
    bits = np.packbits(rng.random((4, N, 5)) < 0.5, axis=-1)
    arrays: Arrays = {
        "classification": {"label": label, "predicted": rng.integers(0, 3, (4, N)), "classes": np.arange(3)},
        "multilabel_classification": {"label": bits[0], "predicted": bits[1:], "classes": np.arange(5)},
        "regression": {"label": truth, "predicted": rng.normal(size=(3, N))},
        "clustering": {
            "label": label[None], "drawn": drawn, "cluster": rng.integers(0, 3, (4, 20)), "level": np.zeros(4, int)
        },
        "sts": {"gold": truth, "similarity": seen},
        "pair_classification": {"similarity": seen, "label": (truth > 0).astype(np.int8)},
        "bitext_mining": {"gold": np.arange(N), "found": rng.integers(0, N, N), "correct": rng.random(N)},
        "arrangement": {
            "threshold": np.array([1.0, 2, 3]), "triplets": np.full((N, 3), 4), "agreed": rng.integers(0, 4, (N, 3))
        },
        "summarization": {"scored": np.ones(N, np.bool_), metric: seen},
    }.get(kind, {metric: rng.random(N)})  # fmt: skip
    return {"_unit": units(map(str, range(N))), **arrays}


def others(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """What may stand in the place of an array."""
    for one in (np.nan, np.inf, -np.inf, 1e308, -1, 10**12):
        changed = values.astype(np.float64)
        changed.flat[3 % changed.size] = one
        yield changed
        yield np.full(values.shape, one)
    yield from (values[:0], values[:-1], values[..., :-1], values[None], np.concatenate([values, values]), np.array(1))
    yield from (values.astype(str), values.astype(complex), values.astype(bool), np.zeros_like(values))
    yield from (np.full(values.shape, 10**12), np.zeros(values.shape, "M8[s]"), np.zeros(values.shape, [("a", int)]))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("kind", "metric"),
    [
        ("classification", "accuracy"), ("classification", "f1"), ("multilabel_classification", "f1"),
        ("multilabel_classification", "lrap"), ("regression", "kendalltau"), ("clustering", "v_measure"),
        ("clustering", "ami"), ("sts", "cosine_spearman"), ("sts", "cosine_pearson"),
        ("pair_classification", "max_ap"), ("pair_classification", "max_f1"), ("bitext_mining", "f1"),
        ("bitext_mining", "accuracy"), ("arrangement", "agreement"), ("summarization", "cosine_spearman"),
        ("retrieval", "ndcg_at_10"), ("compositionality", "text_acc"), ("package:type", "mine"),
    ],
)  # fmt: skip
def test_a_finite_sample_or_a_reason(kind: str, metric: str) -> None:
    items = good(kind, metric)
    assert not isinstance(interval([(1.0, sample_of(kind, metric, items))]), NoInterval)
    for name in items:
        for changed in others(items[name]):
            try:
                found = interval([(1.0, sample_of(kind, metric, {**items, name: changed}))])
            except NoSampleError:
                continue
            assert isinstance(found, NoInterval) or np.isfinite([found.score, found.low, found.high]).all()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"_unit": np.zeros(N, np.uint64)}, "40 units, of which 1 are different"),
        ({"_unit": np.arange(N)}, "no list of uint64"),
        ({"_cluster": np.zeros(3, np.int32)}, "one whole number for each"),
        ({"_cluster": np.zeros(N)}, "one whole number for each"),
        ({"ndcg_at_10": np.full(N, np.inf)}, "infinite or no number"),
    ],
)
def test_what_is_wrong_is_named(changed: Arrays, words: str) -> None:
    with pytest.raises(NoSampleError, match=words):
        sample_of("retrieval", "ndcg_at_10", {**good("retrieval", "ndcg_at_10"), **changed})


def test_one_clustering_of_a_whole_split_has_no_interval() -> None:
    items = {"_unit": units(map(str, range(N))), "label": np.arange(N) % 3, "cluster": np.arange(N) % 4}
    with pytest.raises(NoSampleError, match="nmi is of one clustering"):
        sample_of("clustering_legacy", "nmi", items)


def test_negative_clusters_are_clusters() -> None:
    items = good("retrieval", "ndcg_at_10") | {"_cluster": -(np.arange(N) // 2).astype(np.int32)}
    found = interval([(1.0, sample_of("retrieval", "ndcg_at_10", items))])
    assert not isinstance(found, NoInterval)
    assert found.of == "20 clusters of 40 queries"


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_v_measure_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    label, cluster = np.array(pairs).T
    n = len(label)
    items = {
        "label": label[None], "drawn": np.arange(n)[None], "cluster": cluster[None], "level": np.zeros(1, int),
        "_unit": units(map(str, range(n))),
    }  # fmt: skip
    assert sample_of("clustering", "v_measure", items).score == pytest.approx(v_measure_score(label, cluster), abs=1e-9)


def test_a_metric_that_may_be_below_zero_has_no_interval_of_shares() -> None:
    found = sample_of("instruction_retrieval", "p-MRR", good("instruction_retrieval", "p-MRR"))
    assert found.scale == "plain"
