"""`run`: measure a model."""

from __future__ import annotations

import argparse

from embedmark.runner.cli.arguments import take_multirun


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    take_multirun(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.run import run

    return run(options.overrides, options.config_dir, sweep=options.multirun)
