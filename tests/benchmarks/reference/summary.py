"""The reference's own summary of scores: run by tests/benchmarks/summary_parity.py in .venv-reference.

    python tests/benchmarks/reference/summary.py BENCHMARK SCORES.parquet SUMMARY.csv

SCORES has model_name, task_name, split, subset and score.
"""

from __future__ import annotations

import sys

import mteb
import polars as pl


def main() -> None:
    """Write the models with the rank that the benchmark is sorted by, and means, empty where its table has none."""
    name, scores, out = sys.argv[1:]
    table = mteb.get_benchmark(name)._create_summary_table(pl.read_parquet(scores))
    made = table.df.select(
        pl.col(column) if column in table.df.columns else pl.lit(None, pl.Float64).alias(column)
        for column in ("Model", table.rank_col, "Mean (Task)", "Mean (TaskType)")
    )
    made.sort(table.rank_col, "Model").write_csv(out)


if __name__ == "__main__":
    main()
