"""Whole runs of every type: the main score is computed again from the files that a run left behind."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_project import small_project, table, task

from embedmark.runner.cli.main import main
from embedmark.runner.results.items import read_items
from embedmark.tasks.item_arrays import main_score_of, units

RNG = random.Random(3)
TEXTS = [
    f"{a} {b}" for a in ("query", "word", "the a", "b c d", "e") for b in ("f g", "h", "i j k", "l m", "n", "o p q")
]


def label_tasks(folder: Path) -> None:
    names = [RNG.choice(["one", "two"]) for _ in TEXTS]
    table(folder, "folds", test=[{"text": t, "label": n} for t, n in zip(TEXTS, names, strict=True)])
    folds = {"is_cross_validation": True, "train_split": "test", "n_splits": 3}
    task(folder, "Folds", "classification", "f1", settings=folds)
    rows = [{"text": text, "label": RNG.randrange(2), "document": i // 5} for i, text in enumerate(TEXTS)]
    table(folder, "precise", train=rows, test=[{**row, "text": f"{row['text']} z"} for row in rows])
    task(folder, "Precise", "classification", "ap", settings={"n_experiments": 4, "cluster_column": "document"})
    table(folder, "oneclass", train=rows, test=[{**row, "label": 1} for row in rows])
    task(folder, "OneClass", "classification", "recall_weighted", settings={"n_experiments": 2})
    listed = [
        {"text": text, "label": [["x", "y", "z"][(i + j) % 3] for j in range(i % 3)]} for i, text in enumerate(TEXTS)
    ]
    table(folder, "several", train=listed, test=listed)
    task(folder, "Several", "multilabel_classification", "lrap", settings={"n_experiments": 3})
    table(folder, "severalf1", train=listed, test=listed[:7])
    task(folder, "SeveralF1", "multilabel_classification", "f1", settings={"n_experiments": 3})
    table(folder, "numbers", test=[{"text": text, "value": RNG.random()} for text in TEXTS])
    task(folder, "Numbers", "regression", "kendalltau", settings=folds)
    task_settings = {"candidate_labels": ["query word", "e f"]}
    table(folder, "guess", test=[{"text": row["text"], "label": row["label"]} for row in rows])
    task(folder, "Guess", "zeroshot_classification", "ap", settings=task_settings)
    levels = [{"sentences": text, "labels": [i % 3, 10 * (i % 3) + i % 2][: 1 + i % 2]} for i, text in enumerate(TEXTS)]
    table(folder, "levels", test=levels)
    few = {"max_fraction_of_documents_to_embed": None, "n_clusterings": 2, "max_documents_per_cluster": 50}
    task(folder, "Levels", "clustering", "ami", settings=few)
    old = [{"sentences": TEXTS[:10], "labels": [0, 1] * 5}, {"sentences": TEXTS[:4], "labels": [1] * 4}]
    table(folder, "oldgroups", test=old)
    task(folder, "OldGroups", "clustering_legacy", "v_measure")


def pair_tasks(folder: Path) -> None:
    pairs = [
        {"sentence1": RNG.choice(TEXTS[:9]), "sentence2": RNG.choice(TEXTS), "score": RNG.randrange(6)}
        for _ in range(40)
    ]
    table(folder, "tied", test=pairs)
    task(folder, "Tied", "sts", "manhattan_pearson")
    table(folder, "together", test=[{**pair, "labels": RNG.randrange(2)} for pair in pairs])
    task(folder, "Together", "pair_classification", "max_accuracy")
    table(folder, "apart", test=[{**pair, "labels": 0} for pair in pairs])
    task(folder, "Apart", "pair_classification", "dot_ap")
    table(
        folder,
        "matched",
        test=[{"sentence1": TEXTS, "sentence2": TEXTS[::-1], "gold": [[i, 1 + i % 7] for i in range(1, 30)]}],
    )
    task(folder, "Matched", "bitext_mining", "f1", settings={"gold_column": "gold"})
    parallel = [{"eng": text, "deu": RNG.choice(TEXTS)} for text in TEXTS]
    table(folder, "parallel/eng-deu", test=parallel)
    table(folder, "parallel/deu-eng", test=parallel)
    task(
        folder,
        "Parallel",
        "bitext_mining",
        "precision",
        settings={"parallel_subsets": True},
        subsets={"eng-deu": ["eng-Latn", "deu-Latn"], "deu-eng": ["deu-Latn", "eng-Latn"]},
        languages=None,
    )
    summed = [
        {
            "human_summaries": TEXTS[:2],
            "machine_summaries": [TEXTS[(3 * i + j) % 30] for j in range(6)],
            "relevance": [1] * 6 if i == 2 else [RNG.randrange(6) for _ in range(6)],
        }
        for i in range(6)
    ]
    table(folder, "summed", test=summed)
    task(folder, "Summed", "summarization", "cosine_spearman")
    table(folder, "summedold", test=summed)
    task(folder, "SummedOld", "summarization", "dot_pearson", settings={"average_p_values": True})
    placed = [
        {"texts": TEXTS[:6], "x": [RNG.random() for _ in range(6)], "y": [RNG.random() for _ in range(6)]}
        for _ in range(3)
    ]
    table(folder, "placed", test=placed)
    task(folder, "Placed", "arrangement", "alpha_auc")


def ranking_tasks(folder: Path) -> None:
    def search(name: str, queries: list[str], metric: str, kind: str = "retrieval", **more: Any) -> None:
        base = name.lower()
        table(folder, f"{base}/corpus", test=[{"_id": f"d{i}", "text": text} for i, text in enumerate(TEXTS)])
        table(folder, f"{base}/queries", test=[{"_id": q, "text": TEXTS[i % 30]} for i, q in enumerate(queries)])
        qrels = [
            {"query-id": q, "corpus-id": f"d{(i // 2 + 5 * j) % 30}", "score": 1}
            for i, q in enumerate(queries)
            for j in range(2)
        ]
        table(folder, f"{base}/qrels", test=qrels)
        if kind.endswith("reranking"):
            table(
                folder,
                f"{base}/top_ranked",
                test=[{"query-id": q, "corpus-ids": [f"d{i}" for i in range(0, 30, 5)]} for q in queries],
            )
        task(folder, name, kind, metric, **more)

    plain = [f"q{i}" for i in range(9)]
    search("First", plain, "accuracy")
    search("Sure", plain, "nauc_map_at_10_diff1")
    search("Capped", plain, "R_cap_at_5", settings={"extra_metrics": ["capped_recall"]})
    search(
        "Twice",
        [f"{i}_q{j}" for i in range(5) for j in (1, 2)],
        "paired_accuracy",
        "reranking",
        settings={"extra_metrics": ["paired_accuracy"]},
    )
    search(
        "Robust",
        [f"{i}_{j}" for i in range(4) for j in range(3)],
        "robustness_at_10",
        "instruction_retrieval",
        settings={"extra_metrics": ["robustness_at_10"]},
    )
    search(
        "Parts",
        [f"{i}_{j}" for i in range(4) for j in range(3)],
        "max_over_subqueries_map_at_1000",
        "reranking",
        settings={"extra_metrics": ["max_over_subqueries"]},
    )
    search(
        "Level",
        [f"q{i}_v{j}" for i in range(3) for j in (1, 2, 3)],
        "ndcg_at_20",
        "instruction_retrieval",
        settings={"extra_metrics": ["instruction_levels"]},
    )
    search("Changed", [f"{i}-{j}" for i in range(4) for j in ("og", "changed")], "p-MRR", "instruction_reranking")
    table(folder, "changed/qrel_diff", test=[{"query-id": f"{i}", "corpus-ids": ["d0", "d5"]} for i in range(3)])


EVERY = """
Folds Precise OneClass Several SeveralF1 Numbers Guess Levels OldGroups Tied Together Apart Matched Parallel Summed
SummedOld Placed First Sure Capped Twice Robust Parts Level Changed
""".split()  # noqa: SIM905 - a list of so many lines would hide which tasks they are


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_project(tmp_path_factory.mktemp("items"))
    label_tasks(folder)
    pair_tasks(folder)
    ranking_tasks(folder)
    return folder


@pytest.fixture(scope="module")
def done(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outputs of one run of every task."""
    outputs = tmp_path_factory.mktemp("outputs")
    assert run(project, outputs, f"tasks=[{','.join(EVERY)}]") == 0
    return outputs


def run(project: Path, outputs: Path, *overrides: str) -> int:
    return main(["run", "--config-dir", str(project), "model=tiny", f"outputs={outputs}", *overrides])


def folder_of(outputs: Path, name: str) -> Path:
    return min(outputs.glob(f"jobs/{name}--*"))


@pytest.mark.parametrize("name", EVERY)
def test_the_main_score_is_computed_from_the_files_of_a_job(done: Path, name: str) -> None:
    folders = list(done.glob(f"jobs/{name}--*"))
    assert len(folders) == (2 if name == "Parallel" else 1)
    for folder in folders:
        record = json.loads((folder / "result.json").read_text())
        kind = json.loads((folder / "identity.json").read_text())["task"]["type"]
        expected = float("nan") if record["main_score"] is None else record["main_score"]
        items = read_items(folder / "items.npz")
        found = main_score_of(kind, record["main_metric"], items)
        assert found == pytest.approx(expected, rel=0, abs=1e-12, nan_ok=True)
        assert len(set(items["_unit"].tolist())) == len(items["_unit"])


def test_rows_of_two_records_are_matched_by_their_unit(done: Path) -> None:
    items = read_items(folder_of(done, "Folds") / "items.npz")
    assert items["_unit"].tolist() == units(TEXTS).tolist()
    assert "_cluster" not in items
    there, back = (read_items(path / "items.npz")["_cluster"] for path in done.glob("jobs/Parallel--*"))
    assert there.tolist() == back.tolist() == list(range(30))
    assert read_items(folder_of(done, "Precise") / "items.npz")["_cluster"].tolist() == [i // 5 for i in range(30)]


def test_without_items_a_record_is_whole(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(project, tmp_path, "tasks=[Tied]", "execution.items=false") == 0
    folder = folder_of(tmp_path, "Tied")
    assert not (folder / "items.npz").exists()
    assert (folder / "result.json").exists()
    capsys.readouterr()
    assert run(project, tmp_path, "tasks=[Tied]") == 0
    assert "1 job: all done" in capsys.readouterr().out
    assert run(project, tmp_path, "tasks=[Tied]", "rerun=true") == 0
    assert (folder / "items.npz").exists()


WRONG = {
    "Precise": ("documents", "column 'documents'"),
    "Folds": ("author", "column 'author'"),
    "Several": ("label", "expected a text or whole number"),
    "Numbers": ("value", "column 'value' holds fractions, expected text or whole numbers"),
    "Tied": ("Score", "column 'Score'"),
    "Together": ("nothing", "column 'nothing'"),
    "Parallel": ("row", "column 'row'"),
    "Levels": ("labels", "expected a text or whole number"),
    "Summed": ("source", "column 'source'"),
    "First": ("document", "column 'document'"),
    "Changed": ("document", "column 'document'"),
}
"""Task → a column that cannot be its column of clusters, and what is said of it."""


@pytest.fixture(scope="module")
def refused(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Task → why it failed with a wrong column of clusters."""
    outputs, configs = tmp_path_factory.mktemp("refused"), tmp_path_factory.mktemp("wrong")
    for name, (column, _) in WRONG.items():
        config = yaml.safe_load((project / f"task/{name.lower()}.yaml").read_text())
        config["settings"] = {**config.get("settings", {}), "cluster_column": column}
        (configs / "task").mkdir(exist_ok=True)
        (configs / "task" / f"{name.lower()}.yaml").write_text(yaml.safe_dump(config))
    (configs / "model").mkdir()
    (configs / "model" / "tiny.yaml").write_text((project / "model" / "tiny.yaml").read_text())
    assert run(configs, outputs, f"tasks=[{','.join(WRONG)}]") == 1
    failures = [json.loads(path.read_text()) for path in outputs.glob("jobs/*/failure.json")]
    return {failure["job"]["task"]: failure["message"] for failure in failures}


@pytest.mark.parametrize("name", WRONG)
def test_a_column_of_clusters_that_does_not_fit_is_named(refused: dict[str, str], name: str) -> None:
    assert WRONG[name][1] in refused[name]
    assert len(refused[name]) < 600


def test_a_column_of_clusters_makes_another_job_and_none_does_not(
    project: Path, done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name for path in done.glob("jobs/*--*")}
    arguments = ["--config-dir", str(project), "model=tiny", f"outputs={done}", "task=summed"]
    assert main(["plan", *arguments, "+task.settings.cluster_column=null"]) == 0
    assert "done" in capsys.readouterr().out
    assert run(project, done, "task=summed", "+task.settings.cluster_column=null") == 0
    assert {path.name for path in done.glob("jobs/*--*")} == before
