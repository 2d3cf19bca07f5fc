"""The files that pages read: scripts with one call, since pages opened from a disk may fetch nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import BenchmarkTask, HubDataset, TaskConfig
from embedmark.runner.leaderboard.bench import MISSING, Bench, trained_on
from embedmark.runner.leaderboard.benchmark_groups import benchmark_group
from embedmark.runner.leaderboard.facts import Facts
from embedmark.runner.leaderboard.places import Slugs
from embedmark.runner.leaderboard.subsets import code_of
from embedmark.runner.report.rows import TaskRow, leaves


def script(key: str, value: Any) -> bytes:
    """Write a value as a script that hands it to the page.

    Args:
        key: What the page asks for it by.
        value: Plain data. A page parses it from a string, which is faster than from a literal; what could end the
            script or the string is escaped.
    """
    page = json.dumps(value, separators=(",", ":"), allow_nan=False)
    text = json.dumps(page).replace("</", "<\\/").replace("<!--", "<\\u0021--")
    return f"EM.put({json.dumps(key)},{text});\n".encode("ascii")


def bench_data(made: Bench, slugs: Slugs, facts: Facts, catalogue: Catalogue) -> dict[str, Any]:
    """Lay out a benchmark as its page reads it.

    Args:
        made: The benchmark.
        slugs: Each name's place.
        facts: What is known of models.
        catalogue: Where tasks are found.
    """
    config, matrix = made.config, made.matrix
    return {
        "name": config.name,
        "slug": slugs.benchmarks[config.name],
        "group": benchmark_group(config, catalogue),
        "reference": config.reference if (config.reference or "").startswith("https://") else None,
        "languages": sorted({code.partition("-")[0] for code in config.languages}),
        "newest": _newest(made),
        "config": catalogue.find("benchmark", config.name).choice,
        "models": _models(made, slugs.models, facts),
        "tasks": _tasks(made, slugs.tasks, catalogue),
        "title": config.title,
        "ranked": len(matrix.models),
        "types": list(dict.fromkeys(sorted(matrix.types))),
        "unscored": list(made.board.unscored),
        "by": made.board.by,
        "awaits": dict(config.awaits),
        "scores": _scores(made),
        "trained": trained_on(made),
        "build": _ranking(made),
    }


def _newest(made: Bench) -> str | None:
    """The day of the newest of one's own records; of published scores no day is known."""
    columns = made.made.columns if made.made else ()
    days = [kept.when for column in columns for cell in column.cells.values() for kept in cell.records]
    return max(days).date().isoformat() if days else None


def _models(made: Bench, slugs: Mapping[str, str], facts: Facts) -> dict[str, list[Any]]:
    matrix = made.matrix
    names = [*matrix.names, *made.parts_alone]
    more = len(made.parts_alone)
    return {
        "name": names,
        "slug": [slugs[name] for name in names],
        "label": [*matrix.models, *made.parts_alone],
        "own": [*map(int, matrix.own), *[0] * more],
        "zero": list(made.zero_shot),
        **facts.columns(made),
    }


def _tasks(made: Bench, slugs: Mapping[str, str], catalogue: Catalogue) -> dict[str, list[Any]]:
    matrix = made.matrix
    configs = [catalogue.task(name) for name in matrix.tasks]
    narrowed = {task.name: task for task in made.config.tasks}
    return {
        "name": list(matrix.tasks),
        "slug": [slugs[name] for name in matrix.tasks],
        "type": list(matrix.types),
        "keys": [list(keys) for keys in made.keys],
        "languages": [languages_asked(row, catalogue) for row in matrix.asked],
        "domains": [sorted(config.about.domains) for config in configs],
        "modalities": [sorted(config.about.modalities) for config in configs],
        "metric": [config.main_metric for config in configs],
        "revision": [config.dataset.revision if isinstance(config.dataset, HubDataset) else None for config in configs],
        "subsets": [sum(len(leaf.slots) for leaf in leaves([row])) for row in matrix.asked],
        "only": [_as_list(narrowed[name], "subsets") for name in matrix.tasks],
        "splits": [_as_list(narrowed[name], "splits") for name in matrix.tasks],
    }


def _as_list(task: BenchmarkTask, key: str) -> list[str] | None:
    values: Sequence[str] | None = getattr(task, key)
    return None if values is None else list(values)


def languages_asked(row: TaskRow, catalogue: Catalogue) -> list[str]:
    """The languages of the subsets that are asked for, without their scripts."""
    return sorted({code for leaf in leaves([row]) for code in _of_leaf(catalogue.task(leaf.name), leaf)})


def _of_leaf(task: TaskConfig, leaf: TaskRow) -> Iterator[str]:
    for subset in {subset for _, subset in leaf.slots}:
        for code in task.subsets.get(subset, ()):
            yield code_of(code)


def _scores(made: Bench) -> list[list[int | None]]:
    """(n_tasks, n_models) in millionths."""
    found = made.whole.astype(object)
    found[made.whole == MISSING] = None
    scores: list[list[int | None]] = found.tolist()
    return scores


def _ranking(made: Bench) -> dict[str, list[Any]]:
    """The ranking of all tasks, as a page makes it of those that it keeps: 0 where there is no place."""
    n = len(made.matrix.models) + len(made.parts_alone)
    found: dict[str, list[Any]] = {
        "rank": [0] * n, "low": [0] * n, "high": [0] * n, "group": [-1] * n, "completed": [None] * n,
    }  # fmt: skip
    for place in made.board.places:
        found["rank"][place.row] = place.rank or 0
        found["low"][place.row] = place.low or 0
        found["high"][place.row] = place.high or 0
        found["group"][place.row] = -1 if place.group is None else place.group
        found["completed"][place.row] = list(place.complete) if place.complete else None
    return found
