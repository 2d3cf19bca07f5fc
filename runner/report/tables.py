"""A report for people: percent with two digits, as the field prints scores; cut into blocks that fit the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from runner.report.aggregate import Aggregate, Cell, Column

MISSING = "–"
SCALE = "scores × 100"
MEANS = ("Mean (Task)", "Mean (TaskType)")

_SCORE_WIDTH = 6
_GAP = 2
_INDENT = "  "


def percent(score: float | None) -> str:
    """A score, or a mean, as tables show it."""
    return MISSING if score is None else f"{100 * score:.2f}"


def cell_text(cell: Cell) -> str:
    """A cell: its score, that it failed, or a dash."""
    texts = {"failed": "failed", "undefined": "nan", "incomplete": "part"}
    return percent(cell.score) if cell.status == "done" else texts.get(cell.status, MISSING)


def headline(report: Aggregate) -> str:
    """What the tables below it are of."""
    models, tasks = len(report.columns), len(report.tasks)
    counted = f"{models} {'model' if models == 1 else 'models'}, {tasks} {'task' if tasks == 1 else 'tasks'}; {SCALE}"
    return f"{report.title}: {counted}" if report.title else counted


def print_report(report: Aggregate, console: Console) -> None:
    """The headline, the table of models, the tasks in blocks, and all that has to be said about them."""
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
    """The table of models, then the tasks × models in blocks no wider than `width`."""
    yield _models(report)
    if not report.columns:
        return
    longest = max((len(_INDENT + task.name) for task in report.tasks), default=0)
    names = min(max(longest, len(MEANS[1])), width // 2)
    heads = _heads(report.columns, width - names)
    per_block = max(1, (width - names) // (_GAP + max(_SCORE_WIDTH, *map(len, heads))))
    for start in range(0, len(report.columns), per_block):
        yield _block(report, report.columns[start : start + per_block], heads[start : start + per_block], names)


def notes(report: Aggregate) -> list[str]:
    """Which models have no mean and why, and what the aggregation left out."""
    return [*(_lacks(column) for column in report.columns if column.lacking), *report.notes]


def _lacks(column: Column, shown: int = 5) -> str:
    lacking = column.lacking
    more = f" and {len(lacking) - shown} more" if len(lacking) > shown else ""
    return f"{column.label} has no mean: {', '.join(lacking[:shown])}{more}"


def _models(report: Aggregate) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("model", overflow="fold")
    for name in (*MEANS, "tasks"):
        table.add_column(name, justify="right", no_wrap=True)
    for number, column in enumerate(report.columns, 1):
        done = f"{column.n_done}/{len(report.tasks)}"
        table.add_row(str(number), Text(column.label), percent(column.mean_task), percent(column.mean_type), done)
    return table


def _heads(columns: Sequence[Column], width: int) -> list[str]:
    """Short names where all of them fit beside each other, otherwise the numbers of the table of models."""
    short = [column.short for column in columns]
    fit = len(short) * (_GAP + max(_SCORE_WIDTH, *map(len, short))) <= width
    return short if fit and len(set(short)) == len(short) else [f"#{number}" for number in range(1, len(columns) + 1)]


def _block(report: Aggregate, columns: Sequence[Column], heads: Sequence[str], names: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 0, 0, _GAP))
    table.add_column("task", overflow="fold", width=names)
    for head in heads:
        table.add_column(Text(head), justify="right", no_wrap=True, min_width=_SCORE_WIDTH)
    for kind, tasks in report.types.items():
        table.add_row(kind, *(percent(column.type_means[kind]) for column in columns), style="bold")
        for task in tasks:
            scores = [cell_text(column.cells[task.name]) for column in columns]
            table.add_row(Text(_INDENT + task.name), *scores)
    table.add_section()
    table.add_row(MEANS[0], *(percent(column.mean_task) for column in columns), style="bold")
    table.add_row(MEANS[1], *(percent(column.mean_type) for column in columns), style="bold")
    return table
