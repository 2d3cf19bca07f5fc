"""How often 95 % intervals hold: items of real jobs are drawn anew, and the score of all of them is the truth.

    python -m runner model=minilm outputs=/tmp/coverage          # and tasks of a hub, where there is one
    python tests/benchmarks/coverage.py /tmp/coverage [--sets 1000] [--quick]

Units are drawn with replacement, whole clusters at a time; of classification rows and experiments are. A row a kind of
score and number of units; * where `interval` itself says that it covers less.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embedmark.runner.results.collect import collect
from embedmark.runner.results.items import read_items
from embedmark.runner.results.record import Record
from embedmark.runner.stats.intervals import NoInterval, interval
from embedmark.runner.stats.of_items import NoSampleError, sample_of

Items = dict[str, Any]
SIZES = (20, 100, 1000)
BY_UNIT_LAST = {"predicted"}
WHOLE = {"classes", "threshold", "compared"}


@dataclass(frozen=True)
class Population:
    """Items that stand for all there are."""

    name: str
    kind: str
    metric: str
    items: Items

    @property
    def n(self) -> int:
        """How many units."""
        return len(self.items["_unit"])


def main() -> None:
    """Print the table."""
    words = sys.argv[1:]
    sets = int(words.pop(words.index("--sets") + 1)) if "--sets" in words else 1000
    sets = 100 if "--quick" in words else sets
    folders = [Path(word) for word in words if not word.startswith("--")]
    print(f"{'population':42} {'score':>6} {'n':>5}  held (standard error)  median width, {sets} sets")
    for population in [*real(folders), *made()]:
        for n in SIZES:
            print_row(population, n, sets)


def real(folders: list[Path]) -> Iterator[Population]:
    """One job a task of each outputs folder."""
    seen = set()
    for folder in folders:
        for kept in collect(folder).records:
            facts = kept.facts
            assert isinstance(facts, Record)
            kind, path = kept.identity["task"]["type"], kept.folder / "items.npz"
            if facts.job.task in seen or kind == "clustering" or not path.is_file():
                continue
            seen.add(facts.job.task)
            name = f"{facts.job.task} {facts.main_metric}"
            items = read_items(path)
            yield Population(name, kind, facts.main_metric, items)
            if kind == "classification":
                yield Population(f"{facts.job.task} f1", kind, "f1", items)
            if kind == "pair_classification":
                yield Population(f"{facts.job.task} max_accuracy", kind, "max_accuracy", items)
            if kind == "sts":
                one = {"label": items["gold"], "predicted": items["similarity"][None], "_unit": items["_unit"]}
                yield Population(f"{facts.job.task} kendalltau", "regression", "kendalltau", one)


def made() -> Iterator[Population]:
    """What real jobs have none of: scores near 0 and 1, ties, unequal clusters, several labels a row."""
    generator = np.random.default_rng(0)
    n = 20_000
    unit = np.arange(n, dtype=np.uint64)
    for share in (0.02, 0.5, 0.9, 0.98, 0.999):
        right = (generator.random(n) < share).astype(float)
        yield Population(f"0/1 at {share}", "retrieval", "hit_rate_at_1", {"hit_rate_at_1": right, "_unit": unit})
    sizes = generator.geometric(0.2, n)
    cluster = np.repeat(np.arange(len(sizes)), sizes)[:n].astype(np.int32)
    values = np.clip(0.6 + generator.normal(0, 0.2, len(sizes))[cluster] + generator.normal(0, 0.15, n), 0, 1)
    yield Population("unequal clusters", "retrieval", "ndcg_at_10", {
        "ndcg_at_10": values, "_unit": unit, "_cluster": cluster,
    })  # fmt: skip
    marks = generator.random((n, 6)) < 0.3
    hard = generator.normal(0, 1, (n, 6))
    noise = generator.normal(0, 1, (10, n, 6)) + generator.normal(0, 0.2, (10, 1, 6))
    found = marks ^ (hard + noise > 1.6)
    packed = {"label": np.packbits(marks, axis=-1), "predicted": np.packbits(found, axis=-1), "classes": np.arange(6)}
    for metric in ("accuracy", "f1"):
        yield Population(f"several labels {metric}", "multilabel_classification", metric, {**packed, "_unit": unit})


def print_row(population: Population, n: int, sets: int) -> None:
    """Draw, and count how often the interval holds the truth."""
    generator = np.random.default_rng(n)
    clusters = population.items.get("_cluster")
    if n > 2 * (population.n if clusters is None else len(np.unique(clusters))):
        return
    scores, lows, highs, warned = [], [], [], 0
    for _ in range(sets):
        try:
            sample = sample_of(population.kind, population.metric, drawn(population, n, generator))
        except NoSampleError:
            continue
        found = interval([(1.0, sample)])
        if isinstance(found, NoInterval):
            continue
        scores.append(sample.score)
        lows.append(found.low)
        highs.append(found.high)
        warned += bool(found.warnings)
    if not scores:
        return
    truth = true_score(population, scores)
    held = np.mean((np.array(lows) <= truth) & (truth <= np.array(highs)))
    error = np.sqrt(held * (1 - held) / len(scores))
    width = np.median(np.array(highs) - np.array(lows))
    mark = "*" if warned > len(scores) / 2 else " "
    print(
        f"{population.name:42} {100 * truth:6.1f} {n:5}  {100 * held:5.1f} ({100 * error:.1f}){mark}"
        f"             {100 * width:6.2f}",
        flush=True,
    )


def true_score(population: Population, scores: list[float]) -> float:
    """The score of all items; of F1 over sources, whose expectation depends on their number, the mean over the sets."""
    if population.kind == "bitext_mining":
        return float(np.mean(scores))
    return sample_of(population.kind, population.metric, population.items).score


def drawn(population: Population, n: int, generator: np.random.Generator) -> Items:
    """n units, or n clusters with all of their units; each draw is a unit, or cluster, of its own."""
    items = population.items
    if "_cluster" in items:
        chosen, cluster = _clusters(items["_cluster"], n, generator)
    else:
        chosen, cluster = generator.integers(0, population.n, n), None
    pick: Callable[[str, Any], Any] = lambda name, values: _picked(name, values, population, chosen)  # noqa: E731
    found = {name: pick(name, values) for name, values in items.items() if not name.startswith("_")}
    if population.kind == "classification" or population.kind == "multilabel_classification":
        found["predicted"] = found["predicted"][generator.integers(0, len(found["predicted"]), len(found["predicted"]))]
    found["_unit"] = np.arange(len(chosen), dtype=np.uint64)
    return found if cluster is None else {**found, "_cluster": cluster}


def _picked(name: str, values: Any, population: Population, chosen: Any) -> Any:
    if name in WHOLE:
        return values
    if name in BY_UNIT_LAST and population.kind != "zeroshot_classification":
        return values[:, chosen]
    return values[chosen]


def _clusters(clusters: Any, n: int, generator: np.random.Generator) -> tuple[Any, Any]:
    order = np.argsort(clusters, kind="stable")
    _, starts = np.unique(clusters[order], return_index=True)
    ends = np.append(starts[1:], len(order))
    taken = generator.integers(0, len(starts), n)
    chosen = np.concatenate([order[starts[one] : ends[one]] for one in taken])
    return chosen, np.repeat(np.arange(n), ends[taken] - starts[taken]).astype(np.int32)


if __name__ == "__main__":
    main()
