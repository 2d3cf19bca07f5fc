"""Compare ranks and means of a benchmark with those of the reference's own summary code, given the same scores.

    python tests/benchmarks/summary_parity.py "MTEB(Multilingual, v2)" [--write FOLDER]

The scores are the published ones that ship, of one revision of each model. The reference runs in .venv-reference (`make
reference`). `--write` keeps its table, as in tests/facts/summaries/. Exit status 1 when a model differs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange import snapshot
from embedmark.runner.exchange.names import present_model
from embedmark.runner.ranking.board import board
from embedmark.runner.ranking.families import families
from embedmark.runner.ranking.matrix import ScoreMatrix, published
from embedmark.runner.ranking.rules import By
from embedmark.runner.report.rows import leaves

HERE = Path(__file__).resolve().parent
REFERENCE = HERE.parents[1] / ".venv-reference/bin/python"
CLOSE = 5e-7
"""Half a millionth: a task's published score is the mean of whole millionths here."""


def main() -> int:
    """Run both, print what differs, return the exit status."""
    name = sys.argv[1]
    catalogue = Catalogue.of([])
    matrix = published(catalogue.benchmark(name), catalogue)
    with tempfile.TemporaryDirectory() as scratch:
        table = summarized(name, cells(matrix), Path(scratch))
    if "--write" in sys.argv:
        folder = Path(sys.argv[sys.argv.index("--write") + 1])
        folder.mkdir(parents=True, exist_ok=True)
        table.write_csv(folder / f"{catalogue.find('benchmark', name).path.stem}.csv")
    by = catalogue.benchmark(name).ranked_by
    different = differences(matrix, families(matrix.tasks, catalogue).of, by, table)
    print(f"{name}: {len(table)} models in the reference's table, {len(different)} differ")
    for line in different[:20]:
        print(f"  {line}")
    return 1 if different else 0


def cells(matrix: ScoreMatrix) -> pl.DataFrame:
    """The published scores of a matrix, split by split and subset by subset, of whole tasks alone.

    A task that is the mean of others is given as such: the reference's table takes its score from a file of its own.
    """
    asked = pl.DataFrame(
        [(task.name, split, subset) for task in leaves(matrix.asked) for split, subset in task.slots],
        schema=["task", "split", "subset"],
        orient="row",
    )
    whole = pl.DataFrame(
        [
            (model, matrix.revisions[row][0], task)
            for row, model in enumerate(matrix.models)
            for column, task in enumerate(matrix.tasks)
            if matrix.values[row, column] == matrix.values[row, column]
        ],
        schema=["model", "revision", "task"],
        orient="row",
    )
    means = pl.DataFrame(
        [
            (model, task.name, "test", "default", matrix.values[row, column])
            for row, model in enumerate(matrix.models)
            for column, task in enumerate(matrix.asked)
            if task.members and matrix.values[row, column] == matrix.values[row, column]
        ],
        schema={
            "model_name": pl.String,
            "task_name": pl.String,
            "split": pl.String,
            "subset": pl.String,
            "score": pl.Float64,
        },
        orient="row",
    )
    named = snapshot.scores().with_columns(pl.col(pl.Categorical).cast(pl.String)).collect()
    renamed = {model: present_model(model) for model in named["model"].unique()}
    measured = (
        named.with_columns(pl.col("model").replace(renamed))
        .join(asked, on=["task", "split", "subset"])
        .join(whole, on=["model", "revision", "task"])
        .select(model_name="model", task_name="task", split="split", subset="subset", score="main_score")
    )
    return pl.concat([measured, means])


def summarized(name: str, scores: pl.DataFrame, scratch: Path) -> pl.DataFrame:
    """The reference's table."""
    paths = scratch / "scores.parquet", scratch / "summary.csv"
    scores.write_parquet(paths[0])
    subprocess.run([REFERENCE, HERE / "reference/summary.py", name, *paths], check=True)
    return pl.read_csv(paths[1])


def differences(matrix: ScoreMatrix, of: object, by: By, table: pl.DataFrame) -> list[str]:
    """A line for each model whose rank or means are not the same."""
    made = board(matrix, of, by, draws=10)  # type: ignore[arg-type]
    ranks = {matrix.models[place.row]: (place.rank, place.mean, place.mean_type) for place in made.places}
    found = []
    for model, rank, mean, by_type in table.iter_rows():
        ours = ranks.get(model)
        if ours is None:
            found.append(f"{model}: not here")
        elif ours[0] is not None and ours[0] != rank:
            found.append(f"{model}: rank {ours[0]}, the reference's {rank}")
        elif not all(map(_same, ours[1:], (mean, by_type))):
            found.append(f"{model}: means {ours[1:]}, the reference's {(mean, by_type)}")
    return found


def _same(one: float | None, other: float | None) -> bool:
    """Whether two means are the same; the reference's tables leave out some, ours those of models that lack tasks."""
    return one is None or other is None or abs(one - other) < CLOSE


if __name__ == "__main__":
    sys.exit(main())
