"""Every type that takes images through the whole command: run, looked into, compared and verified."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from own_encoders import Fine
from PIL import Image as Pictures
from sklearn.datasets import load_digits
from written import write

from embedmark.models.base import Variant
from embedmark.runner.cli.main import main
from embedmark.tasks.base import Image


class Seeing(Fine):
    """Vectors that the bytes of images and texts decide, added where an item is of both."""

    modalities = ("text", "image")
    fusion = "sum"
    salt = ""

    def image_lengths(self, images: Sequence[Image]) -> Any:
        return np.ones(len(images), dtype=np.int64)

    def encode_images(self, images: Sequence[Image], _variant: Variant) -> Any:
        return np.stack([self._vector(self.salt + image.data.hex()) for image in images])


class Otherwise(Seeing):
    """The same with other vectors."""

    salt = "x"


N = 24
DATA = load_digits()
LABELS = [int(label) for label in DATA.target[: 2 * N]]


def png(number: int) -> bytes:
    content = io.BytesIO()
    Pictures.fromarray(DATA.images[number].astype("uint8") * 15).save(content, "PNG")
    return content.getvalue()


IMAGES = [png(number) for number in range(2 * N)]
WORDS = [f"digit {label}, seen for the {number}th time" for number, label in enumerate(LABELS)]
DIGITS = LABELS[:N]
TWEETS = {"text": WORDS[:N], "image": IMAGES[:N]}

TASKS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "Captions": (
        "compositionality",
        "accuracy",
        {"one": IMAGES[:N], "two": IMAGES[N:], "first": WORDS[:N], "second": WORDS[N:]},
        {"image_columns": ["one", "two"], "text_columns": ["first", "second"]},
    ),
    "Heaps": (
        "clustering_legacy",
        "cluster_accuracy",
        {"image": IMAGES[:N], "label": [digit % 3 for digit in DIGITS]},
        {"whole": True, "modality": "image", "input_column": "image", "label_column": "label"},
    ),
    "Tweets": (
        "classification",
        "accuracy",
        {**TWEETS, "label": [digit % 2 for digit in DIGITS]},
        {"modality": "text+image", "train_split": "test", "n_experiments": 3},
    ),
    "Shelves": (
        "clustering",
        "v_measure",
        {**TWEETS, "labels": [digit % 3 for digit in DIGITS]},
        {"modality": "text+image", "input_column": "text", "max_fraction_of_documents_to_embed": None},
    ),
    "Objects": (
        "multilabel_classification",
        "lrap",
        {"image": IMAGES[:N], "label": [[digit % 2, 2 + digit % 3] for digit in DIGITS]},
        {"modality": "image", "input_column": "image", "train_split": "test", "n_experiments": 3},
    ),
    "Pages": (
        "sts",
        "cosine_spearman",
        {"a": IMAGES[:N], "b": IMAGES[N:], "score": [float(digit) for digit in DIGITS]},
        {"modality": "image", "columns": ["a", "b"], "max_score": 9},
    ),
    "Answers": (
        "pair_classification",
        "max_ap",
        {"a": WORDS[:N], "b": IMAGES[:N], "labels": [digit % 2 for digit in DIGITS]},
        {"modalities": ["text", "image"], "columns": ["a", "b"]},
    ),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the config folder `project` and the records of two models."""
    folder = tmp_path_factory.mktemp("images")
    for name, kind in (("seeing", Seeing), ("otherwise", Otherwise)):
        values = {"name": f"test/{name}", "loader": f"{__name__}:{kind.__name__}", "trust_remote_code": True}
        about = {"about": {"modalities": ["text", "image"]}}
        weights = folder / "weights" / name
        weights.mkdir(parents=True)
        (weights / "weights.txt").write_text(name)
        write(folder / f"project/model/{name}.yaml", {**values, "source": {"path": str(weights)}, **about})
    for name, (kind, metric, columns, settings) in TASKS.items():
        data = folder / "project/data" / name.lower()
        data.mkdir(parents=True)
        pq.write_table(pa.table(columns), data / "test.parquet")
        values = {"name": name, "type": kind, "dataset": {"files": str(data)}, "languages": ["eng-Latn"]}
        write(folder / f"project/task/{name.lower()}.yaml", {**values, "main_metric": metric, "settings": settings})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for model in ("seeing", "otherwise"):
            line = ["run", f"model={model}", f"tasks=[{','.join(TASKS)}]", "--config-dir", "project"]
            assert main([*line, "execution.items=true"]) == 0
    return folder


@pytest.fixture(autouse=True)
def there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)


def job(task: str, model: str = "seeing") -> Path:
    (path,) = Path("outputs/jobs").glob(f"{task}--test__{model}*")
    return path


PARTS = {
    "Captions": ["image 1", "image 2", "text 1", "text 2", "nearest"],
    "Heaps": ["text", "label", "together"],
    "Tweets": ["text", "right", "predicted"],
}


@pytest.mark.parametrize("task", TASKS)
def test_the_worst_items_are_shown(task: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(job(task)), "-n", "3", "--format", "json", "--config-dir", "project"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [item["score"] for item in found["items"]] == sorted(item["score"] for item in found["items"])
    shown = [dict(item["parts"]) for item in found["items"]]
    assert list(shown[0])[:5] == PARTS.get(task, list(shown[0]))
    assert all(text for parts in shown for text in parts.values())
    if task == "Tweets":
        assert all(" + an image, PNG 8 x 8, " in parts["text"] for parts in shown)


def test_two_models_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "seeing", "otherwise", "--json", "--config-dir", "project"]) == 0
    (pair,) = json.loads(capsys.readouterr().out)["comparisons"]
    assert {task["name"] for task in pair["tasks"]} == TASKS.keys()
    told = {task["name"]: task for task in pair["tasks"]}
    for name in ("Captions", "Tweets", "Objects", "Pages", "Answers"):
        assert told[name]["p"] is not None, (name, told[name])
    assert "of one clustering" in json.dumps(told["Heaps"])


@pytest.mark.parametrize("task", TASKS)
def test_a_record_is_what_it_claims(task: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(job(task)), "--config-dir", "project"]) == 0
    assert f"match    {task}--" in capsys.readouterr().out
