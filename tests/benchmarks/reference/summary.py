"""The reference's own summary of scores: run by tests/benchmarks/summary_parity.py in .venv-reference.

    python tests/benchmarks/reference/summary.py BENCHMARK SCORES.parquet SUMMARY.csv

SCORES has model_name, task_name, split, subset and score.
"""

from __future__ import annotations

import sys

import mteb
import polars as pl


def main() -> None:
    """Write the models with rank and means."""
    name, scores, out = sys.argv[1:]
    table = mteb.get_benchmark(name)._create_summary_table(pl.read_parquet(scores))
    columns = ["Model", "Rank (Borda)", "Mean (Task)", "Mean (TaskType)"]
    table.df.select(columns).sort("Rank (Borda)", "Model").write_csv(out)


if __name__ == "__main__":
    main()
