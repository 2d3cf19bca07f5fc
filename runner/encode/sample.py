"""The sample of a corpus that a model in two stages reads before the texts of a job.

It is drawn as mteb 2.26.24's wrapper of CDE draws it for a task that is run alone: by a generator that starts anew for
every corpus, with replacement only where the corpus is smaller than the sample. So equal corpora have equal samples.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import cast

import numpy as np

from embedmark.models.base import ContextualEncoder, Sample, Sampling, Treatment
from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import ItemSet

SEED = 42


def samples(item_sets: Sequence[ItemSet], encoder: Treatment) -> list[Sample | None]:
    """What an encoder reads before each item set of a job; None for encoders in one stage, and before no texts.

    Raises DataError when a corpus is empty.
    """
    if not isinstance(encoder, ContextualEncoder):
        return [None] * len(item_sets)
    assert all(item_set.modality == "text" for item_set in item_sets), "models in two stages take texts alone"
    drawn: dict[int, Sample] = {}
    found: list[Sample | None] = []
    for item_set in item_sets:
        corpus = cast("Sequence[str]", item_sets[0].items if item_set.background is None else item_set.background)
        if len(item_set.items) and id(corpus) not in drawn:
            drawn[id(corpus)] = draw(corpus, encoder.sampling)
        found.append(drawn.get(id(corpus)) if len(item_set.items) else None)
    return found


def draw(corpus: Sequence[str], sampling: Sampling) -> Sample:
    """The sample of a corpus, of which no other text is read. Raises DataError when the corpus is empty."""
    if not len(corpus):
        raise DataError("the corpus is empty; the model reads a sample of it before it encodes a text")
    replace = len(corpus) < sampling.size
    rows = np.random.default_rng(SEED).choice(len(corpus), size=sampling.size, replace=replace)
    texts = tuple(corpus[int(row)] for row in rows)
    described = json.dumps([sampling.prompt, *texts], ensure_ascii=True)
    return Sample(hashlib.blake2b(described.encode(), digest_size=16).hexdigest(), texts, sampling.prompt)
