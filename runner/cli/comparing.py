"""`compare`: is one model better than another, on the same items; and a training run, checkpoint by checkpoint."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from embedmark.runner.common.errors import FAILED, OK, UserError
from embedmark.runner.common.files import write_atomically
from embedmark.runner.common.names import nearest
from embedmark.runner.common.terminal import table_console
from embedmark.runner.common.text import complain, counted, say
from embedmark.runner.compare import show, svg
from embedmark.runner.compare.chosen import columns_of, nothing_of, one_column
from embedmark.runner.compare.comparison import Asked, Comparison, compare, with_overall
from embedmark.runner.compare.curve import Curve, curve
from embedmark.runner.compare.published import NO_ITEMS, compare_rows, other_data, row_of
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.report.aggregate import Aggregate, Column
from embedmark.runner.report.report import Options, on_record
from embedmark.runner.results.durable import writing

_GLOB = frozenset("*?[")


@dataclass(frozen=True)
class Request:
    """What `compare` was asked.

    Args:
        models: Names, each perhaps with `@` and what tells a variant; patterns where a run is drawn.
        outputs: The folder of results.
        folders: The user's own config folders.
        benchmark: Only its tasks; needed where published scores are compared.
        tasks: Only these.
        published: Published scores, even of what is on record.
        over: "revision" draws checkpoints in their order.
        fail_if: "worse" where the first is worse than another over all tasks, "any-worse" where it is on some task.
        as_json: Print JSON alone.
        svg: Where to write a picture.
    """

    models: Sequence[str]
    outputs: Path
    folders: Sequence[Path]
    benchmark: str | None = None
    tasks: Sequence[str] = ()
    published: bool = False
    over: str | None = None
    fail_if: str | None = None
    as_json: bool = False
    svg: Path | None = None


def compare_models(request: Request, asked: Asked) -> int:
    """Print whether models can be told apart.

    Returns:
        1 where `fail_if` holds, else 0.

    Raises:
        UserError: A model is not on record, or the data differ.
        OutputError: The picture cannot be written.
    """
    catalogue = Catalogue.of(request.folders)
    _refuse_unread(request)
    made = _made(request, catalogue)
    if request.over is not None:
        return _draw_run(request, made, catalogue, asked)
    pairs, notes = _pairs(request, made, catalogue, asked)
    if request.as_json:
        say(json.dumps(show.comparison_json(pairs, asked) | {"notes": notes}, indent=2, allow_nan=False))
    else:
        _print(pairs, notes, asked)
    if request.svg is not None:
        _write(request.svg, svg.forest(pairs[0]))
        if len(pairs) > 1:
            tell = complain if request.as_json else say
            tell(f"{request.svg}: {pairs[0].a} against {pairs[0].b}, the first of {len(pairs)} pairs")
    return FAILED if _failed(pairs, request) else OK


def _refuse_unread(request: Request) -> None:
    """What would be passed over, or found out when all is done."""
    if request.over is not None and request.published:
        raise UserError("--over draws what is on record; published scores have no items: leave out --published")
    if request.svg is not None and (not request.svg.name or request.svg.is_dir()):
        raise UserError(f"--svg {request.svg}: a folder; name a file in it, as in {request.svg / 'compare.svg'}")


def _made(request: Request, catalogue: Catalogue) -> Aggregate | None:
    try:
        made, damaged = on_record(request.outputs, catalogue, Options(request.benchmark))
    except UserError:
        if request.benchmark is None:
            raise
        catalogue.benchmark(request.benchmark)
        return None
    for line in damaged:
        complain(line)
    if not request.tasks or request.published:
        return made
    known = {row.name for row in made.tasks}
    for name in request.tasks:
        if name not in known:
            raise UserError(f"--task {name}: nothing of it is on record; there are {', '.join(sorted(known))}")
    return replace(made, tasks=tuple(row for row in made.tasks if row.name in request.tasks))


def _pairs(
    request: Request, made: Aggregate | None, catalogue: Catalogue, asked: Asked
) -> tuple[list[Comparison], list[str]]:
    if request.published or made is None:
        return _published(request, made, catalogue, asked)
    if len(request.models) == 1:
        columns = columns_of(request.models[0], made.columns, catalogue)
        if len(columns) < 2:
            raise (
                UserError(f"only one {request.models[0]!r} is on record; name another model to compare it with")
                if columns
                else nothing_of(request.models[0], made.columns)
            )
        return compare(made, columns, catalogue, asked), []
    found = [(name, one_column(name, made.columns, catalogue)) for name in request.models]
    missing = [name for name, column in found if column is None]
    if missing and request.benchmark is not None:
        return _published(request, made, catalogue, asked)
    if missing:
        error = nothing_of(missing[0], made.columns)
        raise UserError(f"{error}\nIts published scores are compared with: --benchmark NAME")
    columns = [column for _, column in found if column is not None]
    _refuse_repeated(columns)
    return compare(made, columns, catalogue, asked), []


def _refuse_repeated(columns: Sequence[Column]) -> None:
    for one, other in combinations(columns, 2):
        if one is other:
            raise UserError(f"{one.label} is named twice; name two models, or NAME@WHAT for two variants of one")


def _published(
    request: Request, made: Aggregate | None, catalogue: Catalogue, asked: Asked
) -> tuple[list[Comparison], list[str]]:
    from embedmark.runner.exchange import store
    from embedmark.runner.ranking.matrix import published, with_own

    if request.benchmark is None:
        raise UserError("--published compares over the tasks of a benchmark: give --benchmark NAME with it")
    if len(request.models) < 2:
        raise UserError(f"found {len(request.models)} model; name two at least")
    imported = request.outputs if store.path_of(request.outputs).is_file() else None
    matrix = published(catalogue.benchmark(request.benchmark), catalogue, imported)
    if made is not None and not request.published:
        matrix = with_own(matrix, made)
    if request.tasks:
        matrix = matrix.narrowed(_columns(request.tasks, matrix.tasks))
    rows = [row_of(name, matrix, catalogue) for name in request.models]
    if len(set(rows)) < len(rows):
        raise UserError(f"a model is named twice: {', '.join(matrix.models[row] for row in rows)}")
    notes = [f"{NO_ITEMS}: verdicts a task, and for this benchmark as it is, are not possible"]
    differing = [] if imported else other_data(matrix, rows)
    if differing:
        shown = ", ".join(differing[:5]) + (f" and {len(differing) - 5} more" if len(differing) > 5 else "")
        notes.append(f"published scores of {counted(len(differing), 'task')} are of different revisions: {shown}")
    pairs = [compare_rows(matrix, a, b) for a, b in combinations(rows, 2)]
    return with_overall(pairs, catalogue, asked), notes


def _columns(wanted: Sequence[str], tasks: Sequence[str]) -> list[int]:
    for name in wanted:
        if name not in tasks:
            raise UserError(f"--task {name}: no task of this benchmark.{nearest(name, tasks)}")
    return [place for place, name in enumerate(tasks) if name in wanted]


def _print(pairs: Sequence[Comparison], notes: Sequence[str], asked: Asked) -> None:
    console = table_console()
    for place, pair in enumerate(pairs):
        if place:
            console.print()
        show.print_comparison(pair, asked, console)
    for note in notes:
        console.print(note, highlight=False, markup=False, soft_wrap=True, style="dim")


def _failed(pairs: Sequence[Comparison], request: Request) -> bool:
    """Whether the first model is worse than one of the others."""
    first = [pair for pair in pairs if pair.a == pairs[0].a]
    if request.fail_if == "any-worse":
        return any(task.verdict == "worse" for pair in first for task in pair.tasks)
    if request.fail_if != "worse":
        return False
    return any(_is_worse(pair) for pair in first)


def _is_worse(pair: Comparison) -> bool:
    if pair.overall is None:
        return pair.tasks[0].verdict == "worse"
    return "worse" in {pair.overall.as_it_is, pair.overall.like_these}


def _draw_run(request: Request, made: Aggregate | None, catalogue: Catalogue, asked: Asked) -> int:
    if made is None:
        raise UserError(f"{request.outputs / 'jobs'}: nothing of benchmark {request.benchmark} is on record")
    columns = _checkpoints(request.models, made, catalogue)
    found = curve(made, columns, asked)
    if request.as_json:
        say(json.dumps(show.curve_json(found, asked), indent=2, allow_nan=False))
    else:
        show.print_curve(found, asked, table_console())
    if request.svg is not None:
        _write(request.svg, svg.training(found))
    return FAILED if request.fail_if and _last_is_worse(found, asked) else OK


def _last_is_worse(found: Curve, asked: Asked) -> bool:
    from embedmark.runner.stats.paired import Paired

    change = found.points[-1].change
    return isinstance(change, Paired) and change.difference < 0 and change.p <= 1 - asked.level


def _checkpoints(names: Sequence[str], made: Aggregate, catalogue: Catalogue) -> list[Column]:
    found: list[Column] = []
    for name in names:
        if _GLOB & set(name):
            end = Path(name).name
            fitting = [c for c in made.columns if fnmatch.fnmatch(c.model, name) or _ends(c.model, end)]
        else:
            fitting = columns_of(name, made.columns, catalogue)
        if not fitting:
            raise nothing_of(name, made.columns)
        found += [column for column in fitting if column not in found]
    return found


def _ends(model: str, pattern: str) -> bool:
    return fnmatch.fnmatch(model.rpartition("/")[2], pattern)


def _write(path: Path, text: str) -> None:
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text, durable=False)
