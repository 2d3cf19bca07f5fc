"""Metrics of rankings that a task asks for in `extra_metrics`: one row each, light enough for planning to import.

To add a metric, write a function in rank_extras.py and add a row. Metrics of other packages come through the
entry-point group `embedmark.metrics`, whose values are `RankMetric` objects.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from embedmark.runner.common.names import nearest
from embedmark.runner.common.plugins import PlugIns, plug_ins

if TYPE_CHECKING:  # which imports numpy
    from embedmark.tasks.retrieval.rank_extras import Extra, Outcome

Adds = Callable[[Sequence[int], Sequence[str]], Iterable[str]]
"""The names of what is computed, of a task's `k_values` and of the metrics that every ranking has."""


@dataclass(frozen=True)
class RankMetric:
    """A metric of rankings beyond those that every ranking has.

    Args:
        name: What `extra_metrics` calls it.
        implementation: "module:function" of an `Outcome`, which gives an `Extra` (rank_extras.py).
        adds: The names under which it reports, of a task's `k_values` and of the metrics that every ranking has; None
            where that is its own name alone.

    Example:
        >>> RankMetric("found_at_all", "my_package.metrics:found_at_all")
    """

    name: str
    implementation: str
    adds: Adds | None = None

    def names(self, k_values: Sequence[int], common: Sequence[str]) -> tuple[str, ...]:
        """List the names of what it computes."""
        return (self.name,) if self.adds is None else tuple(self.adds(k_values, common))

    def compute(self, outcome: Outcome) -> Extra:
        """Compute it. Raises DataError when the ranking or the judgments do not have what it needs."""
        module, _, name = self.implementation.partition(":")
        computed: Extra = getattr(importlib.import_module(module), name)(outcome)
        return computed


def _of_changed_instructions(k_values: Sequence[int], common: Sequence[str]) -> Iterable[str]:  # noqa: ARG001
    return ("p-MRR", *(f"{half}/{name}" for half, name in product(("og", "changed"), common)))


_HERE = "embedmark.tasks.retrieval.rank_extras"
_OF_IMAGES = "embedmark.tasks.retrieval.rank_extras_of_images"
TAXA_AT = (1, 5, 10)
RAVENEA_AT = (1, 3, 5)
_TAXA = tuple(f"taxon_top_{k}_accuracy" for k in TAXA_AT)
_RAVENEA = ("ravenea_mrr", *(f"ravenea_{name}_at_{k}" for name in ("precision", "ndcg") for k in RAVENEA_AT))
_BUILT_IN = (
    RankMetric("capped_recall", f"{_HERE}:capped_recall", lambda ks, _: [f"R_cap_at_{k}" for k in ks]),
    RankMetric(
        "instruction_levels", f"{_HERE}:instruction_levels", lambda *_: [f"level_scores/level_{n}" for n in (1, 2, 3)]
    ),
    RankMetric(
        "max_over_subqueries",
        f"{_HERE}:max_over_subqueries",
        lambda _, common: [f"max_over_subqueries_{name}" for name in common],
    ),
    RankMetric("p_mrr", f"{_HERE}:p_mrr", _of_changed_instructions),
    RankMetric("paired_accuracy", f"{_HERE}:paired_accuracy"),
    RankMetric("ravenea", f"{_OF_IMAGES}:ravenea", lambda *_: _RAVENEA),
    RankMetric("robustness_at_10", f"{_HERE}:robustness_at_10"),
    RankMetric("taxon_accuracy", f"{_OF_IMAGES}:taxon_accuracy", lambda *_: _TAXA),
)


def rank_metric(name: str) -> RankMetric:
    """Look up a metric by name.

    Raises:
        ValueError: There is none of that name, or a package takes the name of one that is built in.
    """
    known, added = extra_metrics(), added_metrics()
    if added.clashes:
        raise ValueError(added.clashes[0])
    if name not in known:
        left_out = f" One is left out: {added.left_out[name]}." if name in added.left_out else ""
        raise ValueError(f"found {name!r}; expected one of {', '.join(sorted(known))}.{left_out}{nearest(name, known)}")
    return known[name]


def names_of(extras: Collection[str], k_values: Sequence[int], common: Sequence[str]) -> tuple[str, ...]:
    """List the names of what the metrics that a task asks for compute. Raises ValueError as `rank_metric`."""
    return tuple(name for extra in extras for name in rank_metric(extra).names(k_values, common))


@cache
def extra_metrics() -> dict[str, RankMetric]:
    """List all metrics by name, those of installed packages included."""
    return {**{metric.name: metric for metric in _BUILT_IN}, **added_metrics().found}


@cache
def added_metrics() -> PlugIns[RankMetric]:
    """List the metrics of installed packages, which take no name of one that is built in."""
    taken = {metric.name for metric in _BUILT_IN}
    return plug_ins("embedmark.metrics", "metric", RankMetric, taken, lambda metric: (str(metric.name),), _fault)


def _fault(metric: RankMetric) -> str | None:
    if not isinstance(metric.implementation, str) or ":" not in metric.implementation:
        return "whose `implementation` is not of the form module:function"
    if metric.adds is not None and not callable(metric.adds):
        return "whose `adds` is no function"
    return None
