"""Languages as model cards name them → as configs name them: ISO 639-3 and ISO 15924, as in eng-Latn."""

from __future__ import annotations

from collections.abc import Sequence

import langcodes

SCRIPTS = {"Kore": "Hang"}
"""Scripts that configs name otherwise: Korean is written in Hangul."""


def configured(codes: Sequence[str]) -> tuple[list[str], list[str]]:
    """The languages of a card, sorted, and those of its codes that name none.

    A code without a script (`sr`, `zh`) is read as the script that most of its texts are in.
    """
    known, unknown = set(), []
    for code in codes:
        try:
            language = langcodes.get(code)
            full = language.maximize()
            named = f"{full.to_alpha3()}-{SCRIPTS.get(full.script or '', full.script)}"
        except (LookupError, ValueError):
            unknown.append(code)
            continue
        if not language.is_valid() or code == "mul" or full.script is None:
            unknown.append(code)
        else:
            known.add(named)
    return sorted(known), unknown
