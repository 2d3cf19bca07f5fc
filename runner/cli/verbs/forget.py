"""`forget`: delete failures, or a record by name."""

from __future__ import annotations

import argparse

from embedmark.runner.cli.arguments import take_outputs


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="a job: its folder, or digits of its fingerprint")
    parser.add_argument("--failed", action="store_true", help="every failure, in place of jobs by name")
    parser.add_argument("--model", metavar="NAME", help="with --failed: only of this model")
    parser.add_argument("--task", metavar="NAME", help="with --failed: only of this task")
    parser.add_argument("--yes", action="store_true", help="delete records too, where they are named")
    take_outputs(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.forget import forget

    return forget(
        options.outputs,
        options.jobs,
        failed=options.failed,
        model=options.model,
        task=options.task,
        confirmed=options.yes,
    )
