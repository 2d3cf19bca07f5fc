"""Which splits the steps of a task need, and the running of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from embedmark.runner.common.errors import TableError, UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.data.table import RetrievalTables, Split, Table
from embedmark.runner.data.transforms.parsing import PARTS, Step


def needed(steps: Sequence[Step], subset: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """The splits to load so that, after the steps, the wanted ones are there."""
    names = set(wanted)
    for step in reversed(steps):
        if step.concerns(subset):
            names = step.kind.needs(step.arguments, names)
    return tuple(sorted(names))


def makes_retrieval(steps: Sequence[Step], subset: str) -> bool:
    """Whether the steps turn plain tables into a retrieval layout, so that plain tables are to be loaded."""
    return any(step.kind.makes_layout and step.concerns(subset) for step in steps)


def apply(steps: Sequence[Step], loaded: Mapping[str, Split], subset: str) -> dict[str, Split]:
    """Run the steps that concern a subset over its splits. Raises UserError, which names the step."""
    current = dict(loaded)
    for step in steps:
        if step.concerns(subset):
            try:
                current = _run(step, current, subset)
            except TableError as error:
                raise UserError(f"{step.where}: subset {subset!r}: {error}") from error
    return current


def _run(step: Step, current: dict[str, Split], subset: str) -> dict[str, Split]:
    kind = step.kind
    chosen = {name: split for name, split in current.items() if step.splits is None or name in step.splits}
    told: dict[str, str | None] = {"subset": subset, "part": step.part}
    arguments: dict[str, Any] = {**step.arguments, **{name: told[name] for name in kind.told}}
    if kind.over == "layout":
        layouts = {name: _layout(split, step, name) for name, split in chosen.items()}
        return {**current, **{name: kind.run(layout, **arguments) for name, layout in layouts.items()}}
    tables = {name: _table(split, step.part, name) for name, split in chosen.items()}
    if kind.over == "table":
        results = {name: kind.run(table, **arguments) for name, table in tables.items()}
    else:
        _refuse_missing(step, tables)
        results = kind.run(tables, **arguments)
    others = {name: split for name, split in current.items() if name not in chosen}
    return {**others, **{name: _put(current.get(name), step.part, table) for name, table in results.items()}}


def _refuse_missing(step: Step, tables: Mapping[str, Table]) -> None:
    """Refuse a step that reads a split by name which is not there."""
    named = step.arguments.get("from_", step.arguments.get("across", ()))
    missing = sorted(({named} if isinstance(named, str) else set(named)) - set(tables))
    if missing:
        raise TableError(f"no split {missing[0]!r}; the splits here are {sorted(tables)}.{nearest(missing[0], tables)}")


def _table(split: Split, part: str | None, name: str) -> Table:
    if isinstance(split, Table):
        if part is not None:
            raise TableError(f"`part: {part}` is for retrieval layouts, and split {name!r} is one plain table")
        return split
    if part is None:
        raise TableError(f"split {name!r} has a retrieval layout; say which table with `part`, one of {list(PARTS)}")
    table: Table | None = getattr(split, part)
    if table is None:
        raise TableError(f"split {name!r} has no {part}")
    return table


def _layout(split: Split, step: Step, name: str) -> RetrievalTables:
    told = "part" in step.kind.told
    if isinstance(split, Table) or (told and step.part is None):
        which = ", and `part` to say which table it is about" if told else ""
        raise TableError(f"split {name!r}: this step needs a retrieval layout{which}")
    if step.part is not None and not told:
        raise TableError(f"`part: {step.part}`: this step is about all tables of the layout; leave `part` out")
    return split


def _put(split: Split | None, part: str | None, result: Split) -> Split:
    if part is None or not isinstance(split, RetrievalTables):
        return result
    changed: dict[str, Any] = {part: result}
    return replace(split, **changed)
