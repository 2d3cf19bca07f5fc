"""`reproduce`: one's own scores beside those that were published of the same model."""

from __future__ import annotations

import argparse

from embedmark.runner.cli.arguments import take_multirun


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    take_multirun(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a score")


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.reproducing import reproduce
    from embedmark.runner.common.errors import UserError

    if options.multirun:
        raise UserError("reproduce: -m is for runs; reproduce one model at a time")
    return reproduce(options.overrides, options.config_dir, as_json=options.json)
