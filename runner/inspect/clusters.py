"""Documents far from those of their label, and labels that are split over clusters."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.inspect.items import Items, Parts, Source, numbered, text_of
from embedmark.tasks.clusters.clustering import Clustering

_SHOWN = 10
_NOTES = 5


def documents(source: Source) -> Items:
    """A document went well as far as others of its label are in its cluster, over levels and repetitions.

    Notes: the labels, of the finest level, that are split most.
    """
    arrays, label = source.arrays, source.arrays["label"]
    n = label.shape[1]
    together, seen = np.zeros(n), np.zeros(n)
    split: dict[int, list[tuple[int, float]]] = {}
    for level, drawn, cluster in zip(arrays["level"], arrays["drawn"], arrays["cluster"], strict=True):
        table = _table(label[level][drawn], cluster)
        share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        np.add.at(together, drawn, share[label[level][drawn], cluster])
        np.add.at(seen, drawn, 1)
        if level == len(label) - 1:
            for code in np.flatnonzero(table.sum(axis=1)):
                split.setdefault(int(code), []).append((int((table[code] > 0).sum()), float(share[code].max())))
    score = np.where(seen > 0, together / np.maximum(seen, 1), np.nan)
    task = source.prepared.task
    assert isinstance(task, Clustering)
    named = task.sampled_labels(source.prepared.data)
    texts = source.evaluated

    def parts(row: int) -> Parts:
        told = f"{score[row]:.0%} of what has its label is in its cluster"
        return (("text", text_of(texts[row])), ("label", " / ".join(map(str, named[row]))), ("together", told))

    names = {int(code): str(labels[-1]) for code, labels in zip(label[-1], named, strict=True) if code >= 0}
    return Items(arrays["_unit"], score, numbered("document"), parts, _notes(split, names))


def _table(labels: NDArray[np.integer], clusters: NDArray[np.integer]) -> NDArray[np.int64]:
    """How many documents of each label are in each cluster: (labels, clusters)."""
    table = np.zeros((int(labels.max(initial=0)) + 1, int(clusters.max(initial=0)) + 1), dtype=np.int64)
    np.add.at(table, (labels, clusters), 1)
    return table


def _notes(split: dict[int, list[tuple[int, float]]], names: dict[int, str]) -> tuple[str, ...]:
    means = {code: np.mean(found, axis=0) for code, found in split.items()}
    worst = sorted(means, key=lambda code: means[code][1])[:_NOTES]
    return tuple(
        f"label {names[code]} is in {means[code][0]:.3g} clusters, {means[code][1]:.0%} of it in the largest"
        for code in worst
        if means[code][0] > 1
    )


def tables(source: Source) -> Items:
    """Of the older protocol: a row of many sentences went well as far as its clusters are its labels (V-measure)."""
    if "cluster" in source.arrays:
        return _whole(source)
    rows, settings = source.rows, source.settings
    sentences, labels = rows[settings.input_column], rows[settings.label_column]

    def parts(row: int) -> Parts:
        counts = Counter(map(str, labels[row]))
        told = ", ".join(f"{name} ({count})" for name, count in counts.most_common(_SHOWN))
        some = zip(labels[row][:_SHOWN], sentences[row][:_SHOWN], strict=True)
        return (("labels", told), *((f"of {label}", str(sentence)) for label, sentence in some))

    return Items(source.arrays["_unit"], source.arrays["v_measure"].astype(np.float64), numbered("row"), parts)


def _whole(source: Source) -> Items:
    """A row of a split that is clustered once went well as far as others of its label are in its cluster."""
    label, cluster = source.arrays["label"], source.arrays["cluster"]
    table = _table(label, cluster)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    score = share[label, cluster]
    labels, items = source.rows[source.settings.label_column], source.evaluated

    def parts(row: int) -> Parts:
        told = f"{score[row]:.0%} of what has its label is in its cluster"
        return (("text", text_of(items[row])), ("label", str(labels[row])), ("together", told))

    split = {int(code): [(int((table[code] > 0).sum()), float(share[code].max()))] for code in np.unique(label)}
    names = {int(code): str(name) for code, name in zip(label, labels, strict=True)}
    return Items(source.arrays["_unit"], score, numbered("row"), parts, _notes(split, names))
