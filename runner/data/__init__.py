"""From a task's config to rows: sources, transforms, checks. Importing this package loads nothing heavy.

loaded = load(task, "default", ["train", "test"])
remember(loaded, task, "default", outputs / "data")
"""

from __future__ import annotations

from collections.abc import Container

from runner.config.schema import Dataset

_READING = {"hub": 1, "package": 1}
_READING_FILES = 2


def reading(dataset: Dataset) -> int:
    """The version of how a dataset is read. Bump it when a change of code changes the rows of an unchanged config."""
    return reading_by_keys(type(dataset).model_fields)


def reading_by_keys(dataset: Container[str]) -> int:
    """The same, by the keys of a dataset's config or of its part of an identity."""
    return next((version for key, version in _READING.items() if key in dataset), _READING_FILES)
