"""The configs that the field's metadata does not tell of."""

from __future__ import annotations

from collections.abc import Container, Iterator

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.text import complain
from embedmark.runner.config.catalogue import SHIPPED, Catalogue
from embedmark.runner.config.schema import ModelConfig, TaskConfig


def own_models(catalogue: Catalogue, known: Container[str]) -> Iterator[ModelConfig]:
    """Read the files of models in folders of the user's own, and those that ship of models that are not known.

    One that cannot be used is named in a warning and left out.

    Args:
        catalogue: Where they are.
        known: Names that the metadata tells of: files of these that ship say the same, as tests hold them to.
    """
    for name, entry in catalogue.models.items():
        if name not in known or not entry.path.is_relative_to(SHIPPED):
            try:
                yield catalogue.model(name)
            except UserError as error:
                _left_out(error)


def own_tasks(catalogue: Catalogue, known: Container[str]) -> Iterator[TaskConfig]:
    """Read the same of tasks."""
    for name, entry in catalogue.tasks.items():
        if name not in known or not entry.path.is_relative_to(SHIPPED):
            try:
                yield catalogue.task(name)
            except UserError as error:
                _left_out(error)


def _left_out(error: UserError) -> None:
    complain(f"warning: left out: {' '.join(str(error).split())}")
