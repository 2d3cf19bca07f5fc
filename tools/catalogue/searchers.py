"""Facts about the reference's lexical search and its hybrids → their config files."""

from __future__ import annotations

from typing import Any

from tools.catalogue import models
from tools.catalogue.tasks import Facts

LEXICAL = "bm25_loader"
METHODS = {
    "hybrid_bm25s_e5_loader": "rrf",
    "hybrid_bm25s_e5_dbsf_loader": "dbsf",
    "hybrid_bm25s_e5_rsf_loader": "weighted",
}
"""The reference's loader of a hybrid → our method."""
MEMBERS = ["mteb/baseline-bm25s", "intfloat/multilingual-e5-small"]


def expressible(facts: Facts) -> bool:
    """Whether our loaders do what the reference's does; BM25 over the pieces of a model's tokenizer they do not."""
    loader = facts.get("loader")
    return loader in METHODS or (loader == LEXICAL and not facts.get("loader_kwargs"))


def config(facts: Facts) -> dict[str, Any]:
    """The config of a searcher, whose similarity says nothing."""
    settings: dict[str, Any] = {"loader": "bm25"}
    if facts["loader"] in METHODS:
        parameters = {"method": METHODS[facts["loader"]]}
        settings = {"loader": "fusion", "members": MEMBERS, "parameters": parameters}
    values = models.whole(facts, settings)
    return {key: value for key, value in values.items() if key != "similarity"}
