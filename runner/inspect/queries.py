"""Queries with what was found and what was right."""

from __future__ import annotations

import numpy as np

from embedmark.runner.inspect.items import Items, Parts, Source, text_of
from embedmark.tasks.retrieval.retrieval import judged_queries

_SHOWN = 3


def queries(source: Source) -> Items:
    """A query went well as far as what is right is at the top (nDCG@10)."""
    rows = source.prepared.data.retrieval(source.prepared.job.split)
    rankings = source.rankings()
    asked, documents = source.sides
    ids = [rows.queries["id"][place] for place in judged_queries(rows)]
    place = {document: number for number, document in enumerate(rows.corpus["id"])}

    def document(name: str) -> str:
        return f"[{name}] {text_of(documents[place[name]])}" if name in place else f"[{name}]"

    def parts(row: int) -> Parts:
        found = rankings.found(ids[row])
        right = sorted(
            (name for name, grade in rows.qrels[ids[row]].items() if grade > 0), key=lambda n: -rows.qrels[ids[row]][n]
        )
        ranks = {name: rank for rank, (name, _) in enumerate(found, start=1)}
        shown = [
            (f"found {rank}", f"{score:.4f} {document(name)}") for rank, (name, score) in enumerate(found[:_SHOWN], 1)
        ]
        told = [(f"right, at {ranks.get(name, 'none')}", document(name)) for name in right[:_SHOWN]]
        return (("query", text_of(asked[row])), *shown, *told)

    scores = source.arrays["ndcg_at_10"].astype(np.float64)
    return Items(source.arrays["_unit"], scores, lambda row: f"query {ids[row]}", parts)
