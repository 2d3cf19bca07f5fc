"""`export`: records in the forms that others read."""

from __future__ import annotations

import argparse
from pathlib import Path

from embedmark.runner.cli.arguments import take_config_dir, take_outputs


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument(
        "--to",
        required=True,
        choices=["mteb", "parquet", "csv", "model-card", "latex", "bibtex", "methods", "trec"],
        help="the field's result files, all scores in one table, a model card's results, or what a paper needs",
    )
    parser.add_argument("--model", action="append", default=[], metavar="NAME", help="only this model; may be repeated")
    parser.add_argument("--benchmark", metavar="NAME", help="the benchmark that bibtex and methods name")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where to write (default: export/ in the folder of results)"
    )
    take_outputs(parser)
    take_config_dir(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.exporting import Asked, export

    return export(Asked(options.to, options.outputs, options.model, options.benchmark, options.config_dir, options.out))
