"""`leaderboard`: built as a folder, served, or shown in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embedmark.runner.common.errors import OK, UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.terminal import table_console
from embedmark.runner.common.text import counted, say
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.grammar import name_of, short, split
from embedmark.runner.leaderboard import serve
from embedmark.runner.leaderboard.built import is_old, mark_of, rebuilt, restored
from embedmark.runner.leaderboard.show import KEYS, shown
from embedmark.runner.provenance.ssh import Signers, check_signers

_TOP = 20


@dataclass(frozen=True)
class Where:
    """What a board is made of, and where it goes.

    Args:
        outputs: The folder of results; nothing of one's own is shown where there is none.
        out: The built folder; None for `leaderboard` in the outputs.
        folders: The user's own config folders.
    """

    outputs: Path
    out: Path | None
    folders: Sequence[Path]

    @property
    def place(self) -> Path:
        """The built folder."""
        return self.outputs / "leaderboard" if self.out is None else self.out


def build(where: Where, benchmarks: Sequence[str] | None, signers: Path | None = None) -> int:
    """Build the folder, of some benchmarks or of all.

    Args:
        where: What the board is made of, and where it goes.
        benchmarks: Names; None for all.
        signers: The list of who may sign; None where signatures are not checked.

    Raises:
        UserError: A benchmark is not known, the imported scores cannot be read, or the folder has another use.
        OutputError: The folder cannot be written.
    """
    catalogue = Catalogue.of(where.folders)
    who = None if signers is None else Signers(signers)
    if who is not None:
        check_signers(who.file)
    _build(where, benchmarks, catalogue, who)
    say(f"open {where.place / 'index.html'} in a browser, or put the folder on any static host")
    return OK


def show_pages(where: Where, host: str | None, port: int | None) -> int:
    """Serve the folder until Ctrl-C; first it is built where it is missing, or older than the outputs.

    Args:
        where: What the board is made of, and where it is.
        host: The address to listen on; None for this machine alone.
        port: None for the first that is free.

    Raises:
        UserError: As `build`; the port is taken.
        OutputError: The folder cannot be written.
    """
    catalogue = Catalogue.of(where.folders)
    server = serve.opened(where.place, host or serve.LOOPBACK, port)
    try:
        restored(where.place)
        if is_old(where.place, where.outputs, catalogue):
            mark = mark_of(where.place)
            say(f"{where.place}: {'older than what it is made of' if mark else 'not there yet'}; it is built first")
            sys.stdout.flush()
            _build(where, mark.benchmarks if mark else None, catalogue)
        say(f"{serve.address(server)} shows {where.place}; Ctrl-C ends")
        sys.stdout.flush()
        serve.until_stopped(server)
    finally:
        server.server_close()
    return OK


def show(where: Where, words: Sequence[str], top: int | None) -> int:
    """Print a benchmark as its page has it: what can be decided, and the first places with their groups.

    Args:
        where: What the board is made of.
        words: benchmark=NAME, and perhaps what tasks are kept, as type=Retrieval,STS or lang=deu.
        top: How many places, 20 for None; one's own are printed wherever they stand.

    Raises:
        UserError: A word is none, a name is not known, or nobody has a score.
    """
    from embedmark.runner.leaderboard.bench import bench
    from embedmark.runner.leaderboard.scores import all_scores
    from embedmark.runner.ranking.show import outside, print_board

    top = _TOP if top is None else top
    if top < 1:
        raise UserError(f"--top: found {top}; expected how many models to show")
    name, asked = _asked(words)
    catalogue = Catalogue.of(where.folders)
    scores = all_scores(where.outputs if where.outputs.is_dir() else None, catalogue, [name])
    (benchmark,) = scores.benchmarks
    made = bench(scores, benchmark)
    if made is None:
        raise UserError(f"benchmark={name}: no model has a score on its tasks, published or on record")
    found = shown(scores, made, asked, top)
    print_board(found.board, found.places, found.zero_shot, found.facts, table_console())
    for line in outside(made.config):
        say(line)
    return OK


def _asked(words: Sequence[str]) -> tuple[str, dict[str, list[str]]]:
    """The benchmark, and by key what tasks are kept."""
    name: str | None = None
    asked: dict[str, list[str]] = {}
    for word in words:
        key, equals, value = word.partition("=")
        found = [text for part in split(value) if (text := name_of(part))]
        if not equals or not found:
            raise UserError(f"{short(word)}: expected KEY=VALUE, as in benchmark=mteb_eng_v2 or type=Retrieval,STS")
        if key == "benchmark":
            name = name_of(value)
        elif key in KEYS:
            asked[key] = [*asked.get(key, ()), *found]
        else:
            known = ["benchmark", *KEYS]
            raise UserError(f"{short(word)}: no key {key[:80]!r}.{nearest(key, known)} Known: {', '.join(known)}.")
    if name is None:
        raise UserError("leaderboard show: say which, as in benchmark=mteb_eng_v2; `list benchmarks` has their names")
    return name, asked


def _build(
    where: Where, benchmarks: Sequence[str] | None, catalogue: Catalogue, signers: Signers | None = None
) -> None:
    from embedmark.runner.leaderboard import site

    outputs = where.outputs if where.outputs.is_dir() else None
    if outputs is None:
        say(f"{where.outputs}: no such folder, so that nothing of your own is on the board")
    with rebuilt(where.place, where.outputs, benchmarks) as folder:
        made = site.build(outputs, folder, catalogue, benchmarks, signers)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    say(
        f"{where.place}: {counted(made.benchmarks, 'benchmark')}, {counted(made.models, 'model')}; "
        f"{counted(made.files, 'file')}, {size / 1e6:.1f} MB"
    )
