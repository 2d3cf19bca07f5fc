"""Which tasks models were trained on, and how much of a benchmark is zero-shot for them.

A model was trained on a task where its training data names it, or a task that it was made from or replaced by, however
many steps away; or where that is true of the model that it was adapted from. Nothing is looked at: this is what models'
publishers told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange import snapshot
from embedmark.runner.exchange.names import present_model
from embedmark.runner.ranking.matrix import ScoreMatrix
from embedmark.runner.ranking.own import own_models, own_tasks


class State(IntEnum):
    """What a score of a model on a task is: the model never saw its data, or did, or nobody knows."""

    UNKNOWN = -1
    ZERO_SHOT = 0
    TRAINED = 1


@dataclass(frozen=True)
class Source:
    """Why a task counts as trained on.

    Args:
        dataset: The training data that is told, by the name of a task.
        model: Whose training data it is: the model's own, or that of one that it goes back to.
    """

    dataset: str
    model: str


@dataclass(frozen=True)
class TrainingData:
    """What is known of models' training data.

    Args:
        told: Model → the tasks that it was trained on, None where nobody knows.
        bases: Model → the model that it was adapted from.
        near: Task → those that it was made from or replaced by, and the other way round.
    """

    told: Mapping[str, Sequence[str] | None]
    bases: Mapping[str, str]
    near: Mapping[str, Sequence[str]]
    _found: dict[str, dict[str, Source] | None] = field(default_factory=dict, repr=False, compare=False)

    def knows(self, model: str) -> bool:
        """Whether there is a file or metadata of a model, whatever it says of its training."""
        return present_model(model) in self.told

    def trained(self, model: str) -> dict[str, Source] | None:
        """Find all tasks that a model was trained on.

        Args:
            model: As the catalogue or the field has it.

        Returns:
            Task → why; None where the model's own data is unknown, even if that of its base is known. A base of unknown
            data adds nothing.
        """
        name = present_model(model)
        if name not in self._found:
            self._found[name] = self._trained(name, ())
        return self._found[name]

    def _trained(self, model: str, above: tuple[str, ...]) -> dict[str, Source] | None:
        told = self.told.get(model)
        if told is None:
            return None
        found: dict[str, Source] = {}
        for dataset in sorted(told):
            for task in self._around(dataset, found):
                # Data that names the task itself is the plainer reason.
                found[task] = Source(dataset, model)
        found |= {dataset: Source(dataset, model) for dataset in told}
        base = self.bases.get(model)
        if base is None or base == model or base in above:
            return found
        return {**(self._trained(base, (*above, model)) or {}), **found}

    def _around(self, dataset: str, known: Mapping[str, Source]) -> Iterator[str]:
        """What is reached from a dataset, without what was reached before."""
        waiting, seen = [dataset], {dataset}
        while waiting:
            task = waiting.pop()
            if task not in known:
                yield task
                fresh = [other for other in self.near.get(task, ()) if other not in seen]
                seen.update(fresh)
                waiting += fresh

    def share(self, model: str, tasks: Sequence[str]) -> int | None:
        """Compute how much of a benchmark is zero-shot for a model.

        Args:
            model: As the catalogue or the field has it.
            tasks: The benchmark's, each once.

        Returns:
            Percent of the tasks that it was not trained on, rounded down as on the field's leaderboard; None where its
            training data is unknown.
        """
        trained = self.trained(model)
        if trained is None:
            return None
        return 100 * sum(task not in trained for task in tasks) // len(tasks)

    def states(self, models: Sequence[str], tasks: Sequence[str]) -> NDArray[np.int8]:
        """Say of each model and task what a score is: (n_models, n_tasks), values of `State`."""
        found = np.full((len(models), len(tasks)), State.UNKNOWN, dtype=np.int8)
        for row, model in enumerate(models):
            if (trained := self.trained(model)) is not None:
                found[row] = [State.TRAINED if task in trained else State.ZERO_SHOT for task in tasks]
        return found


def training_data(catalogue: Catalogue) -> TrainingData:
    """Collect what the field's metadata says, and over it what files say that it does not tell of."""
    told: dict[str, Sequence[str] | None] = {}
    bases: dict[str, str | None] = {}
    for row in snapshot.models().select("name", "training_datasets", "adapted_from").iter_rows(named=True):
        told[row["name"]], bases[row["name"]] = row["training_datasets"], row["adapted_from"]
    for model in own_models(catalogue, frozenset(told)):
        told[model.name], bases[model.name] = model.about.training_datasets, model.about.adapted_from
    rows = snapshot.tasks().select("name", "adapted_from", "superseded_by").iter_rows()
    edges = {name: _edges(sources, successor) for name, sources, successor in rows}
    for task in own_tasks(catalogue, frozenset(edges)):
        edges[task.name] = _edges(task.about.adapted_from, task.about.superseded_by)
    near: dict[str, list[str]] = {}
    for name, others in edges.items():
        for other in others:
            near.setdefault(name, []).append(other)
            near.setdefault(other, []).append(name)
    return TrainingData(told, {name: base for name, base in bases.items() if base}, near)


def without_trained(matrix: ScoreMatrix, data: TrainingData) -> ScoreMatrix:
    """Leave out the scores of models on tasks that they were trained on.

    Returns:
        The matrix with NaN in these cells; models of unknown training data keep all that they have.
    """
    trained = data.states(matrix.names, matrix.tasks) == State.TRAINED
    return replace(matrix, values=np.where(trained, np.nan, matrix.values))


def _edges(adapted_from: Sequence[str] | None, superseded_by: str | None) -> list[str]:
    return [*(adapted_from or ()), *([superseded_by] if superseded_by else ())]
