"""`benchmark lite`: a smaller benchmark for a budget of minutes."""

from __future__ import annotations

import argparse
from pathlib import Path

from embedmark.runner.cli.arguments import take_config_dir, take_outputs


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="lite")
    lite = actions.add_parser("lite", description="choose the tasks of a benchmark that tell most for their time")
    lite.add_argument("name", metavar="BENCHMARK", help="the benchmark")
    lite.add_argument("--minutes", type=float, metavar="N", help="how long all of them may take")
    lite.add_argument("--share", type=float, metavar="PERCENT", help="the same, in percent of what the whole takes")
    lite.add_argument("--model", metavar="NAME", help="whose minutes; by default of any model on record")
    lite.add_argument(
        "--out", type=Path, default=Path("mine"), metavar="FOLDER",
        help="the config folder to write into, to be given to other verbs as --config-dir (default: ./mine)",
    )  # fmt: skip
    lite.add_argument("--force", action="store_true", help="write over a file that is there already")
    take_outputs(lite)
    take_config_dir(lite)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.forecasting import write_lite

    return write_lite(
        options.name, options.out, options.outputs, options.config_dir,
        minutes=options.minutes, share=options.share, model=options.model, force=options.force,
    )  # fmt: skip
