"""`show`: one config as it is understood."""

from __future__ import annotations

import argparse

from embedmark.runner.cli.arguments import take_config_dir


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("name", help="a model, task or benchmark, by name or file")
    parser.add_argument(
        "--benchmark", metavar="NAME", help="of a model: how much of this benchmark is zero-shot, and what is not"
    )
    take_config_dir(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.showing import show, show_zero_shot

    if options.benchmark is not None:
        return show_zero_shot(options.name, options.benchmark, options.config_dir)
    return show(options.name, options.config_dir)
