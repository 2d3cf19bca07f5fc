"""Makes pictures.json: what the reference implementation says of images, and of texts beside images.

    .venv-reference/bin/python tests/tasks/reference/pictures.py

Each case is one run of the reference's own task class over tables whose images are numbers (tests/tasks/pixels.py). It
reads them as `datasets` gives them, PNG in between. `columns` of a case says which of its columns hold what.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, DatasetDict, Features, Image, List, Value
from mteb.abstasks.classification import AbsTaskClassification
from mteb.abstasks.clustering import AbsTaskClustering
from mteb.abstasks.clustering_legacy import AbsTaskClusteringLegacy
from mteb.abstasks.image.image_text_pair_classification import AbsTaskImageTextPairClassification
from mteb.abstasks.multilabel_classification import AbsTaskMultilabelClassification
from mteb.abstasks.pair_classification import AbsTaskPairClassification
from mteb.abstasks.regression import AbsTaskRegression
from mteb.abstasks.sts import AbsTaskSTS
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.abstasks.zeroshot_classification import AbsTaskZeroShotClassification
from PIL import Image as Pictures
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from images import Pixels  # noqa: E402 - they lie beside this file and above it
from picture_cases import Case, cases  # noqa: E402
from pixels import picture  # noqa: E402

Class = type[Any]
Attributes = dict[str, Any]

MAIN = {
    "classification": "accuracy",
    "multilabel_classification": "lrap",
    "regression": "kendalltau",
    "clustering": "v_measure",
    "clustering_legacy": "nmi",
    "sts": "cosine_spearman",
    "pair_classification": "max_ap",
    "compositionality": "text_acc",
    "zeroshot_classification": "accuracy",
}
NAMES = {"label_column": "label_column_name", "n_clusterings": "n_clusters"}
BOTH = ("image", "text")
"""The columns of the reference's items of a text and an image are called so, in whatever order."""


def inputs(case: Case) -> Attributes:
    """Attributes of types of one item a row."""
    settings = dict(case["settings"])
    modality = settings.pop("modality")
    column = settings.pop("input_column", None)
    settings.pop("whole", None)
    settings.pop("draws", None)
    found = {NAMES.get(name, name): value for name, value in settings.items()}
    return {**found, "input_column_name": BOTH if modality == "text+image" else column}


def multilabel(case: Case) -> Attributes:
    found = inputs(case)
    if found.pop("classifier", None) == "logistic_regression":
        return {**found, "evaluator_model": MultiOutputClassifier(LogisticRegression())}
    # VOC2007 sets this attribute, which nobody reads: what runs is the class's own five nearest neighbours.
    return {**found, "evaluator": MultiOutputClassifier(LogisticRegression())}


def sides(case: Case) -> list[Any]:
    """The reference's names of the two sides of pairs."""
    settings = case["settings"]
    modalities = settings.get("modalities") or [settings["modality"]] * 2
    if len(set(modalities)) == 1 and modalities[0] != "text+image":
        return list(settings["columns"])
    images = settings.get("image_columns", ("", ""))
    return [
        {column: "text", image: "image"} if modality == "text+image" else {column: modality}
        for column, image, modality in zip(settings["columns"], images, modalities, strict=True)
    ]


def sts(case: Case) -> Attributes:
    scale = {name: case["settings"][name] for name in ("min_score", "max_score")}
    return {**scale, "column_names": tuple(sides(case))}


def pairs(case: Case) -> Attributes:
    first, second = sides(case)
    return {"input1_column_name": first, "input2_column_name": second}


def captions(case: Case) -> Attributes:
    """A single column is called by its name, or by a tuple of it, which must give the same."""
    settings = case["settings"]
    images, texts = tuple(settings["image_columns"]), tuple(settings["text_columns"])
    alone = case["name"].startswith("one of each")
    return {
        "images_column_names": images[0] if alone else images,
        "texts_column_names": texts[0] if alone else texts,
    }


def zero_shot(case: Case) -> Attributes:
    found = inputs(case)
    del found["likeness"]
    candidates = found.pop("candidate_labels")
    return {**found, "get_candidate_labels": lambda self: candidates}


CLASSES: dict[str, tuple[Class, str, Callable[[Case], Attributes]]] = {
    "classification": (AbsTaskClassification, "ImageClassification", inputs),
    "multilabel_classification": (AbsTaskMultilabelClassification, "ImageClassification", multilabel),
    "regression": (AbsTaskRegression, "Regression", inputs),
    "clustering": (AbsTaskClustering, "ImageClustering", inputs),
    "clustering_legacy": (AbsTaskClusteringLegacy, "ImageClustering", inputs),
    "sts": (AbsTaskSTS, "VisualSTS(eng)", sts),
    "pair_classification": (AbsTaskPairClassification, "PairClassification", pairs),
    "compositionality": (AbsTaskImageTextPairClassification, "Compositionality", captions),
    "zeroshot_classification": (AbsTaskZeroShotClassification, "ZeroShotClassification", zero_shot),
}


def task_of(case: Case) -> Any:
    base, type_name, attributes = CLASSES[case["type"]]
    metadata = TaskMetadata(
        name="PictureFacts",
        description="Small images.",
        reference=None,
        dataset={"path": "none/none", "revision": "none"},
        type=type_name,
        category="i2c",
        modalities=case["modalities"],
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
        main_score=MAIN[case["type"]],
    )
    told = {"metadata": metadata, "load_data": lambda self, **_: None, **attributes(case)}
    task = type("PictureFacts", (base,), told)()
    task.dataset = DatasetDict({split: table(case, rows) for split, rows in case["data"].items()})
    task.data_loaded = True
    return task


def table(case: Case, rows: dict[str, list[Any]]) -> Dataset:
    """The rows of a split, as `datasets` has them of a publisher."""
    made: dict[str, list[Any]] = {}
    features: dict[str, Any] = {}
    for name, values in rows.items():
        if name in case["images"]:
            made[name] = [Pictures.fromarray(picture(number)) for number in values]
            features[name] = Image()
        else:
            made[name] = values
            features[name] = feature(values[0])
    return Dataset.from_dict(made, features=Features(features))


def feature(value: Any) -> Any:
    if isinstance(value, list):
        return List(feature(value[0]) if value else Value("int64"))
    return Value({str: "string", int: "int64", float: "float64"}[type(value)])


class Small(Pixels):
    """Pixels from 0 to 1, on which logistic regression converges, so that no processor's rounding decides a class."""

    def encode(self, inputs: Any, **_: Any) -> np.ndarray:
        return super().encode(inputs) / np.float32(16)


def reported(case: Case) -> dict[str, Any]:
    model = Small(case["similarity"])
    scores = task_of(case).evaluate(model, "test", encode_kwargs={})["default"]
    return {name: plain(value) for name, value in scores.items()}


def plain(value: Any) -> Any:
    """What JSON has, and null for NaN and None."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    number = math.nan if value is None else float(np.float64(value))
    return None if math.isnan(number) else number


def found() -> Iterator[Case]:
    for case in cases():
        print(case["type"], case["name"], case["similarity"], file=sys.stderr)
        yield {**case, "main": MAIN[case["type"]], "expected": reported(case)}


def main() -> None:
    warnings.simplefilter("ignore")
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in found())
    (HERE / "pictures.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
