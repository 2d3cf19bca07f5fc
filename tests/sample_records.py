"""Jobs and records to test with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embedmark.runner.config.identity import fingerprint
from embedmark.runner.results.folder import JobFolders
from embedmark.runner.results.record import DatasetFacts, Failure, JobFacts, ModelFacts, Record, Timing

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def identity(
    task: str = "Topic",
    subset: str = "default",
    split: str = "test",
    model: str = "org/model",
    prompt: str = "query: ",
) -> Any:
    return {
        "identity": 1,
        "model": {"name": model, "revision": "a" * 40, "prompts": {"query": prompt}},
        "task": {"name": task, "type": "sts"},
        "job": {"subset": subset, "split": split},
    }


def record(values: Any, score: float = 0.5, type: str = "STS", **changes: Any) -> Record:
    facts: dict[str, Any] = {
        "fingerprint": fingerprint(values),
        "job": job(values, type),
        "main_metric": "cosine_spearman",
        "main_score": score,
        "scores": {"cosine_spearman": score, "pearson": 0.25},
        "dataset": DatasetFacts(source="hub:org/topic", revision="b" * 40, content={"test": "c" * 64}),
        "model": ModelFacts(source="hub:org/model", revision="a" * 40),
        "versions": {"embedmark": "0.1.0", "python": "3.11.0"},
        "timing": Timing(load_s=1.0, encode_s=2.0, evaluate_s=0.5, texts_encoded=3, texts_reused=4),
        "started_at": NOON,
        "finished_at": NOON,
        "platform": "test",
    }
    return Record(**{**facts, **changes})


def failure(values: Any, message: str = "no column 'label'", type: str = "STS") -> Failure:
    try:
        raise ValueError(message)
    except ValueError as error:
        return Failure.of(error, fingerprint(values), job(values, type))


def job(values: Any, type: str = "STS") -> JobFacts:
    return JobFacts(
        task=values["task"]["name"],
        type=type,
        model=values["model"]["name"],
        model_revision=values["model"]["revision"],
        subset=values["job"]["subset"],
        split=values["job"]["split"],
        languages=("eng-Latn",),
    )


def keep(outputs: Path, values: Any, kept: Record | Failure) -> Path:
    """Write a record or failure into its folder, as a run does."""
    claim = JobFolders(outputs).try_claim(kept.fingerprint, kept.job)
    assert claim is not None
    with claim:
        if isinstance(kept, Record):
            return claim.succeed(kept, values, {})
        return claim.fail(kept, values, {})
