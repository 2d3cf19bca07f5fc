"""Comparisons and scores with intervals, as tables on a terminal and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from embedmark.runner.common.terminal import plain_table
from embedmark.runner.compare import words
from embedmark.runner.compare.comparison import Asked, Comparison, TaskComparison
from embedmark.runner.compare.curve import Curve
from embedmark.runner.compare.scores import ModelScores
from embedmark.runner.stats.intervals import NoInterval
from embedmark.runner.stats.paired import Paired

_BAR, _GAP = 21, 2
_SHORTEST = 12
"""Characters that a task's name has at least, however narrow a terminal is."""

_STYLES = {"better": "green", "worse": "red", "cannot tell": "dim"}


def print_comparison(pair: Comparison, asked: Asked, console: Console) -> None:
    """Print a pair of models: a row a task, with a bar of its interval, and what all tasks say."""
    console.print(words.headline(pair), style="bold", highlight=False, markup=False, soft_wrap=True)
    table = _comparison_table(pair, asked, console.width)
    console.print(table, width=max(console.width, table.width or 0), crop=False)
    for line in words.task_notes(pair):
        console.print(line, highlight=False, markup=False, soft_wrap=True, style="dim")
    console.print()
    for line in words.overall_lines(pair, asked):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for line in words.left_out(pair):
        console.print(line, highlight=False, markup=False, soft_wrap=True, style="dim")


def _comparison_table(pair: Comparison, asked: Asked, width: int) -> Table:
    """A narrow terminal has no bars, and names of tasks are folded to what numbers leave of it."""
    heads = ("A", "B", "A − B", f"{100 * asked.level:g} %", f"p ({_adjusted(asked)})", "verdict")
    rows = [_cells(task) for task in pair.tasks]
    longest = max(cell_len(task.task) for task in pair.tasks)
    columns = zip(heads, *(map(str, row[1:]) for row in rows), strict=True)
    room = width - sum(_GAP + max(map(len, column)) for column in columns)
    widest = max((_reach(task) for task in pair.tasks), default=0.0)
    names = max(min(longest, room), _SHORTEST)
    with_bar = widest > 0 and longest + _GAP + _BAR <= room
    table = plain_table(gap=_GAP)
    table.add_column("task", overflow="fold", width=names)
    for name in heads[:-1]:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column(heads[-1], no_wrap=True)
    if with_bar:
        low, high = words.points(-widest, 1), words.points(widest, 1)
        table.add_column(f"{low}{high:>{_BAR - len(low)}}", no_wrap=True)
    if room < _SHORTEST:  # a line that the terminal folds is better than numbers that are cut
        table.width = width - room + names
    for task, row in zip(pair.tasks, rows, strict=True):
        table.add_row(*row, *([Text(bar(task, widest))] if with_bar else []))
    return table


def _adjusted(asked: Asked) -> str:
    return {"holm": "Holm", "bh": "BH"}[asked.adjust]


def _reach(task: TaskComparison) -> float:
    found = task.paired
    return max(abs(found.low), abs(found.high)) if isinstance(found, Paired) else 0.0


def _cells(task: TaskComparison) -> list[Text]:
    found = task.paired
    texts = [task.task, f"{100 * task.a:.2f}", f"{100 * task.b:.2f}", words.points(task.difference)]
    if isinstance(found, NoInterval):
        return [*map(Text, texts), Text("–"), Text(""), Text("no test", "dim")]
    verdict = task.verdict or ""
    return [
        *map(Text, texts),
        Text(words.ends(found.low, found.high)),
        Text(words.p_value(task.p)),
        Text(verdict, _STYLES.get(verdict, "")),
    ]


def bar(task: TaskComparison, widest: float) -> str:
    """Draw an interval around 0 in `_BAR` characters: ━ its length, ● the difference, │ zero."""
    found = task.paired
    if isinstance(found, NoInterval) or widest == 0:
        return ""
    middle = _BAR // 2
    low, at, high = (round(middle * (1 + value / widest)) for value in (found.low, found.difference, found.high))
    drawn = ["━" if low <= place <= high else " " for place in range(_BAR)]
    drawn[middle] = "┿" if low <= middle <= high else "│"
    drawn[at] = "●"
    return "".join(drawn)


def comparison_json(pairs: Sequence[Comparison], asked: Asked) -> dict[str, Any]:
    """Every number of the comparisons, on the metrics' own scales; null where there is none."""
    return _json(asked=asdict(asked), comparisons=[_pair_json(pair) for pair in pairs])


def _pair_json(pair: Comparison) -> dict[str, Any]:
    found = asdict(pair)
    for told, task in zip(found["tasks"], pair.tasks, strict=True):
        told["difference"] = task.difference
        told["no_test"] = task.paired.reason if isinstance(task.paired, NoInterval) else None
        told["paired"] = None if isinstance(task.paired, NoInterval) else told["paired"]
    return found


def _json(**values: Any) -> dict[str, Any]:
    return {"schema": 1, **{key: _without_nan(value) for key, value in values.items()}}


def _without_nan(value: Any) -> Any:
    """JSON has no NaN, which the standard error of a single family is."""
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def print_scores(models: Sequence[ModelScores], level: float, console: Console) -> None:
    """Print each model's scores with their intervals, and its mean with both."""
    for model in models:
        console.print()
        console.print(model.model, style="bold", highlight=False, markup=False)
        table = plain_table("task")
        table.add_column("metric")
        table.add_column("score", justify="right", no_wrap=True)
        table.add_column(f"{100 * level:g} %", no_wrap=True)
        table.add_column("from", overflow="fold")
        for one in model.tasks:
            table.add_row(
                Text(one.task), Text(one.metric), f"{100 * one.score:.2f}", words.score_ends(one.interval),
                Text(words.from_what(one.interval)),
            )  # fmt: skip
        console.print(table)
        for line in _mean_lines(model):
            console.print(line, highlight=False, markup=False, soft_wrap=True)


def _mean_lines(model: ModelScores) -> list[str]:
    mean = model.mean
    if mean is None:
        return []
    lines = [f"mean over {mean.spread.n_units} tasks: {100 * mean.mean:.2f}"]
    if mean.as_it_is is None:
        lines.append(f"  this benchmark as it is:  no interval, since there is none of {words.named(model.without, 3)}")
    else:
        low, high = mean.as_it_is
        lines.append(f"  this benchmark as it is:  {100 * low:.2f} – {100 * high:.2f}  (new items of these tasks)")
    if mean.like_these is None:
        lines.append(f"  tasks like these:         no interval: {words.families(model.n_families)}; three are needed")
    else:
        low, high = mean.like_these
        families = f"{model.n_families} families, with this mix of types"
        lines.append(f"  tasks like these:         {100 * low:.2f} – {100 * high:.2f}  ({families})")
    return lines


def scores_json(models: Sequence[ModelScores], level: float) -> dict[str, Any]:
    """Every score with its interval, on the metrics' own scales."""
    return _json(level=level, models=[_model_json(model) for model in models])


def _model_json(model: ModelScores) -> dict[str, Any]:
    found = asdict(model)
    for told, one in zip(found["tasks"], model.tasks, strict=True):
        if isinstance(one.interval, NoInterval):
            told |= {"interval": None, "no_interval": one.interval.reason}
    return found


def print_curve(found: Curve, asked: Asked, console: Console) -> None:
    """Print a training run: a row a checkpoint, and from where on nothing can be told."""
    what = f"mean over {len(found.tasks)} tasks" if len(found.tasks) > 1 else found.tasks[0]
    console.print(what, style="bold", highlight=False, markup=False)
    table = plain_table("step" if found.is_numbered else "run")
    table.add_column("checkpoint", overflow="fold")
    for name in ("score", f"{100 * asked.level:g} %", "change", f"{100 * asked.level:g} % of it", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    for point in found.points:
        score = f"{100 * point.score:.2f}"
        change = _change(point.change)
        table.add_row(f"{point.step:g}", Text(point.label), score, words.score_ends(point.interval), *change)
    console.print(table)
    console.print()
    for line in words.curve_lines(found):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _change(found: Paired | NoInterval | None) -> tuple[str, str, str]:
    if not isinstance(found, Paired):
        return "–", "", ""
    return words.points(found.difference), words.ends(found.low, found.high), words.p_value(found.p)


def curve_json(found: Curve, asked: Asked) -> dict[str, Any]:
    """Every number of a training run, on the metrics' own scales."""
    told = asdict(found)
    for point, one in zip(told["points"], found.points, strict=True):
        if isinstance(one.interval, NoInterval):
            point |= {"interval": None, "no_interval": one.interval.reason}
        if isinstance(one.change, NoInterval):
            point |= {"change": None, "no_test": one.change.reason}
    return _json(asked=asdict(asked), curve=told)
