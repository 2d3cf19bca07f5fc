"""What ranks are worth: how many are the field's, their time, how often their intervals hold, and how separated pairs
fare on other tasks.

    python tests/benchmarks/ranks.py ["MTEB(eng, v2)" ...] [--quick]

Of the published scores that ship, revisions joined. The population of the simulations is the complete models' tasks:
columns are drawn from them with replacement, and the rank on all of them is the truth.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.ranking.board import board
from embedmark.runner.ranking.families import families
from embedmark.runner.ranking.matrix import ScoreMatrix, published
from embedmark.runner.ranking.rules import By, rule_of
from embedmark.runner.stats import missing, ranks, separation

NEAR = 20
SUMMARIES = Path(__file__).parents[1] / "facts/summaries"
BOARD = Path(__file__).parents[3] / "shared/facts/results"
BY: tuple[By, ...] = ("borda", "mean", "type")
BENCHMARKS = ("MTEB(eng, v2)", "MTEB(Multilingual, v2)")


def main() -> None:
    """Print all measurements."""
    quick = "--quick" in sys.argv
    named = [word for word in sys.argv[1:] if not word.startswith("--")] or BENCHMARKS
    catalogue = Catalogue.of([])
    for name in named:
        matrix = published(catalogue.benchmark(name), catalogue, revisions="joined")
        matrix = matrix.narrowed(np.flatnonzero(~np.isnan(matrix.values).all(axis=0)))
        of = families(matrix.tasks, catalogue).of
        n_complete = int(matrix.complete.sum())
        print(f"{name}: {len(matrix.models)} models, {len(matrix.tasks)} tasks, {n_complete} complete")
        equal(catalogue, name)
        times(matrix, of)
        complete = matrix.values[matrix.complete]
        halves(complete, of, 20 if quick else 200)
        for by in BY:
            coverage(complete, matrix.types, by, 20 if quick else 200)
        completed(complete, 2 if quick else 10)
        sensitivity(matrix, of)


def equal(catalogue: Catalogue, name: str) -> None:
    """How many models have the rank of the reference's own summary (`summary_parity.py` wrote it) and, where the
    development folder is, of the field's board."""
    summary = SUMMARIES / f"{catalogue.find('benchmark', name).path.stem}.csv"
    if summary.is_file():
        matrix = published(catalogue.benchmark(name), catalogue)
        place = dict(zip(matrix.models, ranks.places(ranks.points2(matrix.values).sum(axis=1)).tolist(), strict=True))
        table = pl.read_csv(summary).select("Model", "Rank (Borda)").rows()
        print(f"  the reference's rank: {sum(place.get(model) == rank for model, rank in table)} of {len(table)}")
    if name == "MTEB(eng, v2)" and BOARD.is_dir():
        scores = pl.read_csv(BOARD / "reference_scores_eng_v2.csv")
        wide = scores.pivot("task_name", index="model_name", values="score")
        values = wide.drop("model_name").cast(pl.Float64).fill_null(float("nan")).to_numpy()
        found = dict(zip(wide["model_name"], ranks.places(ranks.points2(values).sum(axis=1)).tolist(), strict=True))
        rows = (
            pl.read_csv(BOARD / "reference_board_eng_v2.csv").select("Model", "_experiment_id", "Rank (Borda)").rows()
        )
        same = [found.get(f"{model} ({variant})", found.get(model)) == rank for model, variant, rank in rows]
        print(f"  the board's rank: {sum(same)} of {len(same)}")


def times(matrix: ScoreMatrix, of: NDArray[np.int32]) -> None:
    """Processor time of 10,000 draws over all models, median of five; and of the whole ranking."""
    points = ranks.points2(matrix.values)

    def drawn() -> None:
        ranks.rank_counts(ranks.totals_of(ranks.draw_counts(ranks.DRAWS, of), points)).interval()

    print(f"  10,000 draws of {points.shape[0]} × {points.shape[1]}: {_seconds(drawn):.2f} s of processor time")
    for by in BY:
        print(f"  the whole ranking by {by}: {_seconds(lambda by=by: board(matrix, of, by), 1):.2f} s")  # type: ignore[misc]


def _seconds(run: Callable[[], object], times: int = 5) -> float:
    found = []
    for _ in range(times):
        started = time.process_time()
        run()
        found.append(time.process_time() - started)
    return float(np.median(found))


def halves(complete: NDArray[np.float64], of: NDArray[np.int32], splits: int) -> None:
    """Families are halved: of the pairs that one half separates, how many stand in the same order in the other?"""
    generator = np.random.default_rng(0)
    points = ranks.points2(complete).astype(np.float64)
    kept: dict[str, list[float]] = {"all separated pairs": [], f"those within {NEAR} places": [], "not separated": []}
    shares = []
    for _ in range(splits):
        first = np.isin(of, generator.permutation(np.unique(of))[: len(np.unique(of)) // 2])
        pairs = separation.pairwise(points[:, first], of[first])
        here, there = (points[:, half].sum(axis=1) for half in (first, ~first))
        same = np.sign(here[:, None] - here) == np.sign(there[:, None] - there)
        near = np.abs(ranks.places(here)[:, None] - ranks.places(here)) <= NEAR
        above = np.triu(np.ones_like(near), 1).astype(bool)
        shares.append(pairs.separated[above].mean())
        for name, chosen in zip(kept, (pairs.separated, pairs.separated & near, ~pairs.separated & near), strict=True):
            kept[name].append(same[chosen & above].mean())
    print(
        f"  split halves, {splits}: {100 * np.mean(shares):.0f} % of pairs separated; in the same order on the other:"
    )
    for name, values in kept.items():
        print(f"    {name}: {100 * np.mean(values):.1f} % (worst twentieth {100 * np.quantile(values, 0.05):.1f})")


def coverage(complete: NDArray[np.float64], types: Sequence[str], by: By, sets: int) -> None:
    """How often the interval of drawn tasks holds the rank on all of them; by type, tasks are drawn within types."""
    generator = np.random.default_rng(1)
    n_models, n_tasks = complete.shape
    each, everyone, kinds = np.arange(n_tasks), np.arange(n_models), np.array(types)
    truth = ranks.places(rule_of(everyone, complete, types, by).total)
    strata = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)] if by == "type" else [each]
    held: dict[str, list[NDArray[np.bool_]]] = {"98 % of draws": [], "95 % of draws": [], "pairwise": []}
    widths = []
    for _ in range(sets):
        columns = np.concatenate([generator.choice(stratum, len(stratum)) for stratum in strata])
        rule = rule_of(everyone, complete[:, columns], kinds[columns].tolist(), by)
        counts = ranks.rank_counts(rule.totals(rule.weights(1000, each)))
        bounds = separation.pairwise(rule.values, each).bounds()
        for name, (low, high) in zip(held, (counts.interval(0.98), counts.interval(0.95), bounds), strict=True):
            held[name].append((low <= truth) & (truth <= high))
        low, high = counts.interval(0.98)
        widths.append(np.median(high - low + 1))
    print(f"  rank intervals by {by}, {sets} sets of tasks; median width {np.median(widths):.0f} places:")
    for name, found in held.items():
        of_model = np.mean(found, axis=0)
        print(f"    {name}: cover {100 * of_model.mean():.1f} % on average, {100 * of_model.min():.1f} for the hardest")


def completed(complete: NDArray[np.float64], sets: int) -> None:
    """Where models lose tasks, how often the interval of the rank if all were complete holds the rank on all tasks."""
    generator = np.random.default_rng(2)
    n_models, n_tasks = complete.shape
    truth = ranks.places(ranks.points2(complete).sum(axis=1))
    for lost in (n_tasks // 10, n_tasks // 4, n_tasks // 2, 3 * n_tasks // 4):
        held, width = [], []
        for _ in range(sets):
            scores = complete.copy()
            chosen = generator.choice(n_models, n_models // 5, replace=False)
            for model in chosen:
                scores[model, generator.choice(n_tasks, lost, replace=False)] = np.nan
            filled = missing.drawn(scores, missing.fit(scores), chosen, 40)
            places = np.array([ranks.places(ranks.points2(one).sum(axis=1))[chosen] for one in filled])
            low, high = np.quantile(places, [0.01, 0.99], axis=0, method="nearest")
            held.append(((low <= truth[chosen]) & (truth[chosen] <= high)).mean())
            width.append(np.median(high - low + 1))
        print(
            f"  {lost} of {n_tasks} tasks lost: held {100 * np.mean(held):.1f} %, median width {np.median(width):.0f}"
        )


def sensitivity(matrix: ScoreMatrix, of: NDArray[np.int32]) -> None:
    """How far models move without a task, a family, or a type."""
    for left_out in ("task", "family", "type"):
        made = board(matrix, of, left_out=left_out, draws=10)  # type: ignore[arg-type]
        moved = [abs(place.moved[1]) if place.moved else 0 for place in made.places if place.rank is not None]
        worst = f"{np.median(moved):.0f} places at most (median), {max(moved)} at all"
        print(f"  without a {left_out}: models move by {worst}")


if __name__ == "__main__":
    main()
