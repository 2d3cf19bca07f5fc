"""A file of the site that is missing or cut short is named in words: no page waits for ever, or says nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import MakeContext


def gone(file: Path) -> None:
    file.unlink()


def cut_short(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("damage", [gone, cut_short, empty])
@pytest.mark.parametrize(
    ("page", "file"),
    [
        ("b/mteb-eng-v2.html", "d/mteb-eng-v2.js"),
        ("custom.html", "custom/index.js"),
        ("custom.html#?type=STS&bench=few", "d/few.js"),
        ("left-out.html", "left-out.js"),
        ("t.html#sts12", "t/sts12.js"),
    ],
)
def test_a_damaged_file_is_named(
    page: str, file: str, damage: Callable[[Path], None], make_context: MakeContext, site: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(site, tmp_path / "site")
    damage(folder / file)
    tab = make_context().new_page()
    name, _, state = page.partition("#")
    tab.goto((folder / name).as_uri() + (f"#{state}" if state else ""))
    tab.wait_for_selector("html[data-ready]", state="attached")
    said = tab.inner_text("#view")
    assert f"{file} " in said
    assert "cannot be read" in said or "is damaged" in said
    assert "build the leaderboard again" in said
