"""Names: the most similar known one, those that can be a part of a path, the form that a file's name takes, what
jobs are called, and versions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from embedmark.runner.common.text import shortened

_LONGEST = 120
"""Characters of a name that may be taken for another."""

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=,() -]{0,127}(?<![. ])", re.ASCII)
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def nearest(wrong: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Name the known names that a wrong one resembles most, as a phrase to end a message with.

    Args:
        cutoff: how similar they have to be, from 0 to 1; see `similar`.

    Returns:
        " Did you mean 'a' or 'b'?", with the space in front, or "" when none is similar.
    """
    close = similar(wrong, known, cutoff=cutoff)
    return f" Did you mean {' or '.join(repr(shortened(name, _LONGEST)) for name in close)}?" if close else ""


def similar(wrong: str, known: Iterable[str], *, cutoff: float = 0.6) -> list[str]:
    """Return up to three known names that a wrong one resembles, the most similar first; case does not count."""
    if len(wrong) > _LONGEST:
        return []
    folded = {name.casefold(): name for name in known}
    return [folded[match] for match in difflib.get_close_matches(wrong.casefold(), folded, n=3, cutoff=cutoff)]


def slug(name: str, *, kept: str = "a-z0-9", gap: str = "_") -> str:
    """Return a name as a file's name, with a gap for every run of characters that is not kept.

    Args:
        kept: the characters that stay, as within the brackets of a regular expression.

    Example:
        >>> slug("E5 (base)".casefold())
        'e5_base'
    """
    return re.sub(f"[^{kept}]+", gap, name)


def is_safe(name: object) -> bool:
    """Whether a name makes one part of a path, and nothing else, on every system."""
    return isinstance(name, str) and _SAFE.fullmatch(name) is not None and not _RESERVED.fullmatch(name)


def is_model(name: object) -> bool:
    """Whether a text is the name of a model: one or two safe parts, as in ORGANISATION/NAME."""
    return isinstance(name, str) and name.count("/") <= 1 and all(map(is_safe, name.split("/")))


def folder_form(model: str) -> str:
    """Return the name of a model's folder among the field's results, where / and blanks have no place."""
    return model.replace("/", "__").replace(" ", "_")


def experiment_form(label: str) -> str:
    """Return how a model differs from others of its name as the name of an experiment among the field's results."""
    return slug(label, kept="A-Za-z0-9._=-")


def job_name(task: str, subset: str, split: str) -> str:
    """Return what tables and logs call a job, as in `MTOPIntent/de [validation]`; what is usual is left out."""
    where = "" if subset == "default" else f"/{subset}"
    return f"{task}{where}" if split == "test" else f"{task}{where} [{split}]"


def version_numbers(version: str | None) -> tuple[int, ...]:
    """Return the numbers of a version, by which releases are sorted, as (1, 18, 2) of `1.18.2+local`; () of None."""
    parts = (version or "").partition("-")[0].partition("+")[0].split(".")
    return tuple(int(part) for part in parts if part.isdecimal())
