"""What a whole command line may ask for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import model_validator

from embedmark.runner.config.roles import Decides, Describes, Executes, Schema, role
from embedmark.runner.config.schema.benchmark import BenchmarkConfig, BenchmarkTask, named_tasks
from embedmark.runner.config.schema.model import ModelConfig
from embedmark.runner.config.schema.task import TaskConfig
from embedmark.runner.config.values import Device
from embedmark.tasks.settings import Draws


class Execution(Schema):
    """How a run uses the machine. Never changes a score."""

    device: Annotated[Device, Executes] = "auto"
    threads: Annotated[int | None, role("executes", ge=1, le=1024)] = None
    batch_tokens: Annotated[int | None, role("executes", ge=1)] = None
    """Tokens a batch, padding included; null takes what suits the model and the device."""
    store: Annotated[bool, Executes] = True
    """Keep embeddings on disk for later runs."""
    store_gib: Annotated[float, role("executes", gt=0)] = 20.0
    """How much disk the store may use; the least recently used shards go first."""
    co2: Annotated[bool, Executes] = False
    """Read or estimate what each job takes of electricity, by the package codecarbon (`embedmark[co2]`)."""
    country: Annotated[str | None, role("executes", pattern="^[A-Z]{3}$")] = None
    """Whose electricity it is, by its three letters (ISO 3166), as in FRA; `co2` needs it."""
    order: Annotated[Literal["usual", "informative"], Executes] = "usual"
    """usual: small jobs first. informative: task by task, those first that tell most of a benchmark's mean for their
    time, as published scores and times on record have it."""
    predictions: Annotated[bool, Executes] = False
    """Keep predictions.parquet beside each result of retrieval: rankings and judgments, for `export --to trec` and
    `inspect`. What is done without it is scored again, from stored vectors where they are there."""
    items: Annotated[bool, Executes] = True
    """Keep items.npz beside each result: what intervals and comparisons are computed from."""


class Settings(Schema):
    """A whole composed config: what `python -m runner` was asked to do."""

    model: Annotated[ModelConfig, Decides]
    benchmark: Annotated[BenchmarkConfig | None, Describes] = None
    task: Annotated[TaskConfig | None, Decides] = None
    tasks: Annotated[tuple[BenchmarkTask, ...], Describes] = ()
    """Tasks by name: alone, or out of `benchmark` where that is named too."""
    execution: Annotated[Execution, Executes] = Execution()
    outputs: Annotated[str, Executes] = "outputs"
    rerun: Annotated[bool, Executes] = False
    """Do again what is already done."""
    draws: Annotated[Draws | None, Decides] = None
    """`settings.draws` of every task whose type has it: clustering and multilabel classification. `mteb` replays the
    reference's draws; null leaves each task's own, which is `job` unless its file says otherwise."""

    @model_validator(mode="before")
    @classmethod
    def _names_alone(cls, values: Any) -> Any:
        return named_tasks(values)
