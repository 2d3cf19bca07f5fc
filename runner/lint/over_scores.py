"""Rules over all scores: a cell beside its column, a model beside what is expected of it, a model beside another."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from embedmark.runner.exchange.names import present_model
from embedmark.runner.lint.finding import About, Finding
from embedmark.runner.lint.fit import Fit, fit
from embedmark.runner.lint.table import CELL, ScoreTable

_IN_SECONDS = ("CPUSpeedTask", "GPUSpeedTask")
"""Tasks whose scores are no shares."""

_SAME = 1e-6


def out_of_range(table: ScoreTable) -> Iterator[Finding]:
    """Scores below -1 or above 1, but for those that are measured in seconds."""
    beyond = (pl.col("main_score") > 1) | (pl.col("main_score") < -1)
    for row in _named(table.cells.filter(beyond & ~pl.col("task").cast(pl.String).is_in(_IN_SECONDS))):
        yield Finding(
            "error", "range", _where(row), f"main_score {row['main_score']:g} is no share, and no correlation",
            about=_about(table, row),
        )  # fmt: skip


def doubled(table: ScoreTable) -> Iterator[Finding]:
    """Cells that are there several times: equal ones once too often, others in contradiction."""
    groups = table.doubled.group_by("model", *CELL).agg(
        pl.len().alias("n"), pl.col("main_score").min().alias("low"), pl.col("main_score").max().alias("high")
    )
    for row in _named(groups):
        if row["high"] - row["low"] > _SAME:
            text = f"{row['n']} scores, from {row['low']:g} to {row['high']:g}"
            yield Finding("warning", "contradicting", _where(row), text, about=_about(table, row))
        else:
            text = f"{row['n']} equal scores"
            yield Finding("info", "doubled", _where(row), text, about=_about(table, row))


_TENTH, _WELL_ABOVE = 0.1, 0.1


def zero(table: ScoreTable) -> Iterator[Finding]:
    """Scores of 0 where nine of ten models are well above it; baselines are exempt."""
    low = pl.col("main_score").quantile(_TENTH).over(CELL)
    count = pl.len().over(CELL)
    found = table.cells.with_columns(low.alias("low"), count.alias("n")).filter(
        (pl.col("main_score") == 0) & (pl.col("low") > _WELL_ABOVE) & (pl.col("n") >= _FEWEST)
    )
    for row in _named(found):
        if not table.is_baseline([row["model"]])[0]:
            yield Finding(
                "warning", "zero", _where(row),
                f"0, and nine of ten of {row['n']} models have {row['low']:.2f} or more", about=_about(table, row),
            )  # fmt: skip


_FEWEST = 10
_SUBSETS, _HALF, _LITTLE = 4, 0.5, 0.02
_QUARTER, _APART, _STEP = 0.25, 0.1, 3


def constant(table: ScoreTable) -> Iterator[Finding]:
    """One score on half of a model's subsets of a task, whose medians differ; or on a quarter, where they differ much
    and hardly another model has that score."""
    median = table.cells.group_by(CELL).agg(pl.col("main_score").median().alias("median"), pl.len().alias("n"))
    rounded = pl.col("main_score").round(6).alias("rounded")
    # Small test sets have few values: one that other models have as well is such a step.
    others = pl.col("model").n_unique().over("task", "split", "rounded") - 1
    spread, share = pl.col("high") - pl.col("low"), pl.col("n") / pl.col("of_model")
    most = (share >= _HALF) & (spread > _LITTLE)
    some = (share >= _QUARTER) & (spread > _APART) & (pl.col("others") < _STEP)
    found = (
        table.cells.filter(pl.col("main_score").is_between(*_INSIDE))
        .join(median.filter(pl.col("n") >= _FEWEST), on=list(CELL))
        .with_columns(rounded)
        .with_columns(others.alias("others"), pl.len().over("model", "task", "split").alias("of_model"))
        .group_by("model", "task", "split", "rounded")
        .agg(
            pl.len().alias("n"),
            pl.col("of_model").first(),
            pl.col("others").first(),
            pl.col("median").quantile(0.1, "nearest").alias("low"),
            pl.col("median").quantile(0.9, "nearest").alias("high"),
        )
        .filter((pl.col("n") >= _SUBSETS) & (most | some))
    )
    for row in _named(found):
        yield Finding(
            "warning", "constant", f"{row['model']} {row['task']} [{row['split']}]",
            f"{row['rounded']:.6g} on {row['n']} subsets, whose medians go from {row['low']:.2f} to {row['high']:.2f}",
            about=table.about(row["model"], row["task"], row["split"]),
        )  # fmt: skip


FLOOR = 0.03
"""What a model that fails scores at most."""

_EXPECTED = 0.3
_FAR, _MUCH, _SEVERAL = 7.0, 0.15, 4


def beside_expectation(table: ScoreTable) -> Iterator[Finding]:
    """Scores at the floor where much is expected, and runs of four or more tasks that are out of line together.

    A single score out of line is most often ability, and a high one always was: neither is reported.
    """
    if min(table.matrix.shape, default=0) < _FEWEST:
        return
    fitted = fit(table.matrix)
    baseline = table.is_baseline(table.model_names)
    yield from _at_the_floor(table, fitted, baseline)
    yield from _out_of_line(table, fitted, baseline)


def _at_the_floor(table: ScoreTable, fitted: Fit, baseline: np.ndarray) -> Iterator[Finding]:
    low = (table.matrix <= FLOOR) & (fitted.expected >= _EXPECTED) & ~baseline[:, None]
    for row, column in np.argwhere(low):
        yield Finding(
            "warning", "floor", f"{table.model_names[row]} {table.task_names[column]}",
            f"{table.matrix[row, column]:.4f}, expected {fitted.expected[row, column]:.2f}",
            about=table.about(table.model_names[row], table.task_names[column]),
        )  # fmt: skip


def _out_of_line(table: ScoreTable, fitted: Fit, baseline: np.ndarray) -> Iterator[Finding]:
    off = (fitted.z < -_FAR) & (fitted.expected - table.matrix > _MUCH) & ~baseline[:, None]
    version = {(row["model"], row["task"]): row["version"] for row in table.by_task.to_dicts()}
    runs: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for row, column in np.argwhere(off):
        model, task = table.model_names[row], table.task_names[column]
        below = fitted.expected[row, column] - table.matrix[row, column]
        runs[model, version[model, task] or "no version"].append((task, below))
    for (model, mteb), tasks in sorted(runs.items(), key=lambda run: -len(run[1])):
        if len(tasks) >= _SEVERAL:
            shown = ", ".join(f"{task} -{below:.2f}" for task, below in tasks[:5])
            more = f" and {len(tasks) - 5} more" if len(tasks) > 5 else ""
            about = tuple(one for task, _ in tasks for one in table.about(model, task))
            text = f"{len(tasks)} tasks: {shown}{more}"
            yield Finding("look", "out-of-line", f"{model} at {mteb}", text, about=about)


_DIGITS, _SHARE, _COMMON = 5, 0.3, 5
_INSIDE = (0.02, 0.98)


def twins(table: ScoreTable) -> Iterator[Finding]:
    """Two models with equal scores, to five digits, on 30 % of their common tasks, and none declared as the other's."""
    scores = table.matrix
    inside = np.isfinite(scores) & (scores > _INSIDE[0]) & (scores < _INSIDE[1])
    common = inside.astype(np.int32) @ inside.T.astype(np.int32)
    equal: Counter[tuple[int, int]] = Counter()
    for column in range(scores.shape[1]):
        rows = np.flatnonzero(inside[:, column])
        values = np.round(scores[rows, column], _DIGITS)
        order = np.argsort(values, kind="stable")
        cuts = np.flatnonzero(np.diff(values[order])) + 1
        for group in np.split(rows[order], cuts):
            equal.update(combinations(sorted(map(int, group)), 2))
    for (one, other), count in sorted(equal.items(), key=lambda pair: -pair[1]):
        n = int(common[one, other])
        if count >= _COMMON and count >= _SHARE * n and not _declared(table, one, other):
            a, b = table.model_names[one], table.model_names[other]
            yield Finding(
                "error", "twins", f"{a} {b}",
                f"equal in {count} of {n} tasks, and neither is said to be adapted from the other",
                {"models": [a, b], "equal": count, "common": n}, (*table.about(a), *table.about(b)),
            )  # fmt: skip


def _declared(table: ScoreTable, one: int, other: int) -> bool:
    a, b = table.model_names[one], table.model_names[other]
    sources = {table.facts[a].get("adapted_from"), table.facts[b].get("adapted_from")}
    return bool(sources & {a, b, present_model(a), present_model(b)})


def _named(frame: pl.DataFrame) -> list[dict[str, Any]]:
    names = [name for name in ("model", *CELL) if name in frame.columns]
    plain = frame.with_columns(pl.col(pl.Categorical).cast(pl.String))
    return plain.sort(names).to_dicts()


def _about(table: ScoreTable, row: dict[str, Any]) -> tuple[About]:
    return table.about(row["model"], row["task"], row["split"], row["subset"])


def _where(row: dict[str, Any]) -> str:
    return f"{row['model']} {row['task']} [{row['split']}] {row['subset']}"
