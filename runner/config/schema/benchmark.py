"""What a benchmark's file may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import model_validator

from embedmark.runner.config.roles import Decides, Describes, Schema
from embedmark.runner.config.values import Languages, Name


class BenchmarkTask(Schema):
    """A task in a benchmark, possibly cut to some of its subsets and splits."""

    name: Annotated[Name, Decides]
    subsets: Annotated[tuple[Name, ...] | None, Decides] = None
    splits: Annotated[tuple[Name, ...] | None, Decides] = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> BenchmarkTask:
        for key in ("subsets", "splits"):
            if getattr(self, key) == ():
                raise ValueError(f"`{key}` is empty; name at least one, or leave it out, which means all of the task's")
        return self


def named_tasks(values: Any) -> Any:
    """Let a task be listed by its name alone."""
    if isinstance(values, dict) and isinstance(values.get("tasks"), (list, tuple)):
        return {**values, "tasks": [{"name": task} if isinstance(task, str) else task for task in values["tasks"]]}
    return values


BenchmarkGroup: TypeAlias = Literal["general", "language", "region", "domain", "image"]

RankedBy: TypeAlias = Literal["borda", "mean", "type"]
"""What models are ranked by: points of Borda, the mean over tasks, or the mean over types of tasks."""


class BenchmarkConfig(Schema):
    """One benchmark file: tasks by name."""

    name: Annotated[Name, Describes]
    aliases: Annotated[tuple[Name, ...], Describes] = ()
    title: Annotated[Name | None, Describes] = None
    """A few words to show beside the name."""
    group: Annotated[BenchmarkGroup | None, Describes] = None
    """What it is listed under on the leaderboard. Those in folders of one's own are listed under mine."""
    description: Annotated[Name | None, Describes] = None
    """One line on what is in it."""
    superseded_by: Annotated[Name | None, Describes] = None
    """The benchmark that took its place."""
    reference: Annotated[str | None, Describes] = None
    languages: Annotated[Languages, Describes] = ()
    ranked_by: Annotated[RankedBy, Describes] = "borda"
    """The rule of its ranking. By a mean, over tasks or over types, only models that have all tasks are ranked."""
    tasks: Annotated[tuple[BenchmarkTask, ...], Describes]
    awaits: Annotated[Mapping[Name, Name], Describes] = {}
    """Tasks that belong to it and are not in the catalogue, each with the reason. They are left out, and said to be."""

    @model_validator(mode="before")
    @classmethod
    def _names_alone(cls, values: Any) -> Any:
        return named_tasks(values)
