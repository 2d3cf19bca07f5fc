"""`report --ranks`: the ranking of a benchmark, with one's own models among the published ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from embedmark.runner.common.errors import OK, UserError
from embedmark.runner.common.files import write_atomically
from embedmark.runner.common.terminal import table_console
from embedmark.runner.common.text import say
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange import store
from embedmark.runner.ranking.board import Board, LeftOut, Place, board
from embedmark.runner.ranking.families import families
from embedmark.runner.ranking.matrix import ScoreMatrix, published, with_own
from embedmark.runner.ranking.rules import By
from embedmark.runner.ranking.sentence import facts_of
from embedmark.runner.ranking.show import board_json, outside, print_board
from embedmark.runner.ranking.zeroshot import training_data, without_trained
from embedmark.runner.report.report import Options, on_record
from embedmark.runner.results.durable import writing


@dataclass(frozen=True)
class Asked:
    """What is ranked.

    Args:
        by: The rule; None for the benchmark's own.
        top: How many are printed; one's own are printed wherever they stand.
        left_out: Also how far models move without a task, family or type.
        without_trained: Scores on tasks that a model was trained on are taken as missing.
        as_json: Print JSON alone, with all models.
    """

    by: By | None = None
    top: int = 20
    left_out: LeftOut | None = None
    without_trained: bool = False
    as_json: bool = False


def report_ranks(outputs: Path, options: Options, catalogue: Catalogue, asked: Asked) -> int:
    """Print the ranking, and write all of it to report/ranks.json where there are outputs.

    Raises:
        UserError: No benchmark is named, or it is not known.
    """
    if options.benchmark is None:
        raise UserError("--ranks ranks the models of a benchmark: give --benchmark NAME with it")
    if asked.top < 1:
        raise UserError(f"--top: found {asked.top}; expected how many models to show")
    benchmark = catalogue.benchmark(options.benchmark)
    matrix, data = _scores(outputs, options, catalogue), training_data(catalogue)
    zero_shot = [data.share(name, matrix.tasks) for name in matrix.names]
    if asked.without_trained:
        matrix = without_trained(matrix, data)
    if not len(matrix.models):
        raise UserError(f"no model has a score on the tasks of {options.benchmark}, published or on record")
    made = board(matrix, families(matrix.tasks, catalogue).of, asked.by or benchmark.ranked_by, asked.left_out)
    page = json.dumps(board_json(made, zero_shot), indent=2, allow_nan=False)
    if asked.as_json:
        say(page)
    else:
        shown = _shown(made, asked.top)
        print_board(made, shown, zero_shot, facts_of(made, zero_shot, len(shown)), table_console())
        for line in outside(benchmark):
            say(line)
    if (outputs / "jobs").is_dir():
        path = outputs / "report" / "ranks.json"
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, page + "\n", durable=False)
        if not asked.as_json:
            say(f"\nwritten: {path}")
    return OK


def _scores(outputs: Path, options: Options, catalogue: Catalogue) -> ScoreMatrix:
    assert options.benchmark is not None
    imported = outputs if store.path_of(outputs).is_file() else None
    matrix = published(catalogue.benchmark(options.benchmark), catalogue, imported, "joined")
    try:
        made, _ = on_record(outputs, catalogue, options)
    except UserError:
        # Nothing of one's own is on record: the published ones are ranked among themselves.
        return matrix
    return with_own(matrix, made)


def _shown(made: Board, top: int) -> list[Place]:
    return [place for at, place in enumerate(made.places) if at < top or made.matrix.own[place.row]]
