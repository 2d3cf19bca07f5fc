"""For a paper: a LaTeX table, the BibTeX entries of what was used, and a paragraph that says how it was measured."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from embedmark.runner.common.groups import grouped
from embedmark.runner.common.text import counted, visible
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.export.chosen import Chosen, Run, record_of
from embedmark.runner.results.record import Record

_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip
_LIBRARIES = ("torch", "transformers", "sentence-transformers", "scikit-learn", "datasets")


def escaped(text: str) -> str:
    """Return a text that somebody else wrote as LaTeX shows it."""
    return "".join(_ESCAPES.get(character, character) for character in visible(text))


def latex(chosen: Chosen, catalogue: Catalogue) -> str:
    """Make a table with booktabs: a row a task, a column a model, in percent, with means where they are complete.

    The caption says what measured it, and the revisions are in the comments above the table.
    """
    tasks = _tasks(chosen)
    partial = _partial(chosen, catalogue)
    lines = [
        *(f"% {line}" for line in _revisions(chosen)),
        r"\begin{table}",
        rf"\caption{{{_caption(chosen, partial)}}}",
        rf"\begin{{tabular}}{{l{'r' * len(chosen.runs)}}}",
        r"\toprule",
        " & ".join(["Task", *(escaped(_column(run)) for run in chosen.runs)]) + r" \\",
        r"\midrule",
    ]
    columns = [{task: _score(run, task) for task in tasks} for run in chosen.runs]
    named = {task: escaped(task) + (_MARK if task in partial else "") for task in tasks}
    lines += [" & ".join([named[task], *(_cell(column[task]) for column in columns)]) + r" \\" for task in tasks]
    means = [
        fmean(value for value in column.values() if value is not None)
        if all(value is not None for value in column.values())
        else None
        for column in columns
    ]
    lines += [r"\midrule", " & ".join(["Mean (Task)", *map(_cell, means)]) + r" \\"]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def _tasks(chosen: Chosen) -> list[str]:
    return sorted({kept.facts.job.task for run in chosen.runs for kept in run.records})


def _column(run: Run) -> str:
    name = run.model.rpartition("/")[2]
    return f"{name} ({run.label})" if run.label else name


def _score(run: Run, task: str) -> float | None:
    scores = [record_of(kept).main_score for kept in run.by_task.get(task, ())]
    return fmean(scores) if scores and not any(map(math.isnan, scores)) else None


def _cell(score: float | None) -> str:
    return "--" if score is None else f"{100 * score:.2f}"


_MARK = "$^{*}$"


def _partial(chosen: Chosen, catalogue: Catalogue) -> dict[str, str]:
    """Task → how much of it is there, for those of which a model has a part of the splits and subsets."""
    found = {}
    for run in chosen.runs:
        for task, of_task in run.by_task.items():
            wanted = cells(task, catalogue)
            there = {(kept.facts.job.split, kept.facts.job.subset) for kept in of_task}
            if wanted - there:
                found[task] = f"{len(wanted & there)} of {len(wanted)} splits and subsets"
    return found


def cells(task: str, catalogue: Catalogue) -> set[tuple[str, str]]:
    """The splits and subsets that a task has; none of a task that the catalogue lacks."""
    if not catalogue.has("task", task):
        return set()
    config = catalogue.task(task)
    return {(split, subset) for split in config.splits for subset in config.subsets}


def _caption(chosen: Chosen, partial: Mapping[str, str]) -> str:
    records = _records(chosen)
    versions = " and ".join(sorted({record.versions.get("embedmark", "unknown") for record in records}))
    text = f"Main scores in percent, measured by embedmark {versions}."
    if any(record.unverifiable for record in records):
        text += " Models that a service runs cannot be verified."
    if partial:
        parts = ", ".join(f"{task} {part}" for task, part in sorted(partial.items()))
        return f"{escaped(text)} {_MARK} {escaped(parts)}."
    return escaped(text)


def _records(chosen: Chosen) -> list[Record]:
    return [record_of(kept) for run in chosen.runs for kept in run.records]


def _revisions(chosen: Chosen) -> Iterator[str]:
    for run in chosen.runs:
        yield visible(f"{run.model} at {run.revision or 'no revision'}").replace("\n", " ")
    for task, records in grouped((record.job.task, record) for record in _records(chosen)).items():
        told = sorted({f"{record.dataset.source} at {record.dataset.revision or 'no revision'}" for record in records})
        yield visible(f"{task}: {', '.join(told)}").replace("\n", " ")


# -- BibTeX ------------------------------------------------------------------------------------------------------------

_KEY = re.compile(r"[^A-Za-z0-9]+")


def bibtex(chosen: Chosen, catalogue: Catalogue, benchmark: str | None = None) -> str:
    """Cite exactly what was used: software, models, data of tasks, and the benchmark, where one is named.

    A model's own entry is taken where its file has one; data is cited by where it is and its revision.
    """
    entries = [_software(chosen)]
    if benchmark is not None:
        config = catalogue.benchmark(benchmark)
        entries.append(_misc(f"benchmark {config.name}", f"Benchmark {config.name}", config.reference, None))
    entries += [_model(run, catalogue) for run in chosen.runs]
    for task, records in grouped((record.job.task, record) for record in _records(chosen)).items():
        dataset = records[0].dataset
        address = f"https://huggingface.co/datasets/{dataset.source[4:]}" if dataset.source.startswith("hub:") else None
        about = catalogue.task(task).about.reference if catalogue.has("task", task) else None
        entries.append(_misc(f"task {task}", f"{task}: {dataset.source}", about or address, dataset.revision))
    return "\n".join(dict.fromkeys(entries))


def _software(chosen: Chosen) -> str:
    versions = sorted({record.versions.get("embedmark", "unknown") for record in _records(chosen)})
    return _misc("embedmark", "embedmark: a declarative benchmark runner for embeddings", None,
                 f"version {' and '.join(versions)}", kind="software")  # fmt: skip


def _model(run: Run, catalogue: Catalogue) -> str:
    about = catalogue.model(run.model).about if catalogue.has("model", run.model) else None
    if about is not None and about.citation:
        return about.citation.strip() + "\n"
    address = about.reference if about is not None else None
    return _misc(f"model {run.model}", f"Model {run.model}", address, run.revision)


def _misc(key: str, title: str, address: str | None, note: str | None, kind: str = "misc") -> str:
    name = _KEY.sub("-", key).strip("-").lower()
    fields = {"title": f"{{{escaped(title)}}}"}
    if address and re.fullmatch(r"https?://[^\s{}\\]+", address):
        fields["howpublished"] = rf"\url{{{address}}}"
    if note:
        fields["note"] = escaped(f"revision {note}" if re.fullmatch(r"[0-9a-f]{40}", note) else note)
    body = "".join(f"  {field} = {{{value}}},\n" for field, value in fields.items())
    return f"@{kind}{{{name},\n{body}}}\n"


# -- methods -----------------------------------------------------------------------------------------------------------


def methods(chosen: Chosen, catalogue: Catalogue, benchmark: str | None = None) -> str:
    """Write a paragraph a model: what was measured, on which revisions, with which versions and settings."""
    return "\n\n".join(_paragraph(run, catalogue, benchmark) for run in chosen.runs) + "\n"


def _paragraph(run: Run, catalogue: Catalogue, benchmark: str | None) -> str:
    records = [record_of(kept) for kept in run.records]
    tasks = sorted({record.job.task for record in records})
    identity = run.records[0].model
    of = f" of benchmark {benchmark}" if benchmark else ""
    named = ", ".join(_task_and_revision(task, records) for task in tasks)
    parts = [
        f"{run.model} (revision {run.revision or 'not told'}) was evaluated on {counted(len(tasks), 'task')}{of} "
        f"({counted(len(records), 'score')}) with embedmark {_versions(records, 'embedmark')}: {named}.",
        f"Settings: {_settings(identity)}.",
        f"Python {_versions(records, 'python')}; "
        + ", ".join(f"{name} {_versions(records, name)}" for name in _LIBRARIES if _versions(records, name) != "–")
        + f"; {' and '.join(sorted({record.platform for record in records}))}.",
        "A task's score is the mean of the main scores of its splits and subsets.",
    ]
    partial = _partial(Chosen((run,), ()), catalogue)
    if partial:
        parts.append("Not all was measured: " + "; ".join(f"{task} {part}" for task, part in partial.items()) + ".")
    cut = sum(side.truncated or 0 for record in records for side in record.sides.values())
    known = sum(side.n for record in records for side in record.sides.values() if side.truncated is not None)
    if known:
        parts.append(f"{cut / known:.1%} of the texts are as long as the model takes, or longer.")
    if any(record.unverifiable for record in records):
        days = sorted({str(record.service.asked_on) for record in records if record.service})
        parts.append(f"A service ran the model ({', '.join(days)}), so that the scores cannot be verified.")
    return visible(" ".join(parts))


def _task_and_revision(task: str, records: Sequence[Record]) -> str:
    revisions = sorted({(record.dataset.revision or "")[:8] for record in records if record.job.task == task})
    told = ", ".join(filter(None, revisions))
    return f"{task} ({told})" if told else task


def _versions(records: Sequence[Record], name: str) -> str:
    return " and ".join(sorted({record.versions[name] for record in records if name in record.versions})) or "–"


def _settings(model: Mapping[str, Any]) -> str:
    names = ("max_tokens", "dtype", "similarity", "normalize", "truncate_dim", "quantize", "prompts", "instructions")
    said = [f"{name} {model[name]}" for name in names if name in model]
    return ", ".join(said) or "the checkpoint's own"
