"""Regular expressions out of configs, which strangers may have written: matched in linear time, whatever they say."""

from __future__ import annotations

from functools import cache
from typing import Any

from embedmark.runner.common.errors import PatternError


def match_groups(pattern: str, text: str) -> dict[str, str | None] | None:
    """Return the named groups of a pattern that matches the whole text, None where it does not. Raises PatternError.

    The engine is RE2: no lookaround and no back-references, and `\\d` and `\\w` are ASCII.
    """
    match = compiled(pattern).fullmatch(text)
    return None if match is None else dict(match.groupdict())


@cache
def compiled(pattern: str) -> Any:
    """Compile a pattern. Raises PatternError."""
    import re2  # most runs have no pattern

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError) as error:
        said = error.args[0] if error.args else ""
        why = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise PatternError(
            f"{pattern[:80]!r} is no regular expression that can be used: {why[:120]}. Groups look like (?P<name>...); "
            "lookaround and back-references are not known, so that no pattern can take for ever"
        ) from None
