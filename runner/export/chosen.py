"""What is exported: of each model and task one version, and what is left out, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.groups import grouped
from embedmark.runner.common.names import slug
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.report.names import model_on_record
from embedmark.runner.report.older import is_old, present_model
from embedmark.runner.report.variants import labels
from embedmark.runner.report.versions import versions
from embedmark.runner.results.collect import Kept, collect
from embedmark.runner.results.record import Record


@dataclass(frozen=True)
class Run:
    """All records of one variant of a model.

    Args:
        model: The model's name.
        revision: The commit of its weights, None where it has none.
        label: How it differs from the other variants of the name; empty for the one that the model's file gives, and
            for the only one.
        records: The records, of each task those of one version.
    """

    model: str
    revision: str | None
    label: str
    records: tuple[Kept, ...]

    @property
    def by_task(self) -> dict[str, list[Kept]]:
        """The records of each task, by its name."""
        return grouped((kept.facts.job.task, kept) for kept in self.records)

    def only(self, wanted: Callable[[str, tuple[str, str]], bool]) -> Run:
        """Keep some records. wanted: tells by the task, and the split and subset."""
        kept = (
            kept for kept in self.records if wanted(kept.facts.job.task, (kept.facts.job.split, kept.facts.job.subset))
        )
        return replace(self, records=tuple(kept))


def file_name(run: Run) -> str:
    """Return the name of a run as that of a file."""
    return slug(f"{run.model}_{run.label}" if run.label else run.model, kept="A-Za-z0-9._-")


@dataclass(frozen=True)
class Chosen:
    """What is exported, and a line for each thing that is left out."""

    runs: tuple[Run, ...]
    left_out: tuple[str, ...]


def choose(outputs: Path, models: Sequence[str], catalogue: Catalogue) -> Chosen:
    """Collect the records of an outputs folder, model by model.

    Args:
        outputs: The folder.
        models: Only these, by name or config file; all where there are none.
        catalogue: Gives the present form of a model.

    Raises:
        UserError: nothing is on record, or a model is not.
        OutputError: the folder cannot be read.
    """
    collected = collect(outputs)
    left_out = list(collected.problems)
    known = {kept.facts.job.model for kept in collected.records}
    if not known:
        raise UserError("\n".join([f"{outputs / 'jobs'}: no results; run a model first", *left_out]))
    wanted = {_on_record(name, known, catalogue) for name in models} or known
    old = [kept for kept in collected.records if kept.facts.job.model in wanted and is_old(kept)]
    if old:
        left_out.append(f"{len(old)} records that a change of version made old; run the model again")
    fresh = [kept for kept in collected.records if kept.facts.job.model in wanted and not is_old(kept)]
    runs: list[Run] = []
    for name, of_model in sorted(grouped((kept.facts.job.model, kept) for kept in fresh).items()):
        runs += _runs(name, of_model, catalogue, left_out)
    return Chosen(tuple(runs), tuple(left_out))


def labelled(records: Iterable[Kept], catalogue: Catalogue) -> Iterator[tuple[Kept, str]]:
    """Yield each record, and how its model differs from others of its name; empty as in `Run.label`."""
    for of_model in grouped((kept.facts.job.model, kept) for kept in records).values():
        for label, of_variant in _variants(of_model, catalogue):
            yield from ((kept, label) for kept in of_variant)


def _variants(of_model: Sequence[Kept], catalogue: Catalogue) -> Iterator[tuple[str, list[Kept]]]:
    """The records of each variant of a model, by its label."""
    variants = list(grouped((kept.variant, kept) for kept in of_model).values())
    present = present_model(variants[0][0].model, catalogue)
    for label, of_variant in zip(labels([kept[0].model for kept in variants]), variants, strict=True):
        yield "" if len(variants) == 1 or of_variant[0].model == present else label, of_variant


def record_of(kept: Kept) -> Record:
    """The record of something that was chosen, which is never a failure."""
    return cast("Record", kept.facts)


def _on_record(wanted: str, known: set[str], catalogue: Catalogue) -> str:
    name = model_on_record(wanted, known, catalogue)
    if name is None:
        raise UserError(f"--model: no results of {wanted!r}. On record: {', '.join(sorted(known))}")
    return name


def _runs(name: str, of_model: Sequence[Kept], catalogue: Catalogue, left_out: list[str]) -> list[Run]:
    return [
        Run(name, of_variant[0].facts.job.model_revision, label, tuple(_newest(of_variant, left_out)))
        for label, of_variant in _variants(of_model, catalogue)
    ]


def _newest(of_variant: Sequence[Kept], left_out: list[str]) -> list[Kept]:
    """Of each task the records of its newest version."""
    chosen: list[Kept] = []
    for task, of_task in grouped((kept.facts.job.task, kept) for kept in of_variant).items():
        newest, *others = versions(of_task)
        chosen += [kept for kept in of_task if newest.has(kept)]
        if others:
            left_out.append(f"{task}: other versions of the task on record; the newest is taken")
    return chosen
