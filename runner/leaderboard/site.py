"""The leaderboard as a folder of files: the same scores give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.leaderboard import data_files
from embedmark.runner.leaderboard.bench import Bench, bench
from embedmark.runner.leaderboard.benchmark_groups import in_groups
from embedmark.runner.leaderboard.columns import Shown, slugs_of
from embedmark.runner.leaderboard.custom import Held, custom_index
from embedmark.runner.leaderboard.facts import Facts
from embedmark.runner.leaderboard.join import PAGE, join, page_modules
from embedmark.runner.leaderboard.languages import languages_of
from embedmark.runner.leaderboard.own_records import OwnRecords
from embedmark.runner.leaderboard.packed import packed
from embedmark.runner.leaderboard.pages import Pages
from embedmark.runner.leaderboard.places import Slugs
from embedmark.runner.leaderboard.record_files import PAGES, record_files
from embedmark.runner.leaderboard.records import Sources, states
from embedmark.runner.leaderboard.scores import AllScores, all_scores
from embedmark.runner.provenance.ssh import Signers

FIRST = "MTEB(Multilingual, v2)"
"""What the front page opens on where nothing of one's own is on record."""

_THREADS = 2

USUAL = (FIRST, "MTEB(eng, v2)")
_FEW = 4

ENTRIES = ("main.js",)

CUSTOM = ("custom.js",)
"""The page that puts tasks of any benchmark together."""

SHEETS = ("columns.js", "left.js", "model.js", "task.js")
"""Pages with a script of their own: that of boards stays small."""


@dataclass(frozen=True)
class Built:
    """What was built.

    Args:
        benchmarks: How many have a page.
        models: How many models are on any.
        files: How many files were written.
    """

    benchmarks: int
    models: int
    files: int


def build(
    outputs: Path | None,
    out: Path,
    catalogue: Catalogue,
    benchmarks: Sequence[str] | None = None,
    signers: Signers | None = None,
) -> Built:
    """Write the pages.

    Args:
        outputs: The folder with one's own records and imported scores; None for the published scores that ship.
        out: An empty folder, or none yet.
        catalogue: Where benchmarks, tasks and models are found.
        benchmarks: Names of those to show; None for all.
        signers: Who may sign records; None where signatures are not checked.

    Raises:
        UserError: A benchmark is not known, scores cannot be read, or the list of signers cannot be used.
        OSError: The folder cannot be written.
    """
    scores = all_scores(outputs, catalogue, benchmarks)
    own = OwnRecords.of(scores.collected.records, signers)
    # Most of the time goes to sorting and matrix products, which let other threads work.
    with ThreadPoolExecutor(_THREADS) as threads:
        found = [made for made in threads.map(partial(bench, scores), scores.benchmarks) if made is not None]
    site = _Site(out)
    _write(site, scores, found, own)
    names = {name for made in found for name in (*made.matrix.names, *made.parts_alone)}
    return Built(len(found), len(names), site.files)


class _Site:
    """The folder that is written."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self.files = 0

    def write(self, path: str, content: bytes) -> None:
        """Write one file."""
        place = self._out / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        self.files += 1


def _write(site: _Site, scores: AllScores, found: Sequence[Bench], own: OwnRecords) -> None:
    catalogue = scores.catalogue
    places = slugs_of(scores, found)
    facts = Facts.of(scores, places.models)
    shown = Shown(scores, found, Sources.of(scores.cells), own, places, facts.texts())
    pages = Pages(places)
    first = _first(found)
    languages_of_board: dict[str, int] = {}
    held: list[Held] = []
    for made in found:
        data = data_files.bench_data(made, places, facts, catalogue)
        slug = data["slug"]
        languages = languages_of(scores, made, slug)
        data["languageFiles"] = languages.listed
        data |= facts.marks(made, shown.sources)
        languages_of_board[made.config.name] = len(set().union(*data["tasks"]["languages"]))
        data["states"] = states(made, own)
        data["models"]["mine"] = [int(name in scores.own_models) for name in data["models"]["name"]]
        for key, content in languages.files.items():
            site.write(f"{key}.js", content)
        script = data_files.script(f"d/{slug}", packed(data))
        site.write(f"d/{slug}.js", script)
        columns = {part: list(data[part]) for part in ("models", "tasks")}
        held.append(Held(made, len(script), languages.listed, columns))
        site.write(f"b/{slug}.html", pages.bench(made, data, "../"))
        if made is first:
            site.write("index.html", pages.bench(made, data, "", _among(scores, found, places)))
    for path, content in record_files(shown, facts.models):
        site.write(path, content)
    for file, (page, title) in PAGES.items():
        site.write(file, pages.page(f"{file}.j2", base="", page=page, title=title, app="sheets.js"))
    site.write("sheets.js", join(page_modules(), SHEETS).encode("utf-8"))
    index = custom_index(held, places, catalogue)
    site.write("custom/index.js", data_files.script("custom/index", index))
    site.write("custom.html", pages.custom())
    site.write("custom.js", join(page_modules(), CUSTOM).encode("utf-8"))
    site.write("boards.js", data_files.script("boards", _boards(found, places, languages_of_board, catalogue)))
    site.write("app.js", join(page_modules(), ENTRIES).encode("utf-8"))
    site.write("style.css", (PAGE / "style.css").read_bytes())


def _first(found: Sequence[Bench]) -> Bench | None:
    """The benchmark of the front page: with one's own models, else the widest of the field."""
    own = [made for made in found if any(made.matrix.own)]
    if own:
        return max(own, key=lambda made: (sum(made.matrix.own), len(made.matrix.models)))
    return next((made for made in found if made.config.name == FIRST), found[0] if found else None)


def _among(scores: AllScores, found: Sequence[Bench], places: Slugs) -> list[tuple[str, str]]:
    """Name and place of the benchmarks in whose published scores one's own models are, the most usual ones first."""
    names = [made for made in found if scores.own_models & {*made.matrix.names} and not all(made.matrix.own)]
    names.sort(key=lambda made: (made.config.name not in USUAL, -len(made.matrix.models)))
    return [(made.config.name, places.benchmarks[made.config.name]) for made in names[:_FEW]]


def _boards(
    found: Sequence[Bench], places: Slugs, languages: Mapping[str, int], catalogue: Catalogue
) -> list[Mapping[str, Any]]:
    by_name = {made.config.name: made for made in found}
    return [
        {
            "slug": places.benchmarks[config.name],
            "name": config.name,
            "title": config.title,
            "description": config.description,
            "group": group,
            "superseded": config.superseded_by,
            "tasks": len(by_name[config.name].all_tasks),
            "models": len(by_name[config.name].matrix.models),
            "languages": languages[config.name],
            "own": sum(by_name[config.name].matrix.own),
        }
        for group, configs in in_groups([made.config for made in found], catalogue).items()
        for config in configs
    ]
