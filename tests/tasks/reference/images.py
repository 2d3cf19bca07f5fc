"""Makes images.json: what the reference implementation says of scikit-learn's digits, classified without training.

    .venv-reference/bin/python tests/tasks/reference/images.py

An image's vector is its pixels, a candidate's the mean of its digit's. Each case is one run of the reference's own task
class, which reads the images as `datasets` gives them; for two candidates only their digits are left, 0 and 1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.abstasks.zeroshot_classification import AbsTaskZeroShotClassification
from mteb.models import ModelMeta
from PIL import Image as Pictures
from sentence_transformers import SimilarityFunction

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from pixels import DIGITS, of_pixels, of_text  # noqa: E402 - it lies above

IMAGE_FIRST, TEXT_FIRST = ["image", "text"], ["text", "image"]


class Pixels:
    """An encoder of images and of texts about digits; of both in one item it gives the sum."""

    def __init__(self, similarity: str) -> None:
        self.similarity = SimilarityFunction.to_similarity_fn(similarity)
        self.similarity_pairwise = SimilarityFunction.to_similarity_pairwise_fn(similarity)
        self.mteb_model_meta = ModelMeta.create_empty()

    def encode(self, inputs: Any, **_: Any) -> np.ndarray:
        found: list[np.ndarray] = []
        for batch in inputs:
            parts = []
            if "image" in batch:
                parts.append([of_pixels(np.asarray(picture.convert("L"))) for picture in batch["image"]])
            if "text" in batch:
                parts.append([of_text(text) for text in batch["text"]])
            found += [sum(vectors) for vectors in zip(*parts, strict=True)]
        return np.stack(found).astype(np.float32)


def cases() -> Iterator[dict[str, Any]]:
    for modalities in (IMAGE_FIRST, TEXT_FIRST):
        for digits in (list(range(10)), [8, 3]):
            for similarity in ("cosine", "dot", "euclidean"):
                yield {"modalities": modalities, "digits": digits, "similarity": similarity}


def task_of(case: dict[str, Any]) -> Any:
    metadata = TaskMetadata(
        name="DigitFacts",
        description="Handwritten digits.",
        reference=None,
        dataset={"path": "none/none", "revision": "none"},
        type="ZeroShotClassification",
        category="i2t",
        modalities=case["modalities"],
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
        main_score="accuracy",
    )
    candidates = [f"a photo of the number {digit}" for digit in case["digits"]]
    attributes = {
        "metadata": metadata,
        "load_data": lambda self, **_: None,
        "get_candidate_labels": lambda self: candidates,
    }
    task = type("DigitFacts", (AbsTaskZeroShotClassification,), attributes)()
    rows = np.flatnonzero(np.isin(DIGITS.target, case["digits"]))
    pictures = [Pictures.fromarray(DIGITS.images[row].astype("uint8")) for row in rows]
    labels = [case["digits"].index(DIGITS.target[row]) for row in rows]
    features = Features({"image": Image(), "label": ClassLabel(names=[str(digit) for digit in case["digits"]])})
    task.dataset = DatasetDict({"test": Dataset.from_dict({"image": pictures, "label": labels}, features=features)})
    task.data_loaded = True
    return task


def reported(case: dict[str, Any]) -> dict[str, float]:
    scores = task_of(case).evaluate(Pixels(case["similarity"]), "test", encode_kwargs={})["default"]
    return {metric: float(value) for metric, value in scores.items() if isinstance(value, int | float)}


def main() -> None:
    found = [{**case, "expected": reported(case)} for case in cases()]
    (HERE / "images.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
