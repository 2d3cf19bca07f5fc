"""Late interaction (ColBERT, Khattab and Zaharia 2020) in the format of sentence-transformers.

Each text is one vector a token; a document's score is the sum, over the query's tokens, of the largest similarity with
any of its tokens (MaxSim). Documents are encoded as they are compared and not stored. Checkpoints of PyLate and of
Stanford's ColBERT are read too; what they put before texts to mark their side are their prompts. `parameters`:
attention and tokenizer, as for the sentence_transformer loader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sentence_transformers import MultiVectorEncoder

from embedmark.models.base import EncodeContext
from embedmark.models.lexical.hits import best
from embedmark.models.parameters import CheckpointParameters, check
from embedmark.models.prompts import PromptTable, prompt_table
from embedmark.models.spec import ModelSpec, refuse_settings
from embedmark.models.torch.checkpoints import (
    checked_folder,
    library_arguments,
    loading,
    network_facts,
    settle_dtype,
)
from embedmark.models.torch.packed import pack_linear_layers
from embedmark.tasks.base import Side, TaskContext
from embedmark.tasks.retrieval.ranking import Hits, Lookup

DOCUMENTS_AT_ONCE = 2048

Vectors = NDArray[np.float32]


def load(spec: ModelSpec) -> MultiVectorSearcher:
    """The model in `spec.folder`. Raises ModelError."""
    folder = checked_folder(spec)
    refuse_settings(spec, "instructions", "similarity")
    check(CheckpointParameters, spec.parameters)
    with loading(spec, folder):
        model = MultiVectorEncoder(str(folder), **library_arguments(spec)).eval()
    settle_dtype(model, spec)
    pack_linear_layers(model)
    if spec.max_tokens is not None:
        model.max_seq_length = spec.max_tokens
    # The library's prompts, since it makes some of other settings of the checkpoint than its `prompts`.
    own = {name: text or "" for name, text in model.prompts.items()}
    return MultiVectorSearcher(model, prompt_table(spec.prompts or own, folder))


class MultiVectorSearcher:
    """A Searcher."""

    def __init__(self, model: MultiVectorEncoder, prompts: PromptTable) -> None:
        self._model = model
        self._prompts = prompts
        self.facts: Mapping[str, Any] = network_facts(model)

    def search(self, lookup: Lookup, context: TaskContext) -> Sequence[Hits]:
        """The documents of each query by MaxSim. Only documents that some query has as a candidate are encoded."""
        queries = self._vectors(lookup.query_texts, "query", context)
        wanted, texts = _wanted(lookup), lookup.document_texts
        scores = np.full((len(queries), len(texts)), -np.inf, dtype=np.float32)
        for start in range(0, len(wanted), DOCUMENTS_AT_ONCE):
            block = wanted[start : start + DOCUMENTS_AT_ONCE]
            documents = self._vectors([texts[i] for i in block], "document", context)
            for number, query in enumerate(queries):
                scores[number, block] = max_sim(query, documents)
        return [best(row, lookup, number) for number, row in enumerate(scores)]

    def _vectors(self, texts: Sequence[str], side: Side, context: TaskContext) -> list[Vectors]:
        """float32 (n_tokens, dim) a text."""
        encode = self._model.encode_query if side == "query" else self._model.encode_document
        prompt = self._prompts.choose(EncodeContext(context, side))
        found = encode(list(texts), prompt=prompt, show_progress_bar=False)
        return [vectors.float().cpu().numpy() for vectors in found]


def _wanted(lookup: Lookup) -> NDArray[np.int64]:
    if lookup.candidates is None:
        return np.arange(len(lookup.documents))
    return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *lookup.candidates]))


def max_sim(query: Vectors, documents: Sequence[Vectors]) -> Vectors:
    """The score of each document: float32 (n,). A document without tokens scores 0."""
    lengths = np.array([len(document) for document in documents])
    scores = np.zeros(len(documents), dtype=np.float32)
    if not len(query) or not lengths.any():
        return scores
    similarities = query @ np.concatenate([document for document in documents if len(document)]).T
    starts = np.concatenate(([0], np.cumsum(lengths[lengths > 0])[:-1]))
    scores[lengths > 0] = np.maximum.reduceat(similarities, starts, axis=1).sum(axis=0)
    return scores
