"""Names and messages of strangers: in a terminal, in CSV and in Markdown they are shown, and never obeyed."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from small_project import small_project
from small_project import task as task_file

from embedmark.runner.cli.main import main
from embedmark.runner.common.terminal import open_console
from embedmark.runner.common.text import MESSAGE, csv_cell, markdown_cell, shortened, visible, without_passwords

OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
ODD_NAMES = {
    "colour": "a\x1b[31mred",
    "title of the window": "a\x1b]0;gone\x07b",
    "clear the screen": "\x1b[2J",
    "carriage return": "good\rbad",
    "backspace": "good\b\b\b\bbad",
    "next line": "a\x85b",
    "right to left": "a\u202egpj.exe",
    "isolate": "a\u2066b\u2069",
    "zero width": "min\u200bilm",
    "byte order": "\ufeffminilm",
    "line separator": "a\u2028b",
    "two lines": "a\nb",
    "tab": "a\tb",
    "bell": "a\x07",
    "tag characters": "a\U000e0041",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("odd", "kind"),
    [
        *((odd, "model") for odd in ODD_NAMES),
        *((odd, kind) for odd in list(ODD_NAMES)[::7] for kind in ("task", "subset", "split", "benchmark")),
    ],
)
def test_names_that_cannot_be_seen_are_refused_and_shown_escaped(
    odd: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = ODD_NAMES[odd]
    files: dict[str, dict[str, object]] = {
        "model": {"name": name if kind == "model" else "a/model"},
        "task": {
            "name": name if kind == "task" else "Task",
            "type": "sts",
            "dataset": {"hub": "a/b"},
            "subsets": {name if kind == "subset" else "en": ["eng-Latn"]},
            "splits": [name if kind == "split" else "test"],
            "main_metric": "cosine_spearman",
        },
        "benchmark": {"name": name if kind == "benchmark" else "Many", "tasks": ["Task"]},
    }
    for group, values in files.items():
        (tmp_path / group).mkdir()
        (tmp_path / group / "odd.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    wanted = {"model": "model=odd", "benchmark": "benchmark=odd"}.get(kind, "task=odd")
    assert main(["plan", "--config-dir", str(tmp_path), wanted]) == 2
    shown = capsys.readouterr()
    assert not OBEYED.search(shown.out + shown.err)
    assert "name" in shown.err


@pytest.mark.parametrize("odd", ODD_NAMES)
def test_what_is_typed_is_shown_escaped(odd: str, capsys: pytest.CaptureFixture[str]) -> None:
    for line in (["plan", f"model={ODD_NAMES[odd]}"], ["why", ODD_NAMES[odd], "00"]):
        assert main(line) == 2
        shown = capsys.readouterr()
        assert not OBEYED.search(shown.out + shown.err)
        assert len(shown.err) < MESSAGE + 100


MARKUP = [
    "[/x]",
    "[red]x",
    "[bold]",
    "[link=http://x]y[/link]",
    ":smile:",
    "\\[a]",
    "[[",
    "[/]",
    "[@click=x]",
    "x [/b]",
]


@pytest.mark.parametrize("name", MARKUP)
def test_names_are_no_markup(name: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path("mine")
    shutil.copytree(project, folder)
    task_file(folder, name, "sts", "cosine_spearman", dataset={"files": str(folder.resolve() / "data/likeness")})
    (folder / "task" / "likeness.yaml").unlink()
    file = next(path for path in (folder / "task").rglob("*.yaml") if name in yaml.safe_load(path.read_text())["name"])
    file.rename(folder / "task" / "odd.yaml")
    assert main(["plan", "--config-dir", str(folder), "model=tiny", "task=odd"]) == 0
    assert name in capsys.readouterr().out
    assert main(["list", "tasks", name, "--config-dir", str(folder)]) == 0
    assert name in capsys.readouterr().out


def test_a_console_shows_escapes_of_everything_but_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    console = open_console(out, width=40)
    console.print("a\x1b[31mb [/x] :smile:", style="bold")
    assert out.getvalue() == "a\\x1b[31mb [/x] :smile:\n"


@given(st.text(max_size=40))
def test_nothing_that_is_obeyed_is_left(text: str) -> None:
    assert not OBEYED.search(visible(text))
    assert visible(visible(text)) == visible(text)
    assert "\n" not in markdown_cell(text)
    assert "<" not in markdown_cell(text)
    assert not re.search(r"(?<!\\)(\\\\)*\|", markdown_cell(text))


@given(st.text(max_size=2000), st.integers(20, 700))
def test_shortened_texts_are_no_longer_than_asked(text: str, room: int) -> None:
    assert len(shortened(text, room)) <= room
    assert shortened(text, room) == text or " ... " in shortened(text, room)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "\\x0d=1"),
        ("\n=1", "'\n=1"),
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("-0.25", "-0.25"),
        ("-1e-05", "-1e-05"),
        ("0.5", "0.5"),
        ("org/model", "org/model"),
        ("a\x1b[31m", "a\\x1b[31m"),
    ],
)
def test_cells_of_csv_are_no_formulas_and_numbers_stay_numbers(text: str, cell: str) -> None:
    assert csv_cell(text) == cell


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("https://u:p@h/x", "https://h/x"),
        ("see http://token@h", "see http://h"),
        ("ssh://git@h and ftp://a:b@c", "ssh://h and ftp://c"),
        ("https://h/@name", "https://h/@name"),
        ("me@example.org", "me@example.org"),
        ("https://h/?q=a@b", "https://h/?q=a@b"),
        ("", ""),
    ],
)
def test_passwords_of_addresses_are_taken_out(text: str, without: str) -> None:
    assert without_passwords(text) == without


def test_names_of_strangers_in_a_report_are_no_formulas_no_html_and_no_escapes(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Records may come from elsewhere: their names passed no config."""
    assert main(["--config-dir", str(project), "model=tiny", "tasks=[Likeness]"]) == 0
    record = next(Path("outputs/jobs").glob("*/result.json"))
    folder = record.parent
    for name in ("result.json", "identity.json"):
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace("test/tiny", "=1+1|<b>\\u001b[31m"), encoding="utf-8")
    capsys.readouterr()
    main(["report"])
    shown = capsys.readouterr()
    assert not OBEYED.search(shown.out + shown.err)
    for path in Path("outputs/report").glob("*"):
        text = path.read_text(encoding="utf-8")
        assert not OBEYED.search(text), path
        if path.suffix == ".csv":
            assert not any(cell.startswith("=") for row in csv.reader(io.StringIO(text)) for cell in row)
        if path.suffix == ".md":
            assert "<b>" not in text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "ascii:strict"])
def test_streams_of_another_encoding_never_raise(encoding: str, project: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "runner", "plan", "--config-dir", str(project), "model=tiny", "tasks=[Topics]"]
    ran = subprocess.run(command, capture_output=True, env=environment)
    assert ran.returncode == 0
    assert not ran.stderr
    assert b"Topics" in ran.stdout.replace(b"\0", b"")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's way to close a stream")
@pytest.mark.parametrize(("closing", "status"), [(">&-", 0), ("2>&-", 0), (">&- 2>&-", 0), ("> /dev/full", 1)])
def test_streams_that_are_closed_or_full_never_raise(closing: str, status: int, project: Path) -> None:
    command = f"{sys.executable} -m runner list models tiny --config-dir {project} {closing}"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment)
    assert ran.returncode == status
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
