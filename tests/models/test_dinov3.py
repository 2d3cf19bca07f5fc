"""DINOv3, whose images transformers prepares by torchvision alone: the first token, as the reference has it."""

from __future__ import annotations

import io
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pictures
from transformers import DINOv3ViTConfig, DINOv3ViTModel

from embedmark.models.base import ImageEncoder, Variant, takes
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.sentence_transformer import load
from embedmark.tasks.base import Image

REPOSITORY = Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / ".venv-reference/bin/python"
SCRIPT = Path(__file__).with_name("reference_towers.py")

pytestmark = pytest.mark.skipif(find_spec("torchvision") is None, reason="no torchvision; it is in the extra open-clip")


def picture(mode: str, *shape: int) -> Image:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    file = io.BytesIO()
    Pictures.fromarray(pixels).save(file, "PNG")
    return Image(file.getvalue(), mode)


def tiny_dinov3(folder: Path, *, gated: bool) -> Path:
    """facebook/dinov3-vit*: four registers; the sizes with "plus" in their names, and 7b, have gated layers."""
    from transformers import DINOv3ViTImageProcessor

    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    DINOv3ViTModel(
        DINOv3ViTConfig(image_size=224, patch_size=16, num_register_tokens=4, use_gated_mlp=gated, **shape)
    ).save_pretrained(folder)
    DINOv3ViTImageProcessor(size={"height": 224, "width": 224}).save_pretrained(folder)
    return folder


@pytest.mark.reference
@pytest.mark.skipif(not REFERENCE.exists(), reason="no .venv-reference; make it with `make reference`")
@pytest.mark.parametrize("gated", [False, True])
def test_vectors_are_those_of_the_references_wrapper_of_dino(gated: bool, tmp_path: Path) -> None:
    folder = tiny_dinov3(tmp_path / "model", gated=gated)
    encoder = load(ModelSpec("dino", folder, parameters={"pooling": "cls"}, device="cpu"))
    assert isinstance(encoder, ImageEncoder)
    assert takes(encoder) == {"image"}
    images = [picture("RGB", 40, 150, 3), picture("RGB", 224, 224, 3)]
    for number, image in enumerate(images):
        (tmp_path / f"{number}.image").write_bytes(image.data)
    command = [str(REFERENCE), str(SCRIPT), "DINOv2", str(folder), str(tmp_path)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": ""})
    expected = np.load(tmp_path / "vectors.npz")["image"]
    vectors = encoder.encode_images(images, Variant(modality="image"))
    np.testing.assert_allclose(vectors, expected, atol=1e-6)
    assert encoder.encode_images([picture("RGBA", 40, 50, 4)], Variant(modality="image")).shape == (1, 32)
