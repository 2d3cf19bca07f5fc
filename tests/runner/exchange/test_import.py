"""`import`: what others measured, in one store, whatever came first."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import shared_folder
from planned_records import measure

from embedmark.runner.cli.main import main
from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange import store
from embedmark.runner.exchange.cards import scores_of_card
from embedmark.runner.exchange.result_file import parse_result
from embedmark.runner.exchange.sources import read

COMMIT = "b" * 40
FACTS = shared_folder() / "facts" / "results"
published = pytest.mark.skipif(not FACTS.is_dir(), reason="no published results (../shared/facts)")


def a_result(folder: Path, task: str = "STS12", score: float = 0.5, **more: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    row = {"hf_subset": "default", "languages": ["eng-Latn"], "main_score": score}
    values = {
        "dataset_revision": COMMIT,
        "task_name": task,
        "mteb_version": "1.18.0",
        "scores": {"test": [row]},
        **more,
    }
    path = folder / f"{task}.json"
    path.write_text(json.dumps({**values, **more}))
    return path


def no_metric(task: str) -> None:
    return None


def stored(outputs: Path) -> list[tuple[Any, ...]]:
    return (
        store.load(outputs).select("model", "revision", "task", "main_score", "origin", "experiment").collect().rows()
    )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_of_results(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a_result(place / "results/org__a/r1")
    a_result(place / "results/org__a/external", score=0.4)
    a_result(place / "results/org__a/r1", "STS13", mteb_version=None)
    assert main(["import", "results"]) == 0
    assert "3 scores of 1 model on 2 tasks: 3 new, 0 known and equal, 0 contradicting" in capsys.readouterr().out
    assert stored(place / "outputs") == [
        ("org/a", "external", "STS12", 0.4, "self-reported", None),
        ("org/a", "r1", "STS12", 0.5, "published", None),
        ("org/a", "r1", "STS13", 0.5, "self-reported", None),
    ]
    assert main(["import", "results"]) == 0
    assert "0 new, 3 known and equal" in capsys.readouterr().out


def test_one_file_says_its_model_by_its_folders(place: Path) -> None:
    path = a_result(place / "org__a_b/r1")
    assert main(["import", str(path)]) == 0
    assert stored(place / "outputs")[0][0] == "org/a_b"


def test_model_meta_says_which_model(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = place / "results/openai__text-embedding-3-large_(embed_dim=512)/1"
    a_result(folder)
    experiment = place / "results/org__a/r1/experiments/dim_64"
    a_result(experiment)
    assert main(["import", "results"]) == 1  # an experiment's model is in its model_meta.json alone
    out = capsys.readouterr().out
    assert "its model is not told" in out
    assert stored(place / "outputs")[0][0] == "openai/text-embedding-3-large (embed_dim=512)"
    meta = '{"name": "org/a (dim=64)", "max_tokens": Infinity, "loader_kwargs": {"f": "<function at 0x7f>"}}'
    (experiment / "model_meta.json").write_text(meta)
    assert main(["import", "results"]) == 0
    assert ("org/a (dim=64)", "r1", "STS12", 0.5, "published", "dim_64") in stored(place / "outputs")


def test_what_is_broken_is_named_and_the_rest_is_read(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = place / "results/org__a/r1"
    a_result(folder)
    (folder / "STS13.json").write_text('{"task_name": "STS13", "task_name": "STS14"}')
    (folder / "STS15.json").write_text((folder / "STS12.json").read_text())
    (folder / "STS16.json").symlink_to("/etc/hostname")
    (folder / "bad\nname\x1b.json").write_text("{}")
    assert main(["import", "results"]) == 1
    out = capsys.readouterr().out
    assert "5 files: 1 read, 4 broken" in out
    assert "STS13.json: not valid: the key 'task_name' is there twice; skipped" in out
    assert "STS15.json: is of task 'STS12'; a result file is called as its task; skipped" in out
    assert "STS16.json: a link, which is not followed" in out
    assert "\x1b" not in out
    assert len(stored(place / "outputs")) == 1


def test_contradictions_are_kept_and_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a_result(place / "mine/org__a/r1", score=0.5)
    a_result(place / "theirs/org__a/r1", score=0.5 + 1e-4)
    assert main(["import", "mine"]) == 0
    assert main(["import", "theirs"]) == 1
    out = capsys.readouterr().out
    assert "1 new, 0 known and equal, 1 contradicting" in out
    assert "contradicting: org/a STS12 [test] default: 0.5 in org__a/r1/STS12.json, 0.5001 in" in out
    assert [row[3] for row in stored(place / "outputs")] == [0.5, 0.5001]


def test_a_checkout_says_its_commit_and_nothing_outside_results_is_read(place: Path) -> None:
    a_result(place / "repo/results/org__a/r1")
    a_result(place / "repo/elsewhere/org__b/r1")
    (place / "repo/.git").mkdir()
    (place / "repo/.git/HEAD").write_text("ref: refs/heads/main\n")
    (place / "repo/.git/packed-refs").write_text(f"# pack-refs\n{COMMIT} refs/heads/main\n")
    assert main(["import", "repo"]) == 0
    assert store.load(place / "outputs").collect()["source"].to_list() == [
        f"results/org__a/r1/STS12.json@{COMMIT}",
    ]
    (place / "repo/.git/HEAD").write_text("ref: ../../../etc/passwd\n")
    assert main(["import", "repo", "--outputs", "other"]) == 0
    assert store.load(place / "other").collect()["source"].to_list() == ["results/org__a/r1/STS12.json"]


def test_records_of_another_machine_and_their_exports(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measure(place, "model=minilm", "tasks=[STSBenchmark]", score=0.75)
    measure(place, "model=minilm", "model.max_tokens=128", "model.dtype=float16", "tasks=[STSBenchmark]", score=0.5)
    both = {
        (0.75, "embedmark", None),
        (0.5, "embedmark", "dtype=float16_max_tokens=128"),
    }
    theirs = place / "theirs"
    (place / "outputs").rename(theirs)
    assert main(["import", "theirs"]) == 0
    assert {row[-3:] for row in stored(place / "outputs")} == both
    for kind in ("parquet", "csv"):
        assert main(["export", "--to", kind, "--outputs", "theirs", "--out", "exported"]) == 0
        capsys.readouterr()
        assert main(["import", f"exported/scores.{kind}"]) == 0
        assert "0 new, 2 known and equal, 0 contradicting" in capsys.readouterr().out
    assert main(["export", "--to", "mteb", "--outputs", "theirs", "--out", "mteb"]) == 0
    assert main(["import", "mteb"]) == 0
    assert {row[-3:] for row in stored(place / "outputs")} == both
    assert len(stored(place / "outputs")) == len(both)
    folder = next((theirs / "jobs").glob("*--*"))
    (folder / "result.json").write_text("{}")
    assert main(["import", "theirs"]) == 1
    assert "is not what was written" in capsys.readouterr().out


CARD = """---
license: mit
model-index:
- name: mine
  results:
  - task: {type: STS}
    dataset: {name: MTEB STS12, type: mteb/sts12, config: default, split: test, revision: %s}
    metrics:
    - {type: cos_sim_pearson, value: 61.5}
    - {type: cos_sim_spearman, value: 72.25}
  - dataset: {name: MTEB AmazonReviewsClassification (fr), config: fr, split: test, revision: 2024-01-01}
    metrics: [{type: accuracy, value: 50}]
---
# Mine
"""


def test_a_model_card(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("README.md").write_text(CARD % COMMIT)
    assert main(["import", "README.md"]) == 0
    assert stored(place / "outputs") == [
        ("mine", "model card", "AmazonReviewsClassification", 0.5, "self-reported", None),
        ("mine", "model card", "STS12", 0.7225, "self-reported", None),
    ]
    of_aliases = "\n".join(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 8))
    for text, said in [
        ("# Mine", "not a model card"),
        ("---\nlicense: mit\n---", "no `model-index` block"),
        (f"---\na0: &a0 x\n{of_aliases}\n---", "more than 200,000 values"),
        (f"---\na: {10**400}\n---", "more than 18 digits"),
        ("---\na: .inf\n---", "no finite number"),
        ("---\na: !!binary eA==\n---", "a value of the kind bytes"),
        ("---\na: !!python/object/apply:os.system [id]\n---", "not valid YAML"),
        ("---\na: " + "[" * 2_000_000 + "\n---", "line 2: nested more than 50 deep"),
        ("---\nmodel-index: [{name: ../x, results: []}]\n---", "expected the name of a model"),
    ]:
        Path("README.md").write_text(text)
        assert main(["import", "README.md"]) == 2
        assert said in capsys.readouterr().err


def test_a_score_of_a_card_that_is_no_number_is_none() -> None:
    one = "{dataset: {name: MTEB STS12}, metrics: [{type: main_score, value: %s}]}"
    card = f"---\nmodel-index: [{{name: m, results: [{one % '.nan'}, {one % '50'}]}}]\n---"
    assert [row["main_score"] for row in scores_of_card(card.encode(), "x.md", lambda _: None)] == [0.5]


@pytest.mark.parametrize("value", ["1e308", "-1e99"])
def test_a_score_that_ranks_have_no_place_for_is_refused(value: str) -> None:
    metric = f"{{type: x, value: {value.replace('e', '.0e+')}}}"
    card = f"---\nmodel-index: [{{name: m, results: [{{dataset: {{name: STS12}}, metrics: [{metric}]}}]}}]\n---"
    with pytest.raises(UserError, match=r"metrics\[0\].value: found -?1e\+"):
        list(scores_of_card(card.encode(), "x.md", lambda _: "x"))
    for told in ("main_score", "cosine_spearman"):
        row = {"hf_subset": "default", told: float(value)}
        with pytest.raises(UserError, match=f"{told}: found -?1e"):
            parse_result({"task_name": "STS12", "scores": {"test": [row]}}, "x.json", lambda _: "cosine_spearman")


def test_tables_of_other_things_are_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {
        name: ["x"] for name in ("model", "revision", "task", "split", "subset", "dataset_revision", "mteb_version")
    }
    for values, said in [
        ({"a": [1]}, "lacks the columns"),
        ({**names, "main_score": [float("inf")]}, "infinite"),
        ({**names, "main_score": [-1e308]}, "column main_score: found -1e+308; expected at most 1,000,000"),
        ({**names, "main_score": [0.5], "task": ["../x"]}, "column task: '../x' is not a name"),
        ({**names, "main_score": [0.5], "task": ["aux.json"]}, "column task: 'aux.json' is not a name"),
        ({**names, "main_score": [0.5], "split": ["test."]}, "column split: 'test.' is not a name"),
        ({**names, "main_score": [0.5], "model": [None]}, "column model: a row has none"),
        ({**names, "main_score": ["high"]}, "column main_score: holds String; expected numbers"),
        ({**names, "main_score": [True]}, "column main_score: holds Boolean; expected numbers"),
        ({**names, "main_score": [0.5], "model": [1]}, "column model: holds Int64; expected texts"),
    ]:
        pl.DataFrame(values).write_parquet("x.parquet")
        assert main(["import", "x.parquet"]) == 2
        assert said in capsys.readouterr().err
    Path("x.parquet").write_bytes(b"PAR1" + b"\0" * 100)
    assert main(["import", "x.parquet"]) == 2
    Path("x.parquet").unlink()
    assert main(["import", "x.parquet"]) == 2
    assert "no such file or folder" in capsys.readouterr().err


def test_a_number_is_no_commit_in_tables_either(place: Path) -> None:
    names = {name: ["x", "y"] for name in ("model", "revision", "task", "split", "subset", "mteb_version")}
    values = {**names, "main_score": [0.5, 0.5], "dataset_revision": ["20240102", "0a1b2c3"]}
    pl.DataFrame(values).write_parquet("x.parquet")
    assert main(["import", "x.parquet"]) == 0
    kept = store.load(Path("outputs")).sort("model").collect()
    assert kept.select(pl.col("dataset_revision", "revision_text").cast(pl.String)).rows() == [
        (None, "20240102"),
        ("0a1b2c3", None),
    ]


@pytest.mark.parametrize("kind", [pl.String(), pl.Categorical(), pl.Enum(["x", "0a1b2c3"])])
def test_names_may_be_of_every_kind_of_text(kind: pl.DataType, place: Path) -> None:
    """The field's table has categories, exports have texts."""
    names = {name: ["x"] for name in ("model", "revision", "task", "split", "subset", "mteb_version")}
    made = pl.DataFrame({**names, "dataset_revision": ["0a1b2c3"]}).with_columns(pl.all().cast(kind))
    made.with_columns(main_score=pl.lit(0.5)).write_parquet("x.parquet")
    assert main(["import", "x.parquet"]) == 0
    assert store.load(Path("outputs")).collect().height == 1


def test_a_damaged_store_is_not_written_over(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = a_result(place / "org__a/r1")
    kept = store.path_of(place / "outputs")
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"not Parquet")
    assert main(["import", str(path)]) == 2
    assert "delete it and import again" in capsys.readouterr().err
    assert kept.read_bytes() == b"not Parquet"
    kept.unlink()
    assert main(["import", str(path)]) == 0
    whole = kept.read_bytes()
    kept.write_bytes(whole[:8] + b"\xff" * 120 + whole[128:])  # its foot says what it did
    for words in (["import", str(path)], ["lint", "imported"]):
        assert main(words) == 2
        assert "delete it and import again" in capsys.readouterr().err


SCORES = st.tuples(
    st.sampled_from(["org/a", "org/b"]), st.sampled_from(["STS12", "STS13"]),
    st.sampled_from([0.5, 0.5000001, 0.6, None]), st.sampled_from(["x.json", "y.json"]),
)  # fmt: skip


@given(st.lists(SCORES, min_size=1, max_size=12), st.randoms())
def test_the_order_of_imports_changes_no_byte(rows: list[Any], rng: Any) -> None:
    import tempfile

    def bytes_of(ordered: list[Any], size: int) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            for start in range(0, len(ordered), size):
                store.add(Path(folder), _scores(ordered[start : start + size]))
            return store.path_of(Path(folder)).read_bytes()

    mixed = list(rows)
    rng.shuffle(mixed)
    assert bytes_of(rows, len(rows)) == bytes_of(mixed, 1 + rng.randrange(4))


def _scores(rows: list[Any]) -> pl.DataFrame:
    made = [
        {
            **dict.fromkeys(store.COLUMNS), "model": model, "task": task, "main_score": score, "source": source,
            "revision": "r", "split": "test", "subset": "default", "origin": "published", "source_sha256": "ab",
            "imported_at": date(2026, 1, 1),
        }
        for model, task, score, source in rows
    ]  # fmt: skip
    return pl.DataFrame(made, schema=store.schema())


@published
def test_all_published_files_are_read(tmp_path: Path) -> None:
    with tarfile.open(FACTS / "sample.tar.xz") as sample:
        sample.extractall(tmp_path, filter="data")
    found = read(tmp_path, no_metric, Catalogue(quiet=True))
    assert (found.files, found.scores.height, found.broken) == (984, 6570, [])
    assert found.scores["model"].n_unique() == 25


@published
@pytest.mark.slow
def test_all_published_scores(tmp_path: Path) -> None:
    """Memory is measured in a process of its own, since others have left their marks in this one."""
    code = (
        "from embedmark.runner.cli.main import main; from embedmark.runner.results.environment import peak_memory;"
        f"status = main(['import', {str(FACTS / 'main_scores.parquet')!r}, '--outputs', {str(tmp_path)!r}]);"
        "print(status, peak_memory() / 2**20)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    status, mib = done.stdout.splitlines()[-1].split()
    assert status == "0"
    assert "1290433 scores of 662 models on 1555 tasks: 1290425 new, 8 known and equal" in done.stdout
    assert float(mib) < 1200, "a table of 1.29 million scores took 600 MiB as a command where this was written"


def test_load_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing was imported"):
        store.load(tmp_path)
    path = store.path_of(tmp_path)
    path.parent.mkdir()
    out = io.BytesIO()
    pl.DataFrame({"a": [1]}).write_parquet(out)
    path.write_bytes(out.getvalue())
    with pytest.raises(UserError, match="other columns"):
        store.load(tmp_path)
