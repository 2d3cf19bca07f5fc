"""An empty list, a false and a zero are statements; null, and a key that is left out, say that nobody knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_project import small_project

from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.compose import settings_from


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project(tmp_path_factory.mktemp("project"))


def described(project: Path, about: str) -> Path:
    values = yaml.safe_load((project / "model" / "tiny.yaml").read_text(encoding="utf-8"))
    text = yaml.safe_dump({**values, "name": "test/described"}) + f"about: {about}\n"
    (project / "model" / "described.yaml").write_text(text, encoding="utf-8")
    return project


ABOUT = [
    ("{training_datasets: []}", "training_datasets", []),
    ("{training_datasets: null}", "training_datasets", None),
    ("{training_datasets: ~}", "training_datasets", None),
    ("{}", "training_datasets", None),
    ("{training_datasets: [STSBenchmark, ArguAna]}", "training_datasets", ["STSBenchmark", "ArguAna"]),
    ("{public_training_data: false}", "public_training_data", False),
    ("{public_training_code: false}", "public_training_code", False),
    ("{use_instructions: false}", "use_instructions", False),
    ("{open_weights: false}", "open_weights", False),
    ("{n_parameters: 0}", "n_parameters", 0),
    ("{n_embedding_parameters: 0, memory_usage_mb: 0}", "memory_usage_mb", 0.0),
    ("{license: not specified}", "license", "not specified"),
]


@pytest.mark.parametrize(("about", "key", "value"), ABOUT)
def test_show_and_list_keep_the_difference(
    about: str, key: str, value: Any, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--config-dir", str(described(project, about))]
    assert main(["show", "test/described", *folder]) == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert shown["about"][key] == value
    assert type(shown["about"][key]) is type(value)

    assert main(["list", "models", "test/described", "--json", *folder]) == 0
    assert json.loads(capsys.readouterr().out)["about"][key] == value

    # What is shown is a file like any other, and says the same again.
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "again.yaml").write_text(yaml.safe_dump(shown), encoding="utf-8")
    assert getattr(Catalogue((tmp_path,)).model("again").about, key) == getattr(
        Catalogue((project,)).model("described").about, key
    )


def test_what_describes_is_in_no_identity(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fingerprints = set()
    for about, _, _ in ABOUT:
        folder = described(project, about)
        command = ["plan", "--json", "--config-dir", str(folder), "model=described", "tasks=[Likeness]"]
        assert main([*command, f"outputs={tmp_path}"]) == 0
        fingerprints.add(json.loads(capsys.readouterr().out)["fingerprint"])
    assert len(fingerprints) == 1


@pytest.mark.parametrize(("override", "value"), [("[]", ()), ("null", None), ("[STSBenchmark]", ("STSBenchmark",))])
def test_the_command_line_keeps_it_too(override: str, value: Any, project: Path) -> None:
    settings, _ = settings_from(["model=tiny", f"model.about.training_datasets={override}"], [project])
    assert settings.model.about.training_datasets == value


def test_a_model_that_is_invalid_is_listed_with_a_warning(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ["--config-dir", str(described(project, "{training_datasets: STSBenchmark}"))]
    assert main(["list", "models", "test/", "--json", *folder]) == 0
    out, err = capsys.readouterr()
    listed = {entry["name"]: entry["about"] for entry in map(json.loads, out.splitlines())}
    assert listed["test/described"] is None
    assert listed["test/tiny"]["training_datasets"] is None
    assert "training_datasets" in err


def test_the_catalogue_holds_all_three() -> None:
    """As many as the reference has among the models that ship: see tests/test_catalogue_facts.py for each."""
    catalogue = Catalogue()
    abouts = [catalogue.model(name).about for name in catalogue.models]
    trained_on = [about.training_datasets for about in abouts]
    assert len([found for found in trained_on if found == ()]) >= 67
    assert len([found for found in trained_on if found is None]) >= 50
    assert len([found for found in trained_on if found]) >= 350
    assert {"not specified", None} < {about.license for about in abouts}
