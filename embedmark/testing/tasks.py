"""Laws of task types."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.config.checks import check_metric, check_settings
from embedmark.runner.config.schema import TaskConfig
from embedmark.tasks.base import (
    Composite,
    Embeddings,
    Image,
    Item,
    ItemSet,
    RetrievalRows,
    Role,
    Rows,
    Scores,
    Side,
    Task,
    TaskContext,
    TaskData,
    parts_of,
)
from embedmark.tasks.settings import TaskSettings, deciding
from embedmark.tasks.types import TaskType
from embedmark.testing.laws import hold, hold_equal, hold_plain, hold_version

_DIM = 16
_SUBJECTS = ("encoder", "searcher", "scorer")


def check_task_type(
    kind: TaskType,
    data: Mapping[str, Rows | RetrievalRows],
    main_metric: str,
    *,
    settings: Mapping[str, Any] | None = None,
    split: str = "test",
    rows_in_any_order: bool = False,
) -> Scores:
    """Check that a task type's row and settings are sound, and that its scores are a function of vectors and data.

    Item sets have names of their own, items of the modality that the type says and a side that models know; columns
    that settings name are there; what is computed is what `metrics()` names, the main metric among it, and finite;
    equal vectors and data give equal scores. Vectors are made up, the same for equal items.

    Args:
        kind: The row.
        data: Split → rows, small, all that the type reads.
        main_metric: The metric that becomes the main score.
        settings: As a task's YAML gives them.
        split: The evaluated split.
        rows_in_any_order: Whether the order of the evaluated rows is to change no score. Types that draw rows by their
            place, as for training a classifier, cannot promise it.

    Returns:
        The scores, for checks of one's own.

    Raises:
        AssertionError: A law is broken; the message says which, and what was found.
        UserError: The settings or the main metric are refused.

    Example:
        >>> check_task_type(WORD_COUNT, {"test": Rows({"text": ["a b", "c"]})}, "words", rows_in_any_order=True)
    """
    _check_row(kind)
    config = _config(kind, settings or {}, main_metric)
    checked = check_settings(config, "settings", kind)
    names = check_metric(config, checked, "settings")
    hold_plain(deciding(checked), "settings")
    _check_columns(kind, checked, data[split])
    task = kind.bind(checked, TaskContext("Check", kind.label, ("eng-Latn",), split=split), main_metric)
    hold({split} <= set(task.splits()) <= set(data), f"splits() has {split!r}, and of {sorted(data)}", task.splits())

    scores = _scored(kind, checked, task, TaskData(data))
    if names is not None:
        hold(set(scores.values) <= names, "what is computed is named by metrics()", set(scores.values) - names)
    again = _scored(kind, checked, task, TaskData(data))
    hold(_same(again.values, scores.values), "equal vectors and data give equal scores", again.values)
    _check_items(task, main_metric, scores)
    if rows_in_any_order:
        other = TaskData({**data, split: _turned(data[split])})
        turned = _scored(kind, checked, task, other).main_score
        hold_equal(turned, scores.main_score, 1e-6, "the order of rows changes no score")
    return scores


def _check_row(kind: TaskType) -> None:
    hold(bool(kind.name) and bool(kind.label), "a task type has a name and a label", (kind.name, kind.label))
    hold_version(kind.protocol, "TaskType.protocol")
    hold(":" in kind.implementation, "TaskType.implementation is of the form module:Class", kind.implementation)
    hold(bool(kind.accepts) and kind.accepts <= set(_SUBJECTS), f"accepts is of {_SUBJECTS}", kind.accepts)
    frozen = dataclasses.is_dataclass(kind.settings) and kind.settings.__dataclass_params__.frozen  # type: ignore[attr-defined]
    hold(
        frozen and issubclass(kind.settings, TaskSettings),
        "settings is a frozen dataclass with column_roles() and metrics()",
        kind.settings,
    )


def _config(kind: TaskType, settings: Mapping[str, Any], main_metric: str) -> TaskConfig:
    given = {
        "name": "Check",
        "type": kind.name,
        "dataset": {"files": "."},
        "languages": ["eng-Latn"],
        "main_metric": main_metric,
        "settings": settings,
    }
    return TaskConfig.model_validate(given)


def _check_columns(kind: TaskType, settings: TaskSettings, rows: Rows | RetrievalRows) -> None:
    for column, role in settings.column_roles():
        hold(role in get_args(Role), f"a column's role is in {get_args(Role)}", role)
        table = rows.queries if isinstance(rows, RetrievalRows) else rows
        hold(column in table, f"settings name columns of the data, {sorted(table)}", column)
    hold(
        isinstance(rows, RetrievalRows) == kind.retrieval_layout,
        f"retrieval_layout is {kind.retrieval_layout}, and so is the data",
        type(rows),
    )


def _scored(kind: TaskType, settings: TaskSettings, task: Task, data: TaskData) -> Scores:
    sets = task.items(data)
    hold(
        len({one.name for one in sets}) == len(sets) > 0,
        "item sets have names of their own",
        [one.name for one in sets],
    )
    for one in sets:
        _check_set(one, kind, settings)
    vectors = {one.name: _made_up(one.items) for one in sets}
    in_blocks = {one.name: vectors.pop(one.name) for one in sets if one.in_blocks}
    scores = task.evaluate(Embeddings(vectors, in_blocks=in_blocks), data)
    hold(math.isfinite(scores.main_score), "the main score is finite", scores.main_score)
    numbers = {
        name: value for name, value in scores.values.items() if isinstance(value, float) and not math.isinf(value)
    }
    hold(numbers.keys() == scores.values.keys(), "scores are numbers", dict(scores.values))
    return scores


def _check_set(one: ItemSet, kind: TaskType, settings: TaskSettings) -> None:
    gives = kind.gives(settings)
    given = set(parts_of(one.modality)) <= gives
    hold(given, f"item set {one.name!r} is of what the type gives, {sorted(gives)}", one.modality)
    hold(
        one.side in (None, *get_args(Side)),
        f"the side of item set {one.name!r} is one of {get_args(Side)} or None",
        one.side,
    )
    hold(len(one.items) > 0, f"item set {one.name!r} has items", 0)
    wanted = {"text": str, "image": Image, "text+image": Composite}[one.modality]
    other = next((item for item in one.items if not isinstance(item, wanted)), None)
    hold(other is None, f"items of {one.name!r} are of {wanted.__name__}", other)


def _check_items(task: Task, main_metric: str, scores: Scores) -> None:
    """What is kept of items can be written, and gives the main score again where the type says how."""
    for name, values in scores.items.items():
        hold(
            isinstance(values, np.ndarray) and values.dtype.kind in "biufUS",
            f"items {name!r} are an array of numbers or texts",
            values,
        )
    compute = getattr(task, "values_from_items", None)
    if compute is not None:
        again = compute(main_metric, scores.items)[main_metric]
        hold_equal(again, scores.main_score, 1e-5, "items give the main score again")


def _made_up(items: Sequence[Item]) -> NDArray[np.float32]:
    """Vectors that the bytes of items decide: float32 (n, 16)."""
    return np.stack([_vector(_content(item)) for item in items])


def _content(item: Item) -> bytes:
    if isinstance(item, Composite):
        return b"\0".join(map(_content, item.parts))
    return item.data if isinstance(item, Image) else item.encode()


def _vector(data: bytes) -> NDArray[np.float32]:
    seed = int.from_bytes(hashlib.sha256(data).digest()[:8], "little")
    return np.random.default_rng(seed).standard_normal(_DIM).astype(np.float32)


def _turned(rows: Rows | RetrievalRows) -> Rows | RetrievalRows:
    if isinstance(rows, Rows):
        return Rows({name: list(values)[::-1] for name, values in rows.items()}, rows.classes)
    return dataclasses.replace(rows, corpus=_turned(rows.corpus), queries=_turned(rows.queries))  # type: ignore[arg-type]


def _same(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return one.keys() == other.keys() and bool(
        np.array_equal(list(one.values()), [other[name] for name in one], equal_nan=True)
    )
