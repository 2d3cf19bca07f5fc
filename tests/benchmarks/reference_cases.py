"""Cases out of a file, what the reference makes of each into another. Read in its environment; it imports nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def answer(given: str, made: str, made_of: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Read the cases, write what the reference makes of each, or the error that it raises."""
    with open(given) as handle:  # noqa: PTH123 - as plain as can be: the reference's environment
        cases = json.load(handle)
    results = []
    for case in cases:
        try:
            results.append(made_of(case))
        except Exception as error:
            results.append({"error": f"{type(error).__name__}: {error}"})
    with open(made, "w") as handle:  # noqa: PTH123
        json.dump(results, handle)
