"""Numbers that a file has as text, read where a number is wanted and nowhere else."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from embedmark.runner.common.errors import TableError
from embedmark.runner.data.table import is_text

_PATTERN = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
NUMBER = re.compile(_PATTERN)
"""A number as people and programs write it; no separators, no hexadecimal, no words."""

_WHOLE = r"^[+-]?[0-9]{1,18}$"
_CANONICAL = r"^(0|-?[1-9][0-9]{0,17})$"


def numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of text as whole numbers or, where one has a fraction, as floats; other columns as they are.

    Blanks around a number do not count, and an empty cell is a missing value. Raises TableError with the first row that
    is no finite number.
    """
    if pa.types.is_decimal(column.type):
        return column.cast(pa.float64())
    if not is_text(column.type):
        return column
    texts = empty_as_missing(pc.utf8_trim_whitespace(column))
    fits = pc.fill_null(pc.match_substring_regex(texts, f"^{_PATTERN}$"), True)
    _refuse_first(column, fits)
    plain = pc.replace_substring_regex(texts, r"^\+", "")
    if pc.all(pc.fill_null(pc.match_substring_regex(texts, _WHOLE), True)).as_py() in (True, None):
        return plain.cast(pa.int64())
    found = plain.cast(pa.float64())
    _refuse_first(column, pc.fill_null(pc.is_finite(found), True))
    return found


def _refuse_first(column: pa.ChunkedArray, fits: pa.ChunkedArray) -> None:
    row = pc.index(fits, False).as_py()
    if row < 0:
        return
    value = column[row].as_py()
    hint = " Write decimals with a point." if NUMBER.fullmatch(value.strip().replace(",", ".", 1)) else ""
    raise TableError(f"row {row}: expected a number, found {value[:60]!r}.{hint}")


def empty_as_missing(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of text whose empty cells are missing values."""
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)


def yes_or_no(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """A column of the words true and false, in any case of letters, as 1 and 0; None where another word stands in it.

    This is how programs write yes and no into a CSV. An empty cell is a missing value.
    """
    words = empty_as_missing(pc.utf8_lower(pc.utf8_trim_whitespace(column)))
    known = pc.is_in(words, value_set=pa.array(["true", "false"], words.type), skip_nulls=True)
    if not pc.all(pc.or_(known, pc.is_null(words))).as_py() or words.null_count == len(words):
        return None
    return pc.equal(words, "true").cast(pa.int64())


def are_whole(column: pa.ChunkedArray) -> bool:
    """Whether all texts of a column are whole numbers in the one way in which JSON writes them: never 01, 1.0 or +1."""
    fits = pc.match_substring_regex(column, _CANONICAL)
    return bool(pc.all(fits).as_py()) if len(column) > column.null_count else False
