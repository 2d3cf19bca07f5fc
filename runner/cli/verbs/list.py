"""`list`: models, tasks or benchmarks."""

from __future__ import annotations

import argparse

from embedmark.runner.cli.arguments import take_config_dir


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("kind", choices=["models", "tasks", "benchmarks"])
    parser.add_argument("pattern", nargs="?", default="", help="only what has this in its name, type or file")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    take_config_dir(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.listing import list_entries

    return list_entries(options.kind, options.pattern, options.config_dir, as_json=options.json)
