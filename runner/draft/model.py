"""The text of a model's file, drafted from its checkpoint."""

from __future__ import annotations

from collections.abc import Collection

import yaml
from pydantic import ValidationError

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import slug
from embedmark.runner.config.explain import invalid
from embedmark.runner.config.schema import ModelConfig
from embedmark.runner.draft.about import about
from embedmark.runner.draft.checkpoint import Checkpoint
from embedmark.runner.draft.kind import loader_of
from embedmark.runner.draft.page import Line, page
from embedmark.runner.draft.settings import settings


def draft(checkpoint: Checkpoint, tasks: Collection[str]) -> tuple[str, ModelConfig]:
    """Draft a model's file: its text, and what it says. tasks: all names and labels that its prompts may be for.

    Raises UserError for a checkpoint that none of the loaders is for, or whose files hold what no checkpoint's do.
    """
    try:
        text = _text(checkpoint, tasks)
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


def _text(checkpoint: Checkpoint, tasks: Collection[str]) -> str:
    loader = loader_of(checkpoint)
    here = Line("revision", checkpoint.commit) if checkpoint.hub else Line("source", {"path": checkpoint.where})
    head = [
        Line(note=f"Drafted from the files of {checkpoint.where}; none of its weights were loaded."),
        Line("name", checkpoint.name, "" if checkpoint.hub else "yours to choose"),
        Line("loader", loader),
        here,
    ]
    return page([*head, *settings(checkpoint, loader, tasks)]) + "about:\n" + page(about(checkpoint, loader), "  ")


def choice_of(name: str) -> str:
    """Return the name of a model's file, as in the catalogue: the model's name without its owner."""
    return slug(name.rpartition("/")[2].casefold()).strip("_") or "model"
