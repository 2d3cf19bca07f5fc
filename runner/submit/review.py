"""A submission that arrives: the files that a pull request changes, checked as data of a stranger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.files import refuse_larger
from embedmark.runner.common.names import is_safe
from embedmark.runner.common.text import markdown_cell, shortened
from embedmark.runner.exchange.limits import BYTES, read_json
from embedmark.runner.exchange.result_file import read_result
from embedmark.runner.lint.over_rows import faults
from embedmark.runner.provenance.signing import check
from embedmark.runner.provenance.ssh import Signers, check_signers
from embedmark.runner.results.inspection import RESULT, STATEMENT, Found, inspect
from embedmark.runner.submit.checks import leaks

_MOST = 20_000
_RECORD = 64 << 20
_LAYOUT = "results/<organisation>__<model>/<revision>/<Task>.json or records/<digits>/<fingerprint>/<file>"


@dataclass
class Review:
    """What a pull request brings.

    Args:
        models: The folders below results/ that it touches.
        results, records: How many result files and records it adds.
        refused: A line for each thing that has to be mended.
        to_know: A line for each thing that a person should look at.
    """

    models: set[str] = field(default_factory=set)
    results: int = 0
    records: int = 0
    refused: list[str] = field(default_factory=list)
    to_know: list[str] = field(default_factory=list)

    def as_markdown(self) -> str:
        """Write the report that the workflow comments; every text of the pull request is escaped."""
        verdict = "can be merged as far as a machine can tell" if not self.refused else "has to be mended"
        lines = [
            f"**This submission {verdict}**: {self.results} result files and {self.records} records of "
            f"{', '.join(markdown_cell(model) for model in sorted(self.models)) or 'no model'}.",
            "",
        ]
        for title, found in (("To mend", self.refused), ("To look at", self.to_know)):
            if found:
                shown = [f"- {markdown_cell(shortened(line, 300))}" for line in found[:100]]
                more = [f"- and {len(found) - 100} more"] if len(found) > 100 else []
                lines += [f"{title}:", "", *shown, *more, ""]
        return "\n".join(lines)


def review(root: Path, changed: Sequence[str], deleted: Sequence[str], signers: Signers | None) -> Review:
    """Check the files that a pull request adds or changes.

    Args:
        root: The checkout of the branch. It is read and never run, and no link in it is followed.
        changed: Paths below it that are new or changed, as git names them.
        deleted: Paths that it deletes.
        signers: Who may sign, out of the base branch; None where signatures are not asked for.

    Returns:
        What was found; nothing is raised for what a stranger wrote.
    """
    found = Review()
    if len(changed) > _MOST:
        found.refused.append(f"{len(changed)} files; expected at most {_MOST}")
        return found
    if signers is not None:
        check_signers(signers.file)
    if deleted:
        found.to_know.append(f"{len(deleted)} files are deleted, such as {deleted[0]}; a person decides on that")
    records = _results(root, changed, found)
    for name, folder in sorted(records.items()):
        found.records += 1
        found.refused += [f"{name}: {line}" for line in _of_record(folder, signers)]
    if len(found.models) > 1:
        found.to_know.append(f"{len(found.models)} models are touched; a submission is of one")
    if not found.results:
        found.refused.append(f"no result files; expected {_LAYOUT}")
    return found


def _results(root: Path, changed: Sequence[str], found: Review) -> dict[str, Path]:
    """Check the result files among what is changed, and return the folders of the records."""
    records: dict[str, Path] = {}
    for name in changed:
        if problem := _place(name) or _link_in(root, name):
            found.refused.append(f"{name!r}: {problem}")
            continue
        parts = PurePosixPath(name).parts
        if parts[0] == "records":
            records["/".join(parts[:3])] = root.joinpath(*parts[:3])
        elif parts[0] == "results":
            found.models.add(parts[1])
            _result(root.joinpath(*parts), found)
    return records


def _place(name: str) -> str | None:
    """Why a path is not one that a submission may touch; None where it is."""
    parts = name.split("/")
    if name == "summary.md":
        return None
    if not all(map(is_safe, parts)):
        return "not a name that a submission may have"
    of_results = parts[0] == "results" and (len(parts) == 4 or (len(parts) == 6 and parts[3] == "experiments"))
    of_records = parts[0] == "records" and len(parts) == 4 and len(parts[2]) == 64 and parts[2].startswith(parts[1])
    return None if of_results or of_records else f"not in the layout of a submission: {_LAYOUT}"


def _link_in(root: Path, name: str) -> str | None:
    """Why a path leads elsewhere: a part of it is a link; None where none is."""
    path = root
    for part in name.split("/"):
        path = path / part
        if path.is_symlink():
            return f"{path.relative_to(root)} is a link; submit the file itself"
    return None


def _result(path: Path, found: Review) -> None:
    name = str(path.name)
    try:
        if name == "model_meta.json":
            read_json(path, infinite=True)
        elif name == "run_settings.jsonl":
            refuse_larger(path.stat().st_size, BYTES, f"{path.parent.name}/{name}")
        elif path.suffix == ".json":
            _rows(path, found)
        else:
            found.refused.append(f"{name!r}: no result file")
    except (UserError, OSError) as error:
        found.refused.append(" ".join(str(error).split()))


def _rows(path: Path, found: Review) -> None:
    read = read_result(path)
    found.results += 1
    if read.task != path.stem:
        found.refused.append(f"{path.name}: is of task {read.task!r}; a result file is called as its task")
    for row in read.rows:
        for rule, evidence in faults(row.metrics, row.experiments):
            line = f"{path.name} {row.subset} [{row.split}]: {rule.name}: {evidence}"
            (found.refused if rule.severity == "error" else found.to_know).append(line)


def _of_record(folder: Path, signers: Signers | None) -> Iterator[str]:
    size = 0
    for path in folder.iterdir():
        if path.is_symlink() or not path.is_file():
            yield f"{path.name}: a link, a folder or a device"
            return
        size += path.stat().st_size
    if size > _RECORD:
        yield f"{size >> 20} MiB; expected at most {_RECORD >> 20}"
        return
    inspected = inspect(Found(folder, folder.name, failed=False))
    if inspected.facts is None:
        yield f"not intact: {inspected.problem}"
        return
    yield from (problem.what for problem in leaks(folder))
    if signers is not None and (folder / STATEMENT).is_file():
        answer = check(inspected, signers)
        if answer.signer is None:
            yield f"its signature does not hold: {answer.problem}"
    elif signers is not None:
        yield f"not signed; {RESULT} needs a statement by one of the signers"
