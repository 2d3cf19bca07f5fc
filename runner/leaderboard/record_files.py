"""The files beside the boards: where each score comes from, and what the pages of models and tasks read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from embedmark.runner.leaderboard.columns import Shown
from embedmark.runner.leaderboard.data_files import script
from embedmark.runner.leaderboard.left_out import left_out
from embedmark.runner.leaderboard.model_facts import ModelFact
from embedmark.runner.leaderboard.model_pages import model_pages
from embedmark.runner.leaderboard.records import record_file
from embedmark.runner.leaderboard.task_pages import task_pages

PAGES = {
    "m.html": ("model", "Models"),
    "t.html": ("task", "Tasks"),
    "left-out.html": ("left", "What was left out"),
    "columns.html": ("columns", "What the columns mean"),
}
"""File → the module that starts it, and its title before anything is read."""


def record_files(shown: Shown, facts: Mapping[str, ModelFact]) -> Iterator[tuple[str, bytes]]:
    """Write everything that leads from a number to its record.

    Args:
        shown: All boards.
        facts: What is known of each model, by its name.

    Yields:
        The path of a file below the site's root, and its content.
    """
    for made in shown.boards:
        key = f"d/{shown.slugs.benchmarks[made.config.name]}.src"
        yield f"{key}.js", script(key, record_file(made, shown.sources, shown.own, shown.files))
    for slug, page in model_pages(shown, facts):
        yield f"m/{slug}.js", script(f"m/{slug}", page)
        yield f"m/{slug}.json", _plain(page)
    for name, page in task_pages(shown):
        yield f"t/{name}.js", script(f"t/{name}", page)
    yield "left-out.js", script("left-out", left_out(shown))
    yield "names.js", script("names", names(shown))


def names(shown: Shown) -> dict[str, list[tuple[str, str]]]:
    """List all models and tasks that have a page, each with its place."""
    return {
        "models": [(name, shown.slugs.models[name]) for name in shown.models],
        "tasks": [(name, shown.slugs.tasks[name]) for name in shown.tasks],
    }


def _plain(value: Any) -> bytes:
    return (json.dumps(value, separators=(",", ":"), allow_nan=False) + "\n").encode("ascii")
