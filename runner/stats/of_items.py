"""From a job's items to a sample: what one unit of each task type is, and how it moves the main score.

A row of `KINDS` a task type; docs/items.md says what the arrays are. Types of packages need none where `items` has an
array of the main metric's name whose mean is the score.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.text import shortened
from embedmark.runner.stats import of_clusters, of_labels, of_pairs
from embedmark.runner.stats.checked_items import NoSampleError, check_arrays, check_sample
from embedmark.runner.stats.sample import Sample, Scale, of_values
from embedmark.tasks.item_arrays import CLUSTER, LEFT_OUT, UNIT, ItemArrays, units_of

Floats: TypeAlias = NDArray[np.float64]

_BELOW_ZERO = frozenset({"p-MRR"})
"""Metrics of single items that may be below 0, also where none in a record is."""


@dataclass(frozen=True)
class Kind:
    """How a task type's items are read.

    Args:
        unit: What one item is called.
        sample: (main metric, items) → sample without clusters.
    """

    unit: str
    sample: Callable[[str, ItemArrays, str], Sample]


def sample_of(kind: str, main_metric: str, items: ItemArrays) -> Sample:
    """Make the sample of a job's main score.

    Args:
        kind: The task type, as identity.json has it.
        main_metric: The metric on record.
        items: The arrays of items.npz.

    Raises:
        NoSampleError: They do not hold what the metric needs, nothing varies in them, they are not as items are, or no
            way is known.
    """
    check_arrays(items)
    found = KINDS.get(kind, _OTHER)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd numbers: what comes of them is looked at
            made = found.sample(main_metric, items, found.unit)
            check_sample(made)
    except KeyError as error:
        name = error.args[0]
        why = "left out for its size" if name in items.get(LEFT_OUT, np.empty(0)) else "which the items lack"
        raise NoSampleError(f"{main_metric} needs {name!r}, {why}") from None
    except ValueError as error:
        raise NoSampleError(str(error)) from None
    except (TypeError, IndexError, ArithmeticError, MemoryError) as error:
        raise NoSampleError(f"its arrays do not fit together for {main_metric}: {shortened(str(error), 120)}") from None
    if made.n_units and CLUSTER in items and made.unit_name == found.unit:
        place = np.searchsorted(items[UNIT], made.unit, sorter=(order := np.argsort(items[UNIT])))
        return replace(made, cluster=items[CLUSTER][order[place]].astype(np.int64))
    return made


def _mean(metric: str, items: ItemArrays, unit: str, scale: Scale = "share") -> Sample:
    values = items[metric].astype(np.float64)
    if values.ndim != 1 or not values.size:
        raise NoSampleError(f"{metric} is no mean over items")
    own = units_of(metric, items)
    name = unit if own is items[UNIT] else "group"
    return of_values(values, own, name, "plain" if metric in _BELOW_ZERO else scale)


def _ranked(metric: str, items: ItemArrays, unit: str) -> Sample:
    """Of rankings, whose accuracy is the recall of the first document."""
    return _mean("recall_at_1" if metric == "accuracy" else metric, items, unit)


def _legacy_clustering(metric: str, items: ItemArrays, unit: str) -> Sample:
    if "cluster" in items:
        raise NoSampleError(f"{metric} is of one clustering, and how another start of k-means moves it is not known")
    return _mean(metric, items, unit, "plain")


_QUERIES = Kind("query", _ranked)
_OTHER = Kind("item", _mean)

KINDS = {
    "classification": Kind("row", of_labels.classification),
    "zeroshot_classification": Kind("row", of_labels.zero_shot),
    "zeroshot_image_classification": Kind("row", of_labels.zero_shot),
    "multilabel_classification": Kind("row", of_labels.multilabel),
    "regression": Kind("row", of_labels.regression),
    "clustering": Kind("document", of_clusters.clustering),
    "clustering_legacy": Kind("row", _legacy_clustering),
    "sts": Kind("pair", of_pairs.sts),
    "pair_classification": Kind("pair", of_pairs.pairs),
    "compositionality": Kind("row", _mean),
    "bitext_mining": Kind("source", of_pairs.bitext),
    "summarization": Kind("text", of_pairs.summarization),
    "arrangement": Kind("arrangement", of_pairs.arrangement),
    "retrieval": _QUERIES,
    "reranking": _QUERIES,
    "instruction_retrieval": _QUERIES,
    "instruction_reranking": _QUERIES,
}
"""Task type → how its items are read."""
