"""Names: the most similar known one, and the form that a file's name takes, and what jobs are called."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from embedmark.runner.common.text import shortened

_LONGEST = 120
"""Characters of a name that may be taken for another."""


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


def job_name(task: str, subset: str, split: str) -> str:
    """Return what tables and logs call a job, as in `MTOPIntent/de [validation]`; what is usual is left out."""
    where = "" if subset == "default" else f"/{subset}"
    return f"{task}{where}" if split == "test" else f"{task}{where} [{split}]"
