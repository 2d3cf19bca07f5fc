"""Images through the whole command: a shipped task and a folder of one's own, with a small CLIP."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image as Pictures
from sklearn.datasets import load_digits, load_sample_images
from tiny_models import tiny_clip, tiny_static
from transformers import CLIPModel, CLIPProcessor
from written import write

from embedmark.runner.cli.main import main


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    clip, texts = tiny_clip(folder / "clip"), tiny_static(folder / "static")
    both = {"about": {"modalities": ["text", "image"]}}
    write(folder / "model/clip.yaml", {"name": "test/clip", "source": {"path": str(clip)}, **both})
    write(folder / "model/texts.yaml", {"name": "test/texts", "source": {"path": str(texts)}})
    write(folder / "model/boastful.yaml", {"name": "test/boastful", "source": {"path": str(texts)}, **both})
    for loader in ("bm25", "model2vec"):
        values = {"name": f"test/{loader}", "loader": loader, "source": {"path": str(texts)}, **both}
        write(folder / f"model/{loader}.yaml", values)
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(project: Path, model: str, task: str, *more: str) -> int:
    return main(["run", "--config-dir", str(project), f"model={model}", f"task={task}", "outputs=out", *more])


def records() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in Path("out").glob("jobs/*/result.json")]


def photographs(project: Path, *contents: bytes, name: str = "photographs") -> str:
    """A task of one's own: which of scikit-learn's two photographs is which."""
    (project / "data" / name).mkdir(parents=True, exist_ok=True)
    columns = {"image": pa.array(contents), "label": [n % 2 for n in range(len(contents))]}
    pq.write_table(pa.table(columns), project / "data" / name / "test.parquet")
    values = {
        "name": name,
        "type": "zeroshot_image_classification",
        "dataset": {"files": str(project / "data" / name)},
        "languages": ["eng-Latn"],
        "main_metric": "accuracy",
        "settings": {"candidate_labels": ["a temple in china", "a flower"]},
    }
    write(project / "task" / f"{name}.yaml", values)
    return name


def jpeg(pixels: Any) -> bytes:
    content = io.BytesIO()
    Pictures.fromarray(pixels).save(content, "JPEG")
    return content.getvalue()


PHOTOGRAPHS = [jpeg(pixels) for pixels in load_sample_images().images]


def test_digits_are_measured_and_the_second_run_reuses_them(project: Path) -> None:
    assert run(project, "clip", "zeroshot_image_classification/digits") == 0
    [record] = records()
    assert record["main_score"] == pytest.approx(accuracy_of_transformers(project / "clip" / "model"))
    assert record["timing"]["texts_encoded"] == 10 + len({image.tobytes() for image in load_digits().images})
    assert run(project, "clip", "zeroshot_image_classification/digits", "rerun=true") == 0
    [again] = records()
    assert again["timing"]["texts_encoded"] == 0
    assert again["scores"] == record["scores"]


def accuracy_of_transformers(folder: Path) -> float:
    """What the network itself says, without anything of ours."""
    network, processor = CLIPModel.from_pretrained(folder).eval(), CLIPProcessor.from_pretrained(folder)
    digits = load_digits()
    shades = np.round(digits.images * (255 / 16)).astype("uint8")
    pixels = processor(images=[Pictures.fromarray(image) for image in shades], return_tensors="pt")
    words = processor(text=[f"a photo of the number: '{n}'." for n in range(10)], return_tensors="pt", padding=True)
    images = network.get_image_features(**pixels).pooler_output.detach().numpy()
    texts = network.get_text_features(**words).pooler_output.detach().numpy()
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    return float(((images @ texts.T).argmax(axis=1) == digits.target).mean())


def test_photographs_of_ones_own_are_measured(project: Path) -> None:
    assert run(project, "clip", photographs(project, *PHOTOGRAPHS, *PHOTOGRAPHS)) == 0
    [record] = records()
    assert record["main_score"] in (0.0, 0.5, 1.0)
    assert record["timing"]["texts_encoded"] == 4


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("texts", "gives images, and test/texts takes texts alone, as `about: modalities` in its file says"),
        ("bm25", "evaluates encoder models, and test/bm25 is a searcher"),
        ("model2vec", "gives images, and loader model2vec takes texts alone"),
    ],
)
def test_a_model_of_texts_is_planned_as_such(
    model: str, reason: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--config-dir", str(project), f"model={model}", "task=zeroshot_image_classification/digits"]
    assert main(["plan", "--json", *arguments]) == 0
    assert reason in capsys.readouterr().out
    assert main(["run", *arguments, "outputs=out"]) == 0
    assert not records()


def captioned(project: Path) -> str:
    """A task of one's own: which captioned photograph is asked for."""
    folder = project / "data/captioned"
    folder.mkdir(parents=True, exist_ok=True)
    documents = {"_id": ["china", "flower"], "text": ["a temple", "a dahlia"], "image": pa.array(PHOTOGRAPHS)}
    pq.write_table(pa.table(documents), folder / "corpus.parquet")
    pq.write_table(pa.table({"_id": ["q"], "text": ["a temple in china"]}), folder / "queries.parquet")
    judged = {"query-id": ["q"], "corpus-id": ["china"], "score": [1]}
    pq.write_table(pa.table(judged), folder / "qrels.parquet")
    values = {
        "name": "captioned",
        "type": "retrieval",
        "dataset": {"files": str(folder)},
        "languages": ["eng-Latn"],
        "main_metric": "recall_at_1",
        "settings": {"document_modality": "text+image"},
    }
    write(project / "task/captioned.yaml", values)
    return "captioned"


@pytest.mark.parametrize(
    ("model", "encoded", "told"),
    [("clip", "text+image", False), ("texts", "text", True)],
)
def test_a_part_of_documents_is_encoded_where_a_model_takes_no_more(
    model: str, encoded: str, told: bool, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(project, model, captioned(project)) == 0
    [record] = records()
    assert {name: side["modality"] for name, side in record["sides"].items()} == {"queries": "text", "corpus": encoded}
    said = "test/texts takes texts alone: of queries and documents that have images as well, only they are encoded"
    assert (said in " ".join(capsys.readouterr().out.split())) == told


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (
            {"settings": {"modality": "audio"}},
            "modality: found 'audio'; expected one of text, image, text+image",
        ),
        ({"settings": {"modality": "audio"}}, "Audio and video cannot be measured yet."),
        ({"about": {"modalities": ["text", "video"]}}, "it has video; only texts and images can be measured yet"),
    ],
)
def test_audio_and_video_are_refused_in_words(
    task: dict[str, Any], said: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"name": "Sounds", "type": "classification", "languages": ["eng-Latn"], "splits": ["test"]}
    dataset = {"dataset": {"hub": "lab/sounds", "revision": "0" * 40}, "main_metric": "accuracy"}
    write(project / "task/sounds.yaml", {**known, **dataset, **task})
    main(["plan", "--config-dir", str(project), "model=texts", "task=sounds"])
    heard = capsys.readouterr()
    assert said in " ".join((heard.out + heard.err).split())


def test_a_model_that_is_said_to_take_images_and_does_not_fails_with_a_reason(project: Path) -> None:
    assert run(project, "boastful", "zeroshot_image_classification/digits") == 1
    assert "test/boastful was loaded as a model of texts alone; correct `about: modalities`" in failure()


def test_an_image_that_cannot_be_decoded_is_named(project: Path) -> None:
    assert run(project, "clip", photographs(project, *PHOTOGRAPHS, b"none", name="none")) == 1
    assert "column 'image', row 2: expected an image, found 4 bytes" in failure()


def test_a_damaged_image_is_named(project: Path) -> None:
    cut = PHOTOGRAPHS[0][: len(PHOTOGRAPHS[0]) // 2]
    assert run(project, "clip", photographs(project, *PHOTOGRAPHS, cut, name="cut")) == 1
    assert "column 'image', row 2: an image of" in failure()


def failure() -> str:
    [path] = Path("out").glob("jobs/*/failure.json")
    return str(json.loads(path.read_text())["message"])
