"""`compare`: is one model better than another, on the same items?"""

from __future__ import annotations

import argparse
from pathlib import Path

from embedmark.runner.cli.arguments import take_config_dir, take_outputs


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument(
        "models", nargs="+", metavar="MODEL",
        help="two models or more on record, or NAME@WHAT for one of several variants; a single name compares all of "
        "its variants",
    )  # fmt: skip
    parser.add_argument("--benchmark", metavar="NAME", help="only this benchmark's tasks")
    parser.add_argument("--task", action="append", default=[], metavar="NAME", help="only this task; may be repeated")
    parser.add_argument("--published", action="store_true", help="published scores, also of what is on record")
    parser.add_argument(
        "--over", choices=["revision"], help="draw the checkpoints of a model, or of a pattern of names, in their order"
    )
    parser.add_argument("--test", choices=["t", "permutation"], default="t", help="the paired test (default: t)")
    parser.add_argument(
        "--adjust", choices=["holm", "bh"], default="holm",
        help="for many tests: holm bounds the chance of any false claim (default), bh the share of false claims",
    )  # fmt: skip
    parser.add_argument(
        "--fail-if", choices=["worse", "any-worse"],
        help="end with status 1 where the first model is worse over all tasks, or on any task",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="also write a picture")
    take_outputs(parser)
    take_config_dir(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.comparing import Request, compare_models
    from embedmark.runner.compare.comparison import Asked

    request = Request(
        options.models, options.outputs, options.config_dir, options.benchmark, options.task, options.published,
        options.over, options.fail_if, options.json, options.svg,
    )  # fmt: skip
    return compare_models(request, Asked(test=options.test, adjust=options.adjust))
