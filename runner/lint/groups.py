"""Tasks whose scores depend on which version or data measured them: a shift between groups of equally strong models.

A newer version has better models, so a difference of means says nothing. Models are matched: each of the smaller group
with the nearest in strength of the other, strength being what they score on other tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from embedmark.runner.common.names import version_numbers
from embedmark.runner.exchange.names import is_commit
from embedmark.runner.lint.finding import About, Finding
from embedmark.runner.lint.table import ScoreTable

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]

_MODELS = 16
_ROWS, _ORGANISATIONS = 5, 6
"""On both sides of a cut; else the models of one submitter are the group."""

_SCREENED = 4
_T, _SHIFT = 4.0, 0.05
_NEAREST, _DISTANCE = 3, 0.6
_SURE, _MANY, _AGREEING = 0.95, 10, 0.75


@dataclass(frozen=True)
class Group:
    """A shift between two groups of a task's models.

    Args:
        task: Its name.
        what: Which models are the smaller group, as in "since 1.18.2".
        shift: The median difference of matched models, positive where the smaller group is higher.
        sign: Share of differences that have the sign of the shift.
        score: What findings are sorted by: shift, times agreement, times balance.
        n: Models of the smaller group, and of all.
        matched: How many of the smaller group have a match.
        organisations: Of the smaller group.
        apart: Whether no score of one group is among those of the other.
        anchors: The three nearest pairs: a model of the smaller group with its score, and one of the other.
    """

    task: str
    what: str
    shift: float
    sign: float
    score: float
    n: tuple[int, int]
    matched: int
    organisations: int
    apart: bool
    anchors: tuple[tuple[str, float, str, float], ...]


def shifted_groups(table: ScoreTable) -> Iterator[Finding]:
    """Report the tasks with a shift, the largest first."""
    for group in find_groups(table):
        sure = (group.apart or group.sign >= _SURE) and group.organisations >= _MANY
        pairs = "; ".join(f"{one} {a:.3f}, {other} {b:.3f}" for one, a, other, b in group.anchors)
        side = "higher" if group.shift > 0 else "lower"
        yield Finding(
            "warning" if sure else "look", "group", group.task,
            f"{group.n[0]} of {group.n[1]} models {group.what} are {abs(group.shift):.3f} {side} than equals "
            f"({group.sign:.0%} of {group.matched} matched); {pairs}",
            {"what": group.what, "shift": group.shift, "score": group.score}, (About(task=group.task),),
        )  # fmt: skip


def find_groups(table: ScoreTable) -> list[Group]:
    """Find the shift of each task of texts, of those that have one; the largest first.

    For a task: models' strength is the mean normal score of their ranks, this task left out, over all tasks, over those
    of its type and over those of its languages, and the logarithm of their token limit. Candidates are every cut in the
    order of versions, every version and every data revision. The four with the largest shift of residuals are tested by
    Huber's regression with errors clustered by organisation; what passes is matched.
    """
    prepared = _Prepared(table)
    found = [group for task in prepared.tasks if (group := prepared.best(task)) is not None]
    return sorted(found, key=lambda group: -group.score)


class _Prepared:
    def __init__(self, table: ScoreTable) -> None:
        known = {row["name"]: row for row in table.tasks.to_dicts()}
        self.tasks = table.task_names
        self._column = {task: column for column, task in enumerate(table.task_names)}
        self._scores, self._models = table.matrix, np.array(table.model_names)
        self._organisation = np.array([name.partition("/")[0] for name in table.model_names])
        self._limit = np.array([_limit(table.facts[name]) for name in table.model_names])
        self._normal = _normal_scores(self._scores)
        self._types = {task: known.get(task, {}).get("type", "") for task in table.task_names}
        self._languages = {task: set(known.get(task, {}).get("languages", ())) for task in table.task_names}
        kept = table.by_task.filter(pl.col("task").is_in(self.tasks), pl.col("model").is_in(table.model_names))
        rows = {name: row for row, name in enumerate(table.model_names)}
        self._versions: dict[str, dict[int, tuple[str | None, str | None]]] = {task: {} for task in self.tasks}
        for row in kept.iter_rows(named=True):
            self._versions[row["task"]][rows[row["model"]]] = row["version"], row["data"]

    def best(self, task: str) -> Group | None:
        """The candidate whose matched models are furthest apart."""
        of_task = self._versions[task]
        rows = np.array(sorted(of_task))
        rows = rows[np.isfinite(self._scores[rows, self._column[task]])] if len(rows) else rows
        if len(rows) < _MODELS:
            return None
        y = self._scores[rows, self._column[task]]
        strength = self._strength(task, rows)
        if strength is None:
            return None
        design = np.column_stack([np.ones(len(rows)), strength])
        residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        labels = {row: of_task[int(row)] for row in rows.tolist()}
        candidates = _candidates([labels[row] for row in rows.tolist()])
        organisations = self._organisation[rows]
        ranked = sorted(
            (
                (_screen(residual, inside), what, inside)
                for what, inside in candidates.items()
                if _is_group(inside, organisations) and _is_group(~inside, organisations)
            ),
            key=lambda candidate: -candidate[0],
        )[:_SCREENED]
        tested = [(what, inside) for _, what, inside in ranked if _holds(y, design, inside, organisations)]
        groups = [group for what, inside in tested if (group := self._matched(task, what, rows, y, strength, inside))]
        return max(groups, key=lambda group: group.score, default=None)

    def _strength(self, task: str, rows: NDArray[np.int64]) -> Floats | None:
        others = np.array([name != task for name in self._column])
        same_type = np.array([self._types[name] == self._types[task] for name in self._column])
        same_language = np.array([bool(self._languages[name] & self._languages[task]) for name in self._column])
        everything = _mean(self._normal[rows], others)
        if not np.isfinite(everything).all():
            everything = np.where(np.isfinite(everything), everything, np.nanmedian(everything))
        parts = [everything]
        for some in (same_type, same_language):
            mean = _mean(self._normal[rows], others & some)
            parts.append(np.where(np.isfinite(mean), mean, everything))
        limit = self._limit[rows]
        parts.append(
            np.where(np.isfinite(limit), limit, np.nanmedian(limit)) if np.isfinite(limit).any() else limit * 0
        )
        return np.nan_to_num(np.column_stack(parts))

    def _matched(
        self, task: str, what: str, rows: NDArray[np.int64], y: Floats, strength: Floats, inside: Flags
    ) -> Group | None:
        if inside.sum() > (~inside).sum():
            inside, what = ~inside, _other_side(what)
        small, large = np.flatnonzero(inside), np.flatnonzero(~inside)
        distance = np.sqrt(((strength[small][:, None] - strength[large][None]) ** 2).sum(axis=2))
        nearest = np.argsort(distance, axis=1)[:, :_NEAREST]
        near = np.take_along_axis(distance, nearest, axis=1)
        usable = near < _DISTANCE
        matched = usable.any(axis=1)
        if matched.sum() < _ROWS:
            return None
        partner = np.where(usable, y[large][nearest], np.nan)
        difference = y[small][matched] - np.nanmean(partner[matched], axis=1)
        shift = float(np.median(difference))
        sign = float((np.sign(difference) == np.sign(shift)).mean())
        if abs(shift) < _SHIFT or sign < _AGREEING:
            return None
        share = float(inside.mean())
        score = abs(shift) * (2 * sign - 1) * 2 * np.sqrt(share * (1 - share))
        order = np.argsort(near[:, 0])[:3]
        anchors = tuple(
            (
                str(self._models[rows[small[place]]]), float(y[small[place]]),
                str(self._models[rows[large[nearest[place, 0]]]]), float(y[large[nearest[place, 0]]]),
            )
            for place in order
        )  # fmt: skip
        apart = bool(y[small].min() > y[large].max() or y[small].max() < y[large].min())
        organisations = len(set(self._organisation[rows[small]]))
        n = (len(small), len(rows))
        return Group(task, what, shift, sign, float(score), n, int(matched.sum()), organisations, apart, anchors)


def _limit(facts: Mapping[str, object]) -> float:
    limit = facts.get("max_tokens")
    return float(np.log2(min(limit, 1e6))) if isinstance(limit, (int, float)) and limit > 0 else np.nan


def _normal_scores(scores: Floats) -> Floats:
    """Each task's scores as quantiles of the normal distribution by their ranks."""
    found = np.full(scores.shape, np.nan)
    for column in range(scores.shape[1]):
        known = np.isfinite(scores[:, column])
        n = int(known.sum())
        if n:
            found[known, column] = norm.ppf((rankdata(scores[known, column]) - 0.5) / n)
    return found


def _mean(scores: Floats, columns: Flags) -> Floats:
    some = scores[:, columns]
    known = np.isfinite(some)
    n = known.sum(axis=1)
    total = np.where(known, some, 0.0).sum(axis=1)
    mean: Floats = np.where(n > 0, total / np.maximum(n, 1), np.nan)
    return mean


def _candidates(labels: list[tuple[str | None, str | None]]) -> dict[str, Flags]:
    """Words → which models: since a version, at a version, on a data revision."""
    versions = [version_numbers(version) for version, _ in labels]
    found: dict[str, Flags] = {}
    known = {".".join(map(str, version)): version for version in sorted({version for version in versions if version})}
    for text, version in known.items():
        found[f"since {text}"] = np.array([own >= version if own else False for own in versions])
    for text, version in known.items():
        found[f"at {text}"] = np.array([own == version for own in versions])
    for data in sorted({data for _, data in labels if data and is_commit(data)}):
        found[f"on data {data[:8]}"] = np.array([own == data for _, own in labels])
    # The same two groups under another name are one candidate: what is said first is said best.
    seen: dict[bytes, str] = {}
    for what, inside in found.items():
        side = inside if inside[0] else ~inside
        seen.setdefault(side.tobytes(), what)
    return {what: found[what] for what in seen.values()}


def _other_side(what: str) -> str:
    if what.startswith("since "):
        return f"before {what.removeprefix('since ')}"
    return f"not {what}"


def _is_group(inside: Flags, organisations: NDArray[Any]) -> bool:
    return bool(inside.sum() >= _ROWS) and len(set(organisations[inside])) >= _ORGANISATIONS


def _screen(residual: Floats, inside: Flags) -> float:
    share = inside.mean()
    return float(abs(np.median(residual[inside]) - np.median(residual[~inside])) * np.sqrt(share * (1 - share)))


def _holds(y: Floats, design: Floats, inside: Flags, organisations: NDArray[Any]) -> bool:
    """Whether a shift remains beside strength, in a robust regression with errors clustered by organisation."""
    x = np.column_stack([design, inside.astype(np.float64)])
    weights = np.ones(len(y))
    for _ in range(20):
        weighted = x * weights[:, None]
        coefficients = np.linalg.lstsq(weighted.T @ x, weighted.T @ y, rcond=None)[0]
        residual = y - x @ coefficients
        scale = max(1.4826 * float(np.median(np.abs(residual))), 1e-4)
        weights = np.minimum(1.0, 1.345 / np.maximum(np.abs(residual) / scale, 1e-9))
    bread = np.linalg.pinv((x * weights[:, None]).T @ x)
    score = x * (weights * residual)[:, None]
    clusters = np.unique(organisations, return_inverse=True)[1]
    summed = np.zeros((clusters.max() + 1, x.shape[1]))
    np.add.at(summed, clusters, score)
    variance = (bread @ summed.T @ summed @ bread)[-1, -1]
    shift = coefficients[-1]
    return bool(abs(shift) >= _SHIFT and abs(shift) / np.sqrt(max(variance, 1e-12)) >= _T)
