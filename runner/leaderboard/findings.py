"""What `lint` finds in the scores of a benchmark, as marks in its table: of scores, of tasks and of models.

To look through all published scores takes as long as the rest of a build: of those that ship the findings ship too, and
of imported ones they are kept beside them.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedmark.runner.common.errors import OutputError
from embedmark.runner.common.files import write_atomically
from embedmark.runner.exchange import snapshot, store
from embedmark.runner.exchange.names import present_model
from embedmark.runner.leaderboard.records import own_cells
from embedmark.runner.lint.finding import Finding
from embedmark.runner.lint.over_records import lint_records
from embedmark.runner.lint.over_scores import FLOOR
from embedmark.runner.ranking.matrix import ScoreMatrix
from embedmark.runner.report.aggregate import Aggregate
from embedmark.runner.report.rows import leaves
from embedmark.runner.report.versions import Slot
from embedmark.runner.results.durable import writing
from embedmark.runner.results.record import Record

if TYPE_CHECKING:
    import polars as pl

Row = Mapping[str, Any]
"""A row of `lint.frame.frame`."""


@dataclass
class Findings:
    """What is found in a matrix. Every mark ends with the number of its text.

    Args:
        text: Each once.
        scores: (task, model, text): the column, the row, and what was found in that score.
        tasks: (task, text): what was found in a column as a whole.
        models: (model, text): what was found in a row as a whole.
    """

    text: list[str] = field(default_factory=list)
    scores: list[tuple[int, int, int]] = field(default_factory=list)
    tasks: list[tuple[int, int]] = field(default_factory=list)
    models: list[tuple[int, int]] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def number(self, text: str) -> int:
        """Return a text's number; a new text gets the next."""
        if text not in self._numbers:
            self._numbers[text] = len(self.text)
            self.text.append(text)
        return self._numbers[text]


def published_findings(outputs: Path | None) -> list[Row]:
    """Look up what is found in published scores. Notes, which are no fault of a number, are left out.

    Args:
        outputs: The folder whose imported scores are shown; None for the snapshot that ships. What is found in imported
            scores is looked for once, and kept beside them where that folder can be written.

    Returns:
        Rows whose models are named as today.

    Raises:
        UserError: The imported scores cannot be read.
    """
    found = snapshot.findings() if outputs is None else _imported(outputs)
    told = (row for row in found.iter_rows(named=True) if row["severity"] != "info")
    return [{**row, "model": present_model(row["model"]) if row["model"] else None} for row in told]


def findings(published: Iterable[Row], matrix: ScoreMatrix, made: Aggregate | None = None) -> Findings:
    """Find what a benchmark's table marks.

    Args:
        published: What `published_findings` returns. What is of another revision of a model than the score that counts,
            or of subsets that the benchmark does not ask for, is left out.
        matrix: The benchmark's scores.
        made: What of one's own is in it.
    """
    found = Findings()
    columns = _columns(matrix)
    rows = {name: row for row, name in enumerate(matrix.names) if not matrix.own[row]}
    for one in published:
        text = f"{one['rule']}: {one['evidence']}"
        if one["task"] is None:
            if one["model"] in rows:
                about_all = f"{one['rule']}: {one['where']}: {one['evidence']}"
                found.models.append((rows[one["model"]], found.number(about_all)))
        elif one["model"] is None:
            found.tasks += [(column, found.number(text)) for column, _ in columns.get(one["task"], ())]
        elif one["model"] in rows:
            row = rows[one["model"]]
            for column, slots in columns.get(one["task"], ()):
                if _is_of(one, matrix, row, column) and _asked(one, slots):
                    found.scores.append((column, row, found.number(f"{_slot(one, slots)}{text}")))
    found.scores += _own(found, matrix, made)
    return found


def by_score(published: Iterable[Row]) -> dict[tuple[str, str], list[str]]:
    """Collect texts by model and task, for pages of these: of all splits and subsets, at any revision of the model.

    Args:
        published: What `published_findings` returns.

    Returns:
        (Model, task) → texts. Where something is found in all scores of a model, or of a task, the other is empty.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for one in published:
        told = ("where",) if one["task"] is None else ("split", "subset")
        text = "".join(f"{one[part]}: " for part in (*told, "rule") if one[part] is not None)
        found.setdefault((one["model"] or "", one["task"] or ""), []).append(f"{text}{one['evidence']}")
    return found


def _is_of(one: Row, matrix: ScoreMatrix, row: int, column: int) -> bool:
    """Whether it is of the score that is shown: a benchmark may ask for those subsets alone that are well."""
    if matrix.of.get((matrix.names[row], matrix.tasks[column])) != one["revision"]:
        return False
    return bool(one["rule"] != "floor" or matrix.values[row, column] <= FLOOR)


def _columns(matrix: ScoreMatrix) -> dict[str, list[tuple[int, Sequence[Slot]]]]:
    """Task that is measured → the columns that it is part of, and of which splits and subsets."""
    found: dict[str, list[tuple[int, Sequence[Slot]]]] = {}
    for column, asked in enumerate(matrix.asked):
        for leaf in leaves([asked]):
            found.setdefault(leaf.name, []).append((column, leaf.slots))
    return found


def _asked(one: Row, slots: Sequence[Slot]) -> bool:
    return any(one["split"] in (None, split) and one["subset"] in (None, subset) for split, subset in slots)


def _slot(one: Row, slots: Sequence[Slot]) -> str:
    """Which of several splits and subsets it is, where it is not all of them."""
    told = [part for part in (one["split"], one["subset"]) if part is not None]
    return f"{', '.join(told)}: " if told and len(slots) > 1 else ""


def _own(found: Findings, matrix: ScoreMatrix, made: Aggregate | None) -> Iterator[tuple[int, int, int]]:
    """The rules over one row, of one's own records."""
    for column, row, kept_ones in own_cells(matrix, made):
        records = [kept.facts for kept in kept_ones if isinstance(kept.facts, Record)]
        for one in lint_records(records):
            yield column, row, found.number(_words(one, len(records)))


def _words(one: Finding, n_records: int) -> str:
    (about,) = one.about
    slot = f"{about.split}, {about.subset}: " if n_records > 1 else ""
    return f"{slot}{one.rule}: {one.evidence}"


def _imported(outputs: Path) -> pl.DataFrame:
    """What is found in imported scores, from the file beside them if it is of these."""
    import polars as pl

    scores = store.path_of(outputs)
    kept = scores.with_name("findings.parquet")
    with store.reading(outputs):
        looked_at = _hash(scores)
    with suppress(OSError, pl.exceptions.PolarsError):
        if pl.read_parquet_metadata(kept).get(_LOOKED_AT) == looked_at:
            return pl.read_parquet(kept, glob=False)
    from embedmark.runner.lint.frame import frame
    from embedmark.runner.lint.lint import lint_scores

    with store.reading(outputs):
        found = frame(lint_scores(store.load(outputs).collect()))
    out = io.BytesIO()
    found.write_parquet(out, metadata={_LOOKED_AT: looked_at})
    with suppress(OutputError), writing(kept):
        write_atomically(kept, out.getvalue(), durable=False)
    return found


_LOOKED_AT = "looked_at"


def _hash(scores: Path) -> str:
    """One of the scores and of the rules, which may have changed since."""
    import embedmark.runner.lint as rules

    files = (scores, snapshot.MODELS, snapshot.TASKS, *sorted(Path(rules.__path__[0]).glob("*.py")))
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)).hexdigest()
