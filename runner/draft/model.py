"""The text of a model's file, drafted from its checkpoint."""

from __future__ import annotations

import re

import yaml
from pydantic import ValidationError

from runner.config.explain import invalid
from runner.config.schema import ModelConfig
from runner.draft.about import about
from runner.draft.checkpoint import Checkpoint
from runner.draft.kind import loader_of
from runner.draft.page import Line, page
from runner.draft.settings import settings
from runner.errors import UserError


def draft(checkpoint: Checkpoint) -> tuple[str, ModelConfig]:
    """The file's text, and what it says.

    Raises UserError for a checkpoint that none of the loaders is for, or whose files hold what no checkpoint's do.
    """
    try:
        text = _text(checkpoint)
        values = yaml.safe_load(text)
    except (TypeError, AttributeError, LookupError, ValueError, RecursionError, yaml.YAMLError):
        # A hundred settings are read of files that anyone may have written.
        files = [name for name in checkpoint.names if name.endswith(".json")]
        raise UserError(
            f"{checkpoint.where}: a setting in {', '.join(files[:6]) or 'its files'} has a value of a kind that no "
            "checkpoint's has (a list for a text, or the like); get the files anew, or write the model's file by hand"
        ) from None
    try:
        return text, ModelConfig.model_validate(values)
    except ValidationError as error:
        raise invalid(error, checkpoint.where, ModelConfig) from None


def _text(checkpoint: Checkpoint) -> str:
    loader = loader_of(checkpoint)
    here = Line("revision", checkpoint.commit) if checkpoint.hub else Line("source", {"path": checkpoint.where})
    head = [
        Line(note=f"Drafted from the files of {checkpoint.where}; none of its weights were loaded."),
        Line("name", checkpoint.name, "" if checkpoint.hub else "yours to choose"),
        Line("loader", loader),
        here,
    ]
    return page([*head, *settings(checkpoint, loader)]) + "about:\n" + page(about(checkpoint, loader), "  ")


def slug(name: str) -> str:
    """The file's name, as the catalogue makes them of a model's name without its owner."""
    return re.sub(r"[^a-z0-9]+", "_", name.rpartition("/")[2].casefold()).strip("_") or "model"
