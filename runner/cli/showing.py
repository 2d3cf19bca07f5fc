"""`show`: one config as it is understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.terminal import open_console
from embedmark.runner.common.text import say
from embedmark.runner.config.catalogue import KINDS, Catalogue, Entry
from embedmark.runner.config.checks import check_settings, known_loader, task_type
from embedmark.runner.config.schema import ModelConfig, TaskConfig


def show(name: str, folders: Sequence[Path]) -> int:
    """Print a model, task or benchmark with its defaults filled in. Raises UserError when there is none of the name."""
    catalogue = Catalogue.of(folders)
    console = open_console()
    for index, (entry, config) in enumerate(_found(name, catalogue)):
        console.print(f"{'' if index == 0 else chr(10)}# {entry.path}", style="dim", highlight=False, soft_wrap=True)
        text = yaml.safe_dump(_filled_in(config, entry), sort_keys=False, allow_unicode=True)
        if console.is_terminal:
            from rich.syntax import Syntax

            console.print(Syntax(text.rstrip(), "yaml", background_color="default", word_wrap=True))
        else:
            say(text.rstrip())
    return 0


def _filled_in(config: BaseModel, entry: Entry) -> dict[str, Any]:
    values = config.model_dump(mode="json", exclude_none=True)
    if isinstance(config, TaskConfig):
        where = str(entry.path)
        settings = asdict(check_settings(config, where, task_type(config, where)))
        return {**values, "settings": TypeAdapter(dict[str, Any]).dump_python(settings, mode="json")}
    if isinstance(config, ModelConfig):
        known_loader(config)
        # Null here says something: that nobody knows, where an empty list says that there are none.
        trained_on = config.about.training_datasets
        values["about"] |= {"training_datasets": None if trained_on is None else list(trained_on)}
    return values


def _found(name: str, catalogue: Catalogue) -> list[tuple[Entry, BaseModel]]:
    found: list[tuple[Entry, BaseModel]] = []
    for kind in KINDS:
        try:
            found.append((catalogue.find(kind, name), catalogue.config(kind, name)))
        except UserError:
            if catalogue.has(kind, name):
                raise
    if not found:
        known = [
            known
            for kind in KINDS
            for entry in catalogue.entries(kind).values()
            for known in (entry.name, entry.choice)
        ]
        raise UserError(
            f"no model, task or benchmark {name!r}.{nearest(name, known)} `python -m runner list tasks` lists all."
        )
    return found
