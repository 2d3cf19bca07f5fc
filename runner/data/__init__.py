"""From a task's config to rows: sources, transforms, checks. Importing this package loads nothing heavy.

loaded = load(task, "default", ["train", "test"])
remember(loaded, task, "default", outputs / "data")
"""

READING = 1
"""Raised when a change of code changes the rows that an unchanged config gives."""
