"""`store` and `store prune`: what outputs take adds up, and only the vectors that were named are deleted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_records import identity, job, record

from embedmark.runner.cli.main import main
from embedmark.runner.config.identity import fingerprint
from embedmark.runner.encode.shard import SUFFIX
from embedmark.runner.encode.store import OPENED, DiskStore, folder_of
from embedmark.runner.results.folder import JobFolders

MODELS = ("org/small", "org/large")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models' vectors, fresh and 100 days old, a record, and leftovers of each kind."""
    outputs = tmp_path_factory.mktemp("filled") / "outputs"
    for number, name in enumerate(MODELS):
        values = {"name": name}
        store = DiskStore(outputs / "store" / folder_of(values), values)
        (store.folder / OPENED).write_text("{}", encoding="utf-8")
        for age in (0, 100):
            before = set(store.folder.glob(f"*{SUFFIX}"))
            store.add(np.array([(age, number)], np.uint64), np.ones((1, 5000 * (1 + number)), np.float32))
            (path,) = set(store.folder.glob(f"*{SUFFIX}")) - before
            os.utime(path, (time.time(), time.time() - age * 86_400))
    values = identity("STS12")
    claim = JobFolders(outputs).try_claim(fingerprint(values), job(values))
    assert claim is not None
    with claim:
        claim.succeed(record(values, 0.5), values, {})
    (store.folder / f".x{SUFFIX}.0000.1.tmp").write_bytes(b"x" * 9000)
    (store.folder / f"y{SUFFIX}.corrupt").write_bytes(b"x" * 5000)
    (outputs / "jobs" / ".tmp" / "0123").mkdir(parents=True)
    (outputs / "jobs" / ".tmp" / "0123" / "result.json").write_text("{}")
    for folder in ("data", "invocations/one", "report", "mine"):
        (outputs / folder).mkdir(parents=True)
        (outputs / folder / "file").write_bytes(b"x" * 5000)
    os.link(outputs / "mine" / "file", outputs / "mine" / "again")
    return outputs


@pytest.fixture
def outputs(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["cp", "-a", str(filled), str(tmp_path / "outputs")], check=True)
    return tmp_path / "outputs"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["store", "--json", *arguments]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def du(outputs: Path) -> int:
    counted = subprocess.run(["du", "-s", "--block-size=1", str(outputs)], check=True, capture_output=True, text=True)
    return int(counted.stdout.split()[0])


@pytest.mark.skipif(shutil.which("du") is None, reason="needs du")
def test_sizes_add_up_to_what_du_says(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = said(capsys)
    parts = ("data", "invocations", "reports", "leftovers", "other")
    models = {model["model"]: model for model in found["models"]}
    assert (
        sum(model["vectors"] + model["records"] for model in found["models"]) + sum(found[part] for part in parts)
        == found["total"]
        == du(outputs)
    )
    assert all(found[part] > 0 for part in parts)
    assert [models[name]["shards"] for name in MODELS] == [2, 2]
    assert models["org/large"]["vectors"] > models["org/small"]["vectors"] > 2 * 20_000
    assert sum(model["jobs"] for model in found["models"]) == 1
    assert main(["store"]) == 0
    assert "org/large" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["--model", "org/small"], [0, 2]),
        (["--model", "small"], [0, 2]),
        (["--model", "ORG/LARGE"], [2, 0]),
        (["--older", "90d"], [2, 1]),
        (["--older", "14w"], [2, 1]),
        (["--older", "2399h"], [2, 1]),
        (["--older", "101d"], [2, 2]),
        (["--older", "0d"], [0, 0]),
        (["--model", "large", "--older", "90d"], [2, 1]),
        (["--outputs", "outputs", "--model", "small"], [0, 2]),
    ],
    ids=lambda value: " ".join(map(str, value)),
)
def test_only_what_is_named_is_deleted(
    outputs: Path, arguments: list[str], left: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    """What the run that goes on has found counts as used now."""
    live = DiskStore(outputs / "store" / folder_of({"name": "org/small"}), {"name": "org/small"})
    places = live.find(np.array([(0, 0), (100, 0)], np.uint64))
    records = {path: path.read_bytes() for path in (outputs / "jobs").rglob("*.json")}
    assert main(["store", "prune", *arguments, "--yes"]) == 0
    capsys.readouterr()
    models = {model["model"]: model["shards"] for model in said(capsys)["models"]}
    assert [models.get(name, 0) for name in MODELS] == left
    assert live.folder.is_dir() == (left[0] > 0), "a folder goes with its last vectors; the other has leftovers"
    assert records == {path: path.read_bytes() for path in (outputs / "jobs").rglob("*.json")}
    assert live.read(places).shape == (2, 5000), "a run that goes on keeps what it has found"
    live.add(np.array([(7, 7)], np.uint64), np.ones((1, 5000), np.float32))
    assert live.find(np.array([(7, 7)], np.uint64))[0, 0] >= 0


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        ([], 2, "--model NAME, --older 90d"),
        (["--model", "nobody"], 2, "no vectors of 'nobody'"),
        (["--model", "org/smal"], 2, "Did you mean 'org/small'"),
        (["--older", "90"], 2, "90d"),
        (["--older", "-1d"], 2, "older"),
        (["--older", "1.5d"], 2, "12h, 90d or 8w"),
        (["--older", "90 days"], 2, "12h, 90d or 8w"),
        (["--older", "90d"], 2, "--yes"),
        (["--older", "9000d"], 0, "nothing to delete"),
        (["--older", "1d", "--outputs", "nowhere"], 2, "nowhere: no such folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_not_clear_deletes_nothing(
    outputs: Path, arguments: list[str], status: int, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = du(outputs)
    try:
        found = main(["store", "prune", *arguments])
    except SystemExit as error:  # argparse, of an option
        found = int(str(error.code))
    out, err = capsys.readouterr()
    assert (found, expected in out + err) == (status, True), out + err
    assert du(outputs) == before
