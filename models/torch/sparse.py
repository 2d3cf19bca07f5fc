"""Learned sparse models (SPLADE and its kin) in the format of sentence-transformers.

Queries and documents become vectors over the vocabulary, compared by their dot product, or as the checkpoint says. They
are searched, not stored. `parameters`: attention and tokenizer, as for the sentence_transformer loader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sentence_transformers import SparseEncoder

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
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import Side, TaskContext
from embedmark.tasks.retrieval.ranking import Hits, Lookup

QUERIES_AT_ONCE = 64


def load(spec: ModelSpec) -> SparseSearcher:
    """The model in `spec.folder`. Raises ModelError."""
    folder = checked_folder(spec)
    refuse_settings(spec, "instructions")
    check(CheckpointParameters, spec.parameters)
    with loading(spec, folder):
        model = SparseEncoder(str(folder), **library_arguments(spec)).eval()
    settle_dtype(model, spec)
    pack_linear_layers(model)
    if spec.max_tokens is not None:
        model.max_seq_length = spec.max_tokens
    similarity = spec.similarity or model.similarity_fn_name or "dot"
    if similarity not in ("dot", "cosine"):
        raise ModelError(f"similarity is {similarity!r}; sparse vectors are compared by dot or cosine")
    return SparseSearcher(model, prompt_table(spec.prompts, folder), cosine=similarity == "cosine")


class SparseSearcher:
    """A Searcher."""

    def __init__(self, model: SparseEncoder, prompts: PromptTable, *, cosine: bool) -> None:
        self._model = model
        self._prompts = prompts
        self._cosine = cosine
        self.facts: Mapping[str, Any] = network_facts(model)

    def search(self, lookup: Lookup, context: TaskContext) -> Sequence[Hits]:
        """The documents of each query by their vectors' product."""
        documents = self._vectors(lookup.document_texts, "document", context).T.tocsc()
        queries = self._vectors(lookup.query_texts, "query", context)
        hits: list[Hits] = []
        for start in range(0, queries.shape[0], QUERIES_AT_ONCE):
            scores = (queries[start : start + QUERIES_AT_ONCE] @ documents).toarray()
            hits += [best(row, lookup, start + number) for number, row in enumerate(scores)]
        return hits

    def _vectors(self, texts: Sequence[str], side: Side, context: TaskContext) -> csr_matrix:
        """float32 (n, vocabulary)."""
        encode = self._model.encode_query if side == "query" else self._model.encode_document
        prompt = self._prompts.choose(EncodeContext(context, side))
        tensor = encode(list(texts), prompt=prompt, show_progress_bar=False, save_to_cpu=True)
        assert isinstance(tensor, torch.Tensor)
        tensor = tensor.coalesce().float()
        rows, columns = tensor.indices().numpy()
        vectors = csr_matrix((tensor.values().numpy(), (rows, columns)), shape=tuple(tensor.shape))
        if self._cosine:
            lengths = np.sqrt(vectors.multiply(vectors).sum(axis=1)).A1
            vectors = csr_matrix(vectors.multiply(1 / np.maximum(lengths, np.float32(1e-12))[:, None]))
        return vectors
