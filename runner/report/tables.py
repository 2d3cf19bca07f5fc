"""A report for people: percent with two digits, as the field prints scores; cut into blocks that fit the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from embedmark.runner.common.terminal import plain_table
from embedmark.runner.common.text import counted
from embedmark.runner.report.aggregate import Aggregate, Cell, Column

MISSING = "–"
SCALE = "scores × 100"
MEANS = ("Mean (Task)", "Mean (TaskType)")

_SCORE_WIDTH = 6
_GAP = 2
_LONGEST_WORD = 20
_INDENT = "  "


def percent(score: float | None) -> str:
    """A score, or a mean, as tables show it."""
    return MISSING if score is None else f"{100 * score:.2f}"


def cell_text(cell: Cell) -> str:
    """A cell: its score, that it failed, or a dash."""
    texts = {"failed": "failed", "undefined": "nan", "incomplete": "part", "stale": "stale"}
    return percent(cell.score) if cell.status == "done" else texts.get(cell.status, MISSING)


def headline(report: Aggregate) -> str:
    """What the tables below it are of."""
    models, tasks = len(report.columns), report.n_tasks
    what = f"{counted(models, 'model')}, {counted(tasks, 'task')}; {SCALE}"
    return f"{report.title}: {what}" if report.title else what


def print_report(report: Aggregate, console: Console) -> None:
    """Print the headline, the table of models, the tasks in blocks, and all that has to be said about them."""
    console.print(headline(report), style="bold", highlight=False, markup=False)
    for table in tables(report, console.width):
        console.print()
        console.print(table)
    said = notes(report)
    if said:
        console.print()
    for note in said:
        console.print(note, highlight=False, markup=False, style="dim")


def tables(report: Aggregate, width: int) -> Iterator[RenderableType]:
    """The models with their means, then tasks × models; where so many models do not fit, models × tasks or types."""
    if not report.columns:
        return
    longest = max((len(_INDENT + task.label) for task in report.tasks), default=0)
    names = min(max(longest, len(MEANS[1])), width // 2)
    heads = _heads(report.columns, width - names)
    yield _models(report)
    if heads is None:
        yield from _transposed(report, width)
    else:
        yield _block(report, report.columns, heads, names)


def notes(report: Aggregate) -> list[str]:
    """List which models have no mean and why, and what the aggregation left out."""
    return [*(_without_mean(column) for column in report.columns if column.lacking), *report.notes]


def _without_mean(column: Column, shown: int = 5) -> str:
    lacking = column.lacking
    more = f" and {len(lacking) - shown} more" if len(lacking) > shown else ""
    return f"{column.label} has no mean: {', '.join(lacking[:shown])}{more}"


def _models(report: Aggregate) -> Table:
    table = plain_table()
    table.add_column("#", justify="right")
    table.add_column("model", overflow="fold")
    for name in (*MEANS, "tasks"):
        table.add_column(name, justify="right", no_wrap=True)
    for number, column in enumerate(report.columns, 1):
        done = f"{column.n_done}/{report.n_tasks}"
        table.add_row(str(number), Text(column.label), percent(column.mean_task), percent(column.mean_type), done)
    return table


def _heads(columns: Sequence[Column], width: int) -> list[str] | None:
    """Short names where all of them fit beside each other, otherwise the numbers of the table of models, if they do."""
    one_name = len({column.model for column in columns}) == 1
    short = [column.among_its_variants if one_name else column.short for column in columns]
    numbers = [f"#{number}" for number in range(1, len(columns) + 1)]
    for heads in (short, numbers):
        if len(heads) * (_GAP + max(_SCORE_WIDTH, *map(len, heads))) <= width and len(set(heads)) == len(heads):
            return heads
    return None


def _transposed(report: Aggregate, width: int) -> Iterator[RenderableType]:
    """A row a model, by the numbers of the table of models; by task where these fit, else by type, in blocks."""
    columns = [
        (task.label, [cell_text(column.cells[task.label]) for column in report.columns]) for task in report.tasks
    ]
    numbers = len(str(len(report.columns)))
    room = width - numbers
    folded = sum(map(_needs, columns)) > room
    if folded:
        columns = [(kind, [percent(column.type_means[kind]) for column in report.columns]) for kind in report.types]
    while columns:
        taken = 1
        while taken < len(columns) and sum(map(_needs, columns[: taken + 1])) <= room:
            taken += 1
        yield _of_models(columns[:taken], numbers, len(report.columns))
        columns = columns[taken:]
    if folded:
        yield Text("by type, since there are more models than fit; report.md and report.csv have each task", "dim")


def _needs(column: tuple[str, list[str]]) -> int:
    """The width of a column: its head is folded between words, its scores are not."""
    head, scores = column
    return _GAP + max(_SCORE_WIDTH, min(_LONGEST_WORD, max(map(len, _words(head).split()))), *map(len, scores))


def _words(name: str) -> str:
    """A name with blanks where it may be folded: `MultilabelClassification` has none of its own."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


def _of_models(columns: Sequence[tuple[str, list[str]]], numbers: int, models: int) -> Table:
    table = plain_table(gap=_GAP)
    table.add_column("#", justify="right", no_wrap=True, width=numbers)
    for column in columns:
        table.add_column(Text(_words(column[0])), justify="right", overflow="fold", width=_needs(column) - _GAP)
    for place in range(models):
        table.add_row(str(place + 1), *(scores[place] for _, scores in columns))
    return table


def _block(report: Aggregate, columns: Sequence[Column], heads: Sequence[str], names: int) -> Table:
    table = plain_table(gap=_GAP)
    table.add_column("task", overflow="fold", width=names)
    for head in heads:
        table.add_column(Text(head), justify="right", no_wrap=True, min_width=_SCORE_WIDTH)
    for kind, tasks in report.types.items():
        table.add_row(kind, *(percent(column.type_means[kind]) for column in columns), style="bold")
        for task in tasks:
            scores = [cell_text(column.cells[task.label]) for column in columns]
            table.add_row(Text(_INDENT + task.label), *scores)
    table.add_section()
    table.add_row(MEANS[0], *(percent(column.mean_task) for column in columns), style="bold")
    table.add_row(MEANS[1], *(percent(column.mean_type) for column in columns), style="bold")
    return table
