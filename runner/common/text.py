"""Texts that strangers may have written, made safe to show: in a terminal, in CSV, in Markdown, in a message."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Mapping
from typing import IO, Any

MESSAGE = 600
"""Characters that a message may have in all."""

# Control characters but for tabs and line ends; what changes the direction of writing or cannot be seen; surrogates.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_PASSWORD = re.compile(r"(?<=://)[^\s/?#@'\"<>]*@")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def counted(number: int, noun: str) -> str:
    """Return a number of things, as in `1 job` and `2 jobs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def visible(text: str) -> str:
    """Write every character that a terminal would obey, or that nobody sees, as an escape such as \\x1b."""
    return _UNSEEN.sub(_escape, text)


def say(text: str, file: IO[str] | None = None) -> None:
    """Print a text, by default on standard output, with what a terminal would obey as escapes."""
    print(visible(text), file=file or sys.stdout)


def complain(message: str) -> None:
    """Print one message on standard error: at most so long, without passwords, shown and not obeyed."""
    if sys.stderr is not None:
        print(shortened(visible(without_passwords(message))), file=sys.stderr, flush=True)


def is_visible(text: str) -> bool:
    """Whether a text is one line of characters that can be seen."""
    return "\n" not in text and "\t" not in text and _UNSEEN.search(text) is None


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shortened(text: str, room: int = MESSAGE) -> str:
    """Cut a text to so many characters: a longer one loses its middle, since ends tell most."""
    if len(text) <= room:
        return text
    end = max(0, (room - 5) // 3)
    return f"{text[: max(0, room - 5 - end)]} ... {text[len(text) - end :]}"


def without_passwords(text: str) -> str:
    """Take `user:password@` out of the addresses in a text."""
    return _PASSWORD.sub("", text) if "@" in text else text


def for_files(text: str) -> str:
    """Return a text as it may stand in a file: in UTF-8, and without the passwords of addresses."""
    return without_passwords(text).encode("utf-8", "backslashreplace").decode("utf-8")


def has_password(text: str) -> bool:
    """Whether an address in the text holds `user:password@`, or a token in their place."""
    return "@" in text and _PASSWORD.search(text) is not None


def csv_cell(text: str) -> str:
    """Return a text as a CSV cell that no spreadsheet takes for a formula; numbers stay numbers."""
    try:
        float(text)
    except ValueError:
        pass
    else:
        return text
    clean = visible(text)
    return f"'{clean}" if clean.startswith(_FORMULA) else clean


def markdown_cell(text: str) -> str:
    """Return a text as a cell of a Markdown table, or a line of a list: no HTML, no link, no new cell."""
    line = " ".join(visible(text).split("\n"))
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`|\[\]!])", r"\\\1", line)


def composed(value: Any) -> Any:
    """Bring texts to NFC, also those in lists and mappings: an accented letter may be written as one sign or as two.

    What decides a score is identified by its text in NFC, so that is how it is used. Raises ValueError for a mapping in
    which two names become one.
    """
    if isinstance(value, str):
        return value if value.isascii() else unicodedata.normalize("NFC", value)
    if isinstance(value, Mapping):
        found = {composed(key): composed(inner) for key, inner in value.items()}
        if len(found) < len(value):
            raise ValueError("two names are the same, written with other signs of Unicode; leave one out")
        return found
    return [composed(inner) for inner in value] if isinstance(value, (list, tuple)) else value
