"""Which model of those on record a user means."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.command_line import is_path


def by_its_end(wanted: str, known: Collection[str]) -> str | None:
    """The one that has this name, or whose name ends in it after its organisation; case does not count."""
    if wanted in known:
        return wanted
    folded = wanted.casefold()
    close = [name for name in known if folded in {name.casefold(), name.casefold().rpartition("/")[2]}]
    return close[0] if len(close) == 1 else None


def model_on_record(wanted: str, known: Collection[str], catalogue: Catalogue) -> str | None:
    """The model that is meant: by its name, the end of its name, its config file, or the folder of its checkpoint."""
    if is_path(wanted):
        return by_its_end(Path(wanted).expanduser().absolute().name, known)
    name = by_its_end(wanted, known)
    if name is not None:
        return name
    try:
        configured = catalogue.model(wanted).name
    except UserError:
        return None
    return configured if configured in known else None
