"""`list` and `show`: what there is to measure, and with what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter
from rich.syntax import Syntax
from rich.table import Table

from runner.config.catalogue import KINDS, Catalogue, Entry, Kind, check_settings
from runner.config.schema import ModelConfig, TaskConfig
from runner.errors import UserError, nearest
from runner.terminal import open_console
from runner.text import complain, say


def list_entries(kinds: str, pattern: str, folders: Sequence[Path], *, as_json: bool = False) -> int:
    """Print every entry of a kind whose name, type or file has the pattern in it.

    As JSON, a line an entry; of a model also all that its file says `about` it.
    """
    kind: Kind = kinds.removesuffix("s")  # type: ignore[assignment]
    catalogue = Catalogue.of(folders)
    entries = catalogue.entries(kind)
    catalogue.warn(kind)
    chosen = [entry for entry in entries.values() if _matches(entry, pattern)]
    if as_json:
        for entry in chosen:
            said = {"name": entry.name, "choice": entry.choice, "type": entry.type, "path": str(entry.path)}
            print(json.dumps(said | ({"about": _about(entry, catalogue)} if kind == "model" else {})))
        return 0
    console = open_console()
    if not console.is_terminal:
        for entry in chosen:
            say("\t".join([entry.name, entry.choice, *([entry.type or ""] if kind == "task" else [])]))
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("name", overflow="fold")
    table.add_column(f"{kind}=", overflow="fold", style="cyan")
    if kind == "task":
        table.add_column("type")
    for entry in chosen:
        table.add_row(entry.name, entry.choice, *([entry.type or ""] if kind == "task" else []))
    console.print(table)
    console.print(f"{len(chosen)} of {len(entries)} {kinds}", style="dim", highlight=False)
    return 0


def _about(entry: Entry, catalogue: Catalogue) -> dict[str, Any] | None:
    """What is known of a model, null where it is not known; None, with a warning, where its file is invalid."""
    try:
        return catalogue.model(entry.choice).about.model_dump(mode="json")
    except UserError as error:
        complain(f"warning: {error}")
        return None


def _matches(entry: Entry, pattern: str) -> bool:
    return pattern.casefold() in f"{entry.name}\n{entry.choice}\n{entry.type or ''}".casefold()


def show(name: str, folders: Sequence[Path]) -> int:
    """Print a model, task or benchmark with its defaults filled in. Raises UserError when there is none of the name."""
    catalogue = Catalogue.of(folders)
    console = open_console()
    for index, (entry, config) in enumerate(_found(name, catalogue)):
        console.print(f"{'' if index == 0 else chr(10)}# {entry.path}", style="dim", highlight=False, soft_wrap=True)
        text = yaml.safe_dump(_filled_in(config, entry), sort_keys=False, allow_unicode=True)
        if console.is_terminal:
            console.print(Syntax(text.rstrip(), "yaml", background_color="default", word_wrap=True))
        else:
            say(text.rstrip())
    return 0


def _filled_in(config: BaseModel, entry: Entry) -> dict[str, Any]:
    values = config.model_dump(mode="json", exclude_none=True)
    if isinstance(config, TaskConfig):
        settings = asdict(check_settings(config, str(entry.path)))
        return {**values, "settings": TypeAdapter(dict[str, Any]).dump_python(settings, mode="json")}
    if isinstance(config, ModelConfig):
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
