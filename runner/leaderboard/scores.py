"""All scores that boards are made of, each read once: what the field published, and one's own records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import BenchmarkConfig
from embedmark.runner.exchange import store
from embedmark.runner.exchange.limits import LARGEST_SCORE
from embedmark.runner.exchange.task_scores import LeafScores, leaf_scores
from embedmark.runner.ranking.matrix import ScoreMatrix, cells, matrix_of, preferred, reading, with_own
from embedmark.runner.ranking.zeroshot import TrainingData, training_data
from embedmark.runner.report.aggregate import Aggregate
from embedmark.runner.report.report import Options, on_record
from embedmark.runner.report.rows import TaskRow, leaves, rows_asked
from embedmark.runner.results.collect import Collected, collect

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class AllScores:
    """What there is, for any number of benchmarks.

    Args:
        catalogue: Where tasks and models are found.
        benchmarks: Those that boards are made of, by name.
        asked: Of each the rows that it asks for.
        cells: The published scores, each cell once: see `ranking.matrix.cells`.
        leaf_scores: Of these what the tasks of all benchmarks are made of.
        preferred: Model → the revision that counts before others.
        collected: One's own records.
        outputs: The folder that they are in; None where there is none.
        imported: Whether the published scores are those that were imported there.
    """

    catalogue: Catalogue
    benchmarks: Mapping[str, BenchmarkConfig]
    asked: Mapping[str, Sequence[TaskRow]]
    cells: pl.DataFrame
    leaf_scores: LeafScores
    preferred: Mapping[str, str]
    collected: Collected
    outputs: Path | None
    imported: bool

    @cached_property
    def training(self) -> TrainingData:
        """What is known of models' training data."""
        return training_data(self.catalogue)

    @cached_property
    def own_tasks(self) -> frozenset[str]:
        """The tasks that anything of one's own is on record of."""
        return frozenset(kept.facts.job.task for kept in self.collected.records)

    @cached_property
    def own_models(self) -> frozenset[str]:
        """The models that anything of one's own is on record of, on whatever tasks."""
        return frozenset(kept.facts.job.model for kept in self.collected.records)

    @cached_property
    def sizes(self) -> Mapping[tuple[str, str], int]:
        """How many scores there are of each model and task, published or one's own."""
        import polars as pl

        counted = self.cells.group_by("model", "task").len()
        found = {
            (model, task): n
            for model, task, n in counted.with_columns(pl.col("model", "task").cast(pl.String)).iter_rows()
        }
        for kept in self.collected.records:
            key = (kept.facts.job.model, kept.facts.job.task)
            found[key] = found.get(key, 0) + 1
        return found

    def matrix(self, benchmark: str) -> tuple[ScoreMatrix, Aggregate | None]:
        """Lay out the scores of a benchmark, and return what of one's own is in them."""
        rows = self.asked[benchmark]
        found = matrix_of(rows, self.leaf_scores.of_tasks(rows, self.preferred, "joined"))
        if self.outputs is None or not self.own_tasks & {leaf.name for leaf in leaves(rows)}:
            return found, None
        made, _ = on_record(self.outputs, self.catalogue, Options(benchmark), self.collected)
        return with_own(found, made), made

    @cached_property
    def present(self) -> Mapping[str, Sequence[str]]:
        """Of each benchmark the models that have any score of what it asks for, by name."""
        import polars as pl

        slots = [
            (name, leaf.name, split, subset)
            for name, rows in self.asked.items()
            for leaf in leaves(rows)
            for split, subset in leaf.slots
        ]
        asked = pl.DataFrame(slots, schema=["benchmark", "task", "split", "subset"], orient="row").unique()
        pairs = (
            self.cells.lazy()
            .select("model", *(pl.col(name).cast(pl.String) for name in ("task", "split", "subset")))
            .join(asked.lazy(), on=["task", "split", "subset"])
            .select("benchmark", "model")
            .unique()
            .sort("benchmark", "model")
            .collect()
        )
        found: dict[str, list[str]] = {name: [] for name in self.asked}
        for benchmark, model in pairs.iter_rows():
            found[benchmark].append(model)
        return found


def all_scores(outputs: Path | None, catalogue: Catalogue, benchmarks: Sequence[str] | None = None) -> AllScores:
    """Read all scores.

    Args:
        outputs: The folder with one's own records and imported scores; None for what ships alone. Without imported
            scores there the snapshot that ships stands in for them.
        catalogue: Where tasks, models and benchmarks are found.
        benchmarks: Names of those that are asked for; None for all of the catalogue.

    Raises:
        UserError: A benchmark, or a task of one, is not known; the imported scores cannot be read.
    """
    configs = [catalogue.benchmark(name) for name in (catalogue.benchmarks if benchmarks is None else benchmarks)]
    found = {config.name: config for config in configs}
    asked = {name: rows_asked(config, catalogue) for name, config in found.items()}
    imported = outputs is not None and store.path_of(outputs).is_file()
    source = outputs if imported else None
    with reading(source):
        frame = cells(source).collect()
    if source is not None:
        _refuse_too_large(frame, source)
    return AllScores(
        catalogue=catalogue,
        benchmarks=found,
        asked=asked,
        cells=frame,
        leaf_scores=leaf_scores(frame.lazy(), (leaf for rows in asked.values() for leaf in leaves(rows))),
        preferred=preferred(catalogue),
        collected=Collected((), (), ()) if outputs is None else collect(outputs),
        outputs=outputs,
        imported=imported,
    )


def _refuse_too_large(frame: pl.DataFrame, outputs: Path) -> None:
    """Refuse scores that an import takes no more, of a store that an earlier version wrote. Raises UserError."""
    import polars as pl

    wrong = frame.filter(pl.col("main_score").abs() > LARGEST_SCORE)
    if wrong.height:
        model, task, score = wrong.select(pl.col("model", "task").cast(pl.String), "main_score").row(0)
        raise UserError(
            f"{store.path_of(outputs)}: {model}: {task}: found the score {score:g}; expected at most "
            f"{LARGEST_SCORE:,.0f}, up or down. Delete the file and import again without it"
        )
