"""How long lint takes over all published scores: `python tests/benchmarks/lint.py main_scores.parquet --runs 3`."""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from datetime import date
from pathlib import Path

from embedmark.runner.exchange.tables import scores_of_table
from embedmark.runner.lint.lint import lint_scores

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    scores = scores_of_table(options.file, date.today())
    seconds = []
    for _ in range(options.runs):
        started = time.perf_counter()
        found = lint_scores(scores)
        seconds.append(time.perf_counter() - started)
    counts = Counter((finding.severity, finding.rule) for finding in found)
    print(f"{scores.height:,} scores: {statistics.median(seconds):.1f} s, median of {options.runs}; {dict(counts)}")
