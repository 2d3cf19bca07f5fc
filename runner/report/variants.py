"""What tells identities apart, in a few words: `truncate_dim=64`, `prompts.query="query: "`, `content=1a2b3c4`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from embedmark.runner.report.why import Difference, leaves

LONGEST = 24
"""Characters of a value that are shown."""

_SHOWN = 3
"""Differences that are named; there may be more."""

_HASH = re.compile(r"[0-9a-f]{32,64}")
_DRAWN_BEFORE = "job.draws_after"
_PREFIXES = ("model.", "task.", "job.", "dataset.", "settings.")


def labels(identities: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each identity the values in which it differs from any of the others; empty where it has none of them.

    Identities that would read the same are numbered.
    """
    found = [leaves(identity) for identity in identities]
    keys = {key: None for values in found for key in values}
    differing = sorted(
        (key for key in keys if len({json.dumps(values.get(key)) for values in found}) > 1), key=_settings_last
    )
    texts = [
        _listed(f"{short_key(key)}={short_value(values[key])}" for key in differing if key in values)
        for values in found
    ]
    return [
        text if texts.count(text) == 1 else f"{text} {texts[:place].count(text) + 1}".strip()
        for place, text in enumerate(texts)
    ]


def in_words(differences: Iterable[Difference]) -> str:
    """What was, and what is now: `loader_version 3 (now 4), dtype float32 (now checkpoint)`."""
    differences = list(differences)
    named = [d for d in differences if not d.key.startswith(_DRAWN_BEFORE)]
    texts = [
        f"{short_key(d.key)} {_or_none(d.a)} (now {_or_none(d.b)})"
        for d in sorted(named, key=lambda d: _settings_last(d.key))
    ]
    # Which subsets are replayed follows from whose draws they are; only by itself is it worth a word.
    if len(named) < len(differences) and all(d.key != "task.settings.draws" for d in named):
        texts.append("draws after other subsets")
    return _listed(texts)


def short_key(key: str) -> str:
    """The path of a value without the parts of an identity that go without saying."""
    for prefix in _PREFIXES:
        key = key.removeprefix(prefix)
    return key


def short_value(value: Any) -> str:
    """A value in at most `LONGEST` characters; of a hash the first seven."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if _HASH.fullmatch(text):
        return text[:7]
    shown = json.dumps(text, ensure_ascii=False) if text != text.strip() else text
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def _settings_last(key: str) -> bool:
    """Few differences are named: another type or another data comes before the settings that come with it."""
    return key.startswith("task.settings.")


def _or_none(value: Any) -> str:
    return "none" if value is None else short_value(value)


def _listed(texts: Iterable[str]) -> str:
    texts = list(texts)
    return ", ".join([*texts[:_SHOWN], *(["…"] if len(texts) > _SHOWN else [])])
