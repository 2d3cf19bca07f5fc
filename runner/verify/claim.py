"""From the identity of a record to the job that it claims to be, planned anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.checks import task_type
from embedmark.runner.config.identity import SAID, fingerprint_of_plain, job_identity, plain
from embedmark.runner.config.roles import role_of
from embedmark.runner.config.schema import ModelConfig, TaskConfig
from embedmark.runner.plan import Job
from embedmark.runner.report.why import differences
from embedmark.runner.resolve import Pins, ResolvedModel, ResolvedTask, resolve_model, resolve_task
from embedmark.tasks.settings import deciding as deciding_settings
from embedmark.tasks.types import TaskType

_MEANT = {said: kind for kind, said in SAID.items() if kind is not tuple}
_SHOWN = 3


class UnclearClaimError(Exception):
    """A claim that cannot be made a job of here; the message says why."""


def claimed_job(identity: Mapping[str, Any], catalogue: Catalogue, pins: Pins) -> Job:
    """Plan the job that an identity is of: what the identity says decides, and not what the catalogue says now.

    Args:
        identity: Of a record.
        catalogue: Gives what no identity says, as the folder that local weights are in.
        pins: How weights and data that no commit pins are resolved.

    Raises:
        UnclearClaimError: This version makes another job of it, or what it needs is not told.
        JobError: The hub cannot be reached.
    """
    try:
        model = claimed_model(identity["model"], catalogue, pins)
        task = _claimed_task(identity, catalogue, pins)
        said = identity["job"]
        subset, split, languages = said["subset"], said["split"], tuple(said.get("languages", ()))
        after = tuple((before[0], before[1]) for before in said.get("draws_after", ()))
        again = job_identity(model.identity, task.identity, subset, split, languages, after)
    except (UserError, LookupError, TypeError, ValueError) as error:
        raise UnclearClaimError(f"its identity cannot be planned here: {' '.join(str(error).split())}") from error
    if again != identity:
        found = differences(identity, again)[:_SHOWN]
        words = "; ".join(f"{difference.key}: {difference.a!r} there, {difference.b!r} here" for difference in found)
        raise UnclearClaimError(f"this version of embedmark makes another job of its identity ({words})")
    return Job(model, task, subset, split, languages, again, fingerprint_of_plain(again), after)


def claimed_model(said: Mapping[str, Any], catalogue: Catalogue, pins: Pins) -> ResolvedModel:
    """Resolve the model that the model's part of an identity is of. Raises as `claimed_job`, and UserError."""
    known = catalogue.model(said["name"]) if catalogue.has("model", said["name"]) else None
    return resolve_model(_model_config(said, known), pins)


def _model_config(said: Mapping[str, Any], known: ModelConfig | None) -> ModelConfig:
    values = _decided(said, ModelConfig)
    if "parameters" in values:
        values["parameters"] = implicit(values["parameters"])
    if known is not None:
        values["about"] = known.about
        # Where a service may be asked, and which variable has its key, is no part of an identity.
        own = {key: value for key, value in known.parameters.items() if key not in values.get("parameters", {})}
        values["parameters"] = {**values.get("parameters", {}), **_executing(own, known)}
        values["trust_url"] = known.trust_url
    if "content" in said:
        if known is None or known.source is None:
            raise UserError(
                f"its weights are a folder, and no model here is called {said['name']!r}; give --config-dir"
            )
        values["source"] = known.source
    if "members" in values:
        values["members"] = [_model_config(member, None) for member in values["members"]]
    return ModelConfig.model_validate(values)


def _executing(parameters: Mapping[str, Any], known: ModelConfig) -> dict[str, Any]:
    from embedmark.runner.config.checks import known_loader

    executes = known_loader(known).executes
    return {name: value for name, value in parameters.items() if name in executes}


def _claimed_task(identity: Mapping[str, Any], catalogue: Catalogue, pins: Pins) -> ResolvedTask:
    said, job = identity["task"], identity["job"]
    known = catalogue.task(said["name"]) if catalogue.has("task", said["name"]) else None
    values = _decided(said, TaskConfig)
    values["subsets"] = {job["subset"]: job.get("languages", [])}
    values["splits"] = [job["split"]]
    values["transforms"] = implicit(values.get("transforms", []))
    dataset = dict(values["dataset"])
    if dataset.pop("content", None) is not None:
        if known is None:
            raise UserError(f"its data is a folder, and no task here is called {said['name']!r}; give --config-dir")
        values["dataset"] = known.dataset
    else:
        values["dataset"] = implicit(dataset)
    config = TaskConfig.model_validate(values)
    kind = task_type(config, f"task {config.name}")
    config = config.model_copy(update={"settings": {**_emptied(kind, said), **implicit(said.get("settings", {}))}})
    return resolve_task(config, kind, pins)


def _emptied(kind: TaskType, said: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that an identity does not name although their default is something: they were null or empty."""
    usual = plain(deciding_settings(kind.settings()))
    return {
        field.name: () if isinstance(field.default, tuple) else None
        for field in dataclasses.fields(kind.settings)
        if field.name in usual and field.name not in said.get("settings", {})
    }


def _decided(said: Mapping[str, Any], schema: type[ModelConfig] | type[TaskConfig]) -> dict[str, Any]:
    fields = {field for field in schema.model_fields if role_of(schema, field) == "decides"}
    return {name: value for name, value in said.items() if name in fields}


def implicit(value: Any) -> Any:
    """Undo `explicit` (runner/config/identity.py): what an identity says of arguments, as a config says it."""
    if isinstance(value, Mapping):
        return {_key(key): implicit(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [implicit(inner) for inner in value]
    if isinstance(value, str) and value in _MEANT:
        kind = _MEANT[value]
        return None if kind is type(None) else kind()
    return value


def _key(key: str) -> str:
    return key[1:-1] if len(key) > 2 and key[0] == key[-1] == '"' else key
