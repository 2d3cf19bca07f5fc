"""An encoder for the reference implementation that looks vectors up and notes down what it was given and told."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import numpy as np
from encoders import Vectors, image_text, texts_hash
from mteb.abstasks.abstask import get_abstask_prompt
from mteb.models import ModelMeta
from mteb.similarity_functions import cos_sim, pairwise_cos_sim


class Recorder:
    """As the reference's EncoderProtocol asks: `encode`, two similarities (cosine) and a description."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._texts: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._told: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.seen: set[str] = set()
        self.mteb_model_meta = ModelMeta.create_empty()
        self.similarity = cos_sim
        self.similarity_pairwise = pairwise_cos_sim

    def encode(
        self, inputs: Any, *, task_metadata: Any, hf_split: str, hf_subset: str, prompt_type: Any = None, **_: Any
    ) -> np.ndarray:
        """Vectors of the texts and images of all batches, in order."""
        texts = [text for batch in inputs for text in _texts(batch)]
        place = hf_split, prompt_type.value if prompt_type else ""
        self._texts[place] += texts
        self._told[place].add(json.dumps(_told(task_metadata, hf_subset)))
        self.seen.update(texts)
        return self._vectors(texts)

    def given(self) -> list[dict[str, Any]]:
        """What came since this was asked last, by split and side. told: what calls said of the task."""
        given = [
            {
                "split": split,
                "side": side,
                "told": [json.loads(told) for told in sorted(self._told[split, side])],
                "n_texts": len(texts),
                "texts": texts_hash(texts),
                "n_distinct": len(set(texts)),
                "distinct": texts_hash(set(texts)),
            }
            for (split, side), texts in sorted(self._texts.items())
        ]
        self._texts.clear()
        self._told.clear()
        return given


def _texts(batch: Any) -> list[str]:
    """A text for each item of a batch: its own, one that stands for its image, or both, as ours.py has them."""
    texts = batch.get("text")
    if "image" not in batch:
        return list(texts)
    found = []
    for image in batch["image"]:
        colours = image.convert("RGB")
        found.append(image_text(colours.size, colours.tobytes()))
    return found if texts is None else [f"{text} + {image}" for text, image in zip(texts, found, strict=True)]


def _told(metadata: Any, subset: str) -> dict[str, Any]:
    """What a model may look at when it chooses a prompt; as ours.py has it of ours. prompt: the task's own, by side."""
    prompt = metadata.prompt or {}
    return {
        "task": metadata.name,
        "type": metadata.type,
        "subset": subset,
        "languages": list(metadata.hf_subsets_to_langscripts.get(subset, [])),
        "prompt": {"": prompt} if isinstance(prompt, str) else dict(prompt),
        "instruction": get_abstask_prompt(metadata.name),
    }
