"""What decides a job's score, and its hash.

The fingerprint is the SHA-256 of the canonical JSON of the identity. The identity holds every deciding value of model,
task, subset and split, and four kinds of version: the layout of the identity itself, the protocol of the task type, the
reading of data and the loader of the model. It never holds how the job is executed, or what else runs.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Container, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from models.base import BACKEND_DTYPES
from models.loaders import Loader, added_loaders, find_loader, loaders
from runner.config.catalogue import check_settings, task_type
from runner.config.roles import role_of
from runner.config.schema import FolderModel, ModelConfig, TaskConfig
from runner.errors import UserError, nearest
from runner.text import composed

IDENTITY = 1
"""Layout of the identity. Raising it gives every job a new fingerprint."""

_READING = {"hub": 1, "package": 1, "files": 2}
"""Versions of how each kind of dataset is read. Bump one when a change of code changes the rows of an unchanged
config."""

_OUTSIDE_THE_ENCODER = {
    "prompts",
    "instructions",
    "layer_norm",
    "truncate_dim",
    "normalize",
    "quantize",
    "quantize_clip",
    "similarity",
}

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
        return {_key(key): _SAID[type(inner)] if _is_empty(inner) else explicit(inner) for key, inner in value.items()}
    return [explicit(inner) for inner in value] if isinstance(value, (list, tuple)) else value


_SAID: Mapping[type, str] = {type(None): "(null)", dict: "(no entries)", list: "(empty)", tuple: "(empty)"}


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


def model_identity(model: ModelConfig, pin: Pin, members: Sequence[Mapping[str, Json]] = ()) -> dict[str, Json]:
    """What a model contributes: its deciding fields, what its weights are, and the identities of its members.

    Raises UserError when the loader is unknown or cannot give the dtype, or when nothing pins the weights.
    """
    loader = known_loader(model)
    if isinstance(model.weights, FolderModel) and pin.content is None:
        raise UserError(f"model {model.name}: a local folder is identified by its content, and none was given")
    values = {**deciding(model), "source": deciding(model.weights), **dataclasses.asdict(pin)}
    parameters = {name: value for name, value in values["parameters"].items() if name not in loader.executes}
    return {**values, "parameters": explicit(parameters), "members": members, "loader_version": loader.version}


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


def encoder_identity(model: Mapping[str, Json]) -> dict[str, Json]:
    """The part of a model's identity that decides the vectors it gives for a prompt and text.

    Prompts are part of each text's key, and post-processing comes after the store, so both are left out: models that
    differ in nothing else share their embeddings.
    """
    return {key: value for key, value in model.items() if key not in _OUTSIDE_THE_ENCODER}


def reading(dataset: Container[str]) -> int:
    """The version of how a dataset is read, by the keys of its config or of its part of an identity."""
    return next((version for key, version in _READING.items() if key in dataset), _READING["files"])


def task_identity(task: TaskConfig, pin: Pin) -> dict[str, Json]:
    """What a task contributes, apart from subset and split."""
    where = f"task {task.name}"
    settings = dataclasses.asdict(check_settings(task, where))
    values = deciding(task)
    for field in ("subsets", "languages", "splits"):
        del values[field]
    dataset = {**values["dataset"], **dataclasses.asdict(pin)}
    if "options" in dataset:
        dataset["options"] = explicit(dataset["options"])
    values["transforms"] = explicit(values["transforms"])
    versions = {"protocol": task_type(task, where).protocol, "reading": reading(type(task.dataset).model_fields)}
    return {**values, "dataset": dataset, "settings": settings, **versions}


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
