"""Rules over result files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from embedmark.runner.common.errors import UserError
from embedmark.runner.exchange.result_file import ResultFile, read_result
from embedmark.runner.exchange.sources import MainMetric, result_files
from embedmark.runner.lint.finding import Finding
from embedmark.runner.lint.over_rows import RowRule, faults

_MOST, _ENOUGH = 0.8, 5
"""A rule that most files of a task break, of at least so many, is broken by the task's own rules."""


def lint_files(root: Path, main_metric: MainMetric) -> Iterator[Finding]:
    """Apply all rules to the result files at or below a path.

    What nearly all files of a task have in common is one finding about the task.

    Args:
        root: A file, a folder of them, or a checkout of the field's results repository.
        main_metric: The main metric of a task today; None where it is not known.

    Raises:
        UserError: There is nothing to read.
    """
    found: dict[tuple[str, RowRule], list[Finding]] = defaultdict(list)
    of_task: dict[str, int] = defaultdict(int)
    files, broken = result_files(root)
    for line in broken:
        yield Finding("error", "file", str(root), line)
    for path in files:
        try:
            read = read_result(path, main_metric)
        except UserError as error:
            yield Finding("error", "file", str(path), str(error).removeprefix(f"{path}: "))
            continue
        of_task[read.task] += 1
        yield from _of_file(path, read)
        for row in read.rows:
            for rule, evidence in faults(row.metrics, row.experiments):
                where = f"{path} {row.subset} [{row.split}]"
                found[read.task, rule].append(Finding(rule.severity, rule.name, where, evidence, {"file": str(path)}))
    yield from _grouped(found, of_task)


def _of_file(path: Path, read: ResultFile) -> Iterator[Finding]:
    for note, times in read.notes.items():
        yield Finding("info", "layout", str(path), f"{note}: {times}")
    if read.layout == "before 1.11":
        yield Finding("info", "layout", str(path), "the layout before 1.11: no revision of the data, no version")
    elif read.version is None:
        yield Finding("info", "layout", str(path), "no version")


def _grouped(found: dict[tuple[str, RowRule], list[Finding]], of_task: dict[str, int]) -> Iterator[Finding]:
    for (task, rule), findings in found.items():
        n = len({finding.facts["file"] for finding in findings})
        if n >= _ENOUGH and n >= _MOST * of_task[task]:
            text = f"{n} of {of_task[task]} files: the task's own rules, most likely; one is {findings[0].evidence}"
            yield Finding("look", rule.name, task, text)
        else:
            yield from findings
