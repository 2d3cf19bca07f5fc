"""CLIP through sentence-transformers: the numbers of the library itself, and texts that only look like images."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from float_bounds import VECTORS
from PIL import Image as Pictures
from sklearn.datasets import load_sample_images
from tiny_models import tiny_bert, tiny_clip
from transformers import CLIPModel, CLIPProcessor

from embedmark.models.base import EncodeContext, ImageEncoder, Variant
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.images import decoded, patches
from embedmark.models.torch.sentence_transformer import load
from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Image, TaskContext

PLAIN, PICTURE = Variant(), Variant(modality="image")


def file(picture: Pictures.Image, kind: str = "PNG", **options: object) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def clip(folder: Path) -> ImageEncoder:
    loaded = load(ModelSpec("clip", folder, device="cpu", prompts={"query": "q: "}))
    assert isinstance(loaded, ImageEncoder)
    return loaded


def test_vectors_are_the_networks_own(folder: Path, clip: ImageEncoder) -> None:
    network, processor = CLIPModel.from_pretrained(folder).eval(), CLIPProcessor.from_pretrained(folder)
    photographs = [Pictures.fromarray(photograph) for photograph in load_sample_images().images]
    through = photographs[1].resize((30, 20))
    through.putalpha(90)
    kinds = [*photographs, photographs[0].convert("L"), photographs[1].convert("P").resize((9, 40)), through]
    images = [Image(file(picture)) for picture in kinds]
    expected = network.get_image_features(**processor(images=kinds, return_tensors="pt")).pooler_output
    np.testing.assert_allclose(clip.encode_images(images, PICTURE), expected.detach(), atol=VECTORS)
    texts = ["a photo of 3", "a", "too long " * 20]
    words = processor(text=texts, return_tensors="pt", padding=True, truncation=True)
    expected = network.get_text_features(**words).pooler_output
    np.testing.assert_allclose(clip.encode(texts, PLAIN), expected.detach(), atol=VECTORS)


def test_a_text_that_is_the_address_of_an_image_is_a_text(clip: ImageEncoder, tmp_path: Path) -> None:
    """sentence-transformers itself would fetch the image, or read it from disk."""
    path = tmp_path / "a.png"
    path.write_bytes(file(Pictures.new("RGB", (8, 8))))
    texts = [str(path), "https://127.0.0.1:1/a.png"]
    alone = np.concatenate([clip.encode([text], PLAIN) for text in texts])
    np.testing.assert_allclose(alone, clip.encode(["a", *texts], PLAIN)[1:], atol=4e-6)
    assert np.abs(alone[0] - clip.encode_images([Image(path.read_bytes())], PICTURE)[0]).max() > 1e-3


def test_prompts_go_before_texts_alone(clip: ImageEncoder) -> None:
    task = TaskContext("t", "Retrieval")
    assert clip.variant(EncodeContext(task, "query")).prompt == "q: "
    assert clip.variant(EncodeContext(task, "query", "image")).prompt == ""


def test_an_image_costs_its_patches(clip: ImageEncoder) -> None:
    assert list(clip.image_lengths([Image(b"1"), Image(b"22")])) == [17, 17]
    assert patches(None) == 256
    assert clip.facts["image_processor"] == "CLIPImageProcessorPil"


def test_images_are_turned_as_their_camera_was() -> None:
    exif = Pictures.Exif()
    exif[Pictures.ExifTags.Base.Orientation] = 6
    lying = Pictures.new("RGB", (4, 2), "red")
    assert decoded(Image(file(lying, "JPEG", exif=exif))).size == (2, 4)
    assert decoded(Image(file(lying.convert("L"))), rgb=True).mode == "RGB"


def test_a_damaged_image_is_named(clip: ImageEncoder) -> None:
    whole = file(Pictures.fromarray(load_sample_images().images[0]), "JPEG")
    damaged = Image(whole[: len(whole) // 2], "column 'image', row 7")
    with pytest.raises(DataError, match=r"column 'image', row 7: an image of \d+ bytes that cannot be decoded"):
        clip.encode_images([Image(whole), damaged], PICTURE)


def test_a_model_of_texts_takes_no_images(tmp_path: Path) -> None:
    assert not isinstance(load(ModelSpec("bert", tiny_bert(tmp_path), device="cpu")), ImageEncoder)
