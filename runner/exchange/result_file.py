"""One published result file, in every layout that lies about: told apart by its keys, never by its version.

A (`task_name`, `scores`: split → rows) is what the field writes since 1.11, with or without a version; C
(`mteb_dataset_name`, splits at the top) is older. The names of versions in between say nothing: most files are of one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeGuard

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import is_safe
from embedmark.runner.common.text import shortened
from embedmark.runner.exchange.limits import LARGEST_SCORE, ROWS, read_json
from embedmark.runner.exchange.names import aliases, is_commit, present_metric, present_task

Layout = Literal["since 1.11", "before 1.11"]
Metrics = Mapping[str, float | None]

NO_REVISION = "no_revision_available"
"""What the field writes for none."""

_FORMERLY_NESTED = {"cos_sim", "euclidean", "manhattan", "dot", "dot_score", "max", "similarity", "hamming"}
_LEVELS = {"v_measures": "v_measure", "ami_scores": "ami"}
_FACTS = {
    "hf_subset",
    "languages",
    "main_score",
    "mteb_version",
    "scores_per_experiment",
    "evaluation_time",
    "embedmark",
}


@dataclass(frozen=True)
class Row:
    """The scores of one subset and split.

    Args:
        split: As in `test`.
        subset: `default` where the task has one.
        main_score: None where it is not defined (NaN), or not told.
        metric: What the main score is of, where that is not the task's main metric of today.
        version: Of mteb; None where no version is told.
        languages: As the file has them.
        metrics: By the names of today; None where one is not defined.
        experiments: The same for every repetition, with `level` where a clustering has several.
    """

    split: str
    subset: str
    main_score: float | None
    metric: str | None
    version: str | None
    languages: tuple[str, ...]
    metrics: Metrics
    experiments: tuple[Metrics, ...] = ()


@dataclass(frozen=True)
class ResultFile:
    """What a result file says.

    Args:
        task: By its name of today.
        dataset_revision: A commit; None where none is told.
        revision_text: What stands in the place of a commit, as in `main`.
        version: Of mteb, for the whole file.
        layout: Which it is in.
        rows: One for each split and subset.
        notes: What is odd → how often; nothing of it is a fault of a number.
        seconds: `evaluation_time`, None where it is not told.
    """

    task: str
    dataset_revision: str | None
    revision_text: str | None
    version: str | None
    layout: Layout
    rows: tuple[Row, ...]
    notes: Mapping[str, int] = field(default_factory=dict)
    seconds: float | None = None


def read_result(path: Path, main_metric: Callable[[str], str | None] = lambda _: None) -> ResultFile:
    """Read a result file.

    Args:
        path: Of the file.
        main_metric: The main metric of a task today, by the task's name; None where it is not known.

    Raises:
        UserError: It is not a result file, or one with a fault that makes its scores doubtful. The message names file
            and key.
    """
    return parse_result(read_json(path), str(path), main_metric)


def parse_result(
    values: Mapping[str, Any], where: str, main_metric: Callable[[str], str | None] = lambda _: None
) -> ResultFile:
    """Parse the content of a result file. where: what messages call it. Raises UserError like `read_result`."""
    if "mteb_dataset_name" in values:
        return _Parser(where, _name(values, "mteb_dataset_name", where), main_metric).before_1_11(values)
    if "task_name" in values and "scores" in values:
        return _Parser(where, _name(values, "task_name", where), main_metric).since_1_11(values)
    raise UserError(f"{where}: not a result file: expected the keys task_name and scores, or mteb_dataset_name")


def _name(values: Mapping[str, Any], key: str, where: str) -> str:
    if not is_safe(values[key]):
        raise UserError(f"{where}: {key}: {shortened(repr(values[key]), 80)} is not a name that a task can have")
    return present_task(values[key])


class _Parser:
    """Parses the file of one task, and counts what is odd."""

    def __init__(self, where: str, task: str, main_metric: Callable[[str], str | None]) -> None:
        self._where, self._task, self._main = where, task, main_metric(task)
        self._notes: Counter[str] = Counter()

    def since_1_11(self, values: Mapping[str, Any]) -> ResultFile:
        scores = self._mapping(values["scores"], "scores")
        version = self._text(values.get("mteb_version"), "mteb_version")
        rows: list[Row] = []
        for split, of_split in scores.items():
            where = f"scores.{shortened(split, 40)}"
            if not isinstance(of_split, list) or not all(isinstance(row, dict) for row in of_split):
                raise self._fault(where, "expected a list of rows, each an object")
            for number, row in enumerate(of_split):
                rows.append(self._row(split, row.get("hf_subset", "default"), row, version, f"{where}[{number}]"))
        return self._file(values, version, "since 1.11", rows)

    def before_1_11(self, values: Mapping[str, Any]) -> ResultFile:
        version = self._text(values.get("mteb_version"), "mteb_version")
        facts = {"mteb_dataset_name", "dataset_revision", "mteb_version"}
        splits = {split: inner for split, inner in values.items() if split not in facts and isinstance(inner, dict)}
        left = len(values) - len(splits) - len(facts & set(values))
        self._notes["keys that are no split, left out"] += left
        rows: list[Row] = []
        for split, inner in splits.items():
            metrics = {name: value for name, value in inner.items() if name != "evaluation_time"}
            nested = {*_FORMERLY_NESTED, *_LEVELS}
            if any(isinstance(value, dict) and name not in nested for name, value in metrics.items()):
                for subset, of_subset in metrics.items():
                    if isinstance(of_subset, dict):
                        name = self._subset(subset, version)
                        rows.append(self._row(split, name, of_subset, version, f"{split}.{subset}"))
                    else:
                        self._notes["numbers beside subsets, left out"] += 1
            else:
                name = self._subset("default", version)
                rows.append(self._row(split, name, metrics, version, split))
        return self._file(values, version, "before 1.11", rows)

    def _file(self, values: Mapping[str, Any], version: str | None, layout: Layout, rows: Sequence[Row]) -> ResultFile:
        if not rows:
            raise UserError(f"{self._where}: has no scores")
        cells = Counter((row.split, row.subset) for row in rows)
        for (split, subset), times in cells.items():
            if times > 1:
                raise self._fault(f"scores.{split}", f"the subset {subset!r} is there {times} times")
        if len(rows) > ROWS:
            raise UserError(f"{self._where}: {len(rows)} rows; expected at most {ROWS}")
        revision = self._text(values.get("dataset_revision"), "dataset_revision")
        if revision == NO_REVISION:
            revision = None
        commit = revision if revision is not None and is_commit(revision) else None
        seconds = values.get("evaluation_time")
        return ResultFile(
            self._task,
            commit,
            None if commit else revision,
            version,
            layout,
            tuple(rows),
            {note: times for note, times in self._notes.items() if times},
            float(seconds) if _is_number(seconds) else None,
        )

    def _row(self, split: str, subset: Any, row: Mapping[str, Any], version: str | None, where: str) -> Row:
        for what, name in (("split", split), ("hf_subset", subset)):
            if not is_safe(name):
                raise self._fault(where, f"{shortened(repr(name), 80)} is not a name that a {what} can have")
        metrics = dict(self._metrics(row, where))
        main, metric = self._main_score(row, metrics, where)
        languages = row.get("languages") or []
        if not isinstance(languages, list) or not all(isinstance(language, str) for language in languages):
            raise self._fault(f"{where}.languages", "expected a list of texts")
        own = self._text(row.get("mteb_version"), f"{where}.mteb_version")
        experiments = tuple(self._experiments(row, where))
        return Row(split, subset, main, metric, own or version, tuple(languages), metrics, experiments)

    def _metrics(self, row: Mapping[str, Any], where: str) -> Iterator[tuple[str, float | None]]:
        for name, value in row.items():
            if name in _FACTS or name in _LEVELS:
                continue
            if isinstance(value, dict) and name in _FORMERLY_NESTED:
                for inner, number in value.items():
                    yield from self._metric(f"{name}_{inner}", number, row, where)
            else:
                yield from self._metric(name, value, row, where)

    def _metric(self, name: str, value: Any, row: Mapping[str, Any], where: str) -> Iterator[tuple[str, float | None]]:
        today = present_metric(name)
        if isinstance(value, list) and value and all(map(_is_number, value)) and len(value) == 2:
            self._notes["correlations with their p-value, which is left out"] += 1
            value = value[0]
        if isinstance(value, bool) or (isinstance(value, str) and value):
            raise self._fault(f"{where}.{shortened(name, 60)}", f"{shortened(repr(value), 60)} is not a number")
        if value is None or _is_number(value):
            kept = name if today != name and row.get(today, value) != value else today
            yield kept, self._number(value)
        else:
            self._notes[f"{shortened(name, 60)}: neither a number nor experiments, left out"] += 1

    def _number(self, value: Any) -> float | None:
        if value is not None and math.isnan(value):
            self._notes["NaN, read as undefined"] += 1
            return None
        return float(value) if value is not None else None

    def _main_score(self, row: Mapping[str, Any], metrics: Metrics, where: str) -> tuple[float | None, str | None]:
        if "main_score" in row:
            value = row["main_score"]
            if value is not None and not _is_number(value):
                raise self._fault(f"{where}.main_score", f"{shortened(repr(value), 60)} is not a number")
            score = self._number(value)
            self._refuse_too_large(score, f"{where}.main_score")
            if self._main is None or self._main in metrics or score is None:
                return score, None
            return score, self._old_metric(next((name for name, known in metrics.items() if known == score), None))
        if self._main is not None and self._main in metrics:
            self._refuse_too_large(metrics[self._main], f"{where}.{self._main}")
            return metrics[self._main], None
        told = [(name, number) for name, number in metrics.items() if number is not None]
        if len(told) == 1:
            self._refuse_too_large(told[0][1], f"{where}.{told[0][0]}")
            return told[0][1], self._old_metric(told[0][0])
        self._notes["no main score"] += 1
        return None, None

    def _refuse_too_large(self, score: float | None, where: str) -> None:
        if score is not None and abs(score) > LARGEST_SCORE:
            raise self._fault(where, f"found {score:g}; expected at most {LARGEST_SCORE:,.0f}, up or down")

    def _old_metric(self, name: str | None) -> str | None:
        self._notes["the main metric is not today's"] += self._main is not None and name is not None
        return name

    def _experiments(self, row: Mapping[str, Any], where: str) -> Iterator[Metrics]:
        found = row.get("scores_per_experiment") or []
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self._fault(f"{where}.scores_per_experiment", "expected a list of objects")
        for one in found:
            yield {name: self._number(value) for name, value in one.items() if value is None or _is_number(value)}
        for theirs, ours in _LEVELS.items():
            values = row.get(theirs)
            by_level = values if isinstance(values, dict) else {"": values} if isinstance(values, list) else {}
            for level, numbers in by_level.items():
                if not isinstance(numbers, list) or not all(map(_is_number, numbers)):
                    raise self._fault(f"{where}.{theirs}", "expected lists of numbers")
                told = level.rpartition(" ")[2]
                known = {"level": float(told)} if told.isdigit() and len(told) < 4 else {}
                yield from ({**known, ours: self._number(number)} for number in numbers)

    def _subset(self, name: str, version: str | None) -> str:
        """What a subset of an old file is called today."""
        for renamed in aliases()["subsets"]:
            if (renamed["task"], renamed["old"]) == (self._task, name) and version in renamed.get(
                "versions", [version]
            ):
                return str(renamed["new"])
        return name

    def _mapping(self, value: Any, where: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._fault(where, "expected an object: split → rows")
        return value

    def _text(self, value: Any, where: str) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or not (is_safe(value) or value == ""):
            raise self._fault(where, f"{shortened(repr(value), 80)} is not a revision or version")
        return value or None

    def _fault(self, where: str, what: str) -> UserError:
        return UserError(f"{self._where}: {where}: {what}")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
