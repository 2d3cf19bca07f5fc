"""`report --forecast`, and `benchmark lite`: what a few tasks tell of all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from embedmark.runner.common.errors import OK, UserError
from embedmark.runner.common.files import write_atomically
from embedmark.runner.common.names import nearest
from embedmark.runner.common.terminal import plain_table, table_console
from embedmark.runner.common.text import counted, say
from embedmark.runner.common.yaml_page import dump
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import BenchmarkConfig
from embedmark.runner.ranking.families import families
from embedmark.runner.ranking.forecast import Forecast, Known, Lite, forecasts, known, lite, seconds_of
from embedmark.runner.ranking.matrix import published, with_own
from embedmark.runner.ranking.times import task_times
from embedmark.runner.report.names import model_on_record
from embedmark.runner.report.report import Options, on_record
from embedmark.runner.results.collect import collect
from embedmark.runner.results.durable import writing

_SECONDS = 60


def report_forecast(outputs: Path, options: Options, catalogue: Catalogue) -> int:
    """Print where unfinished models will come out, and write it to report/forecast.json.

    Raises:
        UserError: No benchmark is named, nothing of it is on record, or too little is published of it.
    """
    if options.benchmark is None:
        raise UserError("--forecast is of a benchmark: give --benchmark NAME with it")
    made, _ = on_record(outputs, catalogue, options)
    matrix = with_own(published(catalogue.benchmark(options.benchmark), catalogue, revisions="joined"), made)
    learnt = known(matrix, options.benchmark)
    found = forecasts(matrix, learnt)
    if not found:
        raise UserError(f"{outputs / 'jobs'}: no task of {options.benchmark} is done; run one first")
    _print(found, learnt)
    path = outputs / "report" / "forecast.json"
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(_as_json(found, learnt), indent=2, allow_nan=False) + "\n", durable=False)
    say(f"\nwritten: {path}")
    return OK


def _print(found: Sequence[Forecast], learnt: Known) -> None:
    console = table_console()
    table = plain_table("model")
    for name in ("done", "mean of these", "forecast", "90 %", "rank", "90 %"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("tell most next", overflow="fold")
    for one in found:
        made = one.estimate
        cells = ["", "", "", ""] if made is None else [
            f"{100 * made.mean:.2f}", f"{100 * made.low:.2f} – {100 * made.high:.2f}",
            str(made.rank), f"{made.best} – {made.worst}",
        ]  # fmt: skip
        mean = "" if one.mean is None else f"{100 * one.mean:.2f}"
        table.add_row(one.model, f"{one.n_done}/{one.n_tasks}", mean, *cells, ", ".join(one.next_tasks))
    console.print(table)
    of = f"learnt from {len(learnt.prior.scores)} published models"
    foot = f"\nforecast: the mean over all {len(learnt.tasks)} tasks, {of}. rank: among these."
    console.print(foot, highlight=False, style="dim", soft_wrap=True)


def _as_json(found: Sequence[Forecast], learnt: Known) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "schema": 1,
        "n_tasks": len(learnt.tasks),
        "n_published": len(learnt.prior.scores),
        "models": [asdict(one) for one in found],
    }


def write_lite(
    name: str,
    folder: Path,
    outputs: Path,
    folders: Sequence[Path],
    *,
    minutes: float | None,
    share: float | None,
    model: str | None,
    force: bool,
) -> int:
    """Choose tasks of a benchmark for a budget, print what they are worth, and write FOLDER/benchmark/<name>_lite.yaml.

    Args:
        name: The benchmark.
        folder: The config folder to write into.
        outputs: Where the times of tasks are on record.
        folders: The user's own config folders.
        minutes: The budget.
        share: The budget in percent of what all tasks take, in place of minutes.
        model: Whose minutes they are; by default those of any model on record.
        force: Write over a file that is there.

    Raises:
        UserError: The budget is none, nothing is on record to tell times by, too little is published, or the file is
            there already.
    """
    if (minutes is None) == (share is None):
        raise UserError("give --minutes N, or --share PERCENT of what all tasks take, and not both")
    if not 0 < (minutes or share or 0) < float("inf") or (share or 0) > 100:
        raise UserError(f"--minutes or --share: found {minutes or share}; expected a number above 0, and at most 100 %")
    catalogue = Catalogue.of(folders)
    benchmark = catalogue.benchmark(name)
    choice = f"{catalogue.find('benchmark', benchmark.name).path.stem}_lite"
    path = folder / "benchmark" / f"{choice}.yaml"
    if path.exists() and not force:
        raise UserError(f"{path} exists already; give another folder with --out, or --force to write it anew")
    learnt = known(published(benchmark, catalogue, revisions="joined"), benchmark.name)
    times = _times(outputs, model, catalogue)
    if not times and minutes is not None:
        raise UserError(
            f"{outputs / 'jobs'}: no task was timed, so that minutes cannot be told; run one first, or give --share"
        )
    seconds = seconds_of(learnt.tasks, times)
    budget = minutes * _SECONDS if minutes is not None else (share or 0) / 100 * float(seconds.sum())
    made = lite(learnt, families(learnt.tasks, catalogue).of, seconds, budget)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, _page(benchmark, made), durable=False)
    _print_lite(made, seconds.sum() / _SECONDS if times else None, learnt, times)
    say(f"wrote {path}")
    say(f"next: python -m runner --config-dir {folder} model=NAME benchmark={choice}")
    return OK


def _times(outputs: Path, model: str | None, catalogue: Catalogue) -> dict[str, float]:
    records = collect(outputs).records
    if model is None:
        return task_times(records, None)
    on_record_names = {kept.facts.job.model for kept in records}
    found = model_on_record(model, on_record_names, catalogue)
    if found is None:
        raise UserError(f"no results of model {model!r}.{nearest(model, on_record_names)} Its times are not known")
    return task_times(records, found)


def _page(benchmark: BenchmarkConfig, made: Lite) -> str:
    asked = {task.name: task for task in benchmark.tasks}
    tasks = [asked[name].model_dump(mode="json", exclude_defaults=True) for name in made.tasks if name in asked]
    values = {
        "name": f"{benchmark.name} lite",
        "languages": list(benchmark.languages),
        "tasks": [task["name"] if len(task) == 1 else task for task in tasks],
    }
    return dump({key: value for key, value in values.items() if value})


def _print_lite(made: Lite, minutes: float | None, learnt: Known, times: dict[str, float]) -> None:
    what = f"{counted(len(made.tasks), 'task')} of {len(learnt.tasks)}, {100 * made.share:.0f} % of the time"
    if minutes is not None:
        untimed = sum(task not in times for task in learnt.tasks)
        guessed = f"; {untimed} tasks were never timed, and take the median" if untimed else ""
        what += f": {minutes * made.share:.1f} of {minutes:.0f} minutes{guessed}"
    else:
        what += "; no task was timed, all are taken to be alike"
    say(what)
    say(f"  {', '.join(made.tasks)}")
    say(
        f"of held-out models: mean within ± {100 * made.half_width:.2f} points (90 % interval, holds "
        f"{100 * made.coverage:.0f} %), Spearman {made.spearman:.3f}, {made.rank_error:.0f} places off (median), "
        f"{100 * made.kept:.0f} % of the pairs that the whole tells apart are told apart"
    )
