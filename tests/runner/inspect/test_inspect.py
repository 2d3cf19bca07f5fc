"""A job looked into, its rankings kept, and the same for trec_eval."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import pytrec_eval
from small_project import reranking_task, small_project, table, task

from embedmark.runner.cli.main import main
from embedmark.runner.export.trec import escaped
from embedmark.runner.inspect.view import Shown, View, as_json, as_page, as_text
from embedmark.runner.results.items import npz, read_items
from embedmark.runner.results.predictions import read_predictions
from embedmark.runner.results.record import read_record

EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\" '</td></table>&amp;"
    "\x1b[31m\x1b]0;t\x07\x9b2J\u202e\u2066\u200b\nforged line\r."
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    small_project(tmp_path / "project")
    reranking_task(tmp_path / "project")
    return tmp_path


def run(*tasks: str, more: tuple[str, ...] = ()) -> int:
    return main(["run", "model=tiny", f"tasks=[{','.join(tasks)}]", "--config-dir", "project", *more])


def job(task: str) -> Path:
    (path,) = Path("outputs/jobs").glob(f"{task}--*")
    return path


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def rewrite(folder: Path, name: str, content: bytes) -> None:
    """Change a file, and the sums with it, as one would who wants it unseen."""
    old = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / name).write_bytes(content)
    sums = (folder / "SHA256SUMS").read_text()
    (folder / "SHA256SUMS").write_text(sums.replace(old, hashlib.sha256(content).hexdigest()))


def shown(*words: str) -> int:
    return main(["inspect", *words, "--config-dir", "project"])


MEASURES = {"ndcg_cut": "ndcg", "map_cut": "map", "recall": "recall", "P": "precision"}


def rescored(task: str) -> dict[str, float]:
    """What trec_eval makes of the exported files: every measure at every k, as the mean over judged queries."""
    with Path(f"trec/test_tiny/{task}_default_test.qrels").open() as file:
        qrels = pytrec_eval.parse_qrel(file)
    with Path(f"trec/test_tiny/{task}_default_test.run").open() as file:
        ranked = pytrec_eval.parse_run(file)
    cutoffs = ",".join(str(k) for k in (1, 3, 5, 10, 20, 100, 1000))
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, {f"{name}.{cutoffs}" for name in MEASURES})
    by_query = list(evaluator.evaluate(ranked).values())
    means = {name: sum(query[name] for query in by_query) / len(qrels) for name in by_query[0]}
    return {f"{MEASURES[name.rpartition('_')[0]]}_at_{name.rpartition('_')[2]}": mean for name, mean in means.items()}


def assert_scored_the_same(task: str) -> None:
    on_record = read_record(job(task) / "result.json").scores
    found = rescored(task)
    assert len(found) == 4 * 7
    assert found == pytest.approx({name: on_record[name] for name in found}, abs=1e-5)


def test_kept_rankings_are_scored_the_same_by_trec_eval(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("Search", "Order", more=("execution.predictions=true",)) == 0
    assert main(["export", "--to", "trec", "--out", "trec"]) == 0
    assert_scored_the_same("Search")
    assert_scored_the_same("Order")


def odd_search(settings: Mapping[str, object], blank: str) -> None:
    """Search again: ids that trec_eval orders by their bytes or cannot read, and many documents of equal scores."""
    ids = [
        f"{sign}{i % 7}{other}" for i, (sign, other) in enumerate(itertools.product(f"a%\u00e9\u65e5~:{blank}", "b-~%"))
    ]
    project = Path("project")
    table(project, "search/corpus", test=[{"_id": i, "title": "", "text": f"a {n % 3}"} for n, i in enumerate(ids)])
    table(project, "search/queries", test=[{"_id": f"q {i}", "text": f"word {i % 3}"} for i in range(8)])
    qrels = [
        {"query-id": f"q {i}", "corpus-id": ids[(5 * i + n) % len(ids)], "score": n} for i in range(8) for n in range(4)
    ]
    table(project, "search/qrels", test=qrels)
    task(project, "Search", "retrieval", "ndcg_at_10", settings=settings)


@pytest.mark.parametrize("settings", [{}, {"skip_first_result": True}])
def test_equal_scores_and_odd_ids_are_scored_the_same(
    settings: Mapping[str, object], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd_search(settings, "z")
    assert run("Search", more=("execution.predictions=true",)) == 0
    assert read_record(job("Search") / "result.json").main_score > 0
    assert main(["export", "--to", "trec", "--out", "trec"]) == 0
    assert "another order" not in capsys.readouterr().out
    assert_scored_the_same("Search")
    ranks = [line.split()[3] for line in Path("trec/test_tiny/Search_default_test.run").read_text().splitlines()]
    assert ranks == [str(rank) for _ in range(8) for rank in range(1, len(ranks) // 8 + 1)]


def test_what_trec_eval_scores_otherwise_is_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd_search({}, "\u3000")
    assert run("Search", more=("execution.predictions=true",)) == 0
    candidates = [{"query-id": f"q{i}", "corpus-ids": [f"d{3 * i}", "d1"] if i else ["q0"]} for i in range(8)]
    table(Path("project"), "order/top_ranked", test=candidates)
    rows = [*jsonl("order/corpus"), {"_id": "q0", "title": "", "text": "the query"}]
    table(Path("project"), "order/corpus", test=rows)
    task(Path("project"), "Order", "reranking", "ndcg_at_10", settings={"ignore_identical_ids": True})
    assert run("Order", more=("execution.predictions=true",)) == 0
    capsys.readouterr()
    assert main(["export", "--to", "trec", "--out", "trec"]) == 0
    said = capsys.readouterr().out
    assert "Search: queries with equal scores in another order than on record, by ids that are escaped: " in said
    assert "Order: queries that found nothing: 1; trec_eval counts them, as 0, with -c alone" in said
    assert_scored_the_same("Order")


def jsonl(name: str) -> list[dict[str, object]]:
    lines = Path(f"project/data/{name}/test.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_what_is_done_is_scored_again_and_stays_the_same(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("Search", "Likeness") == 0
    before = files_of(job("Search"))
    assert "predictions.parquet" not in before
    assert run("Search", "Likeness", more=("execution.predictions=true",)) == 0
    assert "2 jobs: 1 done, 1 to do" in capsys.readouterr().out
    after = files_of(job("Search"))
    assert {name for name in after if after[name] != before.get(name)} == {"predictions.parquet", "SHA256SUMS"}
    assert f"{hashlib.sha256(after['predictions.parquet']).hexdigest()}  predictions.parquet" in (
        after["SHA256SUMS"].decode().splitlines()
    )
    found = read_predictions(job("Search"))
    assert found is not None
    assert found.num_rows == 8 * 40
    assert run("Search", "Likeness", more=("execution.predictions=true",)) == 0
    assert "2 jobs: all done" in capsys.readouterr().out
    assert main(["verify"]) == 0


def test_rankings_of_other_scores_are_not_kept(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("Search") == 0
    folder = job("Search")
    record = json.loads((folder / "result.json").read_text())
    record["scores"]["recall_at_10"] += 2e-6
    rewrite(folder, "result.json", json.dumps(record).encode())
    before = files_of(folder)
    assert run("Search", more=("execution.predictions=true",)) == 1
    assert "recall_at_10 is " in capsys.readouterr().out
    assert files_of(folder) == before
    assert run("Search", more=("execution.predictions=true", "rerun=true")) == 0
    assert read_predictions(folder) is not None


def test_a_signed_record_is_left_alone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("Search") == 0
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"], check=True)
    assert main(["sign", str(job("Search")), "--key", "key"]) == 0
    before = files_of(job("Search"))
    capsys.readouterr()
    assert run("Search", more=("execution.predictions=true",)) == 0
    said = capsys.readouterr().out
    assert "1 job: all done" in said
    assert "is signed, so that no rankings are added to it" in said
    assert files_of(job("Search")) == before


def test_ids_are_one_word() -> None:
    assert escaped("a b") == "a%20b"
    assert escaped("50%") == "50%25"
    assert escaped("\u00e9\n\u3000\u202e") == "\u00e9%0A%E3%80%80%E2%80%AE"
    assert escaped("doc:1/2?x=[y]") == "doc:1/2?x=[y]"
    assert escaped("") == "%"


def other_types() -> None:
    """A task of each type that the project lacks, Odd in front of its name."""
    project, words = Path("project"), [f"{a} {b}" for a in "abcdefgh" for b in "uvwxyz"]
    rows = [{"text": text, "value": float(n), "label": ["red", "blue", "green"][n % 3]} for n, text in enumerate(words)]
    table(project, "oddregression", train=rows[::2], test=rows[1::2])
    task(project, "OddRegression", "regression", "kendalltau", settings={"n_experiments": 2})
    table(project, "oddzeroshot", test=rows)
    candidates = {"candidate_labels": ["blue", "green", "red"]}
    task(project, "OddZeroshot", "zeroshot_classification", "accuracy", settings=candidates)
    for row in rows:
        row["label"] = [row["label"], "old" if len(row["label"]) % 2 else "new"]
    table(project, "oddmultilabel", train=rows, test=rows[::3])
    task(project, "OddMultilabel", "multilabel_classification", "accuracy", settings={"n_experiments": 2})
    tables = [{"sentences": words[n::2], "labels": ["x", "y", "z", "z"] * 6} for n in range(2)]
    table(project, "oddlegacy", test=tables)
    task(project, "OddLegacy", "clustering_legacy", "v_measure")
    summed = [
        {"text": f"text {n}", "human_summaries": words[n : n + 2], "machine_summaries": words[n + 9 : n + 13]}
        | {"relevance": [1.0, 2.0, 4.0, 3.0 if n else 1.0]}
        for n in range(6)
    ]
    table(project, "oddsummary", test=summed)
    task(project, "OddSummary", "summarization", "cosine_spearman", settings={"min_score": 0, "max_score": 5})
    placed = [{"texts": words[n : n + 5], "x": [0, 1, 2, 5, 9], "y": [7, n, 0, 3, 2]} for n in range(3)]
    table(project, "oddplaces", test=placed)
    task(project, "OddPlaces", "arrangement", "alpha_auc")


TYPES = ["Topics", "Likeness", "Groups", "Search", "Pairs", "Twins", "Order"]
ODD = ["OddRegression", "OddZeroshot", "OddMultilabel", "OddLegacy", "OddSummary", "OddPlaces"]
SAID = {
    "Topics": ["text", "right", "predicted"],
    "Groups": ["text", "label", "together"],
    "OddRegression": ["text", "right", "predicted"],
    "OddZeroshot": ["text", "right", "predicted"],
    "OddMultilabel": ["text", "right", "missed"],
    "OddSummary": ["text", "judged 4", "judged 3"],
}


def test_each_type(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other_types()
    assert run(*TYPES, *ODD) == 0
    for name in (*TYPES, *ODD):
        capsys.readouterr()
        assert shown(str(job(name)), "-n", "2", "--format", "json") == 0, name
        found = json.loads(capsys.readouterr().out)
        scores = [item["score"] for item in found["items"]]
        assert len(scores) == 2
        assert scores == sorted(scores)
        assert all(text for item in found["items"] for _, text in item["parts"])
        labels = [label for label, _ in found["items"][0]["parts"]]
        assert labels[:3] == SAID.get(name, labels[:3]), name
        assert bool(found["notes"]) == (name in {"Topics", "Groups", "OddZeroshot", "OddMultilabel"}), name


def test_split_clusters_are_named_by_their_labels(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [*["a"] * 20, *["b"] * 10, *["b", "z"] * 10]
    rows = [
        {"sentences": text, "labels": "one" if n < 20 else "two" if n < 30 else "torn"} for n, text in enumerate(texts)
    ]
    table(Path("project"), "groups", test=rows)
    assert run("Groups") == 0
    capsys.readouterr()
    assert shown(str(job("Groups")), "-n", "1") == 0
    title, note, _, document, _, label, together = capsys.readouterr().out.splitlines()
    assert title.startswith("test/tiny, Groups: v_measure 0.")
    assert re.fullmatch(r"label torn is in 2 clusters, \d\d% of it in the largest", note)
    assert document.startswith("document ")
    assert label.split() == ["label", "torn"]
    assert re.search(r"\d\d% of what has its label is in its cluster", together)


def test_the_worst_query_says_what_was_found_and_what_was_right(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("Search") == 0
    capsys.readouterr()
    assert shown(str(job("Search")), "-n", "1") == 0  # from stored vectors
    out = capsys.readouterr().out
    assert "ndcg_at_10" in out
    assert "  query        " in out
    assert "  found 1      " in out
    assert "  right, at " in out
    (store,) = Path("outputs/store").glob("*")
    for shard in store.glob("*.safetensors"):
        shard.unlink()
    assert shown(str(job("Search"))) == 2
    assert "execution.predictions=true` makes them" in capsys.readouterr().err


def test_two_jobs_part(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("Likeness") == 0
    first = job("Likeness")
    assert run("Likeness", more=("model.truncate_dim=2",)) == 0
    (other,) = set(Path("outputs/jobs").glob("Likeness--*")) - {first}
    capsys.readouterr()
    assert shown(str(first), str(other), "-n", "2") == 0
    assert " against " in capsys.readouterr().out
    assert shown(str(first), str(first)) == 0
    assert " against " not in capsys.readouterr().out
    assert run("Topics") == 0
    assert shown(str(first), str(job("Topics"))) == 2
    assert shown(str(first), str(first), str(first)) == 2


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_texts_of_others_are_shown_and_never_obeyed(form: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile_search()
    assert run("Search", more=("execution.predictions=true",)) == 0
    capsys.readouterr()
    assert shown(str(job("Search")), "--format", form) == 0
    out = capsys.readouterr().out
    assert shown(str(job("Search")), "--format", form, "--out", "page") == 0
    written = Path("page").read_text(encoding="utf-8")
    for content in (out, written):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f]", content)
        assert "alert(1)" in content
    if form == "html":
        tags = set(re.findall(r"<[^ >]*", written.partition("<body>")[2]))
        assert tags <= {f"<{end}{tag}" for tag in PAGE_TAGS for end in ("", "/")}
        assert "default-src 'none'" in written
    elif form == "json":
        (item,) = [item for item in json.loads(written)["items"] if item["what"].startswith("query q\n")]
        assert ["query", EVIL.strip()] in item["parts"]  # whole, and in ASCII
        assert written.isascii()
    else:
        assert not any(line.startswith("forged") for line in written.splitlines())


PAGE_TAGS = ("h1", "ul", "li", "section", "h2", "small", "table", "tr", "th", "td", "body", "html")


def hostile_search() -> None:
    """Search again: its first query and all of its documents are hostile, by their texts and their ids."""
    project = Path("project")
    documents = [{"_id": f"d{n}\nforged{EVIL}", "title": EVIL, "text": f"{EVIL} {n}"} for n in range(12)]
    queries = [{"_id": f"q\nforged{EVIL}", "text": EVIL}, {"_id": "q2", "text": "the word"}]
    qrels = [{"query-id": query["_id"], "corpus-id": documents[3]["_id"], "score": 1} for query in queries]
    for part, content in (("corpus", documents), ("queries", queries), ("qrels", qrels)):
        table(project, f"search/{part}", test=content)


def test_a_score_that_is_not_defined_is_valid_json() -> None:
    view = View("t", [Shown("text 1", math.nan, (("text", "\ud800"),))])
    assert json.loads(as_json(view))["items"][0]["score"] is None
    assert "not scored" in as_text(view)
    assert as_page(view).encode()


def test_what_cannot_be_looked_into(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("Likeness", more=("execution.items=false",)) == 0
    assert shown(str(job("Likeness"))) == 2
    assert "kept no items" in capsys.readouterr().err
    assert run("Topics") == 0
    table(Path("project"), "topics", test=[{"text": "a", "label": 1}])
    assert shown(str(job("Topics"))) == 2
    assert "makes another job of its identity" in capsys.readouterr().err


def test_data_that_is_gone_is_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("Search") == 0
    shutil.rmtree("project/data/search")
    capsys.readouterr()
    assert shown(str(job("Search"))) == 2
    err = capsys.readouterr().err
    assert "Search" in err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1


def test_items_that_do_not_fit_the_data_are_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = {
        "Twins": ("found", lambda found: found + 1000),
        "Pairs": ("_unit", lambda unit: unit[1:]),
        "Groups": ("drawn", lambda drawn: drawn + 1000),
    }
    assert run(*changes) == 0
    for name, (array, change) in changes.items():
        arrays = dict(read_items(job(name) / "items.npz"))
        rewrite(job(name), "items.npz", npz({**arrays, array: change(arrays[array])}))
        capsys.readouterr()
        assert shown(str(job(name))) == 2
        assert "items.npz" in capsys.readouterr().err
