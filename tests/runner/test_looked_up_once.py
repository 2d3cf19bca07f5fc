"""A command composes its config once, and looks at each file of configs and each folder of jobs once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planned_records import measure, reported_project

from embedmark.runner.cli.main import main


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each of these is called from now on, by its name and what it is asked about."""
    from hydra._internal.config_loader_impl import ConfigLoaderImpl

    from embedmark.runner.config import catalogue
    from embedmark.runner.results import folder, inspection

    counted: Counter[str] = Counter()

    def spy(owner: Any, name: str, about: Callable[..., object]) -> None:
        original = getattr(owner, name)

        def counting(*args: Any, **more: Any) -> Any:
            counted[f"{name} {about(*args)}"] += 1
            return original(*args, **more)

        monkeypatch.setattr(owner, name, counting)

    spy(ConfigLoaderImpl, "load_configuration", lambda *_: "")
    spy(catalogue.Catalogue, "__init__", lambda *_: "")
    spy(catalogue.Catalogue, "_read", lambda _, kind: kind)
    spy(catalogue, "read_yaml", lambda path: path)
    spy(folder, "scan", lambda outputs: outputs)
    spy(inspection, "_checked", lambda found: found.path)
    return counted


def test_a_plan_looks_each_thing_up_once(calls: Counter[str], tmp_path: Path) -> None:
    assert main(["plan", "model=e5", "benchmark=mteb_eng_v2", f"outputs={tmp_path}"]) == 0
    read = {name: times for name, times in calls.items() if name.startswith("read_yaml")}
    assert len(read) > 40
    assert set(calls.values()) == {1}, {name: times for name, times in calls.items() if times > 1}


def test_a_run_with_everything_done_looks_each_thing_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    reported_project(tmp_path)
    asked = ["model=a", "benchmark=small"]
    done = measure(tmp_path, *asked)
    calls = request.getfixturevalue("calls")
    assert main(["run", "--config-dir", str(tmp_path), *asked]) == 0
    assert {name for name in calls if name.startswith("_checked")} == {f"_checked {path}" for path in done}
    assert set(calls.values()) == {1}, {name: times for name, times in calls.items() if times > 1}
