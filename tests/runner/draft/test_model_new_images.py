"""`model new` for models of images: the loader, what it needs, and what the model takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_models import tiny_clip
from tiny_towers import tiny_align, tiny_dinov2, tiny_metaclip2, tiny_siglip

from embedmark.models.base import Treatment, takes
from embedmark.models.loaders import loaders
from embedmark.models.spec import ModelSpec
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import ModelConfig
from embedmark.runner.draft.checkpoint import open_checkpoint
from embedmark.runner.draft.model import draft

SIGLIP = {"padding": "max_length", "drop_alpha": True}
DRAFTS: dict[str, tuple[Callable[[Path], Path], str, dict[str, Any], tuple[str, ...], int, int | None]] = {
    "CLIP": (tiny_clip, "sentence_transformer", {}, ("text", "image"), 16, 32),
    "SigLIP": (tiny_siglip, "two_towers", SIGLIP, ("text", "image"), 32, 64),
    "MetaCLIP 2": (tiny_metaclip2, "two_towers", {}, ("text", "image"), 16, 77),
    "ALIGN": (tiny_align, "two_towers", {}, ("text", "image"), 64, 64),
    "DINOv2": (tiny_dinov2, "sentence_transformer", {"pooling": "cls"}, ("image",), 32, None),
}
"""Family → a folder of it, loader, parameters, what it takes, dimensions, tokens of a text."""


def drafted(folder: Path) -> tuple[str, ModelConfig]:
    return draft(open_checkpoint(str(folder)), Catalogue().tasks)


@pytest.mark.parametrize("family", DRAFTS)
def test_a_family_is_drafted_as_the_catalogue_has_it(family: str, tmp_path: Path) -> None:
    make, *expected = DRAFTS[family]
    folder = make(tmp_path)
    text, config = drafted(folder)
    about = config.about
    assert [config.loader, config.parameters, about.modalities, about.embed_dim, about.max_tokens] == expected
    assert ("# prompts:" in text) == ("text" in about.modalities)
    row = loaders()[config.loader]
    row.check(config.parameters)
    model: Any = row.load(ModelSpec("m", folder, config.loader, parameters=config.parameters, device="cpu"))
    treatment: Treatment = model
    assert takes(treatment) == set(about.modalities)


def test_open_clips_own_folder_is_for_its_loader(tmp_path: Path) -> None:
    """Where the checkpoint of transformers lies beside it, that one is taken, and its weights alone are counted."""
    towers = {"embed_dim": 512, "vision_cfg": {}, "text_cfg": {"context_length": 77}}
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": towers}))
    (tmp_path / "open_clip_pytorch_model.bin").write_bytes(b"")
    config = drafted(tmp_path)[1]
    assert (config.loader, config.about.modalities, config.about.embed_dim) == ("open_clip", ("text", "image"), 512)
    clip = {"model_type": "clip", "vision_config": {}, "projection_dim": 640}
    (tmp_path / "config.json").write_text(json.dumps(clip))
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    both = open_checkpoint(str(tmp_path))
    assert both.weights() == ["pytorch_model.bin"]
    assert drafted(tmp_path)[1].loader == "sentence_transformer"
