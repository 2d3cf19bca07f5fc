"""The grammar of a command line: plain text needs no quotes, options stand anywhere, mistakes are in plain words."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest
from command import command, mistake
from hypothesis import given, settings
from hypothesis import strategies as st
from small_project import small_project

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.command_line import as_typed, change_of, prepare
from embedmark.runner.config.compose import settings_from


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project(tmp_path_factory.mktemp("project"))


@pytest.mark.parametrize(
    "path",
    [
        "/home/jörg", "out put", "a:b", "a@b", "a,b", "x=y", "~x", "c++", "数据", "a'b", 'a"b', "[x]", "{x}", "(x)",
        "a;b", "$x", "5", "nan", "-x", "a\\b", "a#b", "100%", "it's (a) \"b\"", "trailing\\",
    ],
)  # fmt: skip
def test_outputs_is_a_path_as_it_stands(path: str) -> None:
    assert settings_from([f"outputs={path}"])[0].outputs == path
    assert settings_from(["outputs='a, b'"])[0].outputs == "a, b"


def test_outputs_in_ones_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/jörg")
    assert settings_from(["outputs=~/results"])[0].outputs == "/home/jörg/results"


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("model.prompts.query=a: b", "a: b"),
        ("model.prompts.query=Zürich", "Zürich"),
        ("model.prompts.query=  a  ", "a"),
        ("model.prompts.query='  a  '", "  a  "),
        ('model.prompts.query="a\'b"', "a'b"),
        ("model.prompts.query=", ""),
        ("model.prompts.query=''", ""),
        ("model.prompts.query=5", "5"),
        ("model.prompts.query=true", "true"),
        ("model.prompts.query=a=b", "a=b"),
        ("model.prompts.query=who? me!", "who? me!"),
        ("model.prompts.query=<s> a </s>", "<s> a </s>"),
        ("model.prompts.query=f(x)", "f(x)"),
        ("model.prompts.query='range(1,3)'", "range(1,3)"),
        ("model.prompts.query=$x ${y}", "$x ${y}"),
        ("model.parameters.a=1e3", 1000.0),
        ("model.parameters.a=0x10", "0x10"),
        ("model.parameters.a=007", "007"),
        ("model.parameters.a=[ä, 1, null, {b: ${c}}]", ["ä", 1, None, {"b": "${c}"}]),
        ("model.parameters.a={2021: x, ö: [y]}", {"2021": "x", "ö": ["y"]}),
        ("model.parameters.a='5'", "5"),
        ("model.parameters.a=str(5)", "5"),
        ("model.parameters.a=True", True),
        ("model.parameters.a=v1.0", "v1.0"),
        ("tasks=[A, 'B (c, d)', E (f, g), 9000, nan]", ["A", "B (c, d)", "E (f, g)", "9000", "nan"]),
        ("tasks=A", ["A"]),
        ("tasks=[]", []),
        ("tasks=[{name: A, subsets: [en-de, 2021]}]", [{"name": "A", "subsets": ["en-de", 2021]}]),
        ("model=MTEB(eng, v2)", "MTEB(eng, v2)"),
        ("benchmark='MTEB(eng, v2)'", "MTEB(eng, v2)"),
        ("benchmark=null", None),
    ],
)  # fmt: skip
def test_values(override: str, value: object) -> None:
    assert change_of(override).value == value


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\\")))
@settings(max_examples=30)
def test_any_text_in_quotes_is_that_text(text: str) -> None:
    quoted = "'" + text.replace("'", "\\'") + "'"
    (handed,) = prepare([f"model.prompts.query={quoted}"], Catalogue())
    assert change_of(*as_typed([str(handed)])).value == text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["tasks=[MTEB(eng, v2)]"], "benchmark='MTEB(eng, v2)'"),
        (["tasks=[STSBenchmark"], "list in brackets"),
        (["tasks=STSBenchmark,SICK-R"], "tasks=[a,b]"),
        (["model=e5,minilm"], "give -m"),
        (["model.prompts.query=a, b"], "give -m"),
        (["model.max_tokens=range(1,3)"], "give -m"),
        (["model.prompts={query: a"], "cannot be read"),
        (["model.prompts={query: a}}"], "cannot be read"),
        (["model.parameters.a='x"], "cannot be read"),
        (["model.parameters.a=foo(1)"], "cannot be read"),
        (["model.prompts=" + "[" * 3000], "nested"),
        (["model.prompts=" + "[" * 3000 + "]" * 3000], "nested"),
        (["model.prompts={a: '" + "x" * 30_000 + "'}"], "in a file"),
        (["model.prompts={query: a, query: b}"], "'query' is given twice"),
        (["model.parameters={a: {b: 1, c: '}', b: 2}}"], "'b' is given twice"),
        (["tasks=[{name: STSBenchmark, name: SICK-R}]"], "'name' is given twice"),
        (["execution.device=cuda:\u0663"], "cuda:1"),
        (["execution.threads=1000000"], "at most 1024"),
        (["hydra.searchpath=" + "[" * 3000], "nested"),
        (["hydra.searchpath=[5]"], "expected folders"),
        (["hydra.searchpath=[/nowhere]"], "/nowhere does not exist"),
        (["hydra.searchpath={a"], "not valid YAML"),
        (["hydra.foo=1"], "'hydra.foo'"),
        (["hydra.run.dir=é"], "put the value in quotes"),
        (["execution=cluster"], "Known: inline"),
        (["execution=é{"], "Known: inline"),
        (["outputs="], "expected a folder"),
        (["outputs=${"], "cannot be read"),
        (["outputs=${nowhere}"], "nowhere"),
        (["tasks=[STSBenchmrk]"], "'STSBenchmark'"),
        (["outputs=null"], "expected a folder"),
        (["model=org/name"], "model new org/name"),
        (["model=/no/where"], "no folder /no/where"),
        (["model=./no/where/"], "no folder"),
        (["model=~/no/where"], "no folder"),
        (["model=" + "x" * 3000], "no model"),
        (["model=/" + "x" * 3000], "no folder"),
        (["model="], "expected a name"),
        (["model=[e5]"], "expected a name"),
        (["benchmark=é"], "no benchmark 'é'"),
        (["model.max_tokens=1\0"], "no text"),
        (["model.max_tokens=\ud800"], "no text"),
        (["model=e5", "plan"], "The verb stands first"),
        (["model@x=e5"], "no key 'model@x'"),
        (["-m", "model=e5,e6"], "no model 'e6'"),
        (["-m", "model.max_tokens=interval(1,2)"], "one by one"),
        (["-m", "model.max_tokens=range(1,1000000)"], "10,000"),
    ],
)
def test_mistakes_are_in_plain_words(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mistake(command(capsys, "plan", *arguments), told)
    mistake(command(capsys, *arguments), told)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        "plan -cd DIR model=tiny tasks=[Topics] --json",
        "plan model=tiny -cd DIR tasks=[Topics] --json",
        "plan model=tiny --json tasks=[Topics] -cd DIR",
        "plan --json -- model=tiny tasks=[Topics] hydra.searchpath=[DIR]",
        "-cd DIR plan --json model=tiny tasks=[Topics]",
        "--config-dir=DIR plan model=tiny --json tasks=[Topics]",
        "--json plan model=tiny --config-dir DIR tasks=[Topics]",
        "plan -m model=tiny --json tasks=[Topics] -cd DIR",
        "plan model=tiny tasks=[Topics] -m --json -cd DIR",
        "plan hydra.searchpath=[file://DIR] model=tiny task=topics --json",
        "plan model=tiny -cd DIR --json tasks=[Topics] benchmark=null",
    ],
)
def test_options_stand_anywhere(arguments: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = command(capsys, *arguments.replace("DIR", str(project)).split())
    assert [(job["model"], job["task"]) for job in said.jobs] == [("test/tiny", "Topics")]


@pytest.mark.parametrize(
    ("override", "warned"),
    [
        ('model.prompts={query: "Instruct: x\\nQuery: "}', True),
        ("model.prompts.query='a\\tb'", True),
        ('++model.instructions={template: "{instruction}\\n"}', True),
        ('model.prompts={query: "Instruct: x\nQuery: "}', False),
        ("model.prompts.query='a: '", False),
    ],
)
def test_a_line_break_that_is_none_is_told(
    override: str, warned: bool, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = command(capsys, "plan", "-cd", str(project), "model=tiny", "tasks=[Topics]", override)
    assert said.status == 0
    assert ("are two characters each" in said.err) == warned


@pytest.mark.parametrize(
    ("arguments", "points"),
    [
        (["model.max_tokens=8,16"], [("test/tiny", "Topics"), ("test/tiny", "Topics")]),
        (["model.max_tokens=range(1,4)"], [("test/tiny", "Topics")] * 3),
        (["model.max_tokens=choice(1,2)", "model.truncate_dim=2,4"], [("test/tiny", "Topics")] * 4),
        (["tasks=[Topics],[Likeness]"], [("test/tiny", "Topics"), ("test/tiny", "Likeness")]),
        (["tasks=Topics,Likeness"], [("test/tiny", "Topics"), ("test/tiny", "Likeness")]),
        (["task=topics,likeness"], [("test/tiny", "Topics"), ("test/tiny", "Likeness")]),
        (["task=glob(t*)"], [("test/tiny", "Topics"), ("test/tiny", "Twins")]),
        (["model=test/tiny,minilm"], [("test/tiny", "Topics"), ("sentence-transformers/all-MiniLM-L6-v2", "Topics")]),
        (["model.prompts.query='a, b',c"], [("test/tiny", "Topics")] * 2),
        (["model.prompts={query: a},{query: b}"], [("test/tiny", "Topics")] * 2),
        (["outputs=a,b"], [("test/tiny", "Topics")] * 2),
        (["execution=inline,inline"], [("test/tiny", "Topics")] * 2),
        (["model.max_tokens=8"], [("test/tiny", "Topics")]),
    ],
)
def test_plan_of_a_sweep_marks_its_points(
    arguments: list[str], points: list[tuple[str, str]], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ("plan", "-cd", str(project), "-m", "model=tiny", "tasks=[Topics]", *arguments)
    jobs = command(capsys, *base, "--json").jobs
    if arguments[0].startswith("task="):
        points = [("test/tiny", task) for _, task in points]
    assert [(job["model"], job["task"], job["point"]) for job in jobs] == [
        (*point, number) for number, point in enumerate(points, 1)
    ]
    table = command(capsys, *base)
    assert [f"[{number}] " in table.out for number in range(1, len(points) + 2)] == [True] * len(points) + [False]


@pytest.mark.parametrize("spelled", ["{0}", "{0}/", "./weights", "./weights/", "../project/weights", "~/weights"])
def test_a_checkpoint_is_a_model(
    spelled: str, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "project"
    shutil.copytree(project / "weights", home / "weights")
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    plan = ("plan", "--json", "-cd", str(project), "tasks=[Topics]", f"model={spelled.format(home / 'weights')}")
    said = command(capsys, *plan)
    assert [job["model"] for job in said.jobs] == ["weights"]
    assert command(capsys, *plan, "model.name=weights").fingerprints == said.fingerprints
    # It is pinned by what is in it.
    weights = home / "weights" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert command(capsys, *plan).fingerprints != said.fingerprints


def test_the_commands_of_the_page_work(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[3] / "docs" / "command-line.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("python -m runner ")]
    assert len(lines) == 7
    for line in lines:
        shutil.copytree(project / "weights", project / "step-9000", dirs_exist_ok=True)
        arguments = shlex.split(line.replace("/checkpoints", str(project)), comments=True)[3:]
        said = command(capsys, *arguments)
        assert (said.status, said.err) == (0, ""), line
        assert "step-9000" in said.out or "me/minilm-9000" in said.out or "source" not in line


def test_the_record_of_an_invocation_says_what_was_typed(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ["model=tiny", "tasks=[Likeness]", "model.prompts={STS: 'é ${x}'}", f"outputs={tmp_path}/ö u"]
    said = command(capsys, "-m", "-cd", str(project), *typed, "model.max_tokens=3,4")
    assert said.status == 0
    assert f"[2] {','.join(typed[:3])}," in said.out + said.err
    records = sorted((tmp_path / "ö u" / "invocations").glob("*/*/.hydra/overrides.yaml"))
    assert len(records) == 2
    for record, tokens in zip(records, (3, 4), strict=True):
        lines = json.loads(json.dumps(record.read_text(encoding="utf-8").splitlines()))
        assert lines[:2] == ["- model=tiny", "- tasks=[Likeness]"]
        assert lines[-1] == f"- model.max_tokens={tokens}"
        config = record.with_name("config.yaml").read_text(encoding="utf-8")
        assert f"max_tokens: {tokens}" in config
        assert "test/tiny" in config
        assert "asked" not in config + record.with_name("hydra.yaml").read_text(encoding="utf-8")
