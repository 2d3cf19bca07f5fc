"""What boards show besides scores and ranks, each source read once for any number of benchmarks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from embedmark.runner.leaderboard.bench import Bench
from embedmark.runner.leaderboard.costs import cost_columns
from embedmark.runner.leaderboard.data_revisions import other_data
from embedmark.runner.leaderboard.findings import Row, by_score, findings, published_findings
from embedmark.runner.leaderboard.model_facts import ModelFact, ModelFacts, model_facts
from embedmark.runner.leaderboard.records import Sources
from embedmark.runner.leaderboard.scores import AllScores


@dataclass(frozen=True)
class Facts:
    """All that is known, of all models.

    Args:
        models: What is known of each model.
        published: What is found in published scores.
    """

    models: Mapping[str, ModelFact]
    published: Sequence[Row]

    @classmethod
    def of(cls, scores: AllScores, models: Iterable[str]) -> Facts:
        """Read what there is to know.

        Args:
            scores: All scores.
            models: Names of all that are shown.

        Raises:
            UserError: Imported scores cannot be read.
        """
        names = list(models)
        known = model_facts(names, scores.catalogue).models
        found = published_findings(scores.outputs if scores.imported else None)
        return cls(dict(zip(names, known, strict=True)), found)

    def columns(self, made: Bench) -> dict[str, list[Any]]:
        """Give what is known of a board's models, and what one's own took: see `ModelFact` and `Cost`.

        Returns:
            Columns: the models of the matrix, then those that have parts of tasks alone. Terms are for the pages of
            models; addresses are in a copy of the board for a paper.
        """
        known = [self.models[name] for name in (*made.matrix.names, *made.parts_alone)]
        for row, dim, tokens in _own_settings(made):
            known[row] = replace(known[row], dim=dim or known[row].dim, tokens=tokens or known[row].tokens)
        told = ModelFacts(tuple(known)).columns() | cost_columns(made.matrix, made.made, len(made.parts_alone))
        return {name: column for name, column in told.items() if name != "terms"}

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


def _own_settings(made: Bench) -> Iterator[tuple[int, int | None, int | None]]:
    """Yield rows of one's own models with the dimensions and token limit that they were told to have."""
    if made.made is None:
        return
    rows = {label: row for row, label in enumerate(made.matrix.models) if made.matrix.own[row]}
    for column in made.made.columns:
        kept = next((kept for cell in column.cells.values() for kept in cell.records), None)
        if kept is None or column.label not in rows:
            continue
        yield rows[column.label], kept.model.get("truncate_dim"), kept.model.get("max_tokens")
