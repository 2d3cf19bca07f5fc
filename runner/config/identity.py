"""What decides a job's score, and its hash.

The fingerprint is the SHA-256 of the canonical JSON of the identity. The identity holds every deciding value of model,
task, subset and split, and five kinds of version: the layout of the identity itself, the protocol of the task type, the
reading of data, the loader of the model, and those of the distributions that add something which is used. It never
holds how the job is executed, or what else runs.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from embedmark.models.loaders import Loader
from embedmark.runner.common.errors import UserError
from embedmark.runner.common.plugins import origins
from embedmark.runner.common.text import composed
from embedmark.runner.config.roles import role_of
from embedmark.runner.config.schema import VECTOR_FIELDS, FolderModel, ModelConfig, PackageDataset, TaskConfig
from embedmark.runner.config.schema.sources import source_of
from embedmark.tasks.settings import TaskSettings
from embedmark.tasks.settings import deciding as deciding_settings
from embedmark.tasks.types import TaskType

IDENTITY = 1
"""Layout of the identity. Raising it gives every job a new fingerprint."""

_OUTSIDE_THE_ENCODER = {*VECTOR_FIELDS, "prompts", "instructions", "similarity"}

Json = Any


def fingerprint(identity: Mapping[str, Json]) -> str:
    """The SHA-256 of an identity, 64 hex digits."""
    return fingerprint_of_plain(plain(identity))


def fingerprint_of_plain(identity: Mapping[str, Json]) -> str:
    """The same, of an identity that is `plain` already: thousands of jobs share the parts of theirs."""
    return hashlib.sha256(_dumped(identity).encode()).hexdigest()


def canonical(value: Json) -> str:
    """JSON in one spelling: sorted keys, no spaces, nothing empty, floats by repr, NFC strings."""
    return _dumped(plain(value))


def _dumped(value: Json) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def plain(value: Json) -> Json:
    """JSON types only, without keys whose value is None or empty: leaving out a key and emptying it are the same."""
    # Thousands of jobs have one each, hence in this order: most values are texts, and most mappings plain ones.
    if isinstance(value, str):
        return composed(value)
    if isinstance(value, (dict, Mapping)):
        items = {composed(str(key)): plain(inner) for key, inner in value.items()}
        return {key: inner for key, inner in items.items() if inner is not None and inner != {} and inner != []}
    if isinstance(value, (list, tuple, Sequence)):
        return [plain(inner) for inner in value]
    return value


def explicit(value: Json) -> Json:
    """What a function is called with, so that nothing that may mean something is lost in `plain`.

    An argument that is empty on purpose is not one that is left out (the steps `splits: []`, `default: null`), and the
    text "1" is another key than the number.
    """
    if isinstance(value, Mapping):
        return {_key(key): SAID[type(inner)] if _is_empty(inner) else explicit(inner) for key, inner in value.items()}
    return [explicit(inner) for inner in value] if isinstance(value, (list, tuple)) else value


SAID: Mapping[type, str] = {type(None): "(null)", dict: "(no entries)", list: "(empty)", tuple: "(empty)"}


def _is_empty(value: Json) -> bool:
    return value is None or (isinstance(value, (dict, list, tuple)) and not value)


def _key(key: str | int) -> str:
    is_text = isinstance(key, str) and (key.removeprefix("-").isdecimal() or key in ("True", "False"))
    return f'"{key}"' if is_text else str(key)


def deciding(config: BaseModel) -> dict[str, Json]:
    """The fields of a checked config that decide a score, nested configs included."""
    return {
        field: _deciding_value(getattr(config, field))
        for field in type(config).model_fields
        if role_of(type(config), field) == "decides"
    }


def _deciding_value(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _deciding_value(inner) for key, inner in value.items()}
    return deciding(value) if isinstance(value, BaseModel) else value


@dataclasses.dataclass(frozen=True)
class Pin:
    """What weights or data are: a commit that is pinned or was resolved, or the hash of local files' content."""

    revision: str | None = None
    content: str | None = None


def model_identity(
    model: ModelConfig, loader: Loader, pin: Pin, members: Sequence[Mapping[str, Json]] = ()
) -> dict[str, Json]:
    """What a model contributes: its deciding fields, what its weights are, and the identities of its members.

    Raises UserError when nothing pins the weights.
    """
    if isinstance(model.weights, FolderModel) and pin.content is None:
        raise UserError(f"model {model.name}: a local folder is identified by its content, and none was given")
    values = {**deciding(model), "source": deciding(model.weights), **dataclasses.asdict(pin)}
    parameters = {name: value for name, value in values["parameters"].items() if name not in loader.executes}
    versions = {"loader_version": loader.version, "plug_ins": origins([("embedmark.models", loader.name)])}
    return {**values, "parameters": explicit(parameters), "members": members, **versions}


def encoder_identity(model: Mapping[str, Json]) -> dict[str, Json]:
    """The part of a model's identity that decides the vectors it gives for a prompt and text.

    Prompts are part of each text's key, and post-processing comes after the store, so both are left out: models that
    differ in nothing else share their embeddings.
    """
    return {key: value for key, value in model.items() if key not in _OUTSIDE_THE_ENCODER}


def task_identity(task: TaskConfig, kind: TaskType, settings: TaskSettings, pin: Pin) -> dict[str, Json]:
    """What a task contributes, apart from subset and split. settings: an instance of its type's class."""
    values = deciding(task)
    for field in ("subsets", "languages", "splits"):
        del values[field]
    source = source_of(task.dataset)
    said = {name: explicit(value) if name in source.arguments else value for name, value in values["dataset"].items()}
    dataset = {**said, **dataclasses.asdict(pin)}
    values["transforms"] = explicit(values["transforms"])
    versions = {
        "protocol": kind.protocol,
        "reading": source.version,
        "plug_ins": origins(_named_by(task, settings)),
    }
    return {**values, "dataset": dataset, "settings": deciding_settings(settings), **versions}


def _named_by(task: TaskConfig, settings: TaskSettings) -> Iterator[tuple[str, str]]:
    """What a task uses that a package may add: entry-point groups, and names in them."""
    yield "embedmark.tasks", task.type
    yield "embedmark.sources", source_of(task.dataset).key
    if isinstance(task.dataset, PackageDataset):
        yield "embedmark.readers", task.dataset.reader
    for step in task.transforms:
        yield from (("embedmark.transforms", name) for name in step)
    yield from (("embedmark.metrics", name) for name in getattr(settings, "extra_metrics", ()))


def job_identity(
    model: Mapping[str, Json],
    task: Mapping[str, Json],
    subset: str,
    split: str,
    languages: Sequence[str],
    draws_after: Sequence[tuple[str, str]] = (),
) -> dict[str, Json]:
    """The whole identity, plain if model and task are.

    draws_after: the (split, subset) pairs whose draws are replayed first, where they are.
    """
    job = {"subset": subset, "split": split, "languages": languages, "draws_after": draws_after}
    return {"identity": IDENTITY, "model": model, "task": task, "job": plain(job)}
