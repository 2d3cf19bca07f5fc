"""The rows of one subset of a task: read from its source, transformed, checked and hashed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.config.schema.sources import function, source_of
from embedmark.runner.data import images
from embedmark.runner.data.checks import check_split
from embedmark.runner.data.findings import Finding, find
from embedmark.runner.data.hashing import content_hashes
from embedmark.runner.data.parse import UNTYPED
from embedmark.runner.data.roles import typed
from embedmark.runner.data.sources.base import Facts, Raw, Request
from embedmark.runner.data.transforms.apply import apply, makes_retrieval, needed
from embedmark.runner.data.transforms.parsing import Step, parse
from embedmark.runner.hub.files import Hub
from embedmark.runner.resolve import ResolvedTask
from embedmark.tasks.base import RetrievalRows, Rows


@dataclass(frozen=True)
class Loaded:
    """Splits as the task type reads them. hashes: split → content hash of its rows after transforms.

    findings: what is odd about the rows, where the evaluated split is known. columns: the hash of each column.
    """

    splits: Mapping[str, Rows | RetrievalRows]
    hashes: Mapping[str, str]
    source: Facts
    findings: tuple[Finding, ...] = ()
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def load(
    task: ResolvedTask,
    subset: str,
    splits: Sequence[str],
    *,
    evaluated: str | None = None,
    offline: bool | None = None,
    hub: Hub | None = None,
) -> Loaded:
    """Load the splits of one subset that a task type asks for: read, transformed, checked and hashed.

    Only these, and those that transforms need to make them, are read.

    Args:
        evaluated: the split in whose data oddities are looked for.
        offline: whether to do without network; by default as HF_HUB_OFFLINE says.
        hub: another hub or cache than the environment's.

    Raises:
        UserError: for what the user can mend (names, columns, types, empty splits); the message names the dataset, its
            revision and what there is.
        JobError: for network trouble that did not pass, and for a folder that has changed.

    Example:
        >>> loaded = load(task, "default", ["test"])
        >>> loaded.splits["test"]["text"][:2], loaded.hashes["test"]
    """
    try:
        steps = parse(task.config.transforms)
        asked = Request(
            task.config.dataset,
            subset,
            needed(steps, subset, splits),
            retrieval=task.type.retrieval_layout and not makes_retrieval(steps, subset),
            content=task.content,
            offline=offline,
            hub=hub,
        )
        raw: Raw = function(source_of(asked.dataset).fetch)(asked)
        _check_split_names(steps, raw, splits)
        tables = apply(steps, {name: images.as_bytes(table) for name, table in raw.splits.items()}, subset)
        untyped = raw.facts.kind == "files" and any(file.lower().endswith(UNTYPED) for file in raw.facts.files)
        tables = typed(task, subset, tables, untyped=untyped)
        for split in splits:
            if split not in tables:
                raise UserError(f"no split {split!r} after the transforms; there are {', '.join(tables)}.")
            check_split(task, subset, split, tables[split])
        findings = () if evaluated is None else find(task, evaluated, {split: tables[split] for split in splits})
    except UserError as error:
        raise UserError(f"task {task.name}: {error}") from error
    hashes = {split: content_hashes(tables[split]) for split in splits}
    return Loaded(
        splits={split: tables[split].rows() for split in splits},
        hashes={split: whole for split, (whole, _) in hashes.items()},
        source=raw.facts,
        findings=findings,
        columns={split: columns for split, (_, columns) in hashes.items()},
    )


def _check_split_names(steps: Sequence[Step], raw: Raw, wanted: Sequence[str]) -> None:
    """A step limited to a split that exists nowhere would silently do nothing."""
    known = {*raw.available, *raw.splits, *wanted}
    for step in steps:
        given = step.arguments
        known |= set(given["names"]) if step.name == "map_splits" else set()
        known |= {given[name] for name in ("into", "train", "test") if "from_" in given and name in given}
        for name in step.splits or ():
            if name not in known and step.name != "split_by_value":
                raise UserError(
                    f"{step.where}: splits: there is no split {name!r}; "
                    f"there are {', '.join(sorted(known))}.{nearest(name, known)}"
                )
