"""From a task's config to rows: sources, transforms, checks. Importing this package loads nothing heavy.

loaded = load(task, "default", ["train", "test"])
remember(loaded, task, "default", outputs / "data")
"""

from __future__ import annotations

from runner.config.schema import Dataset, FilesDataset

_READING = 1
_READING_FILES = 2


def reading(dataset: Dataset) -> int:
    """The version of how a dataset is read. Bump it when a change of code changes the rows of an unchanged config."""
    return _READING_FILES if isinstance(dataset, FilesDataset) else _READING
