"""How wide forecasts are and how often they hold, for models whose families were held out.

    python tests/benchmarks/forecast.py ["MTEB(eng, v2)" ...] [--seeds 10]

Tasks are chosen, methods fitted and intervals made anew within each fold, over several seeds of the folds.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.stats import spearmanr

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.ranking.forecast import held_out, known
from embedmark.runner.ranking.matrix import published
from embedmark.runner.stats import predict

BENCHMARKS = ("MTEB(eng, v2)", "MTEB(Multilingual, v2)")
SIZES = (3, 5, 12, 20)


def main() -> None:
    """Print a row a number of tasks."""
    words = sys.argv[1:]
    seeds = int(words.pop(words.index("--seeds") + 1)) if "--seeds" in words else 10
    named = [word for word in words if word != "--seeds"] or BENCHMARKS
    catalogue = Catalogue.of([])
    for name in named:
        matrix = published(catalogue.benchmark(name), catalogue, revisions="joined")
        prior = known(matrix, name).prior
        n_models, n_tasks = prior.scores.shape
        of = f"{n_models} models of {len(np.unique(prior.families))} families, {n_tasks} tasks"
        print(f"{name}: {of}, {seeds} seeds")
        for n in SIZES:
            rows = [measured(prior, n, seed) for seed in range(seeds)]
            half, held, of_families, rmse, spearman, off, median = np.mean(rows, axis=0)
            lowest, highest = min(row[1] for row in rows), max(row[1] for row in rows)
            error = f"RMSE {rmse:.2f}, Spearman {spearman:.3f}, {off:.0f} places off"
            print(f"  {n} tasks: ± {half:.2f} points (median {median:.2f}); {error}")
            over_seeds = f"({lowest:.1f} to {highest:.1f} over seeds)"
            print(f"    holds {held:.1f} % of models {over_seeds}, {of_families:.1f} % of families")


def measured(prior: predict.Prior, n: int, seed: int) -> list[float]:
    """Half width, coverage by models and by families, RMSE, Spearman, median rank error, median half width."""
    predicted, half = held_out(prior, predict.Chooser(), n, seed)
    truth = prior.means
    error = np.abs(predicted - truth)
    holds = error <= half
    of_families = [holds[prior.families == family].mean() for family in np.unique(prior.families)]
    places = [(-values).argsort().argsort() for values in (predicted, truth)]
    return [
        100 * half.mean(),
        100 * holds.mean(),
        100 * float(np.mean(of_families)),
        100 * float(np.sqrt((error**2).mean())),
        float(spearmanr(predicted, truth).statistic),
        float(np.median(np.abs(places[0] - places[1]))),
        100 * float(np.median(half)),
    ]


if __name__ == "__main__":
    main()
