"""Two towers against transformers itself, and against the reference's own wrapper of each family."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from float_bounds import VECTORS
from PIL import Image as Pictures
from tiny_models import tiny_bert
from tiny_towers import FAMILIES, tiny_dinov2
from transformers import AutoImageProcessor, AutoModel, AutoProcessor

from embedmark.models.base import EncodeContext, ImageEncoder, Variant, fusion, takes
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.sentence_transformer import load as load_checkpoint
from embedmark.models.torch.towers import load
from embedmark.runner.common.errors import DataError, ModelError
from embedmark.tasks.base import Image, TaskContext

REPOSITORY = Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / ".venv-reference/bin/python"
SCRIPT = Path(__file__).with_name("reference_towers.py")

TEXTS = ["a photo of a cat", "The Dog", "", "one two three " * 60, "ünknown words, it is"]
PICTURE = Variant(modality="image")


def pictures() -> list[Image]:
    """Of several modes, shapes and formats; one of them lies on its side, as its EXIF data says."""
    draw = np.random.default_rng(0)
    made = []
    for mode, shape, kind in (
        ("RGB", (40, 50), "PNG"), ("RGBA", (33, 70), "PNG"), ("LA", (64, 32), "PNG"), ("L", (50, 50), "JPEG"),
        ("P", (48, 36), "PNG"), ("RGB", (60, 31), "JPEG"),
    ):  # fmt: skip
        bands = {"RGB": 3, "RGBA": 4, "LA": 2}.get(mode, 1)
        pixels = draw.integers(0, 256, (*shape, bands), dtype=np.uint8).squeeze()
        picture = Pictures.fromarray(pixels, None if mode in ("LA", "P") else mode)
        file = io.BytesIO()
        exif = picture.getexif()
        exif[0x0112] = 6 if shape == (60, 31) else 1
        (picture.convert("P") if mode == "P" else picture).save(file, kind, exif=exif)
        made.append(Image(file.getvalue(), f"picture {mode}"))
    return made


PICTURES = pictures()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: make(tmp_path_factory.mktemp("tower")) for name, (make, _) in FAMILIES.items()}


def tower(folders: dict[str, Path], family: str, **settings: Any) -> ImageEncoder:
    parameters = {**FAMILIES[family][1], **settings.pop("parameters", {})}
    return load(ModelSpec(family, folders[family], "two_towers", parameters=parameters, device="cpu", **settings))


@pytest.mark.parametrize("family", FAMILIES)
def test_vectors_are_the_towers_own(folders: dict[str, Path], family: str) -> None:
    encoder = tower(folders, family)
    assert (takes(encoder), fusion(encoder)) == ({"text", "image"}, "sum")
    network = AutoModel.from_pretrained(folders[family]).eval()
    processor = AutoProcessor.from_pretrained(folders[family])
    padding = FAMILIES[family][1].get("padding", "longest")
    words = processor(text=TEXTS, return_tensors="pt", padding=padding, truncation=True)
    expected = network.get_text_features(**words).pooler_output.detach().numpy()
    np.testing.assert_allclose(encoder.encode(TEXTS, Variant()), expected, atol=VECTORS)
    colours = [image for image in PICTURES if image.where in ("picture RGB", "picture L")][:2]
    opened = [Pictures.open(io.BytesIO(image.data)).convert("RGB") for image in colours]
    expected = network.get_image_features(**processor(images=opened, return_tensors="pt")).pooler_output
    np.testing.assert_allclose(encoder.encode_images(colours, PICTURE), expected.detach().numpy(), atol=VECTORS)
    assert (encoder.image_lengths(PICTURES) > 0).all()
    assert (encoder.lengths(TEXTS, Variant()) >= [16 if padding == "longest" else 64, 7, 0, 64, 16]).all()


def test_siglip_needs_its_padding(folders: dict[str, Path]) -> None:
    """The sharpest fault of this family: texts padded to the longest have other vectors altogether."""
    longest = tower(folders, "SigLIP", parameters={"padding": "longest"})
    apart = np.abs(longest.encode(TEXTS[:2], Variant()) - tower(folders, "SigLIP").encode(TEXTS[:2], Variant()))
    assert apart.max() > 0.1


def test_prompts_go_before_texts_alone(folders: dict[str, Path]) -> None:
    encoder = tower(folders, "CLIP", prompts={"query": "red "})
    context = TaskContext("Flickr30kT2IRetrieval", "Any2AnyRetrieval")
    assert encoder.variant(EncodeContext(context, "query")).prompt == "red "
    assert encoder.variant(EncodeContext(context, "query", "image")).prompt == ""
    plain = tower(folders, "CLIP").encode(["red cat"], Variant())
    np.testing.assert_allclose(encoder.encode(["cat"], Variant("red ")), plain, atol=VECTORS)


def test_what_cannot_be_used_is_said(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"BertModel has no get_text_features; it is not of two towers"):
        load(ModelSpec("bert", tiny_bert(tmp_path), "two_towers", device="cpu"))
    with pytest.raises(ModelError, match="max_tokens is 65, and the tokenizer's limit is 64 tokens"):
        tower(folders, "SigLIP", max_tokens=65)
    with pytest.raises(ModelError, match="padding"):
        tower(folders, "SigLIP", parameters={"padding": "max"})
    with pytest.raises(DataError, match="picture RGB: an image of 30 bytes that cannot be decoded"):
        tower(folders, "CLIP").encode_images([Image(PICTURES[0].data[:30], "picture RGB")], PICTURE)


def test_a_model_of_images_alone_is_loaded_by_its_pooling(tmp_path: Path) -> None:
    """DINOv2: the vector is that of the first token, as `pooling: cls` says; there is none of texts."""
    folder = tiny_dinov2(tmp_path)
    encoder = of_images(folder)
    assert (takes(encoder), fusion(encoder)) == ({"image"}, None)
    network, processor = AutoModel.from_pretrained(folder).eval(), AutoImageProcessor.from_pretrained(folder)
    colours = [Pictures.open(io.BytesIO(image.data)) for image in PICTURES[:1]]
    expected = network(**processor(images=colours, return_tensors="pt")).last_hidden_state[:, 0].detach().numpy()
    np.testing.assert_allclose(encoder.encode_images(PICTURES[:1], PICTURE), expected, atol=VECTORS)


def of_images(folder: Path) -> ImageEncoder:
    encoder = load_checkpoint(ModelSpec("dino", folder, parameters={"pooling": "cls"}, device="cpu"))
    assert isinstance(encoder, ImageEncoder)
    return encoder


@pytest.mark.reference
@pytest.mark.skipif(not REFERENCE.exists(), reason="no .venv-reference; make it with `make reference`")
@pytest.mark.parametrize("family", [*FAMILIES, "DINOv2"])
def test_vectors_are_those_of_the_references_wrapper(folders: dict[str, Path], family: str, tmp_path: Path) -> None:
    """Texts, images and both in one item, whose vectors are added."""
    folder = tiny_dinov2(tmp_path / "dino") if family == "DINOv2" else folders[family]
    for number, image in enumerate(PICTURES):
        (tmp_path / f"{number}.image").write_bytes(image.data)
    environment = {**os.environ, "PYTHONPATH": ""}
    command = [str(REFERENCE), str(SCRIPT), family, str(folder), str(tmp_path)]
    subprocess.run(command, check=True, env=environment)
    found = np.load(tmp_path / "vectors.npz")
    if family == "DINOv2":
        ours = {"image": of_images(folder).encode_images(PICTURES, PICTURE)}
    else:
        encoder = tower(folders, family)
        texts = [f"a photo of {number}" for number in range(len(PICTURES))]
        ours = {"text": encoder.encode(texts, Variant()), "image": encoder.encode_images(PICTURES, PICTURE)}
        ours["text+image"] = ours["text"] + ours["image"]
    for modality, vectors in ours.items():
        np.testing.assert_allclose(vectors, found[modality], atol=1e-6, err_msg=modality)
