"""Faults of thirty kinds, each where it matters: each is named, from hashes or by running again."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hub_cache import cached, lines, of_folder
from record_sums import resum
from tiny_models import tiny_bert

from embedmark.models.torch.sentence_transformer import TransformerEncoder
from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.identity import canonical
from embedmark.runner.results.inspection import as_job_folder, inspect
from embedmark.runner.verify.check import check
from embedmark.runner.verify.verdict import Verdict

ONE, OTHER = "1" * 40, "2" * 40
WORDS = ["the", "word", "query", *"abcdefghijklmnopqrstuvwxyz"]


def _text(rng: random.Random, longest: int = 12) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(2, longest)))


def _pairs(seed: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    return [{"sentence1": _text(rng, 30), "sentence2": _text(rng), "score": rng.random() * 5} for _ in range(40)]


def _labelled(seed: int, n: int, column: str = "text") -> list[dict[str, Any]]:
    rng = random.Random(seed)
    return [{column: _text(rng), "label": number % 3} for number in range(n)]


def _retrieval() -> dict[str, bytes]:
    rng = random.Random(5)
    texts = [_text(rng) for _ in range(20)] * 2  # each twice: ties
    queries = [{"_id": f"q{number}", "text": _text(rng)} for number in range(12)]
    return {
        "corpus.jsonl": lines({"_id": f"d{number}", "title": "", "text": text} for number, text in enumerate(texts)),
        "queries.jsonl": lines(queries),
        "qrels.jsonl": lines(
            {"query-id": f"q{number}", "corpus-id": f"d{number if number % 2 else number + 20}", "score": 1}
            for number in range(12)
        ),
    }


DATA: dict[str, dict[str, bytes]] = {
    "org/likeness": {
        "test.jsonl": lines(_pairs(1)), "dev.jsonl": lines(_pairs(2)), "other.jsonl": lines(_pairs(3)),
    },
    "org/topics": {"train.jsonl": lines(_labelled(1, 200)), "test.jsonl": lines(_labelled(2, 60))},
    "org/groups": {"test.jsonl": lines(_labelled(3, 90))},
    "org/search": _retrieval(),
}  # fmt: skip

PLACES = {split: {"file": f"{split}.jsonl"} for split in ("train", "test", "dev")}
TASKS: dict[str, dict[str, Any]] = {
    "Likeness": {
        "type": "sts", "main_metric": "cosine_spearman", "subsets": {"default": ["eng-Latn"], "two": ["eng-Latn"]},
        "splits": ["test"],
        "dataset": {
            "hub": "org/likeness", "revision": ONE, "pattern": "(?P<which>[a-z]+)/(?P<part>[a-z]+)",
            "layout": {"test": {"file": "test.jsonl"}, "dev": {"file": "dev.jsonl"}},
        },
        "transforms": [{"filter": {"column": "score", "min": 0.5}}],
    },
    "Topics": {
        "type": "classification", "main_metric": "accuracy", "languages": ["eng-Latn"],
        "dataset": {"hub": "org/topics", "revision": ONE, "layout": {s: PLACES[s] for s in ("train", "test")}},
        "settings": {"n_experiments": 3, "samples_per_label": 4},
    },
    "Groups": {
        "type": "clustering", "main_metric": "v_measure", "languages": ["eng-Latn"],
        "dataset": {"hub": "org/groups", "revision": ONE, "layout": {"test": PLACES["test"]}},
        "transforms": [{"rename": {"text": "sentences", "label": "labels"}}],
        "settings": {"n_clusterings": 3, "max_fraction_of_documents_to_embed": None, "max_documents_per_cluster": 30},
    },
    "Search": {
        "type": "retrieval", "main_metric": "ndcg_at_10", "languages": ["eng-Latn"],
        "dataset": {
            "hub": "org/search", "revision": ONE,
            "layout": {part: {"file": f"{part}.jsonl"} for part in ("corpus", "queries", "qrels")},
        },
    },
}  # fmt: skip
MODEL: dict[str, Any] = {"name": "org/tiny", "revision": ONE, "max_tokens": 40}
PROMPTED = {"prompts": {"query": "query: ", "document": "text: "}}
INSTRUCTED = {"instructions": {"template": "do {instruction}: "}, "prompts": {"query": "find"}}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    # Without a module that normalizes, so that what is done to vectors afterwards is seen.
    return of_folder(tiny_bert(tmp_path_factory.mktemp("tiny")))


@pytest.fixture
def place(tmp_path: Path, hf_home: Path, weights: Mapping[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Path:
    from huggingface_hub import constants

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    cached(hf_home, "model", "org/tiny", ONE, weights)
    cached(hf_home, "model", "org/tiny", OTHER, {**weights, **_other_weights(weights)})
    for repo, files in DATA.items():
        cached(hf_home, "dataset", repo, ONE, files)
    cached(hf_home, "dataset", "org/likeness", OTHER, {**DATA["org/likeness"], "test.jsonl": lines(_pairs(9))})
    for name, values in TASKS.items():
        _write(f"mine/task/{name.lower()}.yaml", {"name": name, **values})
    _write("mine/model/tiny.yaml", MODEL)
    return tmp_path


def _write(path: str, values: Mapping[str, Any]) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(yaml.safe_dump(dict(values), sort_keys=False))


def _other_weights(weights: Mapping[str, bytes]) -> dict[str, bytes]:
    """Another checkpoint: other numbers, and another setting."""
    changed = {name: _one_byte(content) for name, content in weights.items() if name.endswith(".safetensors")}
    return {**changed, "config.json": weights["config.json"].replace(b'"hidden_act": "gelu"', b'"hidden_act": "relu"')}


def _one_byte(content: bytes) -> bytes:
    """One byte of a tensor: the high bits of a number."""
    at = len(content) - 41
    return content[:at] + bytes([content[at] ^ 0x0F]) + content[at + 1 :]


def measured(task: str, *more: str, **changes: Any) -> Path:
    """A record of what is configured now."""
    _write("mine/model/tiny.yaml", {**MODEL, **changes})
    shutil.rmtree("outputs", ignore_errors=True)
    assert (
        main(["run", "model=tiny", f"tasks=[{{name: {task}, subsets: [default]}}]", "--config-dir", "mine", *more]) == 0
    )
    (path,) = Path("outputs/jobs").glob("*--*")
    return path


def claiming(path: Path, change: Callable[[Any], object], items: bool = True) -> Path:
    """The same record under an identity that was edited, with every hash of it edited along."""
    identity = json.loads((path / "identity.json").read_text())
    change(identity)
    text = canonical(identity)
    digest = hashlib.sha256(text.encode()).hexdigest()
    result = json.loads((path / "result.json").read_text())
    result["fingerprint"] = digest
    result["job"] |= {"subset": identity["job"]["subset"], "split": identity["job"]["split"]}
    result["dataset"]["revision"] = identity["task"]["dataset"].get("revision")
    forged = path.parent / f"{path.name.rpartition('--')[0]}--{digest[:12]}"
    path.rename(forged)
    (forged / "identity.json").write_text(text)
    (forged / "result.json").write_text(json.dumps(result))
    if not items:
        (forged / "items.npz").unlink()
    resum(forged)
    return forged


def verdict(path: Path, *, whole: bool = True) -> Verdict:
    found = as_job_folder(path)
    assert found is not None
    return check(inspect(found), Catalogue.of([Path("mine")]), whole=whole)


def differs(path: Path, because: str) -> None:
    found = verdict(path)
    assert found.outcome == "differs because", found
    assert found.reason.startswith(because), found


@pytest.mark.parametrize("task", TASKS)
def test_what_is_true_matches(task: str, place: Path) -> None:
    path = measured(task, **PROMPTED)
    found = verdict(path)
    assert found.outcome == "match", found
    assert found.ran
    quick = verdict(path, whole=False)
    assert quick.outcome == "cannot tell, because"
    assert "so far equal" in quick.reason


# -- the identity claims something else than what was done -------------------------------------------------------------

MODEL_CLAIMS: dict[str, tuple[str, dict[str, Any], Callable[[Any], object], str]] = {
    "model revision": ("Likeness", {}, lambda model: model.update(revision=OTHER), "model revision: "),
    "pooling": ("Likeness", {}, lambda model: model.update(parameters={"pooling": "cls"}), "pooling: mean"),
    "prompt": ("Search", PROMPTED, lambda model: model.update(prompts={"query": "ask: "}), "prompt: "),
    "no prompt": ("Search", PROMPTED, lambda model: model.pop("prompts"), "prompt: "),
    "side of prompt": (
        "Search", PROMPTED,
        lambda model: model.update(prompts={"query": "text: ", "document": "query: "}), "side of prompt: ",
    ),
    "instruction template": (
        "Search", INSTRUCTED,
        lambda model: model["instructions"].update(template="{instruction}\n"), "instruction template",
    ),
    "normalize": ("Likeness", {}, lambda model: model.update(normalize=True), "normalize: None on record, True "),
    "not normalized": (
        "Likeness", {"normalize": True}, lambda model: model.pop("normalize"), "normalize: True on record, None ",
    ),
    "truncate_dim": ("Likeness", {}, lambda model: model.update(truncate_dim=16), "truncate_dim: None on record, 16 "),
    "quantize": ("Likeness", {}, lambda model: model.update(quantize="binary"), "quantize: None on record, binary "),
    "quantized": ("Likeness", {"quantize": "int8"}, lambda model: model.pop("quantize"), "quantize: integers"),
    "max_tokens": ("Likeness", {}, lambda model: model.update(max_tokens=60), "max_tokens: texts on record"),
    "fewer max_tokens": ("Likeness", {}, lambda model: model.update(max_tokens=20), "max_tokens"),
    "dtype": ("Likeness", {"dtype": "bfloat16"}, lambda model: model.update(dtype="checkpoint"), "dtype: bfloat16"),
    "similarity": ("Search", {"similarity": "dot"}, lambda model: model.update(similarity="cosine"), "similarity: dot"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("task", "changes", "claim", "because"), MODEL_CLAIMS.values(), ids=MODEL_CLAIMS)
def test_a_model_that_was_another(
    task: str, changes: Mapping[str, Any], claim: Callable[[Any], object], because: str, place: Path
) -> None:
    path = measured(task, **changes)
    differs(claiming(path, lambda identity: claim(identity["model"])), because)


def _settings(**values: Any) -> Callable[[Any], object]:
    return lambda identity: identity["task"]["settings"].update(values)


TASK_CLAIMS: dict[str, tuple[str, Callable[[Any], object], str]] = {
    "dataset revision": ("Likeness", lambda i: i["task"]["dataset"].update(revision=OTHER), f"dataset revision: {ONE}"),
    "split": ("Likeness", lambda i: i["job"].update(split="dev"), "split: test"),
    "transform": ("Likeness", lambda i: i["task"].pop("transforms"), "transforms: those of the catalogue"),
    "seed of draws": ("Groups", _settings(seed=7), "draws: other rows"),
    "seed of experiments": ("Topics", _settings(seed=7), "draws: "),
    "samples_per_label": ("Topics", _settings(samples_per_label=9), "draws: "),
    "k_values": ("Search", _settings(k_values=[1, 10]), "k_values: other metrics"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("task", "claim", "because"), TASK_CLAIMS.values(), ids=TASK_CLAIMS)
def test_a_task_that_was_another(task: str, claim: Callable[[Any], object], because: str, place: Path) -> None:
    differs(claiming(measured(task), claim), because)


def test_a_subset_that_was_another(place: Path) -> None:
    values = TASKS["Likeness"]
    layout = {"test": {"file": "{which}.jsonl"}}
    dataset = {**values["dataset"], "pattern": "(?P<which>[a-z]+)/[a-z]+", "layout": layout}
    _write("mine/task/likeness.yaml", {
        **values, "name": "Likeness", "subsets": {"default": ["eng-Latn"], "test": ["eng-Latn"]}, "dataset": dataset,
        "splits": ["test"],
    })  # fmt: skip
    shutil.rmtree("outputs", ignore_errors=True)
    line = ["run", "model=tiny", "tasks=[{name: Likeness, subsets: [test]}]", "--config-dir", "mine"]
    assert main(line) == 0
    (path,) = Path("outputs/jobs").glob("*--*")
    # Its rows are those of `test`, and it claims to be of `other`.
    _write("mine/task/likeness.yaml", {
        **values, "name": "Likeness", "subsets": {"other": ["eng-Latn"], "test": ["eng-Latn"]}, "dataset": dataset,
    })  # fmt: skip
    differs(claiming(path, lambda i: i["job"].update(subset="other")), "subset: test")


# -- the world was another ---------------------------------------------------------------------------------------------


def _rows(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> dict[str, bytes]:
    return {**DATA["org/likeness"], "test.jsonl": lines(change(_pairs(1)))}


WORLDS: dict[str, tuple[Callable[[list[dict[str, Any]]], list[dict[str, Any]]], str]] = {
    "row changed": (lambda rows: [{**rows[0], "sentence1": "word"}, *rows[1:]], "rows changed"),
    "row dropped": (lambda rows: rows[:-1], "rows dropped or added"),
    "rows reordered": (lambda rows: rows[::-1], "rows reordered"),
    "label map": (lambda rows: [{**row, "score": 5.5 - row["score"]} for row in rows], "labels: "),
}


@pytest.mark.slow
@pytest.mark.parametrize(("change", "because"), WORLDS.values(), ids=WORLDS)
def test_data_that_was_another(change: Any, because: str, place: Path, hf_home: Path) -> None:
    cached(
        hf_home,
        "dataset",
        "org/likeness",
        ONE,
        _rows(lambda rows: [{**r, "score": max(r["score"], 0.6)} for r in rows]),
    )
    true = _rows(lambda rows: [{**r, "score": max(r["score"], 0.6)} for r in rows])["test.jsonl"]
    changed = change([json.loads(line) for line in true.splitlines()])
    cached(hf_home, "dataset", "org/likeness", ONE, {**DATA["org/likeness"], "test.jsonl": lines(changed)})
    path = measured("Likeness")
    cached(hf_home, "dataset", "org/likeness", ONE, {**DATA["org/likeness"], "test.jsonl": true})
    differs(path, because)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "because"), [("model.safetensors", "weights: model.safetensors"), ("tokenizer.json", "tokenizer file: ")]
)
def test_files_that_were_others(
    name: str, because: str, place: Path, hf_home: Path, weights: Mapping[str, bytes]
) -> None:
    other = (
        _one_byte(weights[name])
        if name.endswith("tensors")
        else weights[name].replace(b'"lowercase": true', b'"lowercase": false')
    )
    assert other != weights[name]
    cached(hf_home, "model", "org/tiny", ONE, {**weights, name: other})
    path = measured("Likeness")
    cached(hf_home, "model", "org/tiny", ONE, weights)
    differs(path, because)


# -- the code was another ----------------------------------------------------------------------------------------------


@pytest.fixture
def forward(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[Any], Any]], None]]:
    """Change what the model makes, for the time of a run."""
    real = TransformerEncoder.forward

    def patch(change: Callable[[Any], Any]) -> None:
        monkeypatch.setattr(TransformerEncoder, "forward", lambda self, *given: change(real(self, *given)))

    yield patch
    monkeypatch.setattr(TransformerEncoder, "forward", real)


def test_a_loader_that_was_another(place: Path, forward: Any) -> None:
    forward(lambda vectors: vectors * np.float32(1.001))
    path = measured("Likeness")
    forward(lambda vectors: vectors)
    differs(path, "loader or library: equal files and tokens give vectors")


def test_a_model_in_fewer_bits_matches_itself(place: Path) -> None:
    found = verdict(measured("Likeness", dtype="bfloat16"))
    assert found.outcome == "match", found


def test_another_kernel_is_no_fault(place: Path, forward: Any, hf_home: Path) -> None:
    rng = np.random.default_rng(0)
    forward(lambda vectors: vectors + rng.uniform(-2e-7, 2e-7, vectors.shape).astype(np.float32))
    path = measured("Topics")
    forward(lambda vectors: vectors)
    found = verdict(path)
    assert found.outcome == "match", found
    assert "other kernel" in found.reason


def test_a_library_that_was_another(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _edited(measured("Topics", "execution.items=false"), _another_library)
    found = verdict(path)
    assert found.outcome == "differs because"
    assert "scikit-learn 0.1 there" in found.reason


def _another_library(result: dict[str, Any]) -> None:
    """What an older scikit-learn would have left: other scores in every experiment, and its version."""
    result["versions"]["scikit-learn"] = "0.1"
    for scores in (*result["experiments"], result["scores"]):
        scores["accuracy"] = round(scores["accuracy"] + 0.03, 12)
    result["main_score"] = result["scores"]["accuracy"]


def _edited(path: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    result = json.loads((path / "result.json").read_text())
    edit(result)
    (path / "result.json").write_text(json.dumps(result))
    resum(path)
    return path


def test_a_tie_rule_that_was_another(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import embedmark.tasks.retrieval.search as search

    real = search.best_first
    monkeypatch.setattr(search, "best_first", lambda scores, documents: np.lexsort((documents, -scores)))
    try:
        path = measured("Search")
    finally:
        monkeypatch.setattr(search, "best_first", real)
    differs(path, "tie rule: equal scores in the other order gives the scores")


def test_a_protocol_that_was_another(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import embedmark.tasks.labels.classification as classification

    real = classification.LogisticRegression
    monkeypatch.setattr(classification, "LogisticRegression", lambda **given: real(C=1e-3, **given))
    try:
        path = measured("Topics")
    finally:
        monkeypatch.setattr(classification, "LogisticRegression", real)
    differs(path, "protocol or settings of the task")


# -- the score was edited ----------------------------------------------------------------------------------------------


def _better(result: dict[str, Any]) -> None:
    name = result["main_metric"]
    result["main_score"] = result["scores"][name] = result["scores"][name] + 1e-4


def _better_throughout(result: dict[str, Any]) -> None:
    _better(result)
    for scores in result["experiments"]:
        scores[result["main_metric"]] += 1e-4


def _other_metric(result: dict[str, Any]) -> None:
    result["scores"]["cosine_pearson"] += 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "edit"),
    [("Likeness", _better), ("Likeness", _other_metric), ("Topics", _better), ("Topics", _better_throughout),
     ("Search", _better), ("Groups", _better_throughout)],
)  # fmt: skip
@pytest.mark.parametrize("items", [True, False])
def test_an_edited_score(task: str, edit: Callable[[dict[str, Any]], None], items: bool, place: Path) -> None:
    path = _edited(measured(task, f"execution.items={str(items).lower()}"), edit)
    differs(path, "edited score")


# -- what cannot be told -----------------------------------------------------------------------------------------------


def test_what_is_gone_cannot_be_told(place: Path, hf_home: Path) -> None:
    path = measured("Likeness")
    shutil.rmtree(hf_home / "hub" / "datasets--org--likeness")
    found = verdict(path)
    assert found.outcome == "cannot tell, because"
    assert "its data cannot be had" in found.reason
    shutil.rmtree(hf_home / "hub" / "models--org--tiny")
    found = verdict(path)
    assert found.outcome == "cannot tell, because"


def test_neutral_faults_are_said_to_be_neutral(place: Path) -> None:
    path = measured("Groups", max_tokens=50)
    claimed = claiming(path, lambda identity: identity["model"].update(max_tokens=60))
    differs(claimed, "max_tokens or model: tokens of the probe texts differ, and those of this job's rows do not")


def test_a_record_without_evidence_is_run_again(place: Path) -> None:
    path = measured("Likeness")
    (path / "evidence.json").unlink()
    resum(path)
    found = verdict(path)
    assert found.outcome == "match"
    assert "no evidence" in found.reason
    differs(_edited(path, _other_metric), "edited score")


def test_damage_is_named(place: Path) -> None:
    path = measured("Likeness")
    (path / "result.json").write_bytes((path / "result.json").read_bytes() + b" ")
    differs(path, "damaged: result.json is not what was written")
