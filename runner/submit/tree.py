"""A branch-ready tree of a submission, and what a reviewer reads first."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.text import markdown_cell
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange import snapshot
from embedmark.runner.exchange.task_scores import scores_of_tasks
from embedmark.runner.export import mteb
from embedmark.runner.export.chosen import Chosen, Run, record_of
from embedmark.runner.provenance.statement import files_of
from embedmark.runner.report.rows import TaskRow
from embedmark.runner.report.versions import slot_of
from embedmark.runner.results.inspection import SIGNATURE, STATEMENT
from embedmark.runner.submit.checks import Problem


def files(run: Run, catalogue: Catalogue, benchmark: str, found: Sequence[Problem]) -> dict[str, bytes]:
    """Make the files of a submission.

    Args:
        run: The records of one model.
        catalogue: Says what is known of it.
        benchmark: What it is complete for.
        found: What a reviewer should know.

    Returns:
        Path → content: `results/` in the field's layout, `records/<first two digits>/<fingerprint>/`, `summary.md`.

    Raises:
        UserError: The field has no place for the model.
    """
    made, notes = mteb.files(Chosen((run,), ()), catalogue)
    if not made:
        raise UserError("\n".join(["nothing can be submitted:", *notes]))
    tree = {path: text.encode() for path, text in made.items()}
    for kept in run.records:
        fingerprint = record_of(kept).fingerprint
        folder = f"records/{fingerprint[:2]}/{fingerprint}"
        tree |= {f"{folder}/{name}": content for name, content in files_of(kept.folder).items()}
        for name in (STATEMENT, SIGNATURE):
            if (kept.folder / name).is_file():
                tree[f"{folder}/{name}"] = (kept.folder / name).read_bytes()
    tree["summary.md"] = summary(run, benchmark, found, notes).encode()
    return tree


def summary(run: Run, benchmark: str, found: Sequence[Problem], notes: Sequence[str]) -> str:
    """Write what a reviewer reads first: what was measured, by what, each task's place among the published scores."""
    records = [record_of(kept) for kept in run.records]
    versions = sorted({record.versions.get("embedmark", "unknown") for record in records})
    lines = [
        f"# {markdown_cell(run.model)} on {markdown_cell(benchmark)}",
        "",
        f"{len(records)} scores at revision `{run.revision}`, by embedmark {' and '.join(versions)}.",
        *(
            ["", "A service made the vectors: nothing can be run again."]
            if any(r.unverifiable for r in records)
            else []
        ),
        "",
        "| task | score | place among the published | best published |",
        "| --- | --- | --- | --- |",
    ]
    published = _published(run)
    for task, of_task in sorted(run.by_task.items()):
        own = fmean(record_of(kept).main_score for kept in of_task)
        others = published[task]
        best = max(others.items(), key=lambda other: other[1], default=None)
        place = (
            f"{1 + sum(score > own for score in others.values())} of {len(others) + 1}" if others else "none published"
        )
        held = f"{best[1]:.4f} ({markdown_cell(best[0])})" if best else ""
        lines.append(f"| {markdown_cell(task)} | {own:.4f} | {place} | {held} |")
    if found or notes:
        lines += ["", "To know:", "", *(f"- {markdown_cell(one)}" for one in [*(p.what for p in found), *notes])]
    return "\n".join([*lines, ""])


def _published(run: Run) -> dict[str, dict[str, float]]:
    """Task → other model → its published score over the splits and subsets of the run."""
    tasks = [TaskRow(task, "", tuple(dict.fromkeys(map(slot_of, of_task)))) for task, of_task in run.by_task.items()]
    found: dict[str, dict[str, float]] = {task.name: {} for task in tasks}
    for model, scored in scores_of_tasks(snapshot.scores(), tasks, snapshot.revisions()).items():
        for task, score in scored.scores.items():
            if model != run.model:
                found[task][model] = score
    return found
