"""A table out of the bytes of a user's file: JSON lines, JSON, CSV, TSV or Parquet, the first four perhaps with gzip.

JSON and Parquet say what type a value is. CSV and TSV do not, and it is not guessed: all their cells are text, and
runner/data/numbers.py reads numbers where a number is wanted.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from embedmark.runner.common.errors import TableError
from embedmark.runner.data.numbers import NUMBER
from embedmark.runner.data.parquet import from_parquet, refuse_repeated
from embedmark.runner.data.table import Table, shown

_PLAIN = (".jsonl", ".json", ".csv", ".tsv")
KINDS = (*(f"{kind}.gz" for kind in _PLAIN), *_PLAIN, ".parquet")
"""How the names of tables end, in small letters or large ones."""

UNTYPED = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
"""Those of them whose cells are all text."""

_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_BOM = b"\xef\xbb\xbf"
_ROW_BYTES = 1 << 26
"""The longest row of a CSV, and the largest one whose quotes are always checked."""
_HEADER_BYTES = 1 << 20
_DELIMITERS = {"csv": ",", "tsv": "\t"}
_NAMES = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars"}


def table_name(file: str) -> str | None:
    """Return a file's name without its suffix; None where it is no table."""
    small = file.lower()
    return next((file[: -len(kind)] for kind in KINDS if small.endswith(kind) and len(small) > len(kind)), None)


def parse(file: str, content: bytes, columns: Sequence[str] = ()) -> Table:
    """Parse the table in a file of that name. Its class numbers have no names.

    columns: the names of the columns of a CSV or TSV that has no header, as far as that can be told. A column that
    cannot be one column, because its values are of several types, is among `Table.unreadable`.

    Raises TableError, which says what is wrong and where.
    """
    name = file.lower()
    if name.endswith(".gz"):
        content = _unzipped(content)
        name = name.removesuffix(".gz")
    kind = name.rpartition(".")[2]
    if kind == "parquet":
        return from_parquet(content)
    content = content.removeprefix(_BOM)
    if kind in _DELIMITERS:
        return _from_csv(file, content, _DELIMITERS[kind], columns)
    return _from_json(file, content, lines=kind == "jsonl")


def _unzipped(content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise TableError("is no whole gzip file; it may be cut off. Write it anew, or unpack it") from error


# -- JSON -------------------------------------------------------------------------------------------------------------


def _from_json(file: str, content: bytes, *, lines: bool) -> Table:
    text = _decoded(file, content)
    rows = list(_json_lines(text)) if lines else _json_list(text)
    where = "line" if lines else "row"
    for number, row in rows:
        if not isinstance(row, dict):
            hint = " The file is one JSON list: call it .json" if lines and isinstance(row, list) else ""
            raise TableError(f"{where} {number}: expected an object, found {_kind(row)}.{hint}")
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    columns: dict[str, pa.Array] = {}
    unreadable: dict[str, str] = {}
    for name in names:
        values = [row.get(name) for _, row in rows]
        try:
            columns[name] = _column(values)
        except TableError:
            unreadable[name] = _why_no_column(values, [f"{where} {number}" for number, _ in rows])
    return Table(pa.table(columns) if columns else _no_columns(len(rows)), unreadable=unreadable)


def _no_columns(rows: int) -> pa.Table:
    """A table that has rows all the same: all its columns are unreadable, or its objects empty."""
    return pa.table({"": pa.nulls(rows)}).select([]) if rows else pa.table({})


def _json_lines(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, _loads(line, f"line {number}: ")


def _json_list(text: str) -> list[tuple[int, Any]]:
    try:
        rows = _loads(text, "")
    except TableError:
        lines = [line for line in text.split("\n") if line.strip()][:2]
        try:
            whole = [_loads(line, "") for line in lines]
        except TableError:
            whole = []
        if len(whole) > 1:
            raise TableError("holds JSON lines, an object a line; give it a name that ends in .jsonl") from None
        raise
    if not isinstance(rows, list):
        one = "; a file of one object a line is called .jsonl" if isinstance(rows, dict) else ""
        raise TableError(f"expected a list of objects, found {_kind(rows)}{one}")
    return list(enumerate(rows, start=1))


def _loads(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise TableError(f"{where}is nested too deeply") from error
    except json.JSONDecodeError as error:
        line = "" if where else f"line {error.lineno}, "
        raise TableError(f"{where}is no JSON: {error.msg} ({line}character {error.colno})") from error
    except ValueError as error:
        raise TableError(f"{where}is no JSON: {shown(error)}") from error


def _column(values: Sequence[Any]) -> pa.Array:
    """Raises TableError when the values have no common type. Arrow takes true for 1 among fractions."""
    kinds = set(map(type, values))
    if bool in kinds and kinds & {int, float}:
        raise TableError("true and false among numbers")
    try:
        return pa.array(values)
    except (pa.ArrowException, ValueError, OverflowError, TypeError, RecursionError) as error:
        raise TableError("no common type") from error


def _why_no_column(values: Sequence[Any], places: Sequence[str]) -> str:
    """What is wrong with a column, with the first row of each of two kinds."""
    first: dict[str, str] = {}
    for place, value in zip(places, values, strict=True):
        if value is not None:
            first.setdefault(_kind(value), place)
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            return f"has a number of more than 64 bits ({place}); put such numbers in quotes"
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            return f"has half of a letter, an escape such as \\ud83d without its other half ({place})"
    if len(first) > 1:
        (one, there), (other, here), *_ = first.items()
        return f"mixes types: {one} ({there}) and {other} ({here}); write all of its values the same way"
    return f"mixes types within its {next(iter(first), 'values')}; write all of its values the same way"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    kinds = {str: "text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(value), "nothing")


# -- CSV and TSV ------------------------------------------------------------------------------------------------------


def _from_csv(file: str, content: bytes, delimiter: str, columns: Sequence[str]) -> Table:
    import pyarrow.csv

    with _explained(file, content, delimiter):
        header = _header(file, content, delimiter)
        headless = _is_headless(header, columns)
        names = list(columns) if headless else header
        refuse_repeated(names)
        arrow = pyarrow.csv.read_csv(
            pa.BufferReader(content),
            read_options=pyarrow.csv.ReadOptions(
                block_size=_ROW_BYTES, column_names=names, skip_rows_after_names=0 if headless else 1
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
        if b'"' in content and (len(content) <= _ROW_BYTES or content.count(b'"') % 2):
            _check_rows(_decoded(file, content), delimiter)  # Arrow joins rows between two stray quotes in silence
    return Table(arrow)


def _header(file: str, content: bytes, delimiter: str) -> list[str]:
    start = content[:4096]
    if any(start.startswith(mark) for mark in _BOMS) or b"\0" in start:
        _decoded(file, content)
        raise TableError("holds bytes of 0, as in UTF-16; save it as UTF-8")
    with _long_cells():
        header = next(csv.reader(_lines(_decoded(file, content[:_HEADER_BYTES], cut=True)), delimiter=delimiter), None)
    if not header:
        raise TableError("has no header: the first row names the columns, as in text,label")
    if len(header) == 1:
        other = next((mark for mark in _NAMES if mark != delimiter and mark in header[0]), None)
        if other is not None:
            way = "call it .tsv" if other == "\t" else f"save it with {_NAMES[delimiter]}"
            raise TableError(f"its columns are parted by {_NAMES[other]}, expected {_NAMES[delimiter]}; {way}")
    return header


def _is_headless(header: Sequence[str], columns: Sequence[str]) -> bool:
    """Whether the first row is data already: none of the names, as many cells, and a number last."""
    return len(header) == len(columns) and not set(header) & set(columns) and bool(NUMBER.fullmatch(header[-1].strip()))


@contextmanager
def _explained(file: str, content: bytes, delimiter: str) -> Iterator[None]:
    """What Arrow refuses, said with its line."""
    try:
        yield
    except pa.ArrowInvalid as error:
        _check_rows(_decoded(file, content), delimiter)
        raise TableError(shown(error)) from error


def _check_rows(text: str, delimiter: str) -> None:
    """Raises TableError for the first row that has another number of cells than the header, or stray quotes."""
    with _long_cells():
        rows = csv.reader(_lines(text), delimiter=delimiter, strict=True)
        header: list[str] = []
        start = 1
        try:
            for row in rows:
                header = header or row
                if row and len(row) != len(header):
                    raise TableError(
                        f"line {start}: {len(row)} cells, and the header has {len(header)}; put cells that hold "
                        f"{_NAMES[delimiter]} or line breaks in double quotes"
                    )
                start = rows.line_num + 1
        except csv.Error as error:
            raise TableError(
                f"line {start}: a cell that begins with a double quote must end with one, and quotes inside are "
                f'doubled: "say ""hi""" ({shown(error)})'
            ) from error


def _lines(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")


@contextmanager
def _long_cells() -> Iterator[None]:
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)


# -- text -------------------------------------------------------------------------------------------------------------


def _decoded(file: str, content: bytes, *, cut: bool = False) -> str:
    """A file's text. cut: whether its last letter may be half. Raises TableError when it is not UTF-8."""
    encoding = next((name for mark, name in _BOMS.items() if content.startswith(mark)), None)
    try:
        if encoding is not None:
            raise UnicodeDecodeError("utf-8", content[:1], 0, 1, "a mark of UTF-16")
        return content.decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        if cut and error.start > len(content) - 4:
            return content[: error.start].decode("utf-8")
        line = content.count(b"\n", 0, error.start) + 1
        name = re.sub(r"\.gz$", "", file)
        raise TableError(
            f"is not UTF-8: line {line} has the byte 0x{content[error.start]:02X}. Save it as UTF-8: choose that in "
            f"the program that wrote it, or run: iconv -f {encoding or 'LATIN1'} -t UTF-8 {name} > new-{name}"
            f"{'' if encoding else ' (if it is Latin-1)'}"
        ) from error


_NO_TABLE = re.compile(r"(readme|licen[cs]e|changelog|citation).*|.*\.(md|rst|py|ipynb|sh|lock|log)", re.IGNORECASE)


def describe(others: Iterable[str]) -> str:
    """Hint at files that may have been meant as tables: which they are, and what a table is called."""
    meant = [name for name in others if re.search(r"\.\w+$", name) and not _NO_TABLE.fullmatch(name.rpartition("/")[2])]
    if not meant:
        return ""
    some = shown(", ".join(meant[:3]), 120)
    return f" Not read, because of how the names end: {some}; expected .jsonl, .json, .csv, .tsv or .parquet."
