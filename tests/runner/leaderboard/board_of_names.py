"""Boards whose names are what strangers may think of: markup, formulas, ends of lines, letters that turn the line."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

KNOWN = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "]]><!--", "&lt;b&gt;&amp;", "=1+1", "+1", "-1",
    "@SUM(A1)", "\t=1", "\r=1", "\n=1", "a\r\nb", 'a"b', "a,b", "a|b", r"a\|b", r"a\\|", r"\textbf{x}",
    r"\input{/etc/passwd}", "100 %", "a & b", "#1", "a_b", "{}", "{", "}", "~^", "$x$", "[x](https://example.org)",
    "![x](y)", "`x`", "**b**", "_i_", "~~s~~", "https://example.org", "www.example.org", "a@example.org",
    "[ref]: https://example.org", "*", "[2]", "--", "---", "''", "a\u202eb", "a\u200bb",
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629", "\u05e2\u05d1", "\x1b[31m", "\x00", "a\u2028b", "\u0085", "\ufeff",
    "\ufffe", "\U000e0041", "\U0001f600", "no", "null", "true", "1e3", "0x1f", "~", "- a", "a: b", "a #b", "? a",
    "!!python/object:x", "&a", "*a", "%YAML", "'a'", '"', "{a: b}", "a\\", "\\", "2026-11-27", "", " ", " a ", "\u00e9",
    "e\u0301", ":smile:", "<!-- x -->", "a\tb", "?`", "!`", '"=', "x" * 300,
)  # fmt: skip
"""Each would do something somewhere if nothing escaped it."""

names = st.one_of(
    st.sampled_from(KNOWN),
    st.text("\\|&%#_{}[]()<>$~^*`'\"-–=+@!:;,./ \n\r\tab1\u202e\u05d0", max_size=12),
    st.text(max_size=8),
)


def board_of(names: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """Make a board, as pages read it, of which names are models, tasks, types and all else that has a name.

    Args:
        names: At least 20; every second one is a model.
        seed: Of the scores, of which some are missing.
    """
    draw = random.Random(seed)
    models = list(dict.fromkeys(names[::2]))
    tasks = list(dict.fromkeys(names[1::2]))
    types = tasks[:3]
    n, t = len(models), len(tasks)
    scores = [[None if draw.random() < 0.05 else draw.randrange(-200_000, 1_000_000) for _ in models] for _ in tasks]
    for column in scores:
        column[0] = 500_000
    nothing: list[None] = [None] * n
    return {
        "name": names[0] or "Board",
        "slug": "board",
        "group": "general",
        "reference": "https://example.org/a_b%20c#d",
        "languages": ["eng"],
        "newest": "2026-11-20",
        "config": "board",
        "models": {
            "name": models,
            "label": models,
            "slug": [f"model-{at}" for at in range(n)],
            "own": [int(at == n - 1) for at in range(n)],
            "revision": names[:n],
            "size": [draw.choice([None, 22_000_000, 7_600_000_000]) for _ in models],
            "active": nothing, "dim": [384] * n, "tokens": nothing, "licence": models,
            "open": [draw.choice([0, 1, None]) for _ in models],
            "released": ["2025-06-05", *nothing[1:]],
            "zero": [draw.choice([None, 90, 100]) for _ in models],
            "languages": nothing, "service": [0] * n, "base": nothing,
            "reference": [f"https://example.org/{{{at}}}%20\\x_y" if at % 2 else None for at in range(n)],
            "type": nothing, "price": nothing, "speed": nothing, "energy": nothing,
        },
        "tasks": {
            "name": tasks,
            "slug": [f"task-{at}" for at in range(t)],
            "type": [types[at % len(types)] for at in range(t)],
            "keys": [[at] for at in range(t)],
            "languages": [["eng"]] * t, "domains": [[]] * t, "modalities": [["text"]] * t,
            "metric": ["ndcg_at_10"] * t, "revision": [None] * t, "subsets": [2] * t,
            "only": [tasks[:2] if at % 3 == 0 else None for at in range(t)],
            "splits": [tasks[1:2] if at % 4 == 0 else None for at in range(t)],
        },
        "types": types,
        "unscored": list(names),
        "scores": scores,
        "trained": [[] for _ in tasks],
        "build": {
            "rank": [*range(1, n + 1)], "low": [*range(1, n + 1)], "high": [*range(2, n + 2)],
            "group": [at // 3 for at in range(n)], "completed": [None, [1, 1, 2], *nothing[2:]],
        },
    }  # fmt: skip
