"""Rankings and judgments as trec_eval reads them, of jobs that kept them (`execution.predictions=true`)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from embedmark.runner.common.names import slug
from embedmark.runner.common.text import counted
from embedmark.runner.export.chosen import Chosen, file_name, record_of
from embedmark.runner.results.collect import Kept
from embedmark.runner.results.inspection import STATEMENT
from embedmark.runner.results.predictions import PREDICTIONS, read_predictions
from embedmark.tasks.types import task_types

if TYPE_CHECKING:
    import pyarrow as pa

_Hits = list[tuple[np.float32, str]]


def files(chosen: Chosen) -> tuple[dict[str, str], list[str]]:
    """Make a run and a qrels file a job.

    trec_eval reads scores as float32, goes by them and not by ranks, and orders equal ones by document id, descending:
    so scores are printed with nine digits, and ranks are those that it will find.

    Args:
        chosen: What is exported.

    Returns:
        Path below the folder → text; and a line for each job that kept no rankings, or that trec_eval would score
        otherwise.
    """
    made: dict[str, str] = {}
    notes: list[str] = []
    others = 0
    for run in chosen.runs:
        folder = file_name(run)
        for kept in run.records:
            if not _ranks(kept):
                others += 1
                continue
            name = f"{run.model}: {record_of(kept).job.name}"
            table = read_predictions(kept.folder)
            if table is None:
                notes.append(f"{name}: left out: {_why_none(kept)}")
                continue
            hits, judged = _read(table, skip_first=_skips_first(kept))
            path = _path(folder, kept, made)
            made[f"{path}.run"] = "".join(_lines(query, found, folder) for query, found in hits.items())
            made[f"{path}.qrels"] = "".join(judged)
            notes += [f"{name}: {note}" for note in _differences(hits)]
    if others:
        notes.append(f"left out: {counted(others, 'job')} of task types that rank nothing")
    return made, notes


def _ranks(kept: Kept) -> bool:
    """Whether a job is of a type that makes rankings; of a type that is not known here, whether it kept any."""
    kind = task_types().get(str(kept.identity.get("task", {}).get("type")))
    return (kept.folder / PREDICTIONS).is_file() or (kind is not None and kind.retrieval_layout)


def escaped(identifier: str) -> str:
    """Return an id as one word: blanks, what cannot be seen, and %, as %XX of their UTF-8; never empty."""
    return _ESCAPED.sub(_escape, identifier) or "%"


_ESCAPED = re.compile(r"[%\s]|[^ -~]")


def _escape(match: re.Match[str]) -> str:
    found = match[0]
    return quote(found, safe="") if found in "% " or found.isspace() or not found.isprintable() else found


def _why_none(kept: Kept) -> str:
    if (kept.folder / STATEMENT).is_file():
        return f"no rankings were kept, and the record is signed; without {STATEMENT}, a run can add them"
    return "no rankings were kept; run it with execution.predictions=true"


def _skips_first(kept: Kept) -> bool:
    settings = kept.identity.get("task", {}).get("settings", {})
    return settings.get("skip_first_result") is True


def _path(folder: str, kept: Kept, taken: Container[str]) -> str:
    job = record_of(kept).job
    path = f"{folder}/{slug(f'{job.task}_{job.subset}_{job.split}', kept='A-Za-z0-9._-')}"
    return f"{path}_{record_of(kept).fingerprint[:12]}" if f"{path}.run" in taken else path


def _read(table: pa.Table, *, skip_first: bool) -> tuple[dict[str, _Hits], list[str]]:
    """The hits of each judged query, which may be none, and the lines of the qrels file."""
    hits: dict[str, _Hits] = defaultdict(list)
    judged: list[str] = []
    columns = [table[name].to_pylist() for name in table.column_names]
    for query, document, rank, score, relevance in zip(*columns, strict=True):
        of_query = hits[query]
        if rank is not None and not (skip_first and rank == 1):
            of_query.append((np.float32(score), document))
        if relevance is not None:
            # trec_eval writes outside of its memory for grades below -1.
            judged.append(f"{escaped(query)} 0 {escaped(document)} {max(int(relevance), -1)}\n")
    return hits, judged


def _lines(query: str, hits: _Hits, tag: str) -> str:
    ordered = _ordered([(score, escaped(document)) for score, document in hits])
    word = escaped(query)
    return "".join(
        f"{word} Q0 {document} {rank} {score:.9g} {tag}\n" for rank, (score, document) in enumerate(ordered, start=1)
    )


def _ordered(hits: _Hits) -> _Hits:
    """By score and then by id, both descending: ids of Python compare as their bytes in UTF-8 do."""
    return sorted(hits, key=lambda hit: (hit[0], hit[1]), reverse=True)


def _differences(hits: dict[str, _Hits]) -> list[str]:
    """What trec_eval would score otherwise than the record does."""
    notes = []
    if empty := sum(not found for found in hits.values()):
        notes.append(f"queries that found nothing: {empty}; trec_eval counts them, as 0, with -c alone")
    if moved := sum(_is_moved(found) for found in hits.values()):
        notes.append(f"queries with equal scores in another order than on record, by ids that are escaped: {moved}")
    return notes


def _is_moved(hits: _Hits) -> bool:
    spelt = [(score, escaped(document)) for score, document in hits]
    if all(document == written for (_, document), (_, written) in zip(hits, spelt, strict=True)):
        return False
    return [escaped(document) for _, document in _ordered(hits)] != [document for _, document in _ordered(spelt)]
