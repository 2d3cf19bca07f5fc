"""What a model and a task are, looked up once: everything after the plan is handed these and looks nothing up again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from embedmark.models.loaders import Loader
from embedmark.models.parameters import Parameters
from embedmark.runner.common.commits import is_commit
from embedmark.runner.config.checks import check_metric, check_settings, known_loader
from embedmark.runner.config.identity import Pin, model_identity, plain, task_identity
from embedmark.runner.config.schema import HubDataset, HubModel, ModelConfig, TaskConfig
from embedmark.tasks.base import ColumnRoles
from embedmark.tasks.types import TaskType


@dataclass(frozen=True)
class Pins:
    """How weights and data that no commit pins are resolved."""

    model: Callable[[ModelConfig, Loader], Pin]
    dataset: Callable[[TaskConfig], Pin]


@dataclass(frozen=True)
class ResolvedModel:
    """A model at a commit. parameters: its config's, as its loader takes them. members: those it is made of.

    identity: its part of the identity of each of its jobs, plain.
    """

    config: ModelConfig
    loader: Loader
    parameters: Parameters | Mapping[str, Any]
    identity: Mapping[str, Any]
    members: tuple[ResolvedModel, ...] = ()

    @property
    def name(self) -> str:
        """Its config's name."""
        return self.config.name

    @property
    def everything(self) -> tuple[ResolvedModel, ...]:
        """The model, its members, and theirs."""
        return (self, *(inner for member in self.members for inner in member.everything))


@dataclass(frozen=True)
class ResolvedTask:
    """A task at a commit. settings: an instance of its type's settings class.

    metrics: what it is scored by; None where only its type's own code knows. columns: those of a plain table that it
    reads, and as what. identity: its part of the identity of each of its jobs, plain.
    """

    config: TaskConfig
    type: TaskType
    settings: Any
    metrics: frozenset[str] | None
    columns: ColumnRoles
    identity: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its config's name."""
        return self.config.name

    @property
    def label(self) -> str:
        """What the field calls tasks of its kind; prompts and means by type go by it."""
        return self.config.label or self.type.label

    @property
    def content(self) -> str | None:
        """The hash of its data's local files, where it has any."""
        found: str | None = self.identity.get("dataset", {}).get("content")
        return found


def resolve_model(config: ModelConfig, pins: Pins) -> ResolvedModel:
    """Look up a model's loader, and its commit where the config names none; of its members, too.

    Raises:
        UserError: the loader is not known, does not take what the config says, or nothing pins the weights.
        JobError: the hub cannot be reached.
    """
    loader = known_loader(config)
    members = tuple(resolve_model(part, pins) for part in config.parts)
    if members:
        config = config.model_copy(update={"members": tuple(member.config for member in members)})
    if isinstance(config.weights, HubModel) and is_commit(config.revision):
        pin = Pin(config.revision)
    else:
        pin = pins.model(config, loader)
        config = config.model_copy(update={"revision": pin.revision})
    identity = plain(model_identity(config, loader, pin, [member.identity for member in members]))
    return ResolvedModel(config, loader, loader.check(config.parameters), identity, members)


def resolve_task(config: TaskConfig, kind: TaskType, pins: Pins) -> ResolvedTask:
    """Check a task's settings and main metric, and look up the commit of its data where the config names none.

    Raises:
        UserError: its settings or its main metric are not those of its type, or its data is not there.
        JobError: the hub cannot be reached.
    """
    where = f"task {config.name}"
    settings = check_settings(config, where, kind)
    metrics = check_metric(config, settings, where)
    dataset = config.dataset
    if isinstance(dataset, HubDataset) and is_commit(dataset.revision):
        pin = Pin(dataset.revision)
    else:
        pin = pins.dataset(config)
        if isinstance(dataset, HubDataset):
            pinned = dataset.model_copy(update={"revision": pin.revision})
            config = config.model_copy(update={"dataset": pinned})
    identity = plain(task_identity(config, kind, settings, pin))
    return ResolvedTask(config, kind, settings, metrics, settings.column_roles(), identity)
