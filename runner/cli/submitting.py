"""`submit`, `results` and `review`: submissions made, received and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from embedmark.runner.common.errors import FAILED, OK, USER_ERROR, UserError
from embedmark.runner.common.files import read_bounded, write_atomically
from embedmark.runner.common.text import counted, say
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.export.chosen import choose
from embedmark.runner.pins import default_pins
from embedmark.runner.provenance.ssh import Signers
from embedmark.runner.report.rows import leaves, wanted_tasks
from embedmark.runner.results.durable import writing
from embedmark.runner.submit import repository, tree
from embedmark.runner.submit import review as arriving
from embedmark.runner.submit.checks import Told, problems


def submit(folder: Path, model: str, benchmark: str, outputs: Path, folders: Sequence[Path], told: Told) -> int:
    """Check the records of a model for a benchmark, and lay them out for a results repository.

    Args:
        folder: A checkout of the repository, or a new folder.
        model: Its name.
        benchmark: What it has to be complete for.
        outputs: Where the records are.
        folders: The user's own config folders.
        told: What the submitter says beside the model's file.

    Returns:
        2 where something has to be mended, with nothing written; else 0.

    Raises:
        UserError: The model or benchmark is not known, or several variants of the model are on record.
        OutputError: The folder cannot be written.
    """
    catalogue = Catalogue.of(folders)
    chosen = choose(outputs, [model], catalogue)
    plain = [run for run in chosen.runs if not run.label]
    if len(plain) != 1:
        labels = ", ".join(run.label or "plain" for run in chosen.runs)
        raise UserError(
            f"--model {model}: {counted(len(chosen.runs), 'variant')} on record ({labels}); run the plain one"
        )
    wanted = wanted_tasks(catalogue.benchmark(benchmark), catalogue, default_pins())
    asked = {(task.name, slot) for task in leaves(wanted) for slot in task.slots}
    run = plain[0].only(lambda task, slot: (task, slot) in asked)
    found = list(problems(run, wanted, catalogue.benchmark(benchmark).name, catalogue, told))
    refused = [problem for problem in found if problem.kind == "refused"]
    for problem in found:
        say(f"{problem.kind}: {problem.what}")
    for line in chosen.left_out:
        say(f"left out: {line}")
    if refused:
        say(f"nothing was written: {counted(len(refused), 'thing')} to mend")
        return USER_ERROR
    _write(folder, tree.files(run, catalogue, catalogue.benchmark(benchmark).name, found))
    say(f"{folder}: {counted(len(run.records), 'score')} laid out; commit results/ and records/ to a branch, and put")
    say(f"{folder / 'summary.md'} into the text of the pull request")
    return OK


def new_repository(folder: Path) -> int:
    """Make a repository that receives submissions. Raises UserError where something is there already."""
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder}: not empty; give a new folder")
    _write(folder, {path: text.encode() for path, text in repository.files().items()})
    say(f"{folder}: put owners into CODEOWNERS and signers into signers/allowed_signers, then `git init` and push it")
    return OK


def review(folder: Path, changed: Path, deleted: Path | None, signers: Path | None, out: Path | None) -> int:
    """Check the files of a pull request, and write a report.

    Args:
        folder: The checkout of its branch.
        changed: A file of the paths that are new or changed, each ended by a zero byte, as git writes them with -z.
        deleted: The same of those that are deleted.
        signers: Who may sign, out of the base branch.
        out: Where to write the report; printed where it is None.

    Returns:
        1 where something has to be mended, else 0.

    Raises:
        UserError: A list cannot be read.
    """
    found = arriving.review(
        folder,
        _paths(changed),
        [] if deleted is None else _paths(deleted),
        None if signers is None else Signers(signers),
    )
    text = found.as_markdown()
    if out is None:
        say(text)
    else:
        with writing(out):
            write_atomically(out, f"{text}\n", durable=False)
        say(f"{out}: {counted(len(found.refused), 'thing')} to mend, {len(found.to_know)} to look at")
    return FAILED if found.refused else OK


_LONGEST = 16 << 20


def _paths(file: Path) -> list[str]:
    content = read_bounded(file, _LONGEST)
    return [name.decode("utf-8", "backslashreplace") for name in content.split(b"\0") if name]


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content, durable=False)
