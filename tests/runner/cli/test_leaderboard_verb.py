"""`leaderboard build` and `serve`: from the command line to a folder of pages and a browser's first request."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from planned_records import measure
from small_project import small_project

from embedmark.runner.cli.main import main

BENCHMARK = """\
name: Mine
tasks: [Likeness, Topics, Pairs]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of configs with a small benchmark, of which the outputs have records."""
    monkeypatch.chdir(tmp_path)
    folder = small_project(tmp_path / "project")
    (folder / "benchmark").mkdir()
    (folder / "benchmark/mine.yaml").write_text(BENCHMARK)
    measure(folder, "model=tiny", "benchmark=Mine", score=0.25)
    return folder


BUILD = ["leaderboard", "build", "--benchmark", "Mine", "--config-dir", "project"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_of_ones_own_results(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(BUILD) == 0
    out = capsys.readouterr().out
    assert "outputs/leaderboard: 1 benchmark, 1 model" in out
    assert "open outputs/leaderboard/index.html in a browser" in out
    page = Path("outputs/leaderboard/index.html").read_text(encoding="utf-8")
    assert "Mine" in page
    assert "tiny" in page
    assert "measured here" in page


def test_scores_of_signed_records_say_who_signed_them(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BUILD, "--signers", "nobody"]) == 2
    assert "nobody" in capsys.readouterr().err
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"], check=True)
    kind, key, *_ = Path("key.pub").read_text().split()
    Path("signers").write_text(f"anna@example.org {kind} {key}\n")
    jobs = sorted(folder.name.rpartition("--")[2] for folder in Path("outputs/jobs").iterdir() if "--" in folder.name)
    assert main(["sign", *jobs, "--key", "key"]) == 0
    assert main([*BUILD, "--signers", "signers"]) == 0
    assert "signed by anna@example.org" in Path("outputs/leaderboard/d/mine.src.js").read_text()


def test_the_first_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first run, without a network: one's own results first, and the field with one's model in its place."""
    monkeypatch.chdir(tmp_path)
    measure(tmp_path, "model=minilm", "benchmark=quickstart", score=0.5)
    field = "MTEB(eng, v2)"
    assert main(["leaderboard", "build", "--benchmark", "quickstart", "--benchmark", field]) == 0
    site = Path("outputs/leaderboard")
    page = (site / "index.html").read_text(encoding="utf-8")
    assert "<h1><bdi>Quickstart</bdi></h1>" in page
    assert "measured here" in page
    assert re.search(r'Your models among the published ones: <a href="b/mteb-eng-v2.html"><bdi>MTEB\(eng, v2\)', page)
    models = data_of(site / "d/mteb-eng-v2.js")["models"]
    mine = [name for name, flag in zip(models["name"], models["mine"], strict=True) if flag]
    assert mine == ["sentence-transformers/all-MiniLM-L6-v2"]
    assert sum(models["own"]) == 0


def data_of(file: Path) -> Any:
    """What a data file hands to a page."""
    script = re.fullmatch(r'EM\.put\("[^"]*",(".*")\);\n', file.read_text(encoding="ascii"), re.DOTALL)
    assert script is not None
    return json.loads(json.loads(script[1]))


def test_built_twice_it_is_the_same_to_the_byte(project: Path) -> None:
    assert main([*BUILD, "--out", "one"]) == 0
    assert main([*BUILD, "--out", "two"]) == 0
    assert contents(Path("one")) == contents(Path("two"))
    assert len(contents(Path("one"))) > 5


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--benchmark", "Mein"], "Mine"),
        (["--out", "outputs/jobs/site"], "lies in outputs/jobs, which is for other things"),
        (["--out", "outputs"], "expected one of its own"),
        (["--out", "project"], "found a folder with other things in it"),
        (["--out", "project/benchmark/mine.yaml"], "found a file"),
        (["--top", "3"], "--top, which belongs to `leaderboard show`"),
        (["benchmark=Mine"], "found 'benchmark=Mine', which belongs to `leaderboard show`"),
        (["--config-dir", "nowhere"], "nowhere"),
    ],
)
def test_mistakes(more: list[str], said: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(project)
    assert main([*BUILD, *more]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err
    assert contents(project) == before
    assert not Path("outputs/leaderboard").exists()


def test_without_outputs_the_field_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["leaderboard", "build", "--benchmark", "NanoBEIR", "--out", "site"]) == 0
    assert "outputs: no such folder, so that nothing of your own is on the board" in capsys.readouterr().out
    assert not Path("outputs").exists()


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """`leaderboard serve` in a process of its own, and what it printed until its address was there."""
    command = [sys.executable, "-m", "runner", "leaderboard", "serve", "--port", "0", *arguments]
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C ends" in line:
                break
        try:
            yield process, lines
        finally:
            process.kill()


def get(lines: list[str], path: str) -> tuple[int, bytes]:
    (port,) = re.findall(r"http://127\.0\.0\.1:(\d+)/ shows", "".join(lines))
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.service
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_served_until_ctrl_c_and_built_anew_where_it_is_old(project: Path) -> None:
    assert main(BUILD) == 0
    with serving(project.parent, "--config-dir", "project") as (process, lines):
        assert len(lines) == 1, "what is new was built again"
        assert get(lines, "/")[0] == 200
        assert get(lines, "/../outputs/jobs")[0] == 404
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""
    measure(project, "model=tiny", "tasks=[Groups]", score=0.5)
    with serving(project.parent, "--config-dir", "project") as (process, lines):
        assert "older than what it is made of; it is built first" in lines[0]
        assert "1 benchmark, 1 model" in lines[1], "it was built of what was asked for before"
        assert get(lines, "/index.html")[0] == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


@pytest.mark.service
def test_a_port_that_is_taken_is_a_mistake_and_nothing_is_built(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["leaderboard", "serve", "--port", str(port), "--config-dir", "project"]) == 2
    assert f"--port {port}: another program has it" in capsys.readouterr().err
    assert not Path("outputs/leaderboard").exists()
