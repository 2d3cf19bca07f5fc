"""`store`: what outputs take on disk, by model; and `store prune`, which deletes vectors."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from embedmark.runner.common.errors import OK, OutputError, UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.terminal import plain_table, table_console
from embedmark.runner.common.text import say
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.encode.store import IDENTITY, OPENED, sweep
from embedmark.runner.report.names import model_on_record
from embedmark.runner.storage import ModelUsage, StoredShard, Usage, shards, usage

UNITS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}


def show(outputs: Path, *, as_json: bool) -> int:
    """Print what an outputs folder takes. Raises UserError when there is none."""
    found = usage(_existing(outputs))
    if as_json:
        print(json.dumps({"outputs": str(outputs), "total": found.total, **dataclasses.asdict(found)}))
        return OK
    table = plain_table("model")
    for name in ("vectors", "last used", "jobs", "records"):
        table.add_column(name, justify="right")
    for model in found.models:
        table.add_row(model.model, _size(model.vectors), _day(model), f"{model.jobs}", _size(model.records))
    console = table_console()
    if found.models:
        console.print(table)
    console.print(_rest(found, outputs))
    return OK


def prune(outputs: Path, *, model: str | None, older: str | None, confirmed: bool) -> int:
    """Delete vectors of a model, or those not used for a time, or what is both. Records stay.

    Runs that go on in other processes lose nothing: what they have found they keep open, and the rest they encode
    again. Raises UserError when nothing says what to delete, and without a terminal when it is not confirmed.
    """
    if model is None and older is None:
        raise UserError("say what to delete: --model NAME, --older 90d, or both")
    before = None if older is None else time.time() - _seconds(older)
    everything = list(shards(_existing(outputs)))
    name = None if model is None else _known(model, everything)
    chosen = [
        shard
        for shard in everything
        if (name is None or shard.model == name) and (before is None or shard.used < before)
    ]
    if not chosen:
        print("nothing to delete")
        return OK
    of = ", ".join(sorted({shard.model for shard in chosen}))
    what = f"{_size(sum(shard.size for shard in chosen))} of vectors in {len(chosen)} files, of {of}"
    if not confirmed and not _agreed(what):
        print("nothing was deleted")
        return OK
    for shard in chosen:
        _delete(shard)
    sweep(outputs / "store")
    say(f"deleted {what}; records are as they were")
    return OK


def _delete(shard: StoredShard) -> None:
    """Remove a file of vectors, and its folder with the last one. Raises OutputError."""
    folder = shard.path.parent
    try:
        shard.path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{shard.path}: cannot be deleted: {error.strerror}") from error
    if {path.name for path in folder.iterdir()} <= {IDENTITY, OPENED}:
        with suppress(OSError):  # another process may be writing again
            for name in (OPENED, IDENTITY):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()


def _agreed(what: str) -> bool:
    if not sys.stdin.isatty():
        raise UserError(f"this would delete {what}; add --yes to do it without being asked")
    say(f"delete {what}? [y/N] ")
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}


def _known(wanted: str, everything: Sequence[StoredShard]) -> str:
    names = {shard.model for shard in everything}
    name = model_on_record(wanted, names, Catalogue.of(()))
    if name is not None:
        return name
    stored = f"Stored: {', '.join(sorted(names)[:10])}" if names else "The store is empty"
    raise UserError(f"--model: no vectors of {wanted!r} in the store.{nearest(wanted, names)} {stored}.")


def _seconds(age: str) -> float:
    match = re.fullmatch(r"([0-9]{1,6})([hdw])", age.strip())
    if match is None:
        raise UserError(f"--older: found {age!r}; expected a number of hours, days or weeks, as in 12h, 90d or 8w")
    return int(match[1]) * UNITS[match[2]]


def _existing(outputs: Path) -> Path:
    if not outputs.is_dir():
        raise UserError(f"{outputs}: no such folder; give --outputs FOLDER, where results lie")
    return outputs


def _rest(found: Usage, outputs: Path) -> str:
    parts = {
        "hashes of data": found.data,
        "invocations": found.invocations,
        "reports": found.reports,
        "leftovers": found.leftovers,
        "other": found.other,
    }
    rest = ", ".join(f"{name} {_size(size)}" for name, size in parts.items() if size)
    return f"{outputs} takes {_size(found.total)} in all{': besides models, ' + rest if rest else ''}"


def _size(n_bytes: int) -> str:
    size, units = float(n_bytes), ["B", "KiB", "MiB", "GiB", "TiB"]
    while size >= 1024 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:.0f} B" if units[0] == "B" else f"{size:.1f} {units[0]}"


def _day(model: ModelUsage) -> str:
    return "–" if model.last_used is None else datetime.fromtimestamp(model.last_used).astimezone().strftime("%Y-%m-%d")
