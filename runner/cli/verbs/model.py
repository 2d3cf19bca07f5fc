"""`model new`: the file of a new model."""

from __future__ import annotations

import argparse

from embedmark.runner.cli.arguments import take_new


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    take_new(parser, "ORGANISATION/NAME on the hub, or the folder of a checkpoint")


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.model import new

    return new(options.name, options.out, force=options.force)
