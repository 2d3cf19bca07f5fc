"""`submit`: a model's records for a results repository."""

from __future__ import annotations

import argparse
from pathlib import Path

from embedmark.runner.cli.arguments import take_config_dir, take_outputs


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a checkout of the repository, or a new folder")
    parser.add_argument("--model", required=True, metavar="NAME", help="the model")
    parser.add_argument("--benchmark", required=True, metavar="NAME", help="what it has to be complete for")
    parser.add_argument("--weights", metavar="LINK", help="where the weights are, or `service`")
    parser.add_argument("--code", metavar="LINK", help="where the code is, or `service`")
    parser.add_argument(
        "--training-data",
        choices=["unknown"],
        help="that nobody knows what it was trained on; else the model's file says",
    )
    take_outputs(parser)
    take_config_dir(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.submitting import submit
    from embedmark.runner.submit.checks import Told

    told = Told(options.weights, options.code, options.training_data)
    return submit(options.folder, options.model, options.benchmark, options.outputs, options.config_dir, told)
