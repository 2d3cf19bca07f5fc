"""What the page of a model shows: its places, every score with its record, and what is known of it."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from embedmark.runner.common.groups import grouped
from embedmark.runner.common.text import visible
from embedmark.runner.config.catalogue import SHIPPED, Catalogue
from embedmark.runner.exchange import snapshot
from embedmark.runner.exchange.names import present_model
from embedmark.runner.exchange.task_scores import UNNAMED
from embedmark.runner.leaderboard.bench import Bench
from embedmark.runner.leaderboard.columns import Column, Shown
from embedmark.runner.leaderboard.model_facts import ModelFact
from embedmark.runner.leaderboard.records import own_cells
from embedmark.runner.leaderboard.strengths import strengths
from embedmark.runner.ranking.board import Place
from embedmark.runner.ranking.matrix import ScoreMatrix
from embedmark.runner.ranking.own import own_models
from embedmark.runner.ranking.zeroshot import State
from embedmark.runner.results.collect import Kept

_LISTS = ("variant", "task", "type", "what", "boards", "revision", "source")
_ROW = (
    "variant", "task", "type", "what", "boards", "score", "place", "n", "trained", "revision", "source", "jobs",
)  # fmt: skip


@dataclass
class _Page:
    """What one model's page has, while it is put together."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    lists: dict[str, dict[Any, int]] = field(default_factory=lambda: {name: {} for name in _LISTS})
    jobs: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    places: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    strengths: list[dict[str, Any]] = field(default_factory=list)

    def number(self, name: str, value: Any) -> int:
        """The number of a value that is listed once."""
        known = self.lists[name]
        return known.setdefault(value, len(known))


def model_pages(shown: Shown, facts: Mapping[str, ModelFact]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lay out the page of every model that has a score.

    Args:
        shown: All boards.
        facts: What is known of each model, by its name.

    Yields:
        Its slug, and its content: plain data.
    """
    pages: dict[str, _Page] = defaultdict(_Page)
    mine = _own_jobs(shown)
    for column in shown.columns:
        _add_scores(column, pages, shown, mine)
    for number, board in enumerate(shown.boards):
        _add_places(number, board, pages)
    relatives = Relatives.of(shown.scores.catalogue)
    parts = parts_of(shown)
    names = sorted({*pages, *shown.models})
    for name in names:
        page = _laid_out(name, pages[name], shown)
        page["facts"] = asdict(facts.get(name, ModelFact()))
        page["training"] = _training(name, shown)
        page["family"] = [
            {"name": other, "slug": shown.slugs.models.get(other) if other in names else None, "how": how}
            for other, how in relatives.of_model(name)
        ]
        page["parts"] = parts.get(name, [])
        page |= configured(name, shown.scores.catalogue)
        yield shown.slugs.models[name], page


def _own_jobs(shown: Shown) -> dict[tuple[int, int, int], Sequence[Kept]]:
    """Board, task and model, by their places → one's own records of the score."""
    return {
        (id(board), task, model): records
        for board in shown.boards
        for task, model, records in own_cells(board.matrix, board.made)
    }


def _add_scores(
    column: Column, pages: dict[str, _Page], shown: Shown, mine: Mapping[tuple[int, int, int], Sequence[Kept]]
) -> None:
    board, matrix, row = column.board, column.board.matrix, column.row
    n, boards = len(column.models), tuple(column.boards)
    task = (row.name, shown.slugs.tasks[row.name], shown.files.get(row.name))
    told = zip(column.models.tolist(), column.scores.tolist(), column.places.tolist(), strict=True)
    states = board.states[:, column.at].tolist()
    for model, score, place in told:
        name = matrix.names[model]
        page = pages[name]
        revision = source = jobs = None
        if matrix.own[model]:
            jobs = [_job(page, kept, shown) for kept in mine[id(board), column.at, model]]
        else:
            stated = matrix.of[name, row.name]
            revision = page.number("revision", None if stated in UNNAMED else stated)
            source = page.number("source", shown.sources.source(name, stated, row))
        page.rows.append(
            (
                page.number("variant", matrix.models[model]),
                page.number("task", task),
                page.number("type", row.type),
                page.number("what", column.words),
                page.number("boards", boards),
                score,
                place,
                n,
                _TRAINED[states[model]],
                revision,
                source,
                jobs,
            )
        )


_TRAINED = {State.UNKNOWN: None, State.ZERO_SHOT: 0, State.TRAINED: 1}


def _job(page: _Page, kept: Kept, shown: Shown) -> int:
    return page.jobs.setdefault(kept.facts.fingerprint, (len(page.jobs), shown.own.details(kept)))[0]


def _add_places(number: int, board: Bench, pages: dict[str, _Page]) -> None:
    """Its place on a board, with interval, group and how many are in that; and the types where it stands out."""
    matrix = board.matrix
    sizes = Counter(place.group for place in board.board.places)
    ranked = sum(place.rank is not None for place in board.board.places)
    for place in board.board.places:
        page = pages[matrix.names[place.row]]
        add = page.places
        add["board"].append(number)
        add["variant"].append(page.number("variant", matrix.models[place.row]))
        add["rank"].append(place.rank)
        add["low"].append(place.low)
        add["high"].append(place.high)
        add["completed"].append(list(place.complete) if place.complete else None)
        add["group"].append(place.group)
        add["size"].append(sizes[place.group] if place.group is not None else None)
        add["leader"].append(None if place.group is None else matrix.models[board.board.leaders[place.group]])
        add["ranked"].append(ranked)
        add["has"].append(place.n_tasks)
        add["of"].append(len(matrix.tasks))
        add["mean"].append(_mean(matrix, place))
        add["zero"].append(board.zero_shot[place.row])
    for row, of_types in strengths(board).items():
        page = pages[matrix.names[row]]
        variant = page.number("variant", matrix.models[row])
        page.strengths += [{"board": number, "variant": variant, **one} for one in of_types]


def _mean(matrix: ScoreMatrix, place: Place) -> float | None:
    """As the table has it: where at most a tenth of the tasks are missing, that of the others."""
    if place.mean is not None:
        return place.mean
    nearly_all = place.n_tasks > 0 and place.n_tasks * 10 >= len(matrix.tasks) * 9
    return float(np.nanmean(matrix.values[place.row])) if nearly_all else None


def _laid_out(name: str, page: _Page, shown: Shown) -> dict[str, Any]:
    boards = [board.config.name for board in shown.boards]
    lists = {key: list(values) for key, values in page.lists.items()}
    lists["source"] = [[one.datasets, one.versions, one.origins, one.files] for one in lists["source"]]
    columns = zip(*page.rows, strict=True) if page.rows else ([] for _ in _ROW)
    return {
        "name": name,
        "slug": shown.slugs.models[name],
        "benchmarks": [[board, shown.slugs.benchmarks[board]] for board in boards],
        "places": dict(page.places),
        "strengths": page.strengths,
        "scores": {key: list(column) for key, column in zip(_ROW, columns, strict=True)},
        "lists": lists,
        "jobs": [details for _, details in page.jobs.values()],
        "findings": [
            [task, text] for (model, task), texts in sorted(shown.findings.items()) if model == name for text in texts
        ],
    }


def _training(name: str, shown: Shown) -> dict[str, Any]:
    """The training data that a model's publisher told; None is unknown, an empty list says none of the field's."""
    data = shown.scores.training
    present = present_model(name)
    told = data.told.get(present)
    return {"told": None if told is None else sorted(told), "base": data.bases.get(present)}


def parts_of(shown: Shown) -> dict[str, list[list[Any]]]:
    """Of each model the tasks of which it has scores, and none that a board counts: task, slug, how many scores."""
    counted = {(board.matrix.names[row], task) for board in shown.boards for row, task in _counted(board)}
    found: dict[str, list[list[Any]]] = {}
    for (model, task), n in sorted(shown.scores.sizes.items()):
        if (model, task) not in counted:
            found.setdefault(model, []).append([task, shown.slugs.tasks[task], n])
    return found


def _counted(board: Bench) -> Iterator[tuple[int, str]]:
    """The rows that have a score of a task, with the task, or with each of its members."""
    for at, row in enumerate(board.matrix.asked):
        tasks = [row.name, *(member.name for member in row.members)]
        for model in np.flatnonzero(~np.isnan(board.matrix.values[:, at])).tolist():
            yield from ((model, task) for task in tasks)


def configured(name: str, catalogue: Catalogue) -> dict[str, Any]:
    """Find a model's file: its text, and the command that measures it; nothing where it has none."""
    entry = catalogue.models.get(present_model(name))
    if entry is None:
        return {"file": None, "yaml": None, "command": None}
    said = [f"model={entry.choice}"]
    if not entry.path.is_relative_to(SHIPPED):
        said += ["--config-dir", "DIR"]
    text = entry.path.read_text(encoding="utf-8", errors="replace")
    return {
        "file": entry.choice,
        "yaml": "\n".join(map(visible, text.split("\n"))),
        "command": f"python -m runner {shlex.join(said)}",
    }


@dataclass(frozen=True)
class Relatives:
    """Which models are of one family.

    Args:
        bases: Model → the one that it was adapted from.
        children: The other way round.
        stems: A name without what it says in brackets → all that have it: the same weights, used in another way.
        successors: Model → the one that replaces it.
    """

    bases: Mapping[str, str]
    children: Mapping[str, Sequence[str]]
    stems: Mapping[str, Sequence[str]]
    successors: Mapping[str, str]

    @classmethod
    def of(cls, catalogue: Catalogue) -> Relatives:
        """Collect what the field's metadata and the user's own files say."""
        rows = snapshot.models().select("name", "adapted_from", "superseded_by").rows()
        told = {name: (base, successor) for name, base, successor in rows}
        for model in own_models(catalogue, frozenset(told)):
            told[model.name] = (model.about.adapted_from, model.about.superseded_by)
        pairs = sorted(told.items())
        bases = {name: base for name, (base, _) in pairs if base and base != name}
        return cls(
            bases,
            grouped((base, name) for name, base in bases.items()),
            grouped((_stem(name), name) for name, _ in pairs),
            {name: successor for name, (_, successor) in pairs if successor},
        )

    def of_model(self, name: str) -> list[tuple[str, str]]:
        """Name the others of a model's family, and what they are to it, each once."""
        present = present_model(name)
        found: dict[str, str] = {}
        for other in self.stems.get(_stem(present), ()):
            found.setdefault(other, "the same weights, used in another way")
        base = self.bases.get(present)
        if base is not None:
            found.setdefault(base, "what it was adapted from")
        if successor := self.successors.get(present):
            found.setdefault(successor, "replaces it")
        for other in self.children.get(present, ()):
            found.setdefault(other, "adapted from it")
        for other in self.children.get(base, ()) if base else ():
            found.setdefault(other, f"also adapted from {base}")
        return [(other, how) for other, how in found.items() if other != present]


def _stem(name: str) -> str:
    return name.partition(" (")[0]
