"""`report`: the scores of what was run."""

from __future__ import annotations

import argparse

from embedmark.runner.cli.arguments import take_config_dir, take_outputs
from embedmark.runner.common.errors import UserError


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("--benchmark", metavar="NAME", help="only this benchmark's tasks, with its means")
    parser.add_argument("--model", action="append", default=[], metavar="NAME", help="only this model; may be repeated")
    parser.add_argument("--draws", choices=["job", "mteb"], help="the benchmark as it was run with these draws")
    parser.add_argument(
        "--older", action="store_true", help="also what a change of version made old, in columns and rows marked so"
    )
    parser.add_argument("--intervals", action="store_true", help="also a 95 %% interval of every score and mean")
    parser.add_argument(
        "--ranks", nargs="?", const="own", choices=["own", "borda", "mean", "type"], metavar="RULE",
        help="the ranking of --benchmark instead: by its own rule (default), borda, mean over tasks, or over types",
    )  # fmt: skip
    parser.add_argument("--top", type=int, default=20, metavar="N", help="of --ranks: how many to print (default: 20)")
    parser.add_argument(
        "--leave-out", choices=["task", "family", "type"], help="of --ranks: also how far models move without one"
    )
    parser.add_argument(
        "--without-trained", action="store_true", help="of --ranks: tasks that a model was trained on count as missing"
    )
    parser.add_argument("--json", action="store_true", help="of --ranks: print JSON alone, with all models")
    parser.add_argument(
        "--forecast", action="store_true", help="where unfinished models will come out on --benchmark, instead"
    )
    parser.add_argument("--field", action="store_true", help="also where the models stand among the published ones")
    parser.add_argument("--ignore-failed", action="store_true", help="as if no job had failed")
    parser.add_argument(
        "--format",
        action="append",
        default=[],
        choices=["md", "csv", "json"],
        help="what to write (default: all three)",
    )
    take_outputs(parser)
    take_config_dir(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.report import report
    from embedmark.runner.report.report import Options

    asked = Options(options.benchmark, options.model, options.draws, options.older, options.ignore_failed)
    if options.forecast:
        from embedmark.runner.cli.forecasting import report_forecast
        from embedmark.runner.config.catalogue import Catalogue

        return report_forecast(options.outputs, asked, Catalogue.of(options.config_dir))
    if options.ranks is None and (options.leave_out or options.without_trained or options.json):
        raise UserError("--leave-out, --without-trained and --json belong to --ranks: give --ranks with them")
    if options.ranks is not None:
        from embedmark.runner.cli.ranking import Asked, report_ranks
        from embedmark.runner.config.catalogue import Catalogue

        by = None if options.ranks == "own" else options.ranks
        ranks = Asked(by, options.top, options.leave_out, options.without_trained, options.json)
        return report_ranks(options.outputs, asked, Catalogue.of(options.config_dir), ranks)
    return report(
        options.outputs, asked, options.format, options.config_dir, field=options.field, intervals=options.intervals
    )
