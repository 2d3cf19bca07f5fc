"""`list`: what there is to measure, and with what. Names alone are read of files, so no schema is needed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.terminal import open_console, plain_table
from embedmark.runner.common.text import complain, say
from embedmark.runner.config.catalogue import Catalogue, Entry, Kind


def list_entries(kinds: str, pattern: str, folders: Sequence[Path], *, as_json: bool = False) -> int:
    """Print every entry of a kind whose name, type or file has the pattern in it.

    As JSON, a line an entry; of a task also the label that it says, of a model all that its file says `about` it.
    """
    kind: Kind = kinds.removesuffix("s")  # type: ignore[assignment]
    catalogue = Catalogue.of(folders)
    entries = catalogue.entries(kind)
    catalogue.warn(kind)
    chosen = [entry for entry in entries.values() if _matches(entry, pattern)]
    if as_json:
        for entry in chosen:
            said = {"name": entry.name, "choice": entry.choice, "type": entry.type, "path": str(entry.path)}
            label = {"label": entry.label} if entry.label else {}
            print(json.dumps(said | label | ({"about": _about(entry, catalogue)} if kind == "model" else {})))
        return 0
    console = open_console()
    if not console.is_terminal:
        for entry in chosen:
            say("\t".join([entry.name, entry.choice, *([_type(entry)] if kind == "task" else [])]))
        return 0
    table = plain_table("name")
    table.add_column(f"{kind}=", overflow="fold", style="cyan")
    if kind == "task":
        table.add_column("type")
    for entry in chosen:
        table.add_row(entry.name, entry.choice, *([_type(entry)] if kind == "task" else []))
    console.print(table)
    console.print(f"{len(chosen)} of {len(entries)} {kinds}", style="dim", highlight=False)
    return 0


def _type(entry: Entry) -> str:
    """A task's type, and its label where it says one."""
    return f"{entry.type or ''} ({entry.label})" if entry.label else entry.type or ""


def _about(entry: Entry, catalogue: Catalogue) -> dict[str, Any] | None:
    """What is known of a model, null where it is not known; None, with a warning, where its file is invalid."""
    try:
        return catalogue.model(entry.choice).about.model_dump(mode="json")
    except UserError as error:
        complain(f"warning: {error}")
        return None


def _matches(entry: Entry, pattern: str) -> bool:
    return pattern.casefold() in f"{entry.name}\n{entry.choice}\n{_type(entry)}".casefold()
