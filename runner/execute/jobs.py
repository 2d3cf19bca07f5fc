"""One job's way from data to a record, in the steps between which the encoder stands."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import ImageEncoder, Outline, Searcher
from runner.config.catalogue import check_settings, task_type
from runner.config.identity import fingerprint
from runner.config.schema import TaskConfig
from runner.data.checks import remember
from runner.data.findings import Finding, describe
from runner.data.load import Loaded, load
from runner.encode.engine import Encoding, Request
from runner.encode.requests import requests as requests_for
from runner.plan import Job
from runner.results.environment import platform_summary, versions
from runner.results.record import DatasetFacts, JobFacts, ModelFacts, Record, Timing
from tasks.base import (
    DataError,
    Embeddings,
    ItemSet,
    RetrievalRows,
    Rows,
    Scores,
    SimilarityName,
    Task,
    TaskContext,
    TaskData,
    TextSet,
    VectorRows,
)
from tasks.retrieval import Retrieval

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """A job whose data is loaded: what it needs encoded, and what it takes to score it."""

    job: Job
    task: Task
    context: TaskContext
    data: TaskData
    loaded: Loaded
    texts: tuple[ItemSet, ...]
    started: datetime
    seconds: float

    @property
    def n_texts(self) -> int:
        """How many texts or images the job needs encoded, repetitions included."""
        return sum(len(item_set.items) for item_set in self.texts)

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
        type=task_type(job.task, f"task {job.task.name}").label,
        model=job.model.name,
        model_revision=job.model.revision,
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
    where = f"task {job.task.name}"
    kind = task_type(job.task, where)
    context = context_of(job.task, job.subset, job.split, job.languages)
    settings = check_settings(job.task, where)
    task = kind.bind(settings, context, job.task.main_metric)
    content = job.identity["task"]["dataset"].get("content")
    loaded = load(job.task, job.subset, task.splits(), evaluated=job.split, content=content)
    remember(loaded, job.task, job.subset, hashes)
    if warn and (note := data_note(job, loaded.findings)):
        log.warning("%s", note)
    data = TaskData(loaded.splits, _sizes_before(job, settings))
    texts = tuple(task.texts(data))
    return Prepared(job, task, context, data, loaded, texts, started, perf_counter() - clock)


def context_of(task: TaskConfig, subset: str, split: str, languages: tuple[str, ...]) -> TaskContext:
    """What a model may know about the texts of a task."""
    kind = task_type(task, f"task {task.name}")
    return TaskContext(
        name=task.name,
        type=kind.label,
        languages=languages,
        subset=subset,
        split=split,
        prompt=_prompt(task.prompt),
        instruction=kind.instruction or "",
    )


def _prompt(prompt: str | Mapping[Any, str] | None) -> Mapping[str, str]:
    if prompt is None:
        return {}
    return {"": prompt} if isinstance(prompt, str) else dict(prompt)


def _sizes_before(job: Job, settings: Any) -> tuple[int, ...]:
    """The rows of the splits that the reference would have drawn from before this job's."""
    return tuple(_size(job, subset, settings.drawn_split(split)) for split, subset in job.draws_after)


_sizes: dict[str, int] = {}
"""What `_size` has found: the last of two hundred subsets replays all the others."""


def _size(job: Job, subset: str, split: str) -> int:
    """The rows of a split of another subset of the job's task."""
    key = fingerprint({"task": job.identity["task"], "subset": subset, "split": split})
    if key not in _sizes:
        content = job.identity["task"]["dataset"].get("content")
        rows = load(job.task, subset, (split,), content=content).splits[split]
        assert isinstance(rows, Rows)
        _sizes[key] = rows.n_rows
    return _sizes[key]


def requests(prepared: Prepared, encoder: Outline) -> tuple[Request, ...]:
    """What a job asks of its encoder, one request an item set.

    Raises DataError when the job has images and the encoder takes none.
    """
    if any(item_set.modality == "image" for item_set in prepared.texts) and not isinstance(encoder, ImageEncoder):
        raise DataError(
            f"the task has images, and {prepared.job.model.name} was loaded as a model of texts alone; correct "
            "`about: modalities` in its file"
        )
    return requests_for(prepared.job.name, prepared.texts, prepared.context, encoder)


def score(
    prepared: Prepared, wanted: Sequence[Request], encoded: Encoding, similarity: SimilarityName
) -> tuple[Scores, float]:
    """Vectors to scores, and the seconds it took. Raises DataError and ModelError."""
    clock = perf_counter()
    vectors: dict[str, NDArray[np.float32]] = {}
    in_blocks: dict[str, VectorRows] = {}
    for item_set, request in zip(prepared.texts, wanted, strict=True):
        if isinstance(item_set, TextSet) and item_set.in_blocks:
            in_blocks[item_set.name] = encoded.rows(request)
        else:
            vectors[item_set.name] = encoded.vectors(request)
    embeddings = Embeddings(vectors, similarity, in_blocks)
    return prepared.task.evaluate(embeddings, prepared.data), perf_counter() - clock


def refuse_unaccepted(prepared: Prepared, kind: str) -> None:
    """Raises DataError when the job's task cannot evaluate that kind of model."""
    if kind not in prepared.task.accepts:
        raise DataError(f"the task evaluates {', '.join(sorted(prepared.task.accepts))} models, and this is a {kind}")


def search(prepared: Prepared, searcher: Searcher) -> tuple[Scores, float, float]:
    """What a model found, scored; and the seconds of searching and of scoring. Raises DataError and ModelError."""
    task, clock = prepared.task, perf_counter()
    assert isinstance(task, Retrieval)
    lookup = task.lookup(prepared.data)
    hits = searcher.search(lookup, prepared.context)
    found = perf_counter()
    scores = task.score(lookup.ranking(hits), prepared.data)
    return scores, found - clock, perf_counter() - found


def record(prepared: Prepared, scores: Scores, model: ModelFacts, timing: Timing) -> Record:
    """All that is kept of a finished job."""
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
    )
