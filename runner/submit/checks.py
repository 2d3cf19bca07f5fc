"""What a submission is asked: complete, pinned, without leaks, plausible, plain about weights, code and training."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from embedmark.runner.common.commits import is_commit
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import HubModel, ModelConfig
from embedmark.runner.export.chosen import Run, record_of
from embedmark.runner.lint.over_records import lint_records
from embedmark.runner.provenance.statement import files_of
from embedmark.runner.report.rows import WantedTask, leaves
from embedmark.runner.results.inspection import STATEMENT

Kind = Literal["refused", "warning"]

UNKNOWN, SERVICE = "unknown", "service"


@dataclass(frozen=True)
class Problem:
    """Something that keeps a submission from being made, or that a reviewer should know.

    Args:
        kind: "refused" or "warning".
        what: What was found, and how to mend it.
    """

    kind: Kind
    what: str


@dataclass(frozen=True)
class Told:
    """What a submitter says beside the model's file.

    Args:
        weights: A link to the weights, or "service".
        code: A link to the code, or "service".
        training_data: "unknown", where the model's file does not say; else None.
    """

    weights: str | None = None
    code: str | None = None
    training_data: str | None = None


def problems(
    run: Run, wanted: Sequence[WantedTask], benchmark: str, catalogue: Catalogue, told: Told
) -> Iterator[Problem]:
    """Check the records of one model for a benchmark.

    Args:
        run: The records.
        wanted: What the benchmark asks for.
        benchmark: Its name.
        catalogue: Says what is known of the model.
        told: What the submitter says beside it.
    """
    config = catalogue.model(run.model) if catalogue.has("model", run.model) else None
    yield from _complete(run, wanted, benchmark)
    yield from _pinned(run)
    yield from _links(run, config, told)
    yield from _training(run, config, told)
    for kept in run.records:
        yield from leaks(kept.folder)
    for finding in lint_records([record_of(kept) for kept in run.records]):
        if finding.severity == "error":
            yield Problem("refused", f"lint: {finding.rule}: {finding.where}: {finding.evidence}")
    unsigned = sum(not (kept.folder / STATEMENT).is_file() for kept in run.records)
    if unsigned:
        yield Problem("warning", f"{unsigned} of {len(run.records)} records are not signed; `sign JOB --key FILE` does")


def _complete(run: Run, wanted: Sequence[WantedTask], benchmark: str) -> Iterator[Problem]:
    there = {(kept.facts.job.task, (kept.facts.job.split, kept.facts.job.subset)) for kept in run.records}
    needed = {(task.name, slot) for task in leaves(wanted) for slot in task.slots}
    missing = sorted(needed - there)
    if missing:
        names = sorted({name for name, _ in missing})
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        yield Problem(
            "refused",
            f"{len(needed) - len(missing)} of {len(needed)} jobs of {benchmark} are there; lacking of {shown}: "
            f"`python -m runner model=... benchmark={benchmark}` runs what is missing",
        )


def _pinned(run: Run) -> Iterator[Problem]:
    service = any(record_of(kept).unverifiable for kept in run.records)
    if not service and not is_commit(run.revision):
        yield Problem(
            "refused", f"the weights are at revision {run.revision!r}; write the commit into the model's file"
        )
    for kept in run.records:
        record = record_of(kept)
        if record.dataset.source.startswith("hub:") and not is_commit(record.dataset.revision):
            yield Problem("refused", f"{record.job.name}: its data is at no commit; pin `dataset: revision`")
        if record.versions.get("embedmark") is None:
            yield Problem("refused", f"{record.job.name}: the record names no version of embedmark; run it again")


def _links(run: Run, config: ModelConfig | None, told: Told) -> Iterator[Problem]:
    about = config.about if config is not None else None
    on_hub = config is not None and isinstance(config.weights, HubModel)
    weights = told.weights or (f"https://huggingface.co/{run.model}" if on_hub else about.reference if about else None)
    code = told.code or (about.public_training_code if about else None)
    for name, link in (("weights", weights), ("code", code)):
        if link == SERVICE and not any(record_of(kept).unverifiable for kept in run.records):
            yield Problem("refused", f'--{name}: "service", and its records are not of a service')
        elif link != SERVICE and not (isinstance(link, str) and link.startswith("https://")):
            key = "reference" if name == "weights" else "public_training_code"
            yield Problem(
                "refused",
                f"no link to the {name}: write `about: {{{key}: https://...}}` into the model's file, or give "
                f"--{name} https://... (or --{name} service)",
            )


def _training(run: Run, config: ModelConfig | None, told: Told) -> Iterator[Problem]:
    named = config.about.training_datasets if config is not None else None
    if named is None and told.training_data != UNKNOWN:
        yield Problem(
            "refused",
            "nothing says which tasks' data the model was trained on: write `about: {training_datasets: [MSMARCO, "
            "NQ]}` into the model's file ([] for none of the field's tasks), or give --training-data unknown",
        )
    seen = sorted(set(named or ()) & {kept.facts.job.task for kept in run.records})
    if seen:
        yield Problem("warning", f"trained on data of {len(seen)} of the tasks: {', '.join(seen)}")


# -- leaks -------------------------------------------------------------------------------------------------------------

_LEAKS: Mapping[str, re.Pattern[str]] = {
    "a home folder": re.compile(r"(?:(?<![\w./-])(?:/home/|/Users/)|[A-Za-z]:\\{1,2}Users\\{1,2})[^\s\"':,/\\]+"),
    "a token of the hub": re.compile(r"\bhf_[A-Za-z0-9]{20,}"),
    "a token of GitHub": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    "a key of AWS": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a secret key": re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a password in an address": re.compile(r"://[^\s/@:\"']+:[^\s/@\"']+@"),
    "a traceback": re.compile(r"Traceback \(most recent call last\):"),
}
_TEXTS = {".json", ".txt", ".md", ".jsonl", ".yaml", ""}


def leaks(folder: Path) -> Iterator[Problem]:
    """Find what should not leave a submitter's machine, in the texts of a record: paths, keys, tracebacks."""
    for name, content in files_of(folder).items():
        if Path(name).suffix not in _TEXTS:
            continue
        text = content.decode("utf-8", "replace")
        for what, pattern in _LEAKS.items():
            match = pattern.search(text)
            if match:
                line = text.count("\n", 0, match.start()) + 1
                yield Problem(
                    "refused", f"{folder.name}/{name}: line {line} holds {what}; run the job again without it"
                )
