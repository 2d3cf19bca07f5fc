"""`export`: records in the forms that others read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedmark.runner.common.errors import OK, UserError
from embedmark.runner.common.files import write_atomically
from embedmark.runner.common.text import counted, say
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.export import cards, flat, mteb, papers, trec
from embedmark.runner.export.chosen import Chosen, choose
from embedmark.runner.results.durable import writing

Made = tuple[Mapping[str, bytes], Sequence[str]]
"""Path below the folder → content; and a line for each thing that is left out, or needs a word."""


@dataclass(frozen=True)
class Asked:
    """What is exported.

    Args:
        to: A key of `FORMATS`.
        outputs: Where the records are.
        models: Only these; all where there are none.
        benchmark: Which benchmark is cited; its tasks are not chosen by it.
        folders: The user's own config folders.
        out: Where to write; below the outputs by default.
    """

    to: str
    outputs: Path
    models: Sequence[str] = ()
    benchmark: str | None = None
    folders: Sequence[Path] = ()
    out: Path | None = None


def export(asked: Asked) -> int:
    """Write records in a form that others read, and say what is left out.

    Raises:
        UserError: Nothing is on record that can be exported.
        OutputError: The files cannot be written.
    """
    catalogue = Catalogue.of(asked.folders)
    chosen = choose(asked.outputs, asked.models, catalogue)
    made, notes = FORMATS[asked.to](chosen, catalogue, asked.benchmark)
    notes = [*chosen.left_out, *notes]
    if not made:
        raise UserError("\n".join([f"nothing can be exported to {asked.to}:", *notes]))
    out = asked.out or asked.outputs / "export" / (asked.to if len(made) > 1 else "")
    for name, content in made.items():
        _write(out / name, content)
    n_records = sum(len(run.records) for run in chosen.runs)
    where = out if len(made) > 1 else out / next(iter(made))
    what = f"{counted(len(made), 'file')} of {counted(n_records, 'record')} of {counted(len(chosen.runs), 'model')}"
    _say(f"{where}: {what}", notes)
    return OK


def _mteb(chosen: Chosen, catalogue: Catalogue, _: str | None) -> Made:
    made, notes = mteb.files(chosen, catalogue)
    return _encoded(made), notes


def _cards(chosen: Chosen, catalogue: Catalogue, _: str | None) -> Made:
    made, notes = cards.files(chosen, catalogue)
    return _encoded(made), notes


def _trec(chosen: Chosen, *_: object) -> Made:
    made, notes = trec.files(chosen)
    return _encoded(made), notes


def _bibtex(chosen: Chosen, catalogue: Catalogue, benchmark: str | None) -> Made:
    return _encoded({"references.bib": papers.bibtex(chosen, catalogue, benchmark)}), ()


FORMATS: Mapping[str, Callable[[Chosen, Catalogue, str | None], Made]] = {
    "mteb": _mteb,
    "parquet": lambda chosen, *_: ({"scores.parquet": flat.parquet(chosen)}, ()),
    "csv": lambda chosen, *_: ({"scores.csv": flat.comma_separated(chosen)}, ()),
    "model-card": _cards,
    "latex": lambda chosen, catalogue, _: (_encoded({"scores.tex": papers.latex(chosen, catalogue)}), ()),
    "bibtex": _bibtex,
    "trec": _trec,
    "methods": lambda *given: (_encoded({"methods.txt": papers.methods(*given)}), ()),
}
"""Name, as `--to` takes it → what makes the files."""


def _encoded(made: Mapping[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in made.items()}


def _write(path: Path, content: bytes) -> None:
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content, durable=False)


def _say(headline: str, notes: Iterable[str]) -> None:
    say(headline)
    for note in notes:
        say(f"  {note}")
