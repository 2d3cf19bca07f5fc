"""The command line as its users meet it: help, exit status, and lists that can be piped."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from embedmark.runner.cli.main import main, options_of, verb_first
from embedmark.runner.cli.registry import GROUPS, VERBS

PUBLIC = [name for name, verb in VERBS.items() if verb.group]


def help_of(*arguments: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main([*arguments, "--help"]) == 0
    return printed.getvalue()


@pytest.mark.parametrize("verb", PUBLIC)
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    text = help_of(verb)
    assert f"usage: python -m runner {verb} " in text
    example = text.partition("example")[2].splitlines()[1].strip()
    assert example.startswith(("python -m runner ", "embedmark "))
    assert verb in example.split() or verb == "run"


def test_examples_can_be_parsed() -> None:
    for verb in PUBLIC:
        for example in VERBS[verb].examples:
            words = shlex.split(example.removeprefix("python -m runner").removeprefix("embedmark").partition(">")[0])
            assert options_of(verb_first(words)).verb == verb


def test_help_groups_verbs_by_what_one_wants() -> None:
    text = help_of()
    assert "__complete" not in text
    for verb in PUBLIC:
        title = text[: text.index(f"\n    {verb} ")].splitlines()
        headings = [line.strip().removesuffix(":") for line in title if line.startswith("  ") and line.endswith(":")]
        assert headings[-1] == GROUPS[VERBS[verb].group]
    for status in ("0    all done", "1    a job failed", "2    a mistake", "130  stopped"):
        assert status in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["model=minlm"], "'minilm'"),
        (["plan", "benchmark=nothing"], "no benchmark 'nothing'"),
        (["show", "minilmm"], "'minilm'"),
        (["rnu"], "'run'"),
        (["--config-dir", "/nowhere", "model=minilm"], "/nowhere"),
        (["why", "0000", "1111"], "0000"),
    ],
)
def test_mistakes_end_with_2_and_one_clear_message(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert told in err
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_options_may_come_before_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text("name: mine\n")
    assert main(["--config-dir", str(tmp_path), "show", "mine"]) == 0
    assert "name: mine" in capsys.readouterr().out


def test_unknown_flag_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "models", "--jsn"]) == 2
    assert capsys.readouterr().err.startswith("error: unrecognized arguments: --jsn; ")


def test_lists_can_be_piped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "tasks", "banking77classification"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("\t") == ["Banking77Classification", "classification/banking77", "classification"]
    assert main(["list", "models", "e5_base_v2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "intfloat/e5-base-v2"


def test_tables_are_not_folded_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "model=bm25", "task=sts/stsbenchmark"]) == 0
    task, headline = capsys.readouterr().out.splitlines()[1:]
    assert task.split()[0] == "STSBenchmark"
    assert task.rstrip().endswith("is a searcher")
    assert headline.endswith("1 task left out")


@pytest.mark.skipif(sys.platform == "win32", reason="bash is not at hand on Windows")
def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m runner list tasks | head -1; exit ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert (ran.returncode, ran.stderr) == (0, "")


def test_show_fills_in_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "STSBenchmark"]) == 0
    out = capsys.readouterr().out
    assert "configs/task/sts/stsbenchmark.yaml" in out
    assert "max_score: 5" in out


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("embedmark pl", ["plan"]),
        ("embedmark run model=e5_base_v", ["model=e5_base_v2"]),
        ("embedmark model.max_t", ["model.max_tokens="]),
        ("embedmark list mo", ["models"]),
        ("embedmark model ", ["new"]),
        ("embedmark leaderboard s", ["serve", "show"]),
        ("embedmark show e5_base_v", ["e5_base_v2"]),
    ],
)
def test_completion(line: str, offered: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["__complete", line]) == 0
    assert capsys.readouterr().out.split() == offered


@pytest.mark.skipif(sys.platform == "win32", reason="bash is not at hand on Windows")
def test_bash_script_completes_after_the_equals_sign() -> None:
    script = (
        'source <(python -m runner completion bash); embedmark() { python -m runner "$@"; }; '
        'COMP_LINE="embedmark model=e5_base_v"; COMP_POINT=${#COMP_LINE}; compopt() { :; }; _embedmark; '
        'echo "${COMPREPLY[@]}"'
    )
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    root = Path(__file__).parents[2]
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=root, env=environment)
    assert ran.stdout.strip() == "e5_base_v2", ran.stderr
