"""One job's way from data to a record, in the steps between which the encoder stands."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.models.base import Searcher, Treatment, takes
from embedmark.runner.common.errors import DataError
from embedmark.runner.config.identity import fingerprint
from embedmark.runner.data.findings import Finding, describe
from embedmark.runner.data.load import Loaded, load
from embedmark.runner.data.memory import check_against_recorded_hashes
from embedmark.runner.encode.engine import Encoding, Request
from embedmark.runner.encode.requests import requests as requests_for
from embedmark.runner.plan import Job
from embedmark.runner.resolve import ResolvedTask
from embedmark.runner.results.environment import code, peak_memory, platform_summary, versions
from embedmark.runner.results.predictions import to_parquet
from embedmark.runner.results.record import (
    CodeFacts,
    DatasetFacts,
    JobFacts,
    ModelFacts,
    Record,
    ServiceFacts,
    SideFacts,
    Timing,
)
from embedmark.tasks.base import (
    Embeddings,
    ItemSet,
    Modality,
    RetrievalRows,
    Rows,
    Scores,
    SimilarityName,
    Task,
    TaskContext,
    TaskData,
    VectorRows,
    in_words,
)
from embedmark.tasks.retrieval.retrieval import Retrieval

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """A job whose data is loaded: what it needs encoded, and what it takes to score it."""

    job: Job
    task: Task
    context: TaskContext
    data: TaskData
    loaded: Loaded
    item_sets: tuple[ItemSet, ...]
    started: datetime
    seconds: float

    @property
    def n_items(self) -> int:
        """How many texts or images the job needs encoded, repetitions included."""
        return sum(len(item_set.items) for item_set in self.item_sets)

    @property
    def nbytes(self) -> int:
        """What its data takes in memory, as far as it is known."""
        return sum(_nbytes(rows) for rows in self.data.splits.values())


def _nbytes(rows: Rows | RetrievalRows) -> int:
    if isinstance(rows, RetrievalRows):
        return _nbytes(rows.corpus) + _nbytes(rows.queries)
    return sum(getattr(column, "nbytes", 0) for column in rows.values())


def job_facts(job: Job) -> JobFacts:
    """What a record says of the job itself."""
    return JobFacts(
        task=job.task.name,
        type=job.task.label,
        model=job.model.name,
        model_revision=job.model.config.revision,
        subset=job.subset,
        split=job.split,
        languages=job.languages,
    )


def data_note(job: Job, findings: Sequence[Finding]) -> str:
    """What is odd about a job's data, in a line; empty where nothing is worth a word."""
    described = describe(findings)
    return f"{job.name}: {described}" if described else ""


def prepare(job: Job, hashes: Path, *, warn: bool = True) -> Prepared:
    """Load and check a job's data; hashes: where the content hashes of earlier runs are kept.

    warn: whether to log what is odd about the data.

    Raises UserError, JobError or DataError.
    """
    started, clock = datetime.now(UTC), perf_counter()
    wanted = job.task
    context = context_of(wanted, job.subset, job.split, job.languages)
    task = wanted.type.bind(wanted.settings, context, wanted.config.main_metric)
    loaded = load(wanted, job.subset, task.splits(), evaluated=job.split)
    check_against_recorded_hashes(loaded, wanted, job.subset, hashes)
    if warn and (note := data_note(job, loaded.findings)):
        log.warning("%s", note)
    data = TaskData(loaded.splits, _replayed_split_sizes(job))
    item_sets = tuple(task.items(data))
    return Prepared(job, task, context, data, loaded, item_sets, started, perf_counter() - clock)


def context_of(task: ResolvedTask, subset: str, split: str, languages: tuple[str, ...]) -> TaskContext:
    """What a model may know about the texts of a task."""
    return TaskContext(
        name=task.name,
        type=task.label,
        languages=languages,
        subset=subset,
        split=split,
        prompt=_prompt(task.config.prompt),
        instruction=task.type.instruction or "",
    )


def _prompt(prompt: str | Mapping[Any, str] | None) -> Mapping[str, str]:
    if prompt is None:
        return {}
    return {"": prompt} if isinstance(prompt, str) else dict(prompt)


def _replayed_split_sizes(job: Job) -> tuple[int, ...]:
    """The rows of the splits that the reference would have drawn from before this job's."""
    return tuple(_size(job.task, subset, job.task.settings.drawn_split(split)) for split, subset in job.draws_after)


_sizes: dict[str, int] = {}
"""What `_size` has found: the last of two hundred subsets replays all the others."""


def _size(task: ResolvedTask, subset: str, split: str) -> int:
    """The rows of a split of a subset."""
    key = fingerprint({"task": task.identity, "subset": subset, "split": split})
    if key not in _sizes:
        rows = load(task, subset, (split,)).splits[split]
        assert isinstance(rows, Rows)
        _sizes[key] = rows.n_rows
    return _sizes[key]


def requests(prepared: Prepared, encoder: Treatment) -> tuple[Request, ...]:
    """What a job asks of its encoder, one request an item set.

    Raises DataError when the job has items that the encoder does not take, or that it cannot fuse.
    """
    _refuse_misnamed(prepared.job, takes(encoder))
    return requests_for(prepared.job.name, prepared.item_sets, prepared.context, encoder)


def _refuse_misnamed(job: Job, taken: frozenset[Modality]) -> None:
    """Refuse a model that takes other items of the job than its file says. Raises DataError."""
    loaded = f"{job.model.name} was loaded as a model of {in_words(taken)}"
    if lacking := job.task.type.lacks(job.task.settings, taken):
        raise DataError(
            f"the task gives {in_words(lacking)}, and {loaded} alone; correct `about: modalities` in its file"
        )
    if untold := taken & {*job.unread}:
        raise DataError(
            f"{loaded}, and its file does not say that it takes {in_words(untold)}; correct `about: modalities` there"
        )


def score(
    prepared: Prepared, wanted: Sequence[Request], encoded: Encoding, similarity: SimilarityName
) -> tuple[Scores, float]:
    """Vectors to scores, and the seconds it took. Raises DataError and ModelError."""
    clock = perf_counter()
    scores = prepared.task.evaluate(embeddings(prepared, wanted, encoded, similarity), prepared.data)
    return scores, perf_counter() - clock


def embeddings(
    prepared: Prepared, wanted: Sequence[Request], encoded: Encoding, similarity: SimilarityName
) -> Embeddings:
    """What a task is given of a model's vectors. Raises ModelError."""
    vectors: dict[str, NDArray[np.float32]] = {}
    in_blocks: dict[str, VectorRows] = {}
    for item_set, request in zip(prepared.item_sets, wanted, strict=True):
        if item_set.in_blocks:
            in_blocks[item_set.name] = encoded.rows(request)
        else:
            vectors[item_set.name] = encoded.vectors(request)
    return Embeddings(vectors, similarity, in_blocks)


def refuse_unaccepted(prepared: Prepared, kind: str) -> None:
    """Raises DataError when the job's task cannot evaluate that kind of model."""
    accepts = prepared.job.task.type.accepts
    if kind not in accepts:
        raise DataError(f"the task evaluates {', '.join(sorted(accepts))} models, and this is a {kind}")


def search(prepared: Prepared, searcher: Searcher) -> tuple[Scores, float, float]:
    """What a model found, scored; and the seconds of searching and of scoring. Raises DataError and ModelError."""
    task, clock = prepared.task, perf_counter()
    assert isinstance(task, Retrieval)
    lookup = task.lookup(prepared.data)
    _refuse_misnamed(prepared.job, takes(searcher))
    hits = searcher.search(lookup.of(takes(searcher)), prepared.context)
    found = perf_counter()
    scores = task.score(lookup.ranking(hits), prepared.data)
    return scores, found - clock, perf_counter() - found


def predictions_of(prepared: Prepared, scores: Scores) -> bytes | None:
    """The content of predictions.parquet; None for tasks that rank nothing."""
    if scores.ranking is None:
        return None
    return to_parquet(scores.ranking, prepared.data.retrieval(prepared.job.split).qrels)


def record(
    prepared: Prepared,
    scores: Scores,
    model: ModelFacts,
    timing: Timing,
    sides: Mapping[str, SideFacts] = MappingProxyType({}),
    service: ServiceFacts | None = None,
) -> Record:
    """All that is kept of a finished job."""
    commit = code()
    job, source = prepared.job, prepared.loaded.source
    return Record(
        fingerprint=job.fingerprint,
        job=job_facts(job),
        main_metric=scores.main_metric,
        main_score=scores.main_score,
        scores=dict(scores.values),
        experiments=tuple(dict(experiment) for experiment in scores.experiments),
        dataset=DatasetFacts(
            source=f"{source.kind}:{source.name}",
            revision=source.revision,
            content=dict(prepared.loaded.hashes),
            counts={finding.name: finding.count for finding in prepared.loaded.findings},
        ),
        model=model,
        versions=versions(),
        timing=timing,
        started_at=prepared.started,
        finished_at=datetime.now(UTC),
        platform=platform_summary(),
        seed=getattr(job.task.settings, "seed", None),
        sides=dict(sides),
        ties=scores.ties,
        peak_memory_bytes=peak_memory(),
        code=None if commit is None else CodeFacts(commit=commit[0], changed=commit[1]),
        service=service,
        unverifiable=None if service is None else "service",
    )
