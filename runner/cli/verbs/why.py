"""`why`: what makes two jobs different ones."""

from __future__ import annotations

import argparse

from embedmark.runner.cli.arguments import take_outputs


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("a", help="a job: its folder, or the first digits of its fingerprint")
    parser.add_argument("b", help="another job")
    take_outputs(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.report import why

    return why(options.a, options.b, options.outputs)
