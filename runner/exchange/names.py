"""Names that strangers give to models, revisions, tasks, splits and subsets: which are taken, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=,() -]{0,127}(?<![. ])", re.ASCII)
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_COMMIT = re.compile(r"[0-9a-f]{7,40}")


def is_safe(name: object) -> bool:
    """Whether a name makes one part of a path, and nothing else, on every system."""
    return isinstance(name, str) and _SAFE.fullmatch(name) is not None and not _RESERVED.fullmatch(name)


def is_model(name: object) -> bool:
    """Whether a text is the name of a model: one or two safe parts, as in ORGANISATION/NAME."""
    return isinstance(name, str) and name.count("/") <= 1 and all(map(is_safe, name.split("/")))


def is_commit(text: str) -> bool:
    """Whether a revision is a commit or the beginning of one; texts such as `main` and `1` are not."""
    return _COMMIT.fullmatch(text) is not None and not text.isdigit()


def folder_form(model: str) -> str:
    """Return the name of a model's folder among the field's results, where / and blanks have no place."""
    return model.replace("/", "__").replace(" ", "_")


def of_folder(name: str) -> str | None:
    """Return the name of the model whose folder it is; None where it is not told.

    A blank that became _ cannot be told from a _, but for the names that `aliases.yaml` lists.
    """
    organisation, separator, rest = name.partition("__")
    model = f"{organisation}/{rest}"
    if not separator or not is_model(model):
        return None
    folders: Mapping[str, str] = aliases()["folders"]
    return folders.get(model, model)


@cache
def aliases() -> Mapping[str, Any]:
    """Read `aliases.yaml`: what was renamed, each by its old name."""
    found: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("aliases.yaml").read_text(encoding="utf-8"))
    return found


def present_task(task: str) -> str:
    """Return what a task is called today."""
    name: str = aliases()["tasks"].get(task, task)
    return name


def present_model(model: str) -> str:
    """Return what a model is called today, as the catalogue has it, though its folder's name be given."""
    told: str = aliases()["folders"].get(model, model)
    name: str = aliases()["models"].get(told, told)
    return name


def present_metric(metric: str) -> str:
    """Return what a metric is called today, as `cosine_ap` for `cos_sim_ap`."""
    for old, new in aliases()["metrics"].items():
        if metric.startswith(old):
            return f"{new}{metric[len(old) :]}"
    return metric
