"""The files of a checkpoint, in a folder or on the hub: its settings, its card, the shapes of its tensors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import prod
from pathlib import Path
from typing import Any

from embedmark.runner.common import folder as folders
from embedmark.runner.common.errors import UserError
from embedmark.runner.common.files import read_regular
from embedmark.runner.config.explain import in_yaml
from embedmark.runner.config.yaml_files import MAX_BYTES, parse
from embedmark.runner.hub.files import Hub, Shapes, local_tensors
from embedmark.runner.hub.weights import IGNORED, WEIGHTS, needed

HUB_NAME = re.compile(r"\w[\w.-]*/[\w.-]+")

BITS = {"F64": 64, "I64": 64, "U64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16, "I16": 16, "U16": 16}
"""The number formats of safetensors that are wider than a byte. F4 is half a byte."""


@dataclass(frozen=True)
class Tensor:
    """One tensor's name and shape, as the header of its file has it."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    @property
    def n_bytes(self) -> int:
        """What it takes in memory."""
        return self.size * (4 if self.dtype == "F4" else BITS.get(self.dtype, 8)) // 8


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint's files by name; none is read before it is asked for.

    name: what the model is called. hub: its repository, None for a folder. read: the local path of a file. head: what
    a safetensors file holds, None where that cannot be had. created: when its repository was made.
    """

    name: str
    where: str
    names: tuple[str, ...]
    read: Callable[[str], Path]
    head: Callable[[str], Shapes | None]
    hub: str | None = None
    commit: str | None = None
    created: date | None = None

    def json(self, name: str) -> Any:
        """What a JSON file holds, {} where there is no such file. Raises UserError when it is invalid."""
        if name not in self.names:
            return {}
        try:
            return json.loads(read_regular(self.read(name)))
        except (ValueError, RecursionError):
            raise UserError(f"{self.where}: {name} is not JSON; get the checkpoint's files anew") from None
        except OSError as error:
            raise UserError(f"{self.where}: {name} cannot be read: {error.strerror}") from None

    def settings(self, name: str) -> dict[str, Any]:
        """A JSON file of settings. Raises UserError when it is no object."""
        found = self.json(name)
        if not isinstance(found, dict):
            raise UserError(f"{self.where}: {name} holds {in_yaml(found)}; expected an object of settings")
        return found

    def card(self) -> Mapping[str, Any]:
        """What stands between the two lines `---` at the head of the README. A card that is not YAML says nothing."""
        if "README.md" not in self.names:
            return {}
        try:
            text = read_regular(self.read("README.md"), MAX_BYTES).decode("utf-8", "replace")
            found = parse(text[3:].partition("\n---")[0], "README.md") if text.startswith("---") else {}
        except (OSError, UserError):
            return {}
        return found if isinstance(found, dict) else {}

    def weights(self) -> list[str]:
        """The files that hold its weights. Of a repository that open_clip reads too, not that library's own."""
        found = [name for name in needed(self.names) if name.endswith(WEIGHTS)]
        return [name for name in found if not name.startswith("open_clip_")] or found

    def tensors(self) -> list[Tensor] | None:
        """Every tensor of its weights, None where they are in no format that says so in its head."""
        files = self.weights()
        if not files or not all(name.endswith(".safetensors") for name in files):
            return None
        heads = [self.head(name) for name in files]
        known = [head for head in heads if head is not None]
        if len(known) < len(heads):
            return None
        return [Tensor(name, dtype, shape) for head in known for name, (dtype, shape) in head.items()]


def open_checkpoint(name: str) -> Checkpoint:
    """Open the checkpoint in a folder of that path, or else on the hub under that name.

    Raises UserError when there is none or it holds no model, JobError when the hub cannot be reached.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        found = _in_folder(folder.resolve())
    elif not HUB_NAME.fullmatch(name) or folder.exists():
        raise UserError(
            f"{name!r} is no folder and no name of the hub; expected a folder with config.json or modules.json, or "
            "ORGANISATION/NAME as on the hub"
        )
    else:
        found = _on_hub(name)
    _refuse_without_settings(found.names, found.where)
    if not found.weights():
        raise UserError(
            f"{found.where} has no weights ({', '.join(WEIGHTS)}); it has {', '.join(found.names[:10])}"
            + (", and an adapter alone is no model" if "adapter_config.json" in found.names else "")
        )
    return found


def _refuse_without_settings(names: Sequence[str], where: str) -> None:
    if not {"modules.json", "config.json", "open_clip_config.json"} & set(names):
        some = ", ".join(names[:10]) or "nothing"
        raise UserError(f"{where} has neither modules.json nor config.json, so it holds no model; it has {some}")


def _in_folder(folder: Path) -> Checkpoint:
    # First what is right in it: a home folder, given by mistake, takes minutes to look through.
    try:
        top = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}") from error
    _refuse_without_settings(top, str(folder))
    names = tuple(folders.files(folder, IGNORED, hidden=False))
    return Checkpoint(folder.name, str(folder), names, folder.joinpath, lambda name: local_tensors(folder / name))


def _on_hub(repo: str) -> Checkpoint:
    hub = Hub.from_environment()
    revision = hub.resolve_revision(repo, "model")
    commit = hub.commit(repo, "model", revision)
    return Checkpoint(
        name=repo,
        where=f"{repo} at {revision}",
        names=tuple(commit.paths),
        read=lambda name: hub.fetch(commit, [name])[name],
        head=lambda name: hub.tensors(commit, name),
        hub=repo,
        commit=revision,
        created=hub.created(repo, "model"),
    )
