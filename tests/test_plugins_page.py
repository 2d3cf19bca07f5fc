"""docs/plugins.md: the package that it writes is installed, tested as it says, and used for what it adds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from small_project import small_project, task

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(?:python|toml)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to put on the path, with the page's package in it as an installer leaves it."""
    folder = tmp_path_factory.mktemp("site")
    files = dict(FENCE.findall((ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")))
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    project = tomllib.loads(files["pyproject.toml"])["project"]
    about = folder / "my_package-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n", encoding="utf-8")
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in of_group.items())
        for group, of_group in project["entry-points"].items()
    )
    (about / "entry_points.txt").write_text(points, encoding="utf-8")
    return folder


def ran(package: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), str(ROOT)])}
    run = [sys.executable, "-m", *command]
    return subprocess.run(run, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_its_tests_pass(package: Path) -> None:
    done = ran(package, package, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_my_package.py")
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_its_verb_is_there(package: Path, tmp_path: Path) -> None:
    assert ran(package, tmp_path, "runner", "greet", "ada").stdout == "hello ada\n"


def test_all_that_it_adds_is_used(package: Path, tmp_path: Path) -> None:
    project = small_project(tmp_path / "project")
    (project / "data" / "lines").mkdir()
    (project / "data" / "lines" / "test.txt").write_text("A B\nc\nd e f\n", encoding="utf-8")
    lines = {"lines": str(project / "data" / "lines")}
    task(project, "Lines", "word_count", "correlation", dataset=lines, transforms=[{"lower": "text"}])
    poems = {"package": "my-package", "version": "1.0", "reader": "my_poems"}
    task(project, "Poems", "word_count", "correlation", dataset=poems)
    extra = {"extra_metrics": ["found_at_all"]}
    task(project, "Search", "retrieval", "found_at_all", settings=extra)
    (project / "model" / "letters.yaml").write_text("name: me/letters\nloader: letters\n", encoding="utf-8")
    done = ran(
        *(package, tmp_path, "runner", "run", "--config-dir", str(project), "model=letters"),
        *("tasks=[Lines,Poems,Search]", "model.parameters={scale: 2}"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "outputs").glob("jobs/*/result.json"))) == 3
    for path in (tmp_path / "outputs").glob("jobs/*/identity.json"):
        identity = json.loads(path.read_text())
        assert identity["model"]["plug_ins"] == identity["task"]["plug_ins"] == {"my-package": "1.0"}
