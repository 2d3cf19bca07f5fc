"""Queries and documents: what the rows of their tables become as items.

What a side is is said by the task's settings, never by its columns: a corpus of pages may carry the text of each page
beside its image, and a task of images alone leaves that text unread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Item, ItemModality, Rows
from embedmark.tasks.columns import CompositeColumn, ImageColumn
from embedmark.tasks.retrieval.settings import IMAGE


def documents_of(corpus: Rows, modality: ItemModality = "text") -> Sequence[Item]:
    """Read documents: texts with their titles, images, or both. Raises DataError for an empty corpus."""
    if corpus.n_rows == 0:
        raise DataError("the corpus is empty; expected at least one document")
    if modality == "image":
        return ImageColumn(corpus, IMAGE)
    texts = document_texts(corpus)
    return texts if modality == "text" else CompositeColumn(texts, ImageColumn(corpus, IMAGE))


def queries_of(queries: Rows, positions: Sequence[int], modality: ItemModality = "text") -> Sequence[Item]:
    """Read the queries at some positions: texts with their instructions, images, or both. Raises DataError."""
    whole = len(positions) == queries.n_rows and list(positions) == list(range(queries.n_rows))
    chosen = None if whole else positions  # a column that is whole is read in blocks
    if modality == "image":
        return ImageColumn(queries, IMAGE, chosen)
    texts = query_texts(queries, positions)
    return texts if modality == "text" else CompositeColumn(texts, ImageColumn(queries, IMAGE, chosen))


def document_texts(corpus: Rows) -> list[str]:
    """`title + " " + text` where there is a title, else `text`; stripped. Raises DataError where a text is missing."""
    titles = corpus["title"] if "title" in corpus else [None] * corpus.n_rows
    return [
        (f"{title} {_text(text, document)}" if title else _text(text, document)).strip()
        for document, title, text in zip(corpus["id"], titles, corpus["text"], strict=True)
    ]


def query_texts(queries: Rows, positions: Sequence[int]) -> list[str]:
    """The query, followed by its instruction where it has one; conversations with their instruction in front."""
    texts, ids = list(queries["text"]), list(queries["id"])
    instructions = list(queries["instruction"]) if "instruction" in queries else [None] * queries.n_rows
    return [_query_text(texts[i], instructions[i], ids[i]) for i in positions]


def _query_text(text: Any, instruction: str | None, query: str) -> str:
    if isinstance(text, str):
        return text if instruction is None else f"{text} {instruction}"
    if not isinstance(text, (list, tuple)) or not text:
        raise DataError(f"query {query!r} is {text!r}; expected a text or a conversation (a list of turns)")
    conversation = "; ".join(_turn(turn, query) for turn in text)
    return conversation if instruction is None else f"{instruction} {conversation}"


def _turn(turn: Any, query: str) -> str:
    if isinstance(turn, str):
        return turn
    if isinstance(turn, Mapping) and {"role", "content"} <= turn.keys():
        return f"{turn['role']}: {turn['content']}"
    raise DataError(f"query {query!r} has the turn {turn!r}; expected a text, or a mapping with `role` and `content`")


def _text(text: Any, document: str) -> str:
    if not isinstance(text, str):
        raise DataError(f"document {document!r} has the text {text!r}; expected a string")
    return text
