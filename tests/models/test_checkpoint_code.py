"""A checkpoint's own Python code never runs unless the model's file says `trust_remote_code: true`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_models import tiny_bert, tiny_colbert, tiny_cross_encoder, tiny_splade

from embedmark.models.loaders import loaders
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import ModelError

CODE = """
from pathlib import Path
Path({marker!r}).write_text("ran")
import torch
class Own(torch.nn.Module):
    def __init__(self, *args, **kwargs):
        super().__init__()
    @classmethod
    def load(cls, *args, **kwargs):
        return cls()
    @classmethod
    def from_pretrained(cls, *args, **kwargs):
        return cls()
    def forward(self, features, *args, **kwargs):
        return features
"""


def _edit(path: Path, change: Callable[[Any], Any]) -> None:
    path.write_text(json.dumps(change(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")


def _module(number: int, kind: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        def change(modules: list[dict[str, Any]]) -> list[dict[str, Any]]:
            modules[number]["type"] = kind
            return modules

        _edit(folder / "modules.json", change)

    return edit


def _one_more(kind: str) -> Callable[[Path], None]:
    return lambda folder: _edit(
        folder / "modules.json", lambda modules: [*modules, {"idx": 9, "name": "9", "path": "", "type": kind}]
    )


def _auto_map(file: str, **more: Any) -> Callable[[Path], None]:
    """Names of classes in own.py, under every name that the libraries look for."""
    names = ["AutoConfig", "AutoModel", "AutoModelForSequenceClassification", "AutoModelForMaskedLM"]
    auto = dict.fromkeys(names, "own.Own") | {"AutoTokenizer": ["own.Own", "own.Own"], "AutoProcessor": "own.Own"}
    return lambda folder: _edit(folder / file, lambda values: {**values, "auto_map": auto, **more})


CASES: dict[str, tuple[str, Callable[[Path], Path], Callable[[Path], None]]] = {
    "first module": ("sentence_transformer", tiny_bert, _module(0, "own.Own")),
    "second module": ("sentence_transformer", tiny_bert, _module(1, "own.Own")),
    "one more module": ("sentence_transformer", tiny_bert, _one_more("own.Own")),
    "a module of what is installed": ("sentence_transformer", tiny_bert, _one_more("own_installed.Own")),
    "a program of the standard library": ("sentence_transformer", tiny_bert, _one_more("subprocess.Popen")),
    "config": ("sentence_transformer", tiny_bert, _auto_map("config.json", model_type="own")),
    "config of another repository": (
        "sentence_transformer",
        tiny_bert,
        lambda folder: _edit(
            folder / "config.json",
            lambda values: {**values, "model_type": "own", "auto_map": {"AutoConfig": "evil/repo--own.Own"}},
        ),
    ),
    "tokenizer": (
        "sentence_transformer",
        tiny_bert,
        _auto_map("tokenizer_config.json", tokenizer_class="OwnTokenizer"),
    ),
    "sparse: module": ("sparse_encoder", tiny_splade, _module(0, "own.Own")),
    "sparse: config": ("sparse_encoder", tiny_splade, _auto_map("config.json", model_type="own")),
    "multi-vector: module": ("multi_vector", tiny_colbert, _module(0, "own.Own")),
    "multi-vector: one more module": ("multi_vector", tiny_colbert, _one_more("own.Own")),
    "cross-encoder: config": ("cross_encoder", tiny_cross_encoder, _auto_map("config.json", model_type="own")),
}


@pytest.mark.parametrize("case", CASES)
def test_a_checkpoint_with_code_is_refused_and_its_code_does_not_run(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader, make, edit = CASES[case]
    folder, marker, installed = make(tmp_path / "weights"), tmp_path / "ran", tmp_path / "installed"
    edit(folder)
    installed.mkdir()
    for place in (folder / "own.py", installed / "own_installed.py"):
        place.write_text(CODE.format(marker=str(marker)), encoding="utf-8")
    monkeypatch.syspath_prepend(str(installed))
    # Where somebody starts a run beside a checkpoint, its code lies on Python's path.
    monkeypatch.chdir(folder)
    with pytest.raises(ModelError) as refused:
        loaders()[loader].load(ModelSpec("x", folder, loader=loader, device="cpu"))
    assert not marker.exists(), f"the code ran; {refused.value}"
    if loader == "sentence_transformer" and case != "tokenizer":
        assert "trust_remote_code: true" in str(refused.value)


def test_the_code_runs_where_it_is_trusted(tmp_path: Path) -> None:
    folder, marker = tiny_bert(tmp_path / "weights"), tmp_path / "ran"
    _one_more("own.Own")(folder)
    (folder / "own.py").write_text(CODE.format(marker=str(marker)), encoding="utf-8")
    loaders()["sentence_transformer"].load(ModelSpec("x", folder, device="cpu", trust_remote_code=True))
    assert marker.exists()


def test_an_activation_function_of_a_cross_encoders_own_is_left_alone(tmp_path: Path) -> None:
    """The library then takes its own one, as the reference does, whose order of documents is the same."""
    folder, marker = tiny_cross_encoder(tmp_path / "weights"), tmp_path / "ran"
    section = {"activation_fn": "own.Own", "version": "5.0.0"}
    _edit(folder / "config.json", lambda values: {**values, "sentence_transformers": section})
    (folder / "own.py").write_text(CODE.format(marker=str(marker)), encoding="utf-8")
    loaders()["cross_encoder"].load(ModelSpec("x", folder, loader="cross_encoder", device="cpu"))
    assert not marker.exists()
