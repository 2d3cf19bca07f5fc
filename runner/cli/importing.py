"""`import`: scores that others measured, kept apart from one's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from embedmark.runner.common.errors import FAILED, OK, UserError
from embedmark.runner.common.text import counted, say
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange import store
from embedmark.runner.exchange.sources import read

if TYPE_CHECKING:
    import polars as pl

_SHOWN = 20


def import_scores(paths: Sequence[Path], outputs: Path, folders: Sequence[Path]) -> int:
    """Read scores of others into outputs/imported, and say what was broken, odd, or contradicting.

    Args:
        paths: What is read; see `runner/exchange/sources.py`.
        outputs: The folder of results.
        folders: The user's own config folders, which say what the main metric of a task is.

    Returns:
        1 where anything was broken or contradicting, else 0.

    Raises:
        UserError: A path holds nothing that can be read.
        OutputError: The store cannot be written.
    """
    catalogue = Catalogue.of(folders)
    main_metric = main_metrics(catalogue)
    status = OK
    for path in paths:
        found = read(path, main_metric, catalogue)
        say(
            f"{path}: {counted(found.files + len(found.broken), 'file')}: "
            f"{found.files} read, {len(found.broken)} broken"
        )
        _say_lines(found.broken)
        for note, times in sorted(_counted_notes(found.notes).items()):
            say(f"  {times:,} {note}")
        if found.scores.is_empty():
            status = FAILED if found.broken else status
            continue
        added = store.add(outputs, found.scores)
        models, tasks = (found.scores[name].n_unique() for name in ("model", "task"))
        say(
            f"  {counted(found.scores.height, 'score')} of {counted(models, 'model')} on {counted(tasks, 'task')}: "
            f"{added.new} new, {added.known} known and equal, {added.contradicting.height} contradicting"
        )
        _say_lines(list(_contradictions(added.contradicting)))
        size = store.path_of(outputs).stat().st_size / 1e6
        say(f"{store.path_of(outputs)}: {counted(added.total, 'score')}, {size:.1f} MB")
        status = FAILED if found.broken or not added.contradicting.is_empty() else status
    return status


def main_metrics(catalogue: Catalogue) -> Callable[[str], str | None]:
    """Return a function: the name of a task → its main metric; None for a task that the catalogue lacks."""

    @cache
    def main_metric(task: str) -> str | None:
        if not catalogue.has("task", task):
            return None
        try:
            return catalogue.task(task).main_metric
        except UserError:
            return None

    return main_metric


def _counted_notes(notes: Counter[str]) -> dict[str, int]:
    return {note: times for note, times in notes.items() if times}


def _contradictions(found: pl.DataFrame) -> list[str]:
    return [
        f"contradicting: {row['model']} {row['task']} [{row['split']}] {row['subset']}: "
        f"{row['score']} in {row['source']}, {row['other_score']} in {row['other_source']}"
        for row in found.head(_SHOWN + 1).iter_rows(named=True)
    ]


def _say_lines(lines: Sequence[str]) -> None:
    for line in lines[:_SHOWN]:
        say(f"  {line}")
    if len(lines) > _SHOWN:
        say(f"  and {len(lines) - _SHOWN} more")
