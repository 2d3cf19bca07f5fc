"""From a task's config to rows: sources, transforms, checks. Importing this package loads nothing heavy.

loaded = load(task, "default", ["train", "test"])
remember(loaded, task, "default", outputs / "data")
"""
