"""From a task's config to rows: sources, transforms, checks. Importing this package loads nothing heavy.

loaded = load(task, "default", ["train", "test"])
check_against_recorded_hashes(loaded, task, "default", outputs / "data")
"""
