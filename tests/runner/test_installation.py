"""The command in a folder full of a stranger's packages, and what an installer is given."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STRANGER = "raise SystemExit('the package of a stranger was imported')\n"
COMMANDS = {
    "python -m runner": ["-m", "runner"],
    "embedmark": ["-c", "from embedmark.runner.cli.main import main; exit(main())"],
}
"""`embedmark` is the script that an installer makes of [project.scripts]: what it runs is the second."""


@pytest.fixture
def crowded(tmp_path: Path) -> Path:
    """A folder with packages and modules called like ours and like those that we need."""
    for package in ("models", "tasks", "configs", "tests", "tools", "hydra", "datasets"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(STRANGER, encoding="utf-8")
    for module in ("yaml", "torch", "pydantic", "rich"):
        (tmp_path / f"{module}.py").write_text(STRANGER, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("how", COMMANDS)
@pytest.mark.parametrize(
    "verb",
    [
        ["--version"],
        ["list", "tasks", "STSBenchmark"],
        ["show", "minilm"],
        ["plan", "model=e5", "tasks=[STSBenchmark]"],
        ["completion", "bash"],
    ],
    ids=lambda verb: verb[0],
)
def test_packages_of_the_current_folder_take_no_place_of_ours(how: str, verb: list[str], crowded: Path) -> None:
    if how == "embedmark":  # which no package called like ours can stop
        (crowded / "runner").mkdir()
        (crowded / "runner" / "__init__.py").write_text(STRANGER, encoding="utf-8")
    safe = {"PYTHONSAFEPATH": "1"} if how == "embedmark" else {}  # a script's own folder is searched, not the current
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **safe}
    command = [sys.executable, *COMMANDS[how], *verb]
    done = subprocess.run(command, cwd=crowded, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.slow
def test_a_whole_run_in_such_a_folder(crowded: Path) -> None:
    """Workers of joblib and datasets are started too."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "runner", "model=minilm", "tasks=[BibleBookClassification,BibleBookClustering]"]
    done = subprocess.run(command, cwd=crowded, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "stranger" not in done.stdout + done.stderr


def test_the_licence_is_apache_2_whole_and_declared() -> None:
    text = (ROOT / "LICENSE").read_bytes()
    assert hashlib.sha256(text).hexdigest() == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (project["license"], project["license-files"]) == ("Apache-2.0", ["LICENSE"])


def built(target: str, source: Path, folder: Path) -> Path:
    pytest.importorskip("hatchling", reason="hatchling is not installed (it is one of the extra `dev`)")
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (archive,) = folder.iterdir()
    return archive


@pytest.mark.slow
def test_the_wheel_has_one_package_with_all_rooms_and_configs(tmp_path: Path) -> None:
    with zipfile.ZipFile(built("wheel", ROOT, tmp_path / "wheel")) as content:
        names = set(content.namelist())
        assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        assert "License-Expression: Apache-2.0" in content.read(metadata).decode()
    configs = {f"embedmark/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "configs").rglob("*.yaml")}
    assert len(configs) > 1900
    assert configs <= names
    ending = ("*.js", "*.css", "*.j2")
    pages = {path for pattern in ending for path in (ROOT / "runner" / "leaderboard").rglob(pattern)}
    assert {path.suffix for path in pages} == {".js", ".css", ".j2"}
    pages.add(ROOT / "runner" / "stats" / "ranks.js")
    assert {f"embedmark/{path.relative_to(ROOT).as_posix()}" for path in pages} <= names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"embedmark", "runner"}
    assert {name for name in names if name.startswith("runner/")} == {"runner/__init__.py", "runner/__main__.py"}
    with tarfile.open(built("sdist", ROOT, tmp_path / "sdist")) as content:
        content.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    with zipfile.ZipFile(built("wheel", unpacked, tmp_path / "again")) as content:
        assert set(content.namelist()) == names, "a wheel made of the source archive is the same"
