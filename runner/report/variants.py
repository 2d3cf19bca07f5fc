"""What tells the variants of one model apart, in a few words: `truncate_dim=64`, `prompts.query="query: "`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from runner.report.why import leaves

LONGEST = 24
"""Characters of a value that are shown."""

_HASH = re.compile(r"[0-9a-f]{32,64}")


def labels(identities: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each model identity the values in which it differs from any of the others; empty where it has none of them.

    Identities that would read the same are numbered.
    """
    found = [leaves(identity) for identity in identities]
    keys = {key: None for values in found for key in values}
    differing = [key for key in keys if len({json.dumps(values.get(key)) for values in found}) > 1]
    said = [", ".join(f"{key}={_short(values[key])}" for key in differing if key in values) for values in found]
    return [
        text if said.count(text) == 1 else f"{text} {said[:place].count(text) + 1}".strip()
        for place, text in enumerate(said)
    ]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if _HASH.fullmatch(text):
        return text[:7]
    shown = json.dumps(text, ensure_ascii=False) if text != text.strip() else text
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"
