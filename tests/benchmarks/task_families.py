"""How alike the scores of tasks of one family are, of one type, and of different types.

    python tests/benchmarks/task_families.py "MTEB(eng, v2)" "MTEB(Multilingual, v2)"

Over the published models that have every task: scores without the mean of the model and that of the task (what is left
is how a model suits a task), and the mean correlation between tasks. Tasks that fewer than 100 of the models have are
left out first. Revisions of a model are joined.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.ranking.families import families
from embedmark.runner.ranking.matrix import published

_FEWEST = 0.9


def interaction(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores without the means of models and of tasks: (n_models, n_tasks)."""
    left: NDArray[np.float64] = values - values.mean(1, keepdims=True) - values.mean(0) + values.mean()
    return left


def measure(name: str, catalogue: Catalogue) -> str:
    """One line about a benchmark."""
    matrix = published(catalogue.benchmark(name), catalogue, revisions="joined")
    found = families(matrix.tasks, catalogue)
    there = ~np.isnan(matrix.values)
    many = there[there.sum(1) >= _FEWEST * len(matrix.tasks)]
    kept = many.mean(0) >= _FEWEST
    values = matrix.values[:, kept]
    whole = ~np.isnan(values).any(1)
    correlation = np.corrcoef(interaction(values[whole]).T)
    types = np.array(matrix.types)[kept]
    family = found.of[kept]
    above = np.triu(np.ones_like(correlation, dtype=bool), 1)
    same_family = (family[:, None] == family) & above
    same_type = (types[:, None] == types) & above & ~same_family
    means = [correlation[chosen].mean() for chosen in (same_family, same_type, above & ~same_family & ~same_type)]
    return (
        f"{name}: {len(matrix.tasks)} tasks, {len(found.names)} families; {whole.sum()} models on {kept.sum()} tasks, "
        f"{len(set(family))} families; correlation within a family {means[0]:.2f} ({same_family.sum()} pairs), same "
        f"type {means[1]:.2f}, other type {means[2]:.2f}"
    )


if __name__ == "__main__":
    for benchmark in sys.argv[1:]:
        print(measure(benchmark, Catalogue(quiet=True)))
