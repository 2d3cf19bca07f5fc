"""The models that a model is made of: names in its file become the configs that they name."""

from __future__ import annotations

from collections.abc import Iterator

from embedmark.models.loaders import find_loader
from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import ModelConfig


def resolved(model: ModelConfig, found: Catalogue) -> ModelConfig:
    """The model with its members as configs, theirs included.

    Raises UserError for a name that no file has, for a circle, and where the loader and the members do not fit.
    """
    return _resolved(model, found, (model.name,))


def all_of(model: ModelConfig) -> Iterator[ModelConfig]:
    """The model, its members, and theirs."""
    yield model
    for part in model.parts:
        yield from all_of(part)


def _resolved(model: ModelConfig, found: Catalogue, path: tuple[str, ...]) -> ModelConfig:
    loader = find_loader(model.loader)
    if loader is None or (not loader.takes_members and not model.members):
        return model
    where = f"model {model.name}: members"
    if not loader.takes_members:
        raise UserError(f"{where}: loader {loader.name} takes none; leave them out")
    if len(model.members) < 2:
        raise UserError(
            f"{where}: found {len(model.members)}; loader {loader.name} puts two models or more together, as in "
            "`members: [bm25, minilm]`"
        )
    parts = []
    for member in model.members:
        part = _named(member, found, where) if isinstance(member, str) else member
        if part.name in path:
            raise UserError(f"{where}: {' → '.join((*path, part.name))} is a circle; a model cannot be part of itself")
        parts.append(_resolved(part, found, (*path, part.name)))
    return model.model_copy(update={"members": tuple(parts)})


def _named(name: str, found: Catalogue, where: str) -> ModelConfig:
    try:
        return found.model(name)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
