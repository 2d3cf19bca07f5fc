"""Reranking: the order of each query's given candidates."""

from __future__ import annotations

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import RetrievalRows, TaskData
from embedmark.tasks.retrieval.retrieval import Retrieval


class Reranking(Retrieval):
    """Retrieval that insists on candidates: without them it would silently search the whole corpus instead."""

    def _rows(self, data: TaskData) -> RetrievalRows:
        rows = super()._rows(data)
        if rows.top_ranked is None:
            raise DataError("no `top_ranked` candidates; use the type `retrieval` to search the whole corpus")
        return rows
