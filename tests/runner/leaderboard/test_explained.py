"""Every column, mark and view is explained, in the same words on the page and in the docs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from embedmark.runner import leaderboard
from embedmark.runner.leaderboard.explained import explained
from embedmark.runner.leaderboard.pages import VIEWS, Pages
from embedmark.runner.leaderboard.places import Slugs

DOCS = Path(__file__).parents[3] / "docs/leaderboard.md"
TABLE = Path(leaderboard.__file__).with_name("page") / "table.js"


@pytest.mark.parametrize("kind", ["columns", "marks", "views"])
def test_docs_say_the_same(kind: str) -> None:
    page = DOCS.read_text(encoding="utf-8")
    section = page.partition(f"## {kind.capitalize()}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", section, re.MULTILINE)
    told = [(one.name, one.says) for one in explained()[kind]]
    assert [row for row in rows if set(row[0]) != {"-"}] == told
    assert len({one.id for one in explained()[kind]}) == len(told) > 4


def test_every_column_that_can_be_chosen_is_explained() -> None:
    choices = re.search(r"export const CHOICES = (\[.*?\n\]);", TABLE.read_text(encoding="utf-8"), re.DOTALL)
    assert choices is not None
    offered = {key for key, _ in json.loads(re.sub(r",\s*\]", "]", choices[1]))}
    assert offered <= {one.id for one in explained()["columns"]}
    assert {one.id for one in explained()["columns"]} <= offered | {"rank", "group", "name"}


def test_every_view_is_explained_by_its_name() -> None:
    assert [(one.id, one.name) for one in explained()["views"]] == list(VIEWS)


def test_the_page_has_all_of_it() -> None:
    page = Pages(Slugs({}, {}, {})).page("columns.html.j2", base="", page="columns", title="What the columns mean")
    text = page.decode("utf-8")
    for kind, entries in explained().items():
        for one in entries:
            assert f'id="{kind}-{one.id}"' in text
    assert "`" not in re.sub(r"<[^>]*>", "", text)
    assert "<code>measured here</code>" in text
