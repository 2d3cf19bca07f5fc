"""What can be known of a task or model before anything is loaded, beyond what its schema says."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, dataclasses

from embedmark.models.base import BACKEND_DTYPES
from embedmark.models.loaders import Loader, added_loaders, find_loader, loaders
from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.plugins import PlugIns, added_entries
from embedmark.runner.config.explain import invalid
from embedmark.runner.config.schema import ModelConfig, PackageDataset, TaskConfig
from embedmark.runner.config.schema.dataset import READERS
from embedmark.runner.config.schema.sources import added_sources
from embedmark.tasks.retrieval.extras import added_metrics
from embedmark.tasks.types import TaskType, added_types, task_types

log = logging.getLogger(__name__)

_SHOWN = 8


def check_plug_ins() -> None:
    """Warn of what installed packages add and cannot be used.

    Raises:
        UserError: A package takes a name that is built in, or that another package takes.
    """
    for what, added in _added():
        if added.clashes:
            raise UserError(added.clashes[0])
        for name, reason in added.left_out.items():
            log.warning("%s %r is left out: %s", what, name, reason)


def _added() -> Iterator[tuple[str, PlugIns[Any]]]:
    yield "task type", added_types()
    yield "loader", added_loaders()
    yield "source", added_sources()
    yield "metric", added_metrics()
    # Those of data read pyarrow, which planning need not where no package adds any.
    if "embedmark.transforms" in added_entries():
        from embedmark.runner.data.transforms.steps import added_steps

        yield "step", added_steps()
    if "embedmark.readers" in added_entries():
        from embedmark.runner.data.sources.package import added_readers

        yield "reader", added_readers()


def known_loader(model: ModelConfig) -> Loader:
    """The loader that a model names.

    Raises UserError when there is none, when it cannot give the dtype, or when a package takes a name of another.
    """
    added = added_loaders()
    if added.clashes:
        raise UserError(added.clashes[0])
    loader = find_loader(model.loader)
    if loader is None:
        left_out = f" One is left out: {added.left_out[model.loader]}." if model.loader in added.left_out else ""
        raise UserError(
            f"model {model.name}: loader: no loader {model.loader!r}.{left_out}{nearest(model.loader, loaders())} "
            f"Known loaders: {', '.join(sorted(loaders()))}, and module:Class for a class of your own."
        )
    backend = model.parameters.get("backend")
    known, taker = loader.known_dtypes, f"loader {model.loader}"
    if backend in ("onnx", "openvino") and model.loader == "sentence_transformer":
        known, taker = BACKEND_DTYPES, f"backend {backend}"
    if model.dtype not in known:
        raise UserError(
            f"model {model.name}: dtype: found {model.dtype}; {taker} takes {', '.join(known)}. "
            "Leave it out, which means checkpoint."
        )
    return loader


def task_type(task: TaskConfig, where: str) -> TaskType:
    """The type of a task. Raises UserError when no such type is known, or when a package takes a name of another."""
    types, added = task_types(), added_types()
    if added.clashes:
        raise UserError(added.clashes[0])
    if task.type not in types:
        left_out = f" One is left out: {added.left_out[task.type]}." if task.type in added.left_out else ""
        raise UserError(
            f"{where}: type: no task type {task.type!r}.{left_out}{nearest(task.type, types)} "
            f"Known types: {', '.join(sorted(types))}."
        )
    return types[task.type]


def check_settings(task: TaskConfig, where: str, kind: TaskType) -> Any:
    """The settings of a task as its type's own class, defaults filled in. Raises UserError."""
    try:
        # As JSON: there a list is a tuple too, while true is no number.
        found = _strict(kind.settings).validate_json(json.dumps(dict(task.settings)), strict=True)  # type: ignore[arg-type]
    except ValidationError as error:
        raise invalid(error, f"{where}: settings", kind.settings) from None
    # What checks is a class of pydantic's, which no other process could unpickle.
    return kind.settings(**{field.name: getattr(found, field.name) for field in fields(found) if field.init})


@cache
def _strict(settings: type[Any]) -> TypeAdapter[Any]:
    """Settings are plain dataclasses, which let unknown keys pass unless told otherwise."""
    checked: type[Any] = dataclasses.dataclass(settings, config=ConfigDict(extra="forbid"), frozen=True)
    return TypeAdapter(checked)


def check_metric(task: TaskConfig, settings: Any, where: str) -> frozenset[str] | None:
    """Refuse a main metric that the task's type does not compute under these settings.

    Args:
        task: the task, whose type is known.
        settings: the task's, checked.
        where: what the task is called in the message.

    Returns:
        The metrics that are computed; None where only the type's own code knows.

    Raises:
        UserError: the main metric is none of them, or the settings name a metric that there is not.
    """
    try:
        computed = settings.metrics()
    except ValueError as error:
        raise UserError(f"{where}: settings.{error}") from None
    known = None if computed is None else frozenset(computed)
    if known is not None and task.main_metric not in known:
        some = ", ".join(sorted(known, key=lambda name: (len(name), name))[:_SHOWN])
        more = ", ..." if len(known) > _SHOWN else ""
        raise UserError(
            f"{where}: main_metric: found {task.main_metric!r}; expected a metric of task type {task.type} under its "
            f"settings: {some}{more}.{nearest(task.main_metric, known)}"
        )
    return known


def check_reader(task: TaskConfig, where: str) -> None:
    """Refuse a reader of a package's data that there is not. Raises UserError."""
    if not isinstance(task.dataset, PackageDataset):
        return
    known = {*READERS, *(entry.name for entry in added_entries().get("embedmark.readers", ()))}
    if task.dataset.reader not in known:
        raise UserError(
            f"{where}: dataset.reader: found {task.dataset.reader!r}; expected one of {', '.join(sorted(known))}."
            f"{nearest(task.dataset.reader, known)}"
        )


def check_transforms(task: TaskConfig, where: str) -> None:
    """Refuse a step or an argument that there is not. Raises UserError."""
    from embedmark.runner.data.transforms.parsing import parse  # reads pyarrow, which most tasks need not

    try:
        parse(task.transforms)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
