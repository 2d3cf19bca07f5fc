"""What README.md and docs/ say can be typed: each command is run (what measures is planned), each YAML page is read."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from small_project import small_project, table
from tiny_models import tiny_static

from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import Catalogue

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:python -m runner|embedmark) [^`]+)`")
OURS = re.compile(r"(?:[A-Z_]+=\S+ )*(python -m runner|embedmark)\b")
VERBS = {
    "benchmark",
    "compare",
    "plan",
    "list",
    "show",
    "report",
    "why",
    "forget",
    "model",
    "store",
    "completion",
    "export",
    "sign",
    "verify",
    "import",
    "reproduce",
    "lint",
    "inspect",
    "submit",
    "results",
    "review",
    "bundle",
    "leaderboard",
}

FILES = {
    "my-org/my-model": ["model/my_model"],
    "my-org/my-model-step-9000": ["model/step"],
    "SupportTickets": ["task/support-tickets"],
    "CatsAndDogs": ["task/cats-and-dogs"],
    "MyPages": ["task/my-pages"],
    "Support": ["benchmark/support"],
    "bm25+minilm": ["model/hybrid"],
    "mongodb/voyage-3.5": ["model/voyage"],
    "openai/clip-vit-base-patch32": ["model/clip"],
    "me/mine": ["model/mine"],
    "me/served": ["model/served"],
}
"""The name that a YAML page of the docs gives → where a reader puts it."""

PLACES = ("/checkpoints/", "/data/", "/where/")
"""Folders that a reader has."""


def fences(page: Path, *languages: str) -> Iterator[str]:
    for language, text in FENCE.findall(page.read_text(encoding="utf-8")):
        if language in languages:
            yield text


def commands() -> Iterator[tuple[str, str]]:
    """(page, command line) of all that call ours."""
    for page in PAGES:
        typed = [line for text in fences(page, "", "sh") for line in text.splitlines()]
        typed += INLINE.findall(" ".join(FENCE.sub("", page.read_text(encoding="utf-8")).split()))
        yield from dict.fromkeys((page.name, line.strip()) for line in typed if OURS.match(line.strip()))


def others() -> Iterator[tuple[str, str]]:
    """(page, command line) of scripts and make's targets."""
    for page in PAGES:
        for text in (*fences(page, "", "sh"), *re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))):
            for line in text.splitlines():
                if re.match(r"python (tests/|-m tools)|make \w|\.venv-reference/bin/python ", line.strip()):
                    yield page.name, line.strip()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of someone who did all that the docs say: files in mine/, data, a checkpoint, jobs that are done."""
    folder = tmp_path_factory.mktemp("reader")
    for page in PAGES:
        for text in fences(page, "yaml"):
            values = yaml.safe_load(text.replace("<commit>", "0" * 40))
            for file in FILES.get(values.get("name"), ()) if isinstance(values, dict) else ():
                (folder / f"mine/{file}.yaml").parent.mkdir(parents=True, exist_ok=True)
                (folder / f"mine/{file}.yaml").write_text(_placed(text, folder), encoding="utf-8")
    tiny_static(folder / "my-org/my-model")
    tiny_static(folder / "checkpoints/step-9000")
    (folder / "where/mine.py/is").mkdir(parents=True)
    (folder / "where/mine.py/is/mine.py").write_text("class Encoder: ...\n", encoding="utf-8")
    rows = [{"text": f"my printer {i}", "label": i % 2} for i in range(40)]
    table(folder, "support-tickets", train=rows, test=rows)
    project = small_project(folder / "project")
    command = ["model=tiny", "tasks=[Likeness,Search]", f"outputs={folder / 'outputs'}", "--config-dir", str(project)]
    assert main(command) == 0
    return folder


def _placed(text: str, folder: Path) -> str:
    for place in PLACES:
        text = re.sub(rf"(?<=[ =:'\"]){place}", f"{folder}{place}", text)
    return text


@pytest.mark.parametrize(("page", "command"), list(commands()))
def test_commands_can_be_typed(
    page: str, command: str, reader: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(reader)
    words = shlex.split(_placed(command, reader), comments=True)
    while re.fullmatch(r"[A-Z_]+=.*", words[0]):
        name, _, value = words.pop(0).partition("=")
        monkeypatch.setenv(name, value)
    words = words[1:] if words[0] == "embedmark" else words[3:]
    if "--help" not in words and not VERBS & set(words):
        words = ["plan", *words]
    words = _of_reader(words, reader)
    status, err = main(words), capsys.readouterr().err
    if words == ["export", "--to", "trec"]:
        assert "of task types that rank nothing" in err  # the reader's tasks are
    elif words[:3] == ["export", "--to", "mteb"]:
        assert "Likeness: left out: mteb 2.26.24 has no such task" in err  # the reader's tasks are their own
    elif words[0] in {"submit", "review"}:
        assert status == 2  # the reader has neither a benchmark that is done nor a pull request
    elif words[0] == "reproduce":
        assert "test/tiny: nothing is published of it" in err
    elif words[0] == "report" and "--benchmark" in words and "--ranks" not in words:
        assert "is on record; run it first" in err  # a benchmark takes too long here
    else:
        assert status == 0, f"{page}: {command}\n{err}"


OTHERWISE = {
    "model": ["model", "new", "my-org/my-model", "--out", "drafted", "--force"],
    "import": ["import", "outputs", "--outputs", "copy"],
    "lint": ["lint"],
    "bundle": ["bundle", "model=tiny", "tasks=[Likeness]", "--out", "e5.tar", "--config-dir", "project"],
    "submit": ["submit", "there", "--model", "test/tiny", "--benchmark", "few", "--config-dir", "project"],
    "results": ["results", "new", "drafted/results"],
    "review": ["review", "there", "--changed", "changed"],
    "benchmark": ["benchmark", "lite", "mteb_eng_v2", "--share", "10", "--out", "drafted", "--force"],
    "compare": ["compare", "ingot-8b-r3", "Seed1.5-Embedding", "--benchmark", "mteb_eng_v2"],
    "reproduce": ["reproduce", "model=tiny", "tasks=[Likeness]", "--config-dir", "project"],
}
"""Verb → the whole command line that stands for any of it."""


def _of_reader(words: list[str], reader: Path) -> list[str]:
    """The same about jobs, models and folders that the reader has."""
    if words[0] in OTHERWISE:
        return OTHERWISE[words[0]]
    jobs = sorted((reader / "outputs/jobs").glob("*--*"))
    done = [json.loads((job / "result.json").read_text(encoding="utf-8"))["fingerprint"][:8] for job in jobs]
    if words[0] in {"report", "store"} and "--model" in words:
        words[words.index("--model") + 1] = "test/tiny"
    match words:
        case ["why", *_]:
            return ["why", *done[:2], *words[3:]]
        case ["forget", *_] | ["store", "prune", *_]:
            shutil.copytree(reader / "outputs", reader / "copy", dirs_exist_ok=True)
            words = [done[0] if re.search(r"[0-9a-f]{6}$", word) else word for word in words]
            return [*words, "--outputs", "copy", *([] if {"--failed", "--yes"} & set(words) else ["--yes"])]
        case ["leaderboard", "build" | "serve", *_]:  # a browser is not there to be shown anything
            words = ["leaderboard", "build", "--benchmark", "NanoBEIR", "--out", "site"]
        case ["inspect", *_]:
            likeness = next(job for job in (reader / "outputs/jobs").glob("Likeness--*"))
            named = [str(likeness) if re.fullmatch(r"[0-9a-f]{6}", word) else word for word in words]
            return [*named, "--config-dir", "project"]
        case ["sign" | "verify", *_]:
            return _signed(words, done[0], reader)
    return words


def _signed(words: list[str], job: str, reader: Path) -> list[str]:
    """The same with a key and a job that the reader has, which is signed already where it is verified."""
    if not (reader / "key").exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"], cwd=reader, check=True)
        key = " ".join((reader / "key.pub").read_text(encoding="utf-8").split()[:2])
        (reader / "allowed_signers").write_text(f"ada@example.org {key}\n", encoding="utf-8")
        shutil.copytree(reader / "outputs", reader / "signed")
    if "--signers" in words:
        assert main(["sign", job, "--key", "key", "--outputs", "signed"]) == 0
    named = [job if re.fullmatch(r"[0-9a-f]{6}", word) else word for word in words]
    configs = ["--config-dir", "project"] if words[0] == "verify" else []
    return [*("key" if word.startswith("~") else word for word in named), "--outputs", "signed", *configs]


@pytest.mark.parametrize(("page", "command"), list(dict.fromkeys(others())))
def test_scripts_and_targets_are_there(page: str, command: str) -> None:
    words = shlex.split(command, comments=True)
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), page
        return
    script = words[2].replace(".", "/") + ".py" if words[1] == "-m" else words[1]
    assert (ROOT / script).is_file(), page
    text = (ROOT / script).read_text(encoding="utf-8")
    for option in (word for word in words[2:] if word.startswith("--")):
        assert f'"{option}"' in text, f"{page}: {command}: {option}"


def test_whole_pages_of_yaml_are_valid(reader: Path) -> None:
    catalogue = Catalogue((reader / "mine", ROOT / "configs"))
    read = {"model": catalogue.model, "task": catalogue.task, "benchmark": catalogue.benchmark}
    for name, files in FILES.items():
        for file in files:
            kind, _, choice = file.partition("/")
            assert read[kind](choice).name == name


def test_every_whole_page_is_known_here() -> None:
    found = set()
    for page in PAGES:
        for text in fences(page, "yaml"):
            values = yaml.safe_load(text)
            found |= {values["name"]} if isinstance(values, dict) and "name" in values else set()
    assert found == set(FILES)


LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if target.startswith("http"):
            continue
        path = (page.parent / target) if target else page
        assert path.exists(), f"{page.name}: {target}"
        if anchor:
            heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
            assert anchor in anchors, f"{page.name}: {target}#{anchor}"


def test_the_code_of_the_page_on_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    blocks = list(fences(ROOT / "docs" / "python.md", "python"))
    assert len(blocks) == 3
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)
    results = names["results"]
    assert str(getattr(results, "mean_task", ""))[:5] == re.findall(r"mean_task +# ([\d.]+)…", blocks[0])[0]
    assert {path.name.partition("--")[0] for path in Path("outputs/jobs").iterdir()} >= {"Pets", "BibleBookClustering"}
