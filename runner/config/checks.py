"""What can be known of a task before anything is loaded, beyond what its schema says."""

from __future__ import annotations

from typing import Any

from runner.config.schema import TaskConfig
from runner.errors import UserError, nearest
from tasks.metrics import metric_names

_SHOWN = 8


def check_metric(task: TaskConfig, settings: Any, where: str) -> None:
    """Refuse a main metric that the task's type does not compute.

    settings: the task's, checked. Raises UserError.
    """
    known = metric_names(task.type, settings)
    if known is not None and task.main_metric not in known:
        some = ", ".join(sorted(known, key=lambda name: (len(name), name))[:_SHOWN])
        more = ", ..." if len(known) > _SHOWN else ""
        raise UserError(
            f"{where}: main_metric: found {task.main_metric!r}; expected a metric of task type {task.type} under its "
            f"settings: {some}{more}.{nearest(task.main_metric, known)}"
        )


def check_transforms(task: TaskConfig, where: str) -> None:
    """Refuse a step or an argument that there is not. Raises UserError."""
    from runner.data.transforms import parse  # reads pyarrow, which most tasks need not

    try:
        parse(task.transforms)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
