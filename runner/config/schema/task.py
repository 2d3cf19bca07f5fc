"""What a task's file may say."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Annotated, Any, Literal

from pydantic import model_validator

from embedmark.runner.config.roles import Decides, Describes, Schema
from embedmark.runner.config.schema.sources import Dataset
from embedmark.runner.config.values import Anything, Languages, Name


class TaskAbout(Schema):
    """What is known of a task besides what decides its score."""

    reference: Annotated[str | None, Describes] = None
    license: Annotated[str | None, Describes] = None
    """`not specified` where the data's publisher names none; null where nobody looked."""
    category: Annotated[str | None, Describes] = None
    modalities: Annotated[tuple[str, ...], Describes] = ("text",)
    domains: Annotated[tuple[str, ...], Describes] = ()
    subtypes: Annotated[tuple[str, ...], Describes] = ()
    date: Annotated[tuple[str, str] | None, Describes] = None
    annotations_creators: Annotated[str | None, Describes] = None
    sample_creation: Annotated[str | None, Describes] = None
    dialect: Annotated[tuple[str, ...], Describes] = ()
    is_public: Annotated[bool, Describes] = True
    adapted_from: Annotated[tuple[str, ...], Describes] = ()
    superseded_by: Annotated[str | None, Describes] = None
    family: Annotated[str | None, Describes] = None
    """The family of tasks that it is of, whatever else would be found (docs/statistics.md): the name of a task, whose
    family it then joins, its own name, which keeps it apart, or any other that several files say."""


class TaskConfig(Schema):
    """One task file."""

    name: Annotated[Name, Decides]
    type: Annotated[Name, Decides]
    label: Annotated[Name | None, Decides] = None
    """What the field calls tasks of its kind, where that is not what it calls the type: prompts, instructions and means
    by type go by it."""
    dataset: Annotated[Dataset, Decides]
    languages: Annotated[Languages, Decides] = ()
    """The languages of a task with one subset, which is then called `default`."""
    subsets: Annotated[Mapping[Name, Languages], Decides] = {}
    """The languages of each subset."""
    pairs: Annotated[Mapping[str, str], Describes] = {}
    """Short for `subsets` made of all ordered pairs: {a: eng-Latn, b: deu-Latn} gives a-b and b-a."""
    splits: Annotated[tuple[Name, ...], Decides] = ("test",)
    main_metric: Annotated[Name, Decides]
    settings: Annotated[Mapping[str, Anything], Decides] = {}
    transforms: Annotated[tuple[Mapping[str, Anything], ...], Decides] = ()
    """Steps applied to the loaded rows, in order; see docs/transforms.md."""
    prompt: Annotated[str | Mapping[Literal["query", "document"], str] | None, Decides] = None
    """The task's own instruction, for models that take instructions."""
    awaits: Annotated[str | None, Describes] = None
    """Why this task cannot be run yet. It is listed and planned, and running goes on past it."""
    about: Annotated[TaskAbout, Describes] = TaskAbout()

    @model_validator(mode="before")
    @classmethod
    def _subsets_in_short(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("subsets"):
            return values
        if isinstance(languages := values.get("languages"), (list, tuple)) and languages:
            return {**values, "subsets": {"default": languages}}
        if isinstance(parts := values.get("pairs"), Mapping):
            return {**values, "subsets": {f"{a}-{b}": (parts[a], parts[b]) for a, b in permutations(parts, 2)}}
        return values

    @model_validator(mode="after")
    def _has_subsets(self) -> TaskConfig:
        if not self.subsets:
            raise ValueError(
                "no subset: give `languages: [eng-Latn]`, or `subsets: {name: [eng-Latn]}` for several subsets"
            )
        if not self.splits:
            raise ValueError("`splits` is empty; name at least one split to evaluate")
        return self
