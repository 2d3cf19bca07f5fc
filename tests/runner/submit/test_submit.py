"""Submissions: made of complete records alone, received by a repository, and checked as a stranger's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import polars as pl
import pytest
import yaml
from planned_records import measure

from embedmark.runner.cli.main import main
from embedmark.runner.submit.checks import leaks

LINKS = ("--code", "https://example.org/code", "--weights", "https://example.org/weights")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine/benchmark").mkdir(parents=True)
    few = {"name": "Few", "tasks": ["STSBenchmark", {"name": "NusaX-senti", "subsets": ["eng"]}]}
    (tmp_path / "mine/benchmark/few.yaml").write_text(yaml.safe_dump(few))
    return tmp_path


def submit(*more: str, folder: str = "repo") -> int:
    return main(["submit", folder, "--model", "minilm", "--benchmark", "few", "--config-dir", "mine", *more])


def whole(place: Path) -> list[Path]:
    return measure(place, "model=minilm", "tasks=[STSBenchmark,{name: NusaX-senti, subsets: [eng]}]", score=0.8)


def test_a_submission_is_laid_out_and_passes_its_own_review(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole(place)
    measure(place, "model=minilm", "tasks=[STS16]")  # not of the benchmark
    assert main(["results", "new", "repo"]) == 0
    assert submit(*LINKS) == 0
    assert "warning: 2 of 2 records are not signed" in capsys.readouterr().out
    found = sorted(str(path.relative_to("repo")) for path in Path("repo").rglob("*.json"))
    assert [name for name in found if name.startswith("results/")] == [
        f"results/sentence-transformers__all-MiniLM-L6-v2/8b3219a92973c328a8e22fadcfa821b5dc75636a/{name}.json"
        for name in ("NusaX-senti", "STSBenchmark", "model_meta")
    ]
    assert len({Path(name).parent for name in found if name.startswith("records/")}) == 2
    summary = Path("repo/summary.md").read_text()
    assert "| STSBenchmark | 0.8000 | " in summary
    assert " of " in summary.split("| STSBenchmark | 0.8000 | ")[1].split("|")[0]
    assert reviewed(added()) == 0
    assert "can be merged as far as a machine can tell" in capsys.readouterr().out


def added() -> list[str]:
    paths = [*Path("repo/results").rglob("*"), *Path("repo/records").rglob("*")]
    return [str(path.relative_to("repo")) for path in paths if path.is_file() and path.name != ".gitkeep"] + [
        "summary.md"
    ]


def reviewed(changed: list[str], *more: str, deleted: tuple[str, ...] = ()) -> int:
    Path("changed").write_bytes(b"".join(name.encode() + b"\0" for name in changed))
    Path("deleted").write_bytes(b"".join(name.encode() + b"\0" for name in deleted))
    return main(["review", "repo", "--changed", "changed", "--deleted", "deleted", *more])


def test_places_are_among_models_at_one_revision_each(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a model whose revisions have some scores each, those of the revision with most count, and no mixture."""
    whole(place)
    rows = [
        ("org/whole", "r1", "STSBenchmark", "test", "default", 0.7),
        ("org/whole", "r1", "NusaX-senti", "test", "eng", 0.7),
        ("org/whole", "r2", "STSBenchmark", "test", "default", 0.9),
        ("org/halves", "r1", "STSBenchmark", "test", "default", 0.95),
        ("org/halves", "r2", "NusaX-senti", "test", "eng", 0.95),
    ]
    scores = pl.DataFrame(rows, schema=["model", "revision", "task", "split", "subset", "main_score"], orient="row")
    monkeypatch.setattr("embedmark.runner.exchange.snapshot.scores", scores.lazy)
    assert submit(*LINKS) == 0
    summary = Path("repo/summary.md").read_text()
    assert "| STSBenchmark | 0.8000 | 1 of 2 | 0.7000 (org/whole) |" in summary
    assert "| NusaX-senti | 0.8000 | 2 of 3 | 0.9500 (org/halves) |" in summary


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "no link to the code: write `about: {public_training_code: https://...}`"),
        (("--code", "http://example.org"), "no link to the code"),
        (("--code", "service"), '"service", and its records are not of a service'),
    ],
)
def test_links_are_asked_for(more: tuple[str, ...], said: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole(place)
    assert submit(*more) == 2
    assert said in capsys.readouterr().out
    assert not Path("repo").exists()


def test_training_data_is_asked_for(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "mine/model").mkdir()
    config = {"name": "org/mine", "source": {"hub": "org/mine"}, "revision": "a" * 40}
    (place / "mine/model/own.yaml").write_text(yaml.safe_dump(config))
    measure(place / "mine", "model=own", "tasks=[STSBenchmark,{name: NusaX-senti, subsets: [eng]}]")
    line = ["submit", "repo", "--model", "own", "--benchmark", "few", "--config-dir", "mine", *LINKS]
    assert main(line) == 2
    assert "nothing says which tasks' data the model was trained on" in capsys.readouterr().out
    assert main([*line, "--training-data", "unknown"]) == 0


def test_what_is_missing_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measure(place, "model=minilm", "tasks=[STSBenchmark]")
    assert submit(*LINKS) == 2
    assert "refused: 1 of 2 jobs of Few are there; lacking of NusaX-senti" in capsys.readouterr().out
    damaged = measure(place, "model=minilm", "tasks=[{name: NusaX-senti, subsets: [eng]}]")[0]
    (damaged / "result.json").write_bytes(b"")
    assert submit(*LINKS) == 2
    said = capsys.readouterr().out
    assert f"{damaged.name}: result.json is not what was written" in said
    assert "refused: 1 of 2 jobs of Few are there" in said


def test_a_score_that_cannot_be_right_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measure(place, "model=minilm", "tasks=[STSBenchmark,{name: NusaX-senti, subsets: [eng]}]", score=7.0)
    assert submit(*LINKS) == 2
    assert "refused: lint: share: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("loaded from /home/ada/models/x", "a home folder"),
        ('"C:\\\\Users\\\\ada\\\\x"', "a home folder"),
        ("hf_" + "a" * 34, "a token of the hub"),
        ("ghp_" + "b" * 36, "a token of GitHub"),
        ("AKIA" + "C" * 16, "a key of AWS"),
        ("sk-" + "d" * 40, "a secret key"),
        ("https://ada:secret@example.org", "a password"),
        ("Traceback (most recent call last):", "a traceback"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "a private key"),
    ],
)
def test_leaks(text: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(f"fine\n{text}\n")
    (problem,) = leaks(tmp_path)
    assert f"log.txt: line 2 holds {what}" in problem.what
    assert "secret@" not in problem.what
    (tmp_path / "log.txt").write_text(
        "data loaded from hub:mteb/banking77; see https://example.org/home/x, task sk-test\n"
    )
    assert list(leaks(tmp_path)) == []


# -- what arrives ------------------------------------------------------------------------------------------------------


@pytest.fixture
def arrived(place: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    whole(place)
    assert submit(*LINKS) == 0
    capsys.readouterr()
    return added()


@pytest.mark.parametrize(
    "name",
    [
        "results/../../etc/passwd", "results/a/b/c\nd.json", ".github/workflows/check.yml", "CODEOWNERS",
        "signers/allowed_signers", "results/org__a/r1/\x1b[31m.json", "records/ab/cd/result.json",
        "results/con/r/T.json",
        "results/org__a/T.json", "/etc/passwd", "results/org__a/r1/experiments/x/y/T.json", "", "results//r1/T.json",
    ],
)  # fmt: skip
def test_paths_that_no_submission_has(name: str, arrived: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status = reviewed([*arrived, name])
    out = capsys.readouterr().out
    assert status == (1 if name else 0)
    assert "\x1b" not in out
    if name:
        assert "has to be mended" in out


def test_hostile_content(arrived: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    result = next(name for name in arrived if name.endswith("STSBenchmark.json"))
    good = Path("repo", result).read_text()
    for content, said in [
        ("[" * 100_000, "nested deeper"),
        (good.replace('"task_name"', '"task_name": "x", "task_name"'), "is there twice"),
        (good.replace("STSBenchmark", "STS16"), "is of task 'STS16'"),
        (good.replace('"main_score": 0.8', '"main_score": 1e999'), "no finite number"),
        ("x" * (9 << 20), "larger than 8 MiB"),
    ]:
        Path("repo", result).write_text(content)
        assert reviewed(arrived) == 1
        assert said in capsys.readouterr().out
    Path("repo", result).unlink()
    Path("repo", result).symlink_to("/etc/hostname")
    assert reviewed(arrived) == 1
    assert "is a link" in capsys.readouterr().out
    assert reviewed([name for name in arrived if name != result]) == 0  # other results are left


def test_records_that_are_not_whole(arrived: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    record = next(name for name in arrived if name.endswith("/result.json"))
    Path("repo", record).write_text(Path("repo", record).read_text() + " ")
    assert reviewed(arrived) == 1
    assert "not intact: result.json is not what was written" in capsys.readouterr().out
    Path("repo", record).parent.joinpath("more").symlink_to("/etc")
    assert reviewed(arrived) == 1
    assert "a link, a folder or a device" in capsys.readouterr().out


def test_signatures_are_asked_for_where_there_are_signers(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = whole(place)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"], check=True)
    Path("signers").write_text("ada@example.org " + " ".join(Path("key.pub").read_text().split()[:2]) + "\n")
    assert main(["sign", str(paths[0]), "--key", "key"]) == 0
    assert submit(*LINKS) == 0
    assert reviewed(added(), "--signers", "signers") == 1
    out = capsys.readouterr().out
    assert out.count("not signed; result.json needs a statement") == 1
    assert main(["sign", str(paths[1]), "--key", "key"]) == 0
    assert submit(*LINKS) == 0
    assert reviewed(added(), "--signers", "signers") == 0


def test_what_a_person_decides_on(arrived: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    other = "results/org__other/r1/STS16.json"
    Path("repo", other).parent.mkdir(parents=True)
    row = {"hf_subset": "default", "languages": [], "main_score": 0.5}
    Path("repo", other).write_text(json.dumps({"task_name": "STS16", "scores": {"test": [row]}}))
    assert reviewed([*arrived, other], deleted=("results/org__third/r/T.json",)) == 0
    out = capsys.readouterr().out
    assert "2 models are touched" in out
    assert "1 files are deleted, such as results/org__third/r/T.json" in out


def test_the_repository_that_receives_them(place: Path) -> None:
    assert main(["results", "new", "ours"]) == 0
    assert main(["results", "new", "ours"]) == 2
    check = yaml.safe_load(Path("ours/.github/workflows/check.yml").read_text())
    comment = yaml.safe_load(Path("ours/.github/workflows/comment.yml").read_text())
    assert check["permissions"] == {"contents": "read"}
    assert comment["permissions"] == {"pull-requests": "write", "actions": "read"}
    assert "${{ secrets" not in Path("ours/.github/workflows/check.yml").read_text()
    for workflow in (check, comment):
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        assert all(len(step["uses"].partition("@")[2].split()[0]) == 40 for step in steps if "uses" in step)
    assert "signers/ @OWNERS" in Path("ours/CODEOWNERS").read_text()
