"""The verbs `sign` and `verify`, as they are typed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from planned_records import measure

from embedmark.runner.cli.main import main


@pytest.fixture(autouse=True)
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"], check=True)
    key = " ".join(Path("key.pub").read_text().split()[:2])
    Path("signers").write_text(f"ada@example.org {key}\n")
    return measure(tmp_path, "model=minilm", "tasks=[STSBenchmark,STS16]")


def test_a_record_is_signed_and_verified(records: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign", str(records[0]), "--key", "key"]) == 0
    assert main(["verify", str(records[0]), "--signers", "signers"]) == 0
    out = capsys.readouterr().out
    assert f"signed:  {records[0]}" not in out
    assert "intact   1 record: sums, schema and identity hold; this says nothing of their scores" in out
    assert "ada@example.org" in out
    assert main(["verify", "--signers", "signers"]) == 1
    assert "not signed: statement.json is missing" in capsys.readouterr().out
    assert main(["verify"]) == 0


def test_a_damaged_record_is_found(records: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    path = records[1] / "result.json"
    path.write_text(path.read_text().replace("0.5", "0.6"))
    assert main(["verify"]) == 1
    out = capsys.readouterr().out
    assert "result.json is not what was written" in out
    assert "intact   1 record" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "--revoked", "x"], "give it with them"),
        (["verify", "--signers", "absent"], "--signers absent: cannot be read"),
        (["verify", "--outputs", "empty"], "no records; run a model first"),
        (["sign", "ffffff", "--key", "key"], "ffffff"),
        (["sign", "--key", "key"], "JOB"),
    ],
)
def test_mistakes(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
