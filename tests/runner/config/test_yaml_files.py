"""What a YAML file may be: names are YAML's own, mistakes name file and line, sizes are bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from command import command, mistake
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_project import small_project

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import SHIPPED, Catalogue, _entry, _head
from embedmark.runner.config.yaml_files import read_yaml


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def written(project: Path) -> Iterator[Path]:
    """A task file that a test writes."""
    path = project / "task" / "written.yaml"
    yield path
    path.unlink(missing_ok=True)


def _task(project: Path, head: str = "name: Written\n", tail: str = "") -> str:
    data = project / "data" / "topics"
    body = f"type: classification\ndataset: {{files: {data}}}\nlanguages: [eng-Latn]\nmain_metric: accuracy\n"
    return f"{head}{body}{tail}"


BOMB = "settings:\n  a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"  a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)
)


@pytest.mark.parametrize(
    ("head", "tail", "told"),
    [
        ("name: Written\n", "about: [x\n", ["line 7", "not valid YAML"]),
        ("name: Written\n", "settings:\n\tn_experiments: 3\n", ["line 7", "spaces"]),
        ("name: Written\n", "settings:\n  a: 2\n  a: 8\n", ["line 8", "'a'", "twice"]),
        ("name: Written\nname: Written\n", "", ["line 2", "'name'", "twice"]),
        ("name: Written\n", "settings: {a: 1, 'a': 2}\n", ["line 6", "'a'", "twice"]),
        ("name: Written\n", "settings: {a: " + "[" * 3000 + "]" * 3000 + "}\n", ["line 6", "nested more than 50"]),
        ("name: Written\n", "settings: " + "[" * 90_000, ["line 6", "nested more than 50"]),
        ("name: Written\n", "settings:\n" + "".join(" " * i + "a:\n" for i in range(1, 90)), ["nested more than 50"]),
        ("name: Written\n", BOMB, ["more than 200,000 values"]),
        ("name: Written\n", "settings: &a {a: *a}\n", ["line 6", "stands inside"]),
        ("name: Written\n", "settings: {a: *nowhere}\n", ["line 6", "alias"]),
        ("name: Written\n", "---\nname: Other\n", ["line 6", "second document"]),
        ("name: Written\n", "settings: !!python/object:os.system {}\n", ["line 6", "tag"]),
        ("name: Written\n", "settings: {a: " + "9" * 5000 + "}\n", ["too many digits"]),
        ("name: Written\n", "subsets: {no: [nor-Latn]}\n", ["line 6", "'no'", "quotes"]),
        ("name: Written\n", "settings: {a: .nan}\n", ["settings", ".nan"]),
        ("name: Written\n", "prompt: 'a\x07'\n", ["line 6", "does not allow"]),
        ("name: Written\n", "# " + "x" * (4 * 2**20) + "\n", ["larger than 4 MiB"]),
        ('name: "unterminated\n', "", ["not valid YAML"]),
        ("name: 9000\n", "", ["name", 'name: "9000"']),
        ("name: yes\n", "", ["name", "quotes"]),
        ("name:\n", "", ["name", "null"]),
        ("name: [a]\n", "", ["name", "expected text"]),
        ("name: ' '\n", "", ["name", "expected a name"]),
        ('name: "a\\x1b[31m"\n', "", ["name", "expected a name"]),
        (f"name: {'x' * 300}\n", "", ["name", "200 characters"]),
        ("", "", ["name: missing"]),
    ],
)  # fmt: skip
def test_a_broken_file_is_one_clear_error_both_ways(
    head: str, tail: str, told: list[str], project: Path, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written.write_text(_task(project, head, tail), encoding="utf-8")
    by_file = command(capsys, "plan", "-cd", str(project), "model=tiny", "task=written")
    mistake(by_file, str(written), *told)
    assert command(capsys, "plan", "-cd", str(project), "model=tiny", "tasks=[written]") == by_file
    # Nobody else is hurt, and the file is mentioned where what is wrong stands in its YAML and is not far down.
    other = command(capsys, "plan", "-cd", str(project), "model=tiny", "tasks=[Topics]")
    mentioned = ".nan" not in tail and (len(tail) < 100_000 or len(tail) > 2**20)
    assert (other.status, other.err.count("\n")) == (0, int(mentioned))
    assert other.err == "" or str(written) in other.err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "an empty file"),
        (b"# nothing\n", "an empty file"),
        (b"- a\n", "found a list"),
        (b"just text\n", "found a text"),
        (b"\xff\xfen\x00a\x00m\x00e\x00", "UTF-8"),
        ("name: Written\nprompt: Straße\n".encode("latin-1"), "line 2"),
        (b"defaults: 3\n", "defaults: found 3"),
        (b"defaults: [written]\n", "is a circle"),
        (b"defaults: [{topics: x}]\n", "expected names of files"),
        (b"name: Written\ndefaults: [nowhere, _self_]\n", "no file nowhere.yaml"),
        (b"defaults: [topic]\n", "'topics'"),
        (b"defaults: [../model/tiny]\n", "no file"),
        (b"defaults: []\n", "expected names of files"),
        (b"defaults: [_self_, _self_]\n", "expected names of files"),
    ],
)
def test_a_file_that_says_no_task_is_one_clear_error(
    content: bytes, told: str, project: Path, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written.write_bytes(content)
    for chosen in ("task=written", "tasks=[written]"):
        said = command(capsys, "plan", "-cd", str(project), "model=tiny", chosen)
        mistake(said, str(written), told)
    assert command(capsys, "show", "-cd", str(project), "written").err == said.err
    assert command(capsys, "list", "-cd", str(project), "tasks", "Topics").status == 0


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("name: C#Corner\n", "C#Corner"),
        ('name: "Ticket #1"\n', "Ticket #1"),
        ("name: Ticket #1\n", "Ticket"),
        ("name: >-\n  Folded\n  name\n", "Folded name"),
        ("name: Two\n  lines\n", "Two lines"),
        ("name: Two\n\n# a comment\n", "Two"),
        ("name: 'It''s'\n", "It's"),
        ('"name": Quoted key\n', "Quoted key"),
        ("name   : Spaced\n", "Spaced"),
        ("? name\n: Complex\n", "Complex"),
        ("name: &n Anchored\n", "Anchored"),
        ("name: !!str 5\n", "5"),
        ("prompt: |\n  name: Inside\nname: Outside\n", "Outside"),
        ('prompt: "a\nname: Inside\nb"\nname: Outside\n', "Outside"),
        ("about: {reference: x,\nlicense: y\n}\nname: After flow\n", "After flow"),
        ("\ufeffname: Marked\n", "Marked"),
        ("%YAML 1.1\n---\nname: Directive\n", "Directive"),
        ("name: a/b-c (d, e) + f\n", "a/b-c (d, e) + f"),
        ("name: Ünïcode 数\n", "Ünïcode 数"),
        ("name: 2020-01-01\n", "2020-01-01"),
        ("name: 1.0.0\n", "1.0.0"),
        ("name: '[/x] [red]'\n", "[/x] [red]"),
    ],
)
def test_names_are_yamls_own(
    head: str, name: str, project: Path, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for ending in ("\n", "\r\n"):
        text = _task(project, head).replace("\n", ending)
        written.write_bytes(text.encode())
        listed = command(capsys, "list", "-cd", str(project), "tasks", "written", "--json")
        assert [entry["name"] for entry in listed.jobs] == [name]
        planned = command(capsys, "plan", "-cd", str(project), "model=tiny", "task=written", "--json")
        assert [job["task"] for job in planned.jobs] == [name]


_LINES = st.sampled_from(
    """\
name: a|name: b c|name: 'a'|name: no|name: a # b|name: a#b|name: a: b|name: 1|name:|name: ~|name: a,|name: a, b|  b| # c
# c||type: sts|type: 'sts'|type: s t|type: 5|  name: z|prompt: "x|y"|defaults: [x]|---|...|name: a-|name: -a|name: (a)
name: a(b|about: {a: 1}|type: sts # c|name:  a|name: a |name: a\t|\tx: y|name: nan|name: null|name: e5|name: a/b.c+d
prompt: >|about: {x: y,|}""".replace("\n", "|").split("|")
)


@given(st.lists(_LINES, min_size=1, max_size=6))
@example(["name: a", "type: sts # c"])
@example(["name: a", "about: {a: 1}", "type: sts"])
@settings(max_examples=400)
def test_a_name_read_from_the_head_is_the_name_that_the_parser_reads(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    quick = _head(Path("x.yaml"), "x", text)
    try:
        whole = _entry(Path("x.yaml"), "x", text, [Path()], read_yaml, whole=True)
    except UserError:
        return  # What is broken further down is found when the file is read.
    assert quick is None or (quick.name, quick.type) == (whole.name, whole.type)


def test_every_shipped_name_is_what_the_parser_reads() -> None:
    for kind in ("model", "task", "benchmark"):
        for entry in Catalogue((SHIPPED,)).entries(kind).values():  # type: ignore[arg-type]
            if not entry.alias:
                assert read_yaml(entry.path)["name"] == entry.name


def test_odd_files_beside_others(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "task"
    (mine / "folder.yaml").mkdir(parents=True)
    (mine / "other.yml").write_text(_task(project))
    (mine / "dangling.yaml").symlink_to("/nowhere")
    (mine / "sound.yaml").write_text(_task(project, "name: Sound\n"))
    both = ("-cd", str(tmp_path), "-cd", str(project), "model=tiny")
    said = command(capsys, "plan", *both, "tasks=[Sound]")
    assert said.status == 0
    assert said.err.startswith("warning: left out of the tasks: ")
    assert str(mine / "dangling.yaml") in said.err
    mistake(command(capsys, "plan", *both, "tasks=[dangling]"), "dangling.yaml: cannot be read")
    assert "rename it to other.yaml" in command(capsys, "plan", *both, "task=other").err
    assert "no task 'folder'" in command(capsys, "plan", *both, "task=folder").err


def test_two_files_of_one_name_hurt_only_who_asks_for_them(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "task").mkdir()
    for file in ("a", "b"):
        (tmp_path / "task" / f"{file}.yaml").write_text(_task(project, "name: 'Same'\n"))
    both = ("-cd", str(tmp_path), "-cd", str(project), "model=tiny")
    assert command(capsys, "plan", *both, "tasks=[Topics]").status == 0
    mistake(command(capsys, "plan", *both, "tasks=[Same]"), "already the name of", "a.yaml", "b.yaml")
    assert command(capsys, "plan", *both, "task=a").status == 0


@pytest.mark.parametrize(
    "name", ["9000", "nan", "inf", "null", "1e3", "no", "yes", "true", "0x10", "1_000", "-1", ".5"]
)
def test_numbers_and_other_words_of_yaml_are_names_of_files(
    name: str, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / f"{name}.yaml").write_text(f"name: me/step-{name}\nsource: {{path: {project}/weights}}\n")
    both = ("-cd", str(tmp_path), "-cd", str(project), "tasks=[Topics]", "--json")
    assert [job["model"] for job in command(capsys, "plan", *both, f"model={name}").jobs] == [f"me/step-{name}"]
    points = command(capsys, "plan", "-m", *both, f"model='{name}',tiny").jobs
    assert [job["model"] for job in points] == [f"me/step-{name}", "test/tiny"]


@pytest.mark.parametrize(
    ("case", "overrides", "told"),
    [
        ("quoted-hash-name", ["tasks=[Ticket #1]", "task=a"], ""),
        ("numeric-name", ["model=9000", "model=me/step-9000"], ""),
        (
            "yaml-duplicate-key",
            ["task=dup", "tasks=[DupKey]"],
            "dup.yaml, line 8: key 'samples_per_label' is given twice",
        ),
    ],
)
def test_cases_of_users(
    case: str, overrides: list[str], told: str, shared: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = ("-cd", str(shared / "cases" / case / "mine"), "-cd", str(project))
    for override in overrides:
        shown = command(capsys, "show", *mine, override.partition("=")[2].strip("[]"))
        if told:
            mistake(command(capsys, "plan", *mine, override, "model=tiny"), told)
            mistake(shown, told)
        else:
            assert shown.status == 0
