"""The rows of one subset of a task: read from its source, transformed, checked and hashed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.config.schema import FilesDataset, HubDataset, PackageDataset, TaskConfig
from runner.data import images, transforms
from runner.data.checks import check_split
from runner.data.findings import Finding, find
from runner.data.hashing import content_hash
from runner.data.parse import UNTYPED
from runner.data.roles import typed
from runner.data.sources.base import Facts, Raw
from runner.data.sources.hub_files import Hub
from runner.errors import UserError, nearest
from tasks.base import RetrievalRows, Rows
from tasks.types import task_types


@dataclass(frozen=True)
class Loaded:
    """Splits as the task type reads them. hashes: split → content hash of its rows after transforms.

    findings: what is odd about the rows, where the evaluated split is known.
    """

    splits: Mapping[str, Rows | RetrievalRows]
    hashes: Mapping[str, str]
    source: Facts
    findings: tuple[Finding, ...] = ()


def load(
    task: TaskConfig,
    subset: str,
    splits: Sequence[str],
    *,
    evaluated: str | None = None,
    content: str | None = None,
    offline: bool | None = None,
    hub: Hub | None = None,
) -> Loaded:
    """The splits of one subset that a task type asks for.

    Only these, and those that transforms need to make them, are read. offline: whether to do without network; by
    default as HF_HUB_OFFLINE says. hub: another hub or cache than the environment's. evaluated: the split in whose data
    oddities are looked for. content: the hash that a local folder had when it was planned with.

    Raises UserError for what the user can mend (names, columns, types, empty splits; the message names the dataset, its
    revision and what there is), JobError for network trouble that did not pass and for a folder that has changed.
    """
    try:
        steps = transforms.parse(task.transforms)
        needed = transforms.needed(steps, subset, splits)
        retrieval = task_types()[task.type].retrieval_layout
        raw = _read(
            task,
            subset,
            needed,
            retrieval and not transforms.makes_retrieval(steps, subset),
            content=content,
            offline=offline,
            hub=hub,
        )
        _check_split_names(steps, raw, splits)
        tables = transforms.apply(steps, {name: images.as_bytes(table) for name, table in raw.splits.items()}, subset)
        untyped = raw.facts.kind == "files" and any(file.lower().endswith(UNTYPED) for file in raw.facts.files)
        tables = typed(task, subset, tables, untyped=untyped)
        for split in splits:
            if split not in tables:
                raise UserError(f"no split {split!r} after the transforms; there are {', '.join(tables)}.")
            check_split(task, subset, split, tables[split])
        findings = () if evaluated is None else find(task, evaluated, {split: tables[split] for split in splits})
    except UserError as error:
        raise UserError(f"task {task.name}: {error}") from error
    return Loaded(
        splits={split: tables[split].rows() for split in splits},
        hashes={split: content_hash(tables[split]) for split in splits},
        source=raw.facts,
        findings=findings,
    )


def _read(
    task: TaskConfig,
    subset: str,
    splits: Sequence[str],
    retrieval: bool,
    *,
    content: str | None,
    offline: bool | None,
    hub: Hub | None,
) -> Raw:
    dataset = task.dataset
    if isinstance(dataset, HubDataset):
        from runner.data.sources import hub as hub_source

        return hub_source.read(
            dataset, subset, splits, retrieval=retrieval, hub=hub or Hub.from_environment(offline=offline)
        )
    if isinstance(dataset, FilesDataset):
        from runner.data.sources import files

        return files.read(dataset, subset, splits, retrieval=retrieval, content=content)
    assert isinstance(dataset, PackageDataset)
    from runner.data.sources import package

    if retrieval:
        raise UserError("dataset.reader: package readers give plain tables; add `to_retrieval` to `transforms`")
    return package.read(dataset, splits)


def _check_split_names(steps: Sequence[transforms.Step], raw: Raw, wanted: Sequence[str]) -> None:
    """A step limited to a split that exists nowhere would silently do nothing."""
    known = {*raw.available, *raw.splits, *wanted}
    for step in steps:
        given = step.arguments
        known |= set(given["names"]) if step.name == "map_splits" else set()
        known |= {given[name] for name in ("into", "train", "test") if "from_" in given and name in given}
        for name in step.splits or ():
            if name not in known and step.name != "split_by_value":
                raise UserError(
                    f"transforms, step {step.number} ({step.name}): splits: there is no split {name!r}; "
                    f"there are {', '.join(sorted(known))}.{nearest(name, known)}"
                )
