"""`plan`: what a run would do."""

from __future__ import annotations

import argparse

from embedmark.runner.cli.arguments import take_multirun


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    take_multirun(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a job")
    parser.add_argument(
        "--cost", action="store_true", help="load the data, and say how many texts and tokens are left to encode"
    )


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.plan import plan

    return plan(
        options.overrides,
        options.config_dir,
        as_json=options.json,
        cost=options.cost,
        sweep=options.multirun,
    )
