"""`inspect`: the worst items of a job, or those on which two part."""

from __future__ import annotations

import argparse
from pathlib import Path

from embedmark.runner.cli.arguments import take_config_dir, take_outputs


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("jobs", nargs="+", metavar="JOB", help="one job, or two: a folder, or digits of a fingerprint")
    parser.add_argument("-n", type=int, default=10, metavar="N", help="how many items to show (default: 10)")
    parser.add_argument("--format", choices=["text", "json", "html"], default="text", help="how (default: text)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a file instead of printing")
    take_outputs(parser)
    take_config_dir(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.inspecting import inspect

    return inspect(options.jobs, options.outputs, options.config_dir, options.n, options.format, options.out)
