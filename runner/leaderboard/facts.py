"""What boards show besides scores and ranks, each source read once for any number of benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import BenchmarkConfig
from embedmark.runner.exchange.names import present_model
from embedmark.runner.leaderboard.benchmark_groups import Group, benchmark_group
from embedmark.runner.leaderboard.costs import cost_columns
from embedmark.runner.leaderboard.findings import Findings, Row, by_score, findings, published_findings
from embedmark.runner.leaderboard.model_facts import ModelFacts, model_facts
from embedmark.runner.leaderboard.scores import AllScores
from embedmark.runner.ranking.matrix import ScoreMatrix
from embedmark.runner.report.aggregate import Aggregate


@dataclass(frozen=True)
class Facts:
    """All that is known, of all models.

    Args:
        catalogue: Where benchmarks are found.
        known: Of each model, in the order of `rows`.
        rows: Model, as named today → its place in `known`.
        published: What is found in published scores.
    """

    catalogue: Catalogue
    known: ModelFacts
    rows: dict[str, int]
    published: Sequence[Row]

    @classmethod
    def of(cls, scores: AllScores) -> Facts:
        """Read what there is to know of all models that have scores.

        Raises:
            UserError: Imported scores cannot be read.
        """
        named = {present_model(name) for name in scores.cells["model"].unique()}
        mine = {kept.facts.job.model for kept in scores.collected.records}
        names = sorted(named | mine)
        return cls(
            scores.catalogue,
            model_facts(names, scores.catalogue),
            {name: row for row, name in enumerate(names)},
            published_findings(scores.outputs if scores.imported else None),
        )

    def models(self, names: Sequence[str]) -> dict[str, list[Any]]:
        """Give the columns of some models; see `model_facts.ModelFact`.

        Args:
            names: Of models that have scores.
        """
        return self.known.columns([self.rows[present_model(name)] for name in names])

    def costs(self, matrix: ScoreMatrix, made: Aggregate | None) -> dict[str, list[Any]]:
        """Give speed and electricity as columns; see `costs.Cost`."""
        return cost_columns(matrix, made)

    def group(self, benchmark: BenchmarkConfig) -> Group:
        """Find the heading that a benchmark is listed under."""
        return benchmark_group(benchmark, self.catalogue)

    def findings(self, matrix: ScoreMatrix, made: Aggregate | None) -> Findings:
        """Find what the table of a benchmark marks."""
        return findings(self.published, matrix, made)

    def texts(self) -> dict[tuple[str, str], list[str]]:
        """Collect what is found in published scores, of all their splits and subsets, by model and task."""
        return by_score(self.published)
