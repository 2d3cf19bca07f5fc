"""`import embedmark`: what Python programs call, in whatever folder, script, thread or training they do."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from PIL import Image
from sentence_transformers import SentenceTransformer
from small_project import TASKS, small_project
from tiny_models import tiny_bert

import embedmark
from embedmark.runner.cli.main import main

HEAVY = ("torch", "transformers", "sentence_transformers", "datasets", "numpy", "pydantic", "hydra", "rich", "polars")

PAIRS = [
    {"sentence1": "a cat", "sentence2": "a dog", "score": 2.5},
    {"sentence1": "a cat sat", "sentence2": "the cat sat", "score": 4.5},
    {"sentence1": "rain", "sentence2": "a steel bridge", "score": 0.5},
]


def pets(rows: Any = PAIRS, **more: Any) -> embedmark.Rows:
    return embedmark.Rows(rows, name="Pets", type="sts", main_metric="cosine_spearman", languages=["eng-Latn"], **more)


class Counting:
    """An object with `encode`, which counts the texts that it is given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode(self, texts: list[str]) -> Any:
        self.texts += texts
        return [[len(text), text.count("a"), text.count("c") + 0.5] for text in texts]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def python(code: str, folder: Path, *more: str) -> str:
    """Run a script of its own in a folder."""
    (folder / "script.py").write_text(code, encoding="utf-8")
    ran = subprocess.run([sys.executable, *more, "script.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_import_alone_loads_nothing(tmp_path: Path) -> None:
    said = python(f"import sys, embedmark\nprint([name for name in {HEAVY!r} if name in sys.modules])", tmp_path)
    assert said.strip() == "[]"


def test_every_name_is_there_and_an_unknown_one_is_told() -> None:
    for name in embedmark.__all__:
        assert getattr(embedmark, name) is not None
    assert set(embedmark.__all__) <= set(dir(embedmark))
    with pytest.raises(AttributeError, match=r"has no attribute 'evalute'; it has .*evaluate"):
        _ = embedmark.evalute  # type: ignore[attr-defined]


def kept(outputs: Path) -> dict[str, Any]:
    """Every record without its times, by fingerprint."""
    found = {}
    for path in outputs.glob("jobs/*/result.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        for key in ("timing", "started_at", "finished_at"):
            del record[key]
        found[path.parent.name] = (record, (path.parent / "identity.json").read_bytes())
    return found


def test_records_are_those_of_the_command_line(tmp_path: Path) -> None:
    project = small_project(tmp_path / "project")
    results = embedmark.evaluate("tiny", tasks=TASKS, config_dirs=[project], outputs="python")
    assert main(["run", "--config-dir", str(project), "model=tiny", f"tasks=[{','.join(TASKS)}]", "outputs=shell"]) == 0
    assert kept(Path("python")) == kept(Path("shell"))
    assert len(results.records) == len(TASKS)
    assert results.failures == ()
    again = embedmark.plan("tiny", tasks=TASKS, config_dirs=[project], outputs="shell")
    assert again.left == 0
    assert set(embedmark.load_results("shell", config_dirs=[project]).scores["task"]) == set(TASKS)


def test_a_config_and_a_benchmark_may_be_given(tmp_path: Path) -> None:
    project = small_project(tmp_path / "project")
    config = {"name": "test/tiny", "source": {"path": str(project / "weights")}, "truncate_dim": 8}
    results = embedmark.evaluate(config, tasks="Likeness", config_dirs=[project])
    assert [record.job.model for record in results.records] == ["test/tiny"]
    assert [means["mean_task"] for means in results.to_dict()["models"].values()] == [results.mean_task]


def test_an_object_without_a_name_of_its_own_is_not_kept(tmp_path: Path) -> None:
    results = embedmark.evaluate(Counting(), tasks=pets(), outputs="outputs")
    assert results.mean_task is not None
    assert not results.is_kept
    assert "give identity=... to keep vectors and records" in repr(results)
    assert not Path("outputs").exists()


def test_an_object_that_the_caller_names_is_kept_and_found_again() -> None:
    first, second, other = Counting(), Counting(), Counting()
    results = embedmark.evaluate(first, tasks=[pets()], identity="run-7 step 100")
    assert sorted(first.texts) == sorted({text for row in PAIRS for text in (row["sentence1"], row["sentence2"])})
    again = embedmark.evaluate(second, tasks=[pets()], identity="run-7 step 100")
    assert second.texts == []
    assert again.records == results.records
    assert embedmark.evaluate(other, tasks=[pets()], identity="run-7 step 200").records != results.records
    assert other.texts
    assert {column.model for column in embedmark.load_results().report.columns} == {"run-7 step 100", "run-7 step 200"}


def test_functions_and_prompts() -> None:
    seen: list[str] = []

    def encode(texts: list[str]) -> Any:
        seen.extend(texts)
        return torch.tensor([[float(len(text)), 1.0] for text in texts], requires_grad=True)

    results = embedmark.evaluate(encode, tasks=pets(), prompts={"STS": "say: "})
    assert results.failures == ()
    assert all(text.startswith("say: ") for text in seen)


@pytest.mark.parametrize(
    "rows",
    [
        pd.DataFrame(PAIRS, index=[7, 8, 9]),
        pl.DataFrame(PAIRS),
        datasets.Dataset.from_list([*PAIRS, PAIRS[0]]).select(range(3)),
        {"test": PAIRS},
        {name: [row[name] for row in PAIRS] for name in PAIRS[0]},
        tuple(PAIRS),
    ],
    ids=["pandas", "polars", "datasets", "splits", "columns", "tuple"],
)
def test_rows_of_every_kind_are_the_same_task(rows: Any) -> None:
    expected, found = (embedmark.evaluate(Counting(), tasks=pets(given)) for given in (PAIRS, rows))
    assert [record.fingerprint for record in found.records] == [record.fingerprint for record in expected.records]
    assert found.mean_task == expected.mean_task


def test_other_rows_are_another_task() -> None:
    other = [{**PAIRS[0], "score": 5.0}, *PAIRS[1:]]
    plans = [embedmark.plan(Counting(), tasks=pets(rows), identity="a") for rows in (PAIRS, other)]
    assert plans[0].plan.jobs[0].fingerprint != plans[1].plan.jobs[0].fingerprint


def test_retrieval_in_memory() -> None:
    rows = {
        "corpus": [{"id": "d1", "text": "a cat"}, {"id": "d2", "text": "steel"}],
        "queries": [{"id": "q1", "text": "a cat"}],
        "qrels": [{"query-id": "q1", "corpus-id": "d1", "score": 1}],
    }
    task = embedmark.Rows(rows, name="Find", type="retrieval", main_metric="ndcg_at_10", languages=["eng-Latn"])
    results = embedmark.evaluate(Counting(), tasks=[task])
    assert results.failures == ()
    assert results.mean_task == 1.0


def test_a_class_learns_from_one_split_and_is_tested_on_another() -> None:
    rows = {
        "train": [{"text": "a" * n, "label": n % 2} for n in range(1, 21)],
        "test": [{"text": "a" * n, "label": n % 2} for n in range(1, 11)],
    }
    task = embedmark.Rows(rows, name="Odd", type="classification", main_metric="accuracy", languages=["eng-Latn"])
    results = embedmark.evaluate(Counting(), tasks=[task])
    assert results.failures == ()
    assert [record.job.split for record in results.records] == ["test"]


def test_a_failure_is_told_and_stops_no_other(tmp_path: Path) -> None:
    class Broken(Counting):
        def encode(self, texts: list[str]) -> Any:
            if any("<b>" in text for text in texts):
                raise ZeroDivisionError("<script>")
            return super().encode(texts)

    bad = embedmark.Rows(
        [{**PAIRS[0], "sentence1": "<b>"}, *PAIRS[1:]], name="<i>Bad", type="sts", main_metric="cosine_spearman",
        languages=["eng-Latn"],
    )  # fmt: skip
    results = embedmark.evaluate(Broken(), tasks=[bad, pets()])
    assert [failure.error_class for failure in results.failures] == ["ZeroDivisionError"]
    assert [record.job.task for record in results.records] == ["Pets"]
    assert "ZeroDivisionError" in repr(results)
    assert "<script>" not in results._repr_html_()
    assert "<i>" not in results._repr_html_()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "minilmm", "tasks": "STSBenchmark"}, "no model 'minilmm'.*Did you mean 'minilm'"),
        ({"model": "minilm", "tasks": "STSBenchmrk"}, "no task 'STSBenchmrk'.*Did you mean 'STSBenchmark'"),
        ({"model": "minilm", "tasks": "quickstart"}, "'quickstart' is a benchmark; give benchmark='quickstart'"),
        ({"model": "minilm"}, "nothing to run"),
        ({"model": "minilm", "tasks": "STSBenchmark", "identity": "x"}, "identity: is for models that are objects"),
        ({"model": 7, "tasks": "STSBenchmark"}, "model: found int; expected the name of a model, a config, an object"),
        ({"model": Counting, "tasks": "STSBenchmark"}, "model: found .*Counting.*; expected"),
        ({"model": Counting(), "tasks": "STSBenchmark", "identity": " "}, "identity: found an empty text"),
        ({"model": Counting(), "tasks": [7]}, "tasks: found int; expected the name of a task"),
        ({"model": Counting(), "tasks": pets(7)}, "task Pets: test: found int, which is no table"),
        ({"model": Counting(), "tasks": pets([{"image": Image.new("L", (1, 1))}])}, "Images are the bytes of"),
        ({"model": Counting(), "tasks": pets([{**PAIRS[0], "score": float("nan")}])}, "row 0: found NaN"),
        ({"model": Counting(), "tasks": pets(settings={"colums": ["a", "b"]})}, "colums.*Did you mean 'columns'"),
        ({"model": {"name": "a/b", "max_token": 3}, "tasks": "STSBenchmark"}, "max_token.*max_tokens"),
        ({"model": "minilm", "tasks": "STSBenchmark", "execution": {"devise": "cpu"}}, "devise.*device"),
    ],
)  # fmt: skip
def test_mistakes_are_told(given: dict[str, Any], message: str) -> None:
    with pytest.raises(embedmark.UserError, match=f"(?s){message}"):
        embedmark.plan(**given) if "execution" not in given else embedmark.evaluate(**given)


def test_it_leaves_a_training_as_it_was(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    network = SentenceTransformer(str(tiny_bert(tmp_path / "weights")), device="cpu")
    network.train()
    network[1].eval()
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    classes = [type(module) for module in network.modules()]
    torch.manual_seed(3)
    np.random.seed(3)
    random.seed(3)

    def state() -> list[Any]:
        return [
            [module.training for module in network.modules()],
            torch.is_grad_enabled(), torch.get_num_threads(), torch.random.get_rng_state().tolist(),
            np.random.get_state()[1].tolist(), random.getstate(),  # type: ignore[index]
            Path.cwd(), dict(os.environ), signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT),
            list(logging.getLogger().handlers), logging.getLogger().level, GlobalHydra.instance().is_initialized(),
            list(sys.path),
        ]  # fmt: skip

    before = state()
    capfd.readouterr()
    results = embedmark.evaluate(network, tasks=[pets()], identity="step 1")
    assert results.failures == ()
    assert "".join(capfd.readouterr()) == ""
    assert state() == before
    assert [type(module) for module in network.modules()] == classes
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())
    network(network.tokenize(["a cat"]))["sentence_embedding"].sum().backward()
    assert any(parameter.grad is not None for parameter in network.parameters())


def test_threads_are_those_of_the_evaluation_alone(tmp_path: Path) -> None:
    model = {"name": "test/bert", "source": {"path": str(tiny_bert(tmp_path / "weights"))}}
    before = torch.get_num_threads()
    asked = {"threads": before + 1, "store": False}
    assert embedmark.evaluate(model, tasks=[pets()], outputs=tmp_path / "outputs", execution=asked).failures == ()
    assert torch.get_num_threads() == before


def test_an_informative_order_gives_the_same_results(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    asked = {"order": "informative"}
    made = embedmark.evaluate(lambda texts: np.ones((len(texts), 4)), tasks=[pets()], execution=asked)
    assert made.failures == ()
    assert "order=informative needs a benchmark" in caplog.text


def test_a_method_of_a_network_is_measured_without_dropout_and_leaves_its_mode(tmp_path: Path) -> None:
    network = SentenceTransformer(str(tiny_bert(tmp_path / "weights")), device="cpu")
    network.train()
    network[1].eval()
    before = [module.training for module in network.modules()]
    assert embedmark.evaluate(network.encode, tasks=[pets()]).failures == ()
    assert [module.training for module in network.modules()] == before


def test_no_gradients_are_kept_of_a_function() -> None:
    enabled = []

    def encode(texts: list[str]) -> Any:
        enabled.append(torch.is_grad_enabled())
        return [[float(len(text)), 1.0] for text in texts]

    assert embedmark.evaluate(encode, tasks=pets()).failures == ()
    assert enabled
    assert not any(enabled)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    "change",
    [
        lambda network: setattr(network, "max_seq_length", 3),
        lambda network: setattr(network, "truncate_dim", 2),
        lambda network: network.prompts.update(query="find: "),
        lambda network: setattr(network, "similarity_fn_name", "dot"),
        lambda network: network.double(),
    ],
    ids=["max_seq_length", "truncate_dim", "prompts", "similarity", "dtype"],
)
def test_a_network_that_treats_texts_in_another_way_is_another_model(change: Any, tmp_path: Path) -> None:
    network = SentenceTransformer(str(tiny_bert(tmp_path / "weights")), device="cpu")

    def fingerprint() -> str:
        return embedmark.plan(network, tasks=pets(), identity="step 1").plan.jobs[0].fingerprint

    before = fingerprint()
    assert fingerprint() == before
    change(network)
    assert fingerprint() != before


def test_two_tasks_of_one_name_are_refused_where_they_differ() -> None:
    with pytest.raises(embedmark.UserError, match="two that are called 'Pets' and differ"):
        embedmark.plan(Counting(), tasks=[pets(), pets([*PAIRS, PAIRS[0]])])
    assert len(embedmark.plan(Counting(), tasks=[pets(), pets()]).plan.jobs) == 1


def test_what_a_terminal_would_obey_is_shown_as_escapes() -> None:
    def encode(texts: list[str]) -> Any:
        raise ValueError("\x1b[2Jgone")

    results = embedmark.evaluate(encode, tasks=pets())
    for shown in (repr(results), results._repr_html_()):
        assert "\x1b" not in shown
        assert r"\x1b[2Jgone" in shown


def test_a_network_gives_what_its_checkpoint_gives(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "weights")
    network = SentenceTransformer(str(folder), device="cpu")
    of_object = embedmark.evaluate(network, tasks=[pets()])
    of_files = embedmark.evaluate({"name": "a/b", "source": {"path": str(folder)}}, tasks=[pets()])
    assert of_object.records[0].scores == pytest.approx(of_files.records[0].scores, abs=1e-6)


def test_within_a_running_loop_and_a_thread() -> None:
    async def main() -> float | None:
        return embedmark.evaluate(Counting(), tasks=pets()).mean_task

    found: list[float | None] = [asyncio.run(main())]
    thread = threading.Thread(target=lambda: found.append(embedmark.evaluate(Counting(), tasks=pets()).mean_task))
    thread.start()
    thread.join()
    assert len(set(found)) == 1


THEIRS = "raise RuntimeError('not this one')\n"
USE = """
results = embedmark.evaluate(lambda texts: [[len(text), 1.0] for text in texts], tasks=[embedmark.Rows(
    [{"sentence1": "a", "sentence2": "bb", "score": 1.0}, {"sentence1": "ccc", "sentence2": "d", "score": 2.0}],
    name="Mine", type="sts", main_metric="cosine_spearman", languages=["eng-Latn"])])
assert not results.failures, results.failures
print("measured", models.OF, tasks.OF, runner.OF)
"""


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """A folder with packages that are called as our rooms are."""
    for name in ("models", "tasks", "runner"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("OF = 'theirs'\n")
    return tmp_path


@pytest.mark.parametrize("first", ["ours", "theirs"])
@pytest.mark.parametrize("how", ["script", "folder"])
def test_a_folder_with_packages_of_the_same_names(first: str, how: str, training: Path) -> None:
    imports = ["import embedmark", "import models, tasks, runner"]
    code = "\n".join([*(imports if first == "ours" else reversed(imports)), USE])
    if how == "script":
        said = python(code, training)
    else:
        ran = subprocess.run([sys.executable, "-c", code], cwd=training, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        said = ran.stdout
    assert said.strip() == "measured theirs theirs theirs"


@pytest.mark.slow
@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_a_notebook_beside_packages_of_the_same_names(
    first: str, training: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nbformat
    from nbclient import NotebookClient

    # A notebook's own folder comes first, whatever the tests were started with.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(training), *sys.path]))
    imports = ["import embedmark", "import models, tasks, runner"]
    cells = [*(imports if first == "ours" else reversed(imports)), USE, "results"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(training)}}).execute()
    assert "measured theirs theirs theirs" in notebook.cells[2].outputs[0]["text"]
    assert "<table>" in notebook.cells[3].outputs[0]["data"]["text/html"]
