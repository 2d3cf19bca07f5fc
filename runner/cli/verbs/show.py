"""`show`: one config as it is understood."""

from __future__ import annotations

import argparse

from embedmark.runner.cli.arguments import take_config_dir


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("name", help="a model, task or benchmark, by name or file")
    take_config_dir(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.showing import show

    return show(options.name, options.config_dir)
