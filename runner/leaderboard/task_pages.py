"""What the page of a task shows: every score of its splits and subsets, its card, and the revisions of its data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.groups import grouped
from embedmark.runner.common.names import version_numbers
from embedmark.runner.config.schema import FilesDataset, HubDataset, PackageDataset, TaskConfig, TaskGroup
from embedmark.runner.exchange.task_scores import SCALE, UNNAMED, defined, in_millionths
from embedmark.runner.export.chosen import labelled, record_of
from embedmark.runner.leaderboard.columns import Column, Shown
from embedmark.runner.leaderboard.records import dataset_revision

if TYPE_CHECKING:
    import polars as pl

LARGEST = 20_000
"""Scores that one file of a task holds; of a task with more each language has a file of its own."""

_KEYS = ("task", "split", "subset", "model", "revision")
_ENGLISH = "eng"
REST = "rest"
"""What the file of subsets without a language is called: no code of a language has four letters."""


@dataclass(frozen=True)
class _Row:
    """A model at a revision, or a variant of one's own: name, label, revision."""

    name: str
    label: str
    revision: str
    own: bool


@dataclass(frozen=True)
class _Slot:
    """The scores of one subset of a split, and of which rows they are."""

    split: str
    subset: str
    rows: Sequence[int]
    scores: Sequence[int]


def task_pages(shown: Shown) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lay out the page of every task that anybody has a score of.

    Args:
        shown: All boards.

    Yields:
        The key of a file, as in `stsbenchmark` and `ntrexbitextmining.deu`, and its content: plain data.
    """
    rows, slots = _all_scores(shown)
    history = _history(shown)
    columns = grouped((column.row.name, column) for column in shown.columns)
    for task in sorted({*slots, *columns}):
        slug = shown.slugs.tasks[task]
        page: dict[str, Any] = {"name": task, "slug": slug, "type": _type(task, columns, shown)}
        page |= _card(task, shown)
        page |= _tables(rows.get(task, ()), columns.get(task, ()), shown)
        page["history"] = history.get(task, [])
        page["findings"] = [
            [model, text] for (model, other), texts in sorted(shown.findings.items()) if other == task for text in texts
        ]
        yield from _files(slug, page, slots.get(task, ()), shown)


def _all_scores(shown: Shown) -> tuple[dict[str, list[_Row]], dict[str, list[_Slot]]]:
    """Of each task the models that have a defined score, and the scores of its splits and subsets."""
    frame, labels = _frame(shown)
    codes = {name: _numbered(frame[name]) for name in _KEYS}
    own = frame["own"].to_numpy().astype(np.int64)
    names = {name: listed for name, (_, listed) in codes.items()}
    sizes = {name: max(1, len(listed)) for name, listed in names.items()}
    task, split, subset, model, revision = (numbers for numbers, _ in codes.values())
    # One number sorts far faster than five columns.
    found, of_score = np.unique(
        ((task * sizes["model"] + model) * sizes["revision"] + revision) * 2 + own, return_inverse=True
    )
    of_task = found // (sizes["model"] * sizes["revision"] * 2)
    row = np.arange(len(found)) - np.searchsorted(of_task, of_task)
    rows: dict[str, list[_Row]] = {}
    for number in found.tolist():
        number, is_own = divmod(number, 2)
        number, at_revision = divmod(number, sizes["revision"])
        at_task, at_model = divmod(number, sizes["model"])
        label = names["model"][at_model]
        name = labels.get(label, label) if is_own else label
        rows.setdefault(names["task"][at_task], []).append(
            _Row(name, label, names["revision"][at_revision], bool(is_own))
        )
    slot = (task * sizes["split"] + split) * sizes["subset"] + subset
    order = np.argsort(slot * (len(found) + 1) + row[of_score], kind="stable")
    slots: dict[str, list[_Slot]] = {}
    sorted_rows, scores, slot = row[of_score][order], frame["score"].to_numpy()[order], slot[order]
    starts = np.flatnonzero(np.diff(slot, prepend=-1)).tolist()
    for start, end in pairwise([*starts, len(slot)]):
        number, at_subset = divmod(int(slot[start]), sizes["subset"])
        at_task, at_split = divmod(number, sizes["split"])
        one = _Slot(
            names["split"][at_split],
            names["subset"][at_subset],
            sorted_rows[start:end].tolist(),
            scores[start:end].tolist(),
        )
        slots.setdefault(names["task"][at_task], []).append(one)
    return rows, slots


def _frame(shown: Shown) -> tuple[pl.DataFrame, dict[str, str]]:
    """Every defined score in millionths, one's own beside the published; and the models that own labels are of."""
    import polars as pl

    whole = in_millionths().alias("score")
    published = (
        defined(shown.scores.cells.lazy())
        .select(*(pl.col(name).cast(pl.Categorical) for name in _KEYS), whole, pl.lit(value=False).alias("own"))
        .collect()
    )
    labels: dict[str, str] = {}
    mine = []
    for kept, words in labelled(shown.scores.collected.records, shown.scores.catalogue):
        record = record_of(kept)
        job, score = record.job, record.main_score
        label = f"{job.model} ({words})" if words else job.model
        labels[label] = job.model
        if score == score:
            revision = job.model_revision or record.model.content_hash or ""
            mine.append((job.task, job.split, job.subset, label, revision, round(score * SCALE), True))
    if not mine:
        return published, labels
    schema = dict.fromkeys(_KEYS, pl.String) | {"score": pl.Int64, "own": pl.Boolean}
    own = pl.DataFrame(mine, schema=schema, orient="row").unique(maintain_order=True)
    return pl.concat([published, own.with_columns(pl.col(_KEYS).cast(pl.Categorical))]), labels


def _numbered(column: pl.Series) -> tuple[NDArray[np.int64], list[str]]:
    """A column of names as their places among all sorted ones, and these."""
    import polars as pl

    values = column.unique()
    values = values[values.cast(pl.String).arg_sort()]
    physical = values.to_physical().to_numpy()
    places = np.zeros(int(physical.max(initial=0)) + 1, dtype=np.int64)
    places[physical] = np.arange(len(physical))
    return places[column.to_physical().to_numpy()], values.cast(pl.String).to_list()


def _history(shown: Shown) -> dict[str, list[dict[str, Any]]]:
    """Of each task the revisions of its data that scores are of, the one of most models first."""
    import polars as pl

    cells = shown.scores.cells
    grouped_cells = (
        cells.lazy()
        .group_by(pl.col("task").cast(pl.String), dataset_revision(cells.columns).alias("data"))
        .agg(pl.col("model").n_unique().alias("models"), pl.len().alias("scores"), pl.col("mteb_version").unique())
        .with_columns(pl.col("mteb_version").cast(pl.List(pl.String)))
        .sort("task", "models", "data", descending=[False, True, False], nulls_last=True)
        .collect()
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for task, data, models, scores, versions in grouped_cells.iter_rows():
        told = sorted(
            (version for version in versions if version is not None), key=lambda one: (version_numbers(one), one)
        )
        one = {
            "data": data,
            "models": models,
            "scores": scores,
            "from": told[0] if told else None,
            "to": told[-1] if told else None,
        }
        found.setdefault(task, []).append(one)
    return found


def _type(task: str, columns: Mapping[str, Sequence[Column]], shown: Shown) -> str | None:
    """What the field calls the type of a task; None where neither a board nor the catalogue knows it."""
    if task in columns:
        return columns[task][0].row.type
    entry = shown.scores.catalogue.tasks.get(task)
    return entry.label or entry.type if entry else None


def _card(task: str, shown: Shown) -> dict[str, Any]:
    """What a task's file says of it; of a task without a file nothing."""
    catalogue = shown.scores.catalogue
    entry = catalogue.tasks.get(task)
    if entry is None:
        return {"card": None, "file": None}
    config = catalogue.task(task)
    about = config.about
    reference = about.reference if (about.reference or "").startswith("https://") else None
    return {
        "file": entry.choice,
        "card": {
            "reference": reference,
            "license": about.license,
            "languages": sorted({code for codes in config.subsets.values() for code in codes} | {*config.languages}),
            "modalities": list(about.modalities),
            "category": about.category,
            "domains": list(about.domains),
            "subtypes": list(about.subtypes),
            "date": list(about.date) if about.date else None,
            "annotations": about.annotations_creators,
            "creation": about.sample_creation,
            "public": about.is_public,
            "adapted": _named(about.adapted_from, shown),
            "successor": _named([about.superseded_by], shown)[0] if about.superseded_by else None,
            "metric": config.main_metric,
            "splits": list(config.splits),
            "subsets": len(config.subsets),
            **_dataset(config, shown),
        },
    }


def _named(tasks: Sequence[str], shown: Shown) -> list[list[str | None]]:
    """Names with their places, where they have a page."""
    there = {*shown.tasks}
    return [[task, shown.slugs.tasks.get(task) if task in there else None] for task in tasks]


def _dataset(config: TaskConfig, shown: Shown) -> dict[str, Any]:
    """Where the data is, and which revision of it the file names."""
    data = config.dataset
    found: dict[str, Any] = {"dataset": None, "revision": None, "members": []}
    if isinstance(data, TaskGroup):
        return found | {"members": _named(data.tasks, shown)}
    if isinstance(data, HubDataset):
        return found | {"dataset": data.hub, "revision": data.revision}
    if isinstance(data, PackageDataset):
        return found | {"dataset": data.package, "revision": data.version}
    if isinstance(data, FilesDataset):
        return found | {"dataset": "a folder of files", "revision": data.revision}
    return found


def _tables(rows: Sequence[_Row], columns: Sequence[Column], shown: Shown) -> dict[str, Any]:
    """The models, what is known of their revisions, and the scores that boards count."""
    slugs = shown.slugs.models
    places: dict[tuple[str, str, bool], int] = {}
    for row in rows:
        places.setdefault((row.label, row.name, row.own), len(places))
    asked = []
    for column in columns:
        matrix = column.board.matrix
        numbers = [
            places.setdefault((matrix.models[model], matrix.names[model], matrix.own[model]), len(places))
            for model in column.models.tolist()
        ]
        asked.append(
            {
                "words": column.words,
                "boards": [
                    [(name := shown.boards[number].config.name), shown.slugs.benchmarks[name]]
                    for number in column.boards
                ],
                "models": numbers,
                "scores": column.scores.tolist(),
                "places": column.places.tolist(),
            }
        )
    return {
        "models": {
            "label": [label for label, _, _ in places],
            "name": [name for _, name, _ in places],
            "slug": [slugs[name] for _, name, _ in places],
            "own": [int(own) for _, _, own in places],
        },
        "rows": {
            "model": [places[row.label, row.name, row.own] for row in rows],
            "revision": [None if row.revision in ("", *UNNAMED) else row.revision for row in rows],
        },
        "asked": asked,
    }


def _files(
    slug: str, page: dict[str, Any], slots: Sequence[_Slot], shown: Shown
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The page, with its scores or, where there are very many, beside files of them by language."""
    if sum(len(slot.scores) for slot in slots) <= LARGEST:
        yield slug, page | _laid_out(slots) | {"files": []}
        return
    languages = _languages(page["name"], shown)
    by_file = grouped((_file_of(languages.get(slot.subset, ())), slot) for slot in slots)
    files = sorted(by_file)
    listed = [[slot.split, slot.subset, file] for file, code in enumerate(files) for slot in by_file[code]]
    yield slug, page | {"sets": [], "slots": [], "files": files, "listed": listed}
    for code in files:
        yield f"{slug}.{code}", _laid_out(by_file[code])


def _languages(task: str, shown: Shown) -> Mapping[str, Sequence[str]]:
    catalogue = shown.scores.catalogue
    return catalogue.task(task).subsets if task in catalogue.tasks else {}


def _file_of(languages: Sequence[str]) -> str:
    """The language that a subset's file is called by: of a pair the first that is not English."""
    codes = sorted({code.partition("-")[0] for code in languages})
    others = [code for code in codes if code != _ENGLISH and code.isascii() and code.isalpha()]
    return others[0] if others else _ENGLISH if codes else REST


def _laid_out(slots: Sequence[_Slot]) -> dict[str, Any]:
    """Most subsets of a task are scored of the same models: these are listed once."""
    sets: dict[tuple[int, ...], int] = {}
    laid = [
        [slot.split, slot.subset, sets.setdefault(tuple(slot.rows), len(sets)), list(slot.scores)] for slot in slots
    ]
    return {"sets": [list(rows) for rows in sets], "slots": laid}
