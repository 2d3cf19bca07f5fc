"""Models of open_clip: the library's own numbers, and those of the reference's wrapper of it."""

from __future__ import annotations

import io
import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from float_bounds import VECTORS
from PIL import Image as Pictures

from embedmark.models.base import EncodeContext, PreparingEncoder, Variant, fusion, takes
from embedmark.models.loaders import loaders
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import DataError, ModelError
from embedmark.tasks.base import Image, TaskContext

REPOSITORY = Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / ".venv-reference/bin/python"
SCRIPT = Path(__file__).with_name("reference_open_clip.py")
ARCHITECTURES = ("ViT-B-32", "ViT-B-16", "ViT-L-14", "ViT-H-14", "ViT-g-14", "ViT-bigG-14")

TEXTS = ["a photo of a cat", "The Dog &amp; it", "", "one two three " * 60, "ünknown words, it is", "a  b"]
PICTURE = Variant(modality="image")

installed = pytest.mark.skipif(find_spec("open_clip") is None, reason="no open_clip; it is the extra open-clip")


def pictures() -> list[Image]:
    """Of several modes, shapes and formats; one of them lies on its side, as its EXIF data says."""
    draw = np.random.default_rng(0)
    made = []
    for mode, shape, kind in (
        ("RGB", (40, 150), "PNG"), ("RGBA", (133, 70), "PNG"), ("LA", (64, 132), "PNG"), ("L", (150, 50), "JPEG"),
        ("P", (148, 136), "PNG"), ("RGB", (160, 31), "JPEG"),
    ):  # fmt: skip
        bands = {"RGB": 3, "RGBA": 4, "LA": 2}.get(mode, 1)
        pixels = draw.integers(0, 256, (*shape, bands), dtype=np.uint8).squeeze()
        picture = Pictures.fromarray(pixels)
        file = io.BytesIO()
        exif = picture.getexif()
        exif[0x0112] = 6 if shape == (160, 31) else 1
        (picture.convert("P") if mode == "P" else picture).save(file, kind, exif=exif)
        made.append(Image(file.getvalue(), f"picture {mode}"))
    return made


PICTURES = pictures()


def opened(folder: Path, **settings: Any) -> PreparingEncoder:
    encoder = loaders()["open_clip"].load(ModelSpec("clip", folder, "open_clip", device="cpu", **settings))
    assert isinstance(encoder, PreparingEncoder)
    return encoder


def tiny(folder: Path, architecture: str = "ViT-B-32", **kind: bool) -> Path:
    from tiny_open_clip import tiny_open_clip

    return tiny_open_clip(folder, architecture, **kind)


@installed
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_vectors_are_the_librarys_own(architecture: str, tmp_path: Path) -> None:
    import open_clip
    import torch

    folder = tiny(tmp_path, architecture)
    encoder = opened(folder)
    assert (takes(encoder), fusion(encoder)) == ({"text", "image"}, "sum")
    network, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    with torch.inference_mode():
        texts = network.eval().encode_text(open_clip.get_tokenizer(f"local-dir:{folder}")(TEXTS))
        colours = [preprocess(Pictures.open(io.BytesIO(image.data))) for image in PICTURES[:5]]
        images = network.encode_image(torch.stack(colours))
    np.testing.assert_allclose(encoder.encode(TEXTS, Variant()), texts, atol=VECTORS)
    np.testing.assert_allclose(encoder.encode_images(PICTURES[:5], PICTURE), images, atol=VECTORS)
    assert list(encoder.lengths(TEXTS, Variant())) == [77] * len(TEXTS)
    assert list(encoder.image_lengths(PICTURES)) == [17] * len(PICTURES)


@installed
def test_both_formats_of_weights_are_read_and_prompts_go_before_texts(tmp_path: Path) -> None:
    encoder = opened(tiny(tmp_path / "safe"), prompts={"query": "red "})
    older = opened(tiny(tmp_path / "older", safetensors=False))
    context = TaskContext("Flickr30kT2IRetrieval", "Any2AnyRetrieval")
    variant = encoder.variant(EncodeContext(context, "query"))
    assert (variant.prompt, encoder.variant(EncodeContext(context, "query", "image")).prompt) == ("red ", "")
    np.testing.assert_array_equal(encoder.encode(["cat"], variant), older.encode(["red cat"], Variant()))


@installed
def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    folder = tiny(tmp_path)
    with pytest.raises(ModelError, match="max_tokens: the open_clip loader has no use for it"):
        opened(folder, max_tokens=5)
    with pytest.raises(DataError, match="picture RGB: an image of 30 bytes that cannot be decoded"):
        opened(folder).encode_images([Image(PICTURES[0].data[:30], "picture RGB")], PICTURE)
    config = folder / "open_clip_config.json"
    whole = json.loads(config.read_text())
    whole["model_cfg"]["text_cfg"]["hf_model_name"] = "xlm-roberta-base"
    config.write_text(json.dumps(whole))
    with pytest.raises(ModelError, match="hf_model_name: xlm-roberta-base: the config of that model would be fetched"):
        opened(folder)
    config.write_text("{}")
    with pytest.raises(ModelError, match="expected JSON with model_cfg and its text_cfg"):
        opened(folder)
    config.unlink()
    with pytest.raises(ModelError, match=r"has no open_clip_config.json, so it holds no model of loader open_clip"):
        opened(folder)


@installed
def test_a_folder_without_weights_is_no_model_of_random_ones(tmp_path: Path) -> None:
    folder = tiny(tmp_path)
    (folder / "open_clip_model.safetensors").unlink()
    with pytest.raises(ModelError, match="could not be loaded by open_clip"):
        opened(folder)


@pytest.mark.skipif(find_spec("open_clip") is not None, reason="open_clip is installed")
def test_without_the_package_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"loader open_clip needs open_clip.*pip install 'embedmark\[open-clip\]'"):
        opened(tmp_path)


@installed
@pytest.mark.reference
@pytest.mark.skipif(not REFERENCE.exists(), reason="no .venv-reference; make it with `make reference`")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_vectors_are_those_of_the_references_wrapper_of_open_clip(architecture: str, tmp_path: Path) -> None:
    """Texts, images and both in one item, whose vectors are added."""
    folder = tiny(tmp_path / "clip", architecture)
    for number, image in enumerate(PICTURES):
        (tmp_path / f"{number}.image").write_bytes(image.data)
    (tmp_path / "texts").write_text("\n".join(TEXTS))
    subprocess.run(
        [str(REFERENCE), str(SCRIPT), str(folder), str(tmp_path)], check=True, env={**os.environ, "PYTHONPATH": ""}
    )
    found = np.load(tmp_path / "vectors.npz")
    encoder = opened(folder)
    ours = {"text": encoder.encode(TEXTS, Variant()), "image": encoder.encode_images(PICTURES, PICTURE)}
    ours["text+image"] = ours["text"] + ours["image"]
    for modality, vectors in ours.items():
        np.testing.assert_allclose(vectors, found[modality], atol=1e-6, err_msg=modality)
