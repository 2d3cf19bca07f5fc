"""The style sheet: sections that stand side by side, none within another."""

from __future__ import annotations

import re

from embedmark.runner.leaderboard.join import PAGE

STYLE = PAGE / "style.css"


def test_every_block_is_closed_before_the_next_section_begins() -> None:
    depth = 0
    for number, line in enumerate(STYLE.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("/* "):
            assert depth == 0, f"style.css:{number}: a block above {line!r} is not closed"
        depth += line.count("{") - line.count("}")
        assert depth >= 0, f"style.css:{number}: closes a block that is not open"
    assert depth == 0, "style.css: a block is not closed"


def test_no_rule_is_left_of_a_merge() -> None:
    text = STYLE.read_text(encoding="utf-8")
    assert not re.search(r"^(<{7}|={7}|>{7})", text, re.MULTILINE)
    names = re.findall(r"^/\* (.+?)[:,.].* \*/$", text, re.MULTILINE)
    assert len(names) == len(set(names)), "style.css: a section stands twice"


def test_every_colour_of_a_theme_is_in_the_others() -> None:
    text = STYLE.read_text(encoding="utf-8")
    themes = re.findall(r":root[^{]*\{([^}]*color-scheme[^}]*)\}", text)
    colours = [set(re.findall(r"(--[a-z0-9-]+): #", theme)) for theme in themes]
    assert len(colours) == 3
    assert colours[0] == colours[1] == colours[2] != set()
