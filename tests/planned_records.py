"""Records of the jobs that a command line plans, written without running a model: what verbs read, in no time."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from numpy.typing import NDArray
from sample_records import NOON
from small_project import table, task

from embedmark.runner.config.compose import settings_from
from embedmark.runner.execute.jobs import job_facts
from embedmark.runner.pins import default_pins
from embedmark.runner.plan import Job, make_plan
from embedmark.runner.results.folder import JobFolders
from embedmark.runner.results.record import DatasetFacts, Failure, ModelFacts, Record, Timing

_TICKS = iter(range(10**9))


def planned(folder: Path, *overrides: str) -> list[Job]:
    """The jobs of a command line."""
    settings, catalogue = settings_from(list(overrides), [folder])
    return list(make_plan(settings, catalogue, default_pins()).jobs)


def measure(
    folder: Path, *overrides: str, score: float = 0.5, content: str = "c", outputs: Path = Path("outputs")
) -> list[Path]:
    """Write a record of each planned job, as if it had been run; each is newer than those before it."""
    return [_write(job, _record(job, score, content), outputs) for job in planned(folder, *overrides)]


def fail(folder: Path, *overrides: str, outputs: Path = Path("outputs")) -> list[Path]:
    """Write a failure of each planned job."""
    return [
        _write(job, Failure.of(ValueError("no such column"), job.fingerprint, job_facts(job)), outputs)
        for job in planned(folder, *overrides)
    ]


def write_with_items(
    job: Job, score: float, items: Mapping[str, NDArray[Any]], outputs: Path, content: str = "c"
) -> Path:
    """Write a record of one job with its items."""
    return _write(job, _record(job, score, content), outputs, items)


def _write(job: Job, kept: Record | Failure, outputs: Path, items: Mapping[str, NDArray[Any]] | None = None) -> Path:
    claim = JobFolders(outputs).try_claim(job.fingerprint, job_facts(job))
    assert claim is not None
    with claim:
        if isinstance(kept, Record):
            return claim.succeed(kept, job.identity, {}, items)
        return claim.fail(kept, job.identity, {})


def _dataset(job: Job, content: str) -> DatasetFacts:
    hub, revision = (getattr(job.task.config.dataset, name, None) for name in ("hub", "revision"))
    source = f"hub:{hub}" if hub else "files:data"
    return DatasetFacts(source=source, revision=revision, content={job.split: content * 64})


def _record(job: Job, score: float, content: str) -> Record:
    now: datetime = NOON + timedelta(seconds=next(_TICKS))
    return Record(
        fingerprint=job.fingerprint,
        job=job_facts(job),
        main_metric=job.task.config.main_metric,
        main_score=score,
        scores={job.task.config.main_metric: score},
        dataset=_dataset(job, content),
        model=ModelFacts(source="hub:org/model", revision=job.model.config.revision),
        versions={"embedmark": "0.1.0", "python": "3.11.0"},
        timing=Timing(),
        started_at=now,
        finished_at=now,
        platform="test",
    )


def reported_project(folder: Path) -> Path:
    """Models a and b, and tasks Topics (subsets en and de), Likeness and Search, which benchmark Small lists."""
    for name in ("a", "b"):
        config(folder, f"model/{name}.yaml", name=f"org/{name}", source={"hub": f"org/{name}"}, revision=name * 40)
    rng = random.Random(0)
    rows = [{"text": f"text {number}", "label": str(rng.randrange(3))} for number in range(30)]
    for subset in ("en", "de"):
        table(folder, f"topics/{subset}", train=rows, test=rows)
    task(folder, "Topics", "classification", "accuracy", subsets={"en": ["eng-Latn"], "de": ["deu-Latn"]})
    pairs = [{"sentence1": f"a {n}", "sentence2": f"b {n}", "score": n} for n in range(9)]
    table(folder, "likeness", test=pairs, dev=pairs)
    task(folder, "Likeness", "sts", "cosine_spearman")
    table(folder, "search/corpus", test=[{"_id": "d", "title": "", "text": "text"}])
    table(folder, "search/queries", test=[{"_id": "q", "text": "text"}])
    table(folder, "search/qrels", test=[{"query-id": "q", "corpus-id": "d", "score": 1}])
    task(folder, "Search", "retrieval", "ndcg_at_10")
    config(folder, "benchmark/small.yaml", name="Small", tasks=["Topics", "Likeness", "Search"])
    return folder


def config(folder: Path, file: str, /, **values: object) -> None:
    """Write a config file."""
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")


def change(folder: Path, file: str, without: Sequence[str] = (), **values: object) -> None:
    """Change keys of a config file; a mapping is added to the mapping that is there."""
    there = yaml.safe_load((folder / file).read_text(encoding="utf-8"))
    for key, value in values.items():
        there[key] = {**there[key], **value} if isinstance(value, Mapping) and key in there else value
    config(folder, file, **{key: value for key, value in there.items() if key not in without})
