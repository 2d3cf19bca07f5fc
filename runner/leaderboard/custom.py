"""What a page needs to put tasks of any benchmark together: all tasks with their facts, and who holds their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embedmark.runner.common.groups import grouped
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.leaderboard.bench import Bench
from embedmark.runner.leaderboard.data_files import languages_asked
from embedmark.runner.leaderboard.places import Slugs
from embedmark.runner.ranking.families import family_keys
from embedmark.runner.report.rows import TaskRow, leaves


@dataclass(frozen=True)
class Held:
    """A data file of a benchmark.

    Args:
        made: The benchmark.
        size: Bytes of the file.
        languages: What can be chosen of its languages: see `Languages.listed`.
        columns: Names of its columns of "models" and of "tasks".
    """

    made: Bench
    size: int
    languages: Sequence[Mapping[str, Any]]
    columns: Mapping[str, Sequence[str]]


def custom_index(held: Sequence[Held], places: Slugs, catalogue: Catalogue) -> dict[str, Any]:
    """List all tasks that any benchmark has scores of.

    Args:
        held: The data files.
        places: Names of benchmarks in addresses.
        catalogue: Where tasks are found.

    Returns:
        `boards`: the data files, with the codes of languages that can be chosen of each. `languages`: the names of
        these. `columns`: of "models" and "tasks" of every file. `tasks`: columns, by name. Their `keys` are those of
        `family_keys` over all of them, so that the families of any choice are found. Their `variants` are the splits
        and subsets that benchmarks ask for, those with most first: which boards ask for them, and in which languages
        they are.
    """
    asked = [(row, number) for number, one in enumerate(held) for row in one.made.matrix.asked]
    rows = dict(sorted(grouped((row.name, (row, number)) for row, number in asked).items()))
    names = list(rows)
    configs = [catalogue.task(name) for name in names]
    types = {row.name: row.type for row, _ in asked}
    return {
        "boards": [
            {
                "slug": places.benchmarks[one.made.config.name],
                "name": one.made.config.name,
                "title": one.made.config.title,
                "bytes": one.size,
                "languages": [language["code"] for language in one.languages],
            }
            for one in held
        ],
        "columns": {part: list(held[0].columns[part]) if held else [] for part in ("models", "tasks")},
        "languages": {language["code"]: language["name"] for one in held for language in one.languages},
        "tasks": {
            "name": names,
            "type": [types[name] for name in names],
            "domains": [sorted(config.about.domains) for config in configs],
            "modalities": [sorted(config.about.modalities) for config in configs],
            "keys": family_keys(names, catalogue),
            "variants": [_variants(rows[name], catalogue) for name in names],
        },
    }


def _variants(rows: Sequence[tuple[TaskRow, int]], catalogue: Catalogue) -> list[list[Any]]:
    """The boards that ask for the same of a task, and the languages of that; those that ask for most first."""
    same = grouped((_slots(row), (row, number)) for row, number in rows)
    found = [
        (len(slots), [number for _, number in of], languages_asked(of[0][0], catalogue)) for slots, of in same.items()
    ]
    found.sort(key=lambda variant: (-variant[0], -len(variant[1]), variant[1]))
    return [[boards, languages] for _, boards, languages in found]


def _slots(row: TaskRow) -> tuple[tuple[str, str, str], ...]:
    return tuple(sorted((leaf.name, split, subset) for leaf in leaves([row]) for split, subset in leaf.slots))
