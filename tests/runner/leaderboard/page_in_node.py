"""Modules of the page run in node, which knows no page: what they compute is compared with Python."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from packed_boards import unpacked

from embedmark.runner.leaderboard.join import page_modules
from embedmark.runner.ranking.board import Board

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="no node; the browser tests run the same files")

_READ = 'import { readFileSync } from "node:fs";\nconst given = JSON.parse(readFileSync(process.argv[2], "utf8"));\n'


def in_page(folder: Path, script: str, given: Any) -> Any:
    """Run lines of JavaScript beside the page's modules.

    Args:
        folder: An empty one.
        script: It sets `found`, from what `given` is.
        given: What goes in as JSON.

    Returns:
        What `found` is.
    """
    assert NODE is not None
    for name, text in page_modules().items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "given.json").write_text(json.dumps(given))
    imports = [line for line in script.splitlines() if line.startswith("import ")]
    body = [line for line in script.splitlines() if not line.startswith("import ")]
    lines = [*imports, _READ, *body, "console.log(JSON.stringify(found));"]
    (folder / "run.js").write_text("\n".join(lines))
    done = subprocess.run([NODE, folder / "run.js", folder / "given.json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def built_data(folder: Path) -> dict[str, Any]:
    """Read the data files of a built site: the content of each by its key."""
    paths = [path for part in ("custom", "d") for path in sorted((folder / part).glob("*.js"))]
    return dict(content_of(path.read_text(encoding="ascii")) for path in paths)


def content_of(text: str) -> tuple[str, Any]:
    """Read a data file: its key, and what it hands over, unpacked."""
    key, content = json.loads("[" + text.removeprefix("EM.put(").removesuffix(");\n") + "]")
    return key, unpacked(json.loads(content))


def places_of(built: Board) -> dict[str, list[int]]:
    """Of each model its place, the ends of its interval and its group, as the page's modules have them."""
    return {
        built.matrix.models[place.row]: [
            place.rank or 0,
            place.low or 0,
            place.high or 0,
            -1 if place.group is None else place.group,
        ]
        for place in built.places
    }
