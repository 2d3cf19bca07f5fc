"""What boards show besides scores and ranks, each source read once for any number of benchmarks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from embedmark.runner.exchange.names import present_model
from embedmark.runner.leaderboard.bench import Bench
from embedmark.runner.leaderboard.costs import cost_columns
from embedmark.runner.leaderboard.data_revisions import other_data
from embedmark.runner.leaderboard.findings import Row, by_score, findings, published_findings
from embedmark.runner.leaderboard.model_facts import ModelFacts, model_facts
from embedmark.runner.leaderboard.records import Sources
from embedmark.runner.leaderboard.scores import AllScores


@dataclass(frozen=True)
class Facts:
    """All that is known, of all models.

    Args:
        known: Of each model, in the order of `rows`.
        rows: Model, as named today → its place in `known`.
        published: What is found in published scores.
    """

    known: ModelFacts
    rows: dict[str, int]
    published: Sequence[Row]

    @classmethod
    def collected(cls, scores: AllScores) -> Facts:
        """Read what there is to know of all models that have scores.

        Raises:
            UserError: Imported scores cannot be read.
        """
        named = {present_model(name) for name in scores.cells["model"].unique()}
        mine = {kept.facts.job.model for kept in scores.collected.records}
        names = sorted(named | mine)
        return cls(
            model_facts(names, scores.catalogue),
            {name: row for row, name in enumerate(names)},
            published_findings(scores.outputs if scores.imported else None),
        )

    def of(self, name: str) -> dict[str, Any]:
        """Give what is known of one model that has scores; see `model_facts.ModelFact`."""
        return {column: values[0] for column, values in self._columns([name]).items()}

    def models(self, made: Bench) -> dict[str, list[Any]]:
        """Give what is known of a board's models, and what one's own took: see `ModelFact` and `Cost`.

        Returns:
            Columns: the models of the matrix, then those that have parts of tasks alone.
        """
        names = [*made.matrix.names, *made.parts_alone]
        found = self._columns(names) | cost_columns(made.matrix, made.made, len(made.parts_alone))
        for row, values in _own_settings(made):
            for column, value in values.items():
                found[column][row] = value
        return found

    def _columns(self, names: Sequence[str]) -> dict[str, list[Any]]:
        return self.known.columns([self.rows[present_model(name)] for name in names])

    def marks(self, made: Bench, sources: Sources) -> dict[str, Any]:
        """Find what the table of a board marks.

        Args:
            made: The board.
            sources: Where its published scores come from.

        Returns:
            `findings`: as `findings.Findings` has them. `several`: the tasks whose scores are of several revisions of
            the data. `marks`: by the name of what a reader can exclude, the scores (task, model) that go with it.
        """
        found = findings(self.published, made.matrix, made.made)
        apart = other_data(made, sources)
        return {
            "findings": {"text": found.text, "at": found.scores, "tasks": found.tasks, "models": found.models},
            "several": list(apart),
            "marks": {
                "lint": sorted({(task, model) for task, model, _ in found.scores}),
                "revisions": [(task, model) for task, models in apart.items() for model in models],
            },
        }

    def texts(self) -> dict[tuple[str, str], list[str]]:
        """Collect what is found in published scores, of all their splits and subsets, by model and task."""
        return by_score(self.published)


def _own_settings(made: Bench) -> Iterator[tuple[int, dict[str, int]]]:
    """Rows of one's own models → what their identity says otherwise than what is known of the model as published."""
    if made.made is None:
        return
    rows = {label: row for row, label in enumerate(made.matrix.models) if made.matrix.own[row]}
    for column in made.made.columns:
        kept = next((kept for cell in column.cells.values() for kept in cell.records), None)
        if kept is None or column.label not in rows:
            continue
        told = {"dim": kept.model.get("truncate_dim"), "tokens": kept.model.get("max_tokens")}
        yield rows[column.label], {name: value for name, value in told.items() if isinstance(value, int)}
