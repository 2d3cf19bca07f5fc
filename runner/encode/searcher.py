"""An encoder as a model that searches: its vectors, out of the store where they are, and exact search among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embedmark.models.base import Encoder, takes
from embedmark.models.postprocess import Postprocess
from embedmark.runner.encode.engine import encode
from embedmark.runner.encode.requests import requests
from embedmark.runner.encode.store import Store
from embedmark.tasks.base import ItemSet, Modality, SimilarityName, TaskContext, parts_of
from embedmark.tasks.retrieval.ranking import Hits, Lookup
from embedmark.tasks.retrieval.search import rerank, search


@dataclass(frozen=True)
class EncoderSearcher:
    """A Searcher. similarity: how its vectors are compared. batch_tokens: as the engine takes it."""

    encoder: Encoder
    store: Store
    postprocess: Postprocess
    similarity: SimilarityName
    batch_tokens: int | None = None

    @property
    def modalities(self) -> frozenset[Modality]:
        """Those of the encoder."""
        return takes(self.encoder)

    @property
    def facts(self) -> Mapping[str, Any]:
        """Those of the encoder."""
        return self.encoder.facts

    def search(self, lookup: Lookup, context: TaskContext) -> Sequence[Hits]:
        """The k most similar documents of each query, or of its candidates. Raises ModelError and DataError."""
        asked, searched = lookup.query_modality, lookup.document_modality
        background = lookup.document_texts if "text" in parts_of(searched) else None
        sets = (
            ItemSet("queries", lookup.queries, "query", asked, background),
            ItemSet("corpus", lookup.documents, "document", searched, background, in_blocks=True),
        )
        wanted = requests(context.name, sets, context, self.encoder)
        encoded = encode(self.encoder, wanted, self.store, batch_tokens=self.batch_tokens, postprocess=self.postprocess)
        vectors = (encoded.vectors(wanted[0]), encoded.rows(wanted[1]), lookup.query_ids, lookup.document_ids)
        if lookup.candidates is None:
            ranking = search(*vectors, lookup.k, self.similarity)
        else:
            ranking = rerank(*vectors, lookup.candidates, lookup.k, self.similarity)
        return [(positions, scores) for _, positions, scores in ranking]
