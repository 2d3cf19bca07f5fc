"""Names that strangers give to models, revisions, tasks, splits and subsets: what they mean today."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from embedmark.runner.common.names import is_model

_COMMIT = re.compile(r"[0-9a-f]{7,40}")


def is_commit(text: str) -> bool:
    """Whether a revision is a commit or the beginning of one; texts such as `main` and `1` are not."""
    return _COMMIT.fullmatch(text) is not None and not text.isdigit()


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
