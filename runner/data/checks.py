"""What must be true of rows before a task type sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa

from embedmark.runner.common.errors import TableError, UserError
from embedmark.runner.config.schema import FilesDataset
from embedmark.runner.data import images
from embedmark.runner.data.table import RetrievalTables, Split, Table, is_text, kind_name
from embedmark.runner.resolve import ResolvedTask
from embedmark.tasks.base import ColumnRoles, Modality, Role, parts_of
from embedmark.tasks.retrieval.settings import IMAGE

_ID: ColumnRoles = (("id", "id"),)
_DOCUMENTS: Mapping[Modality, tuple[str, Role]] = {"text": ("text", "text"), "image": (IMAGE, "image")}
_QUERIES: Mapping[Modality, tuple[str, Role]] = {**_DOCUMENTS, "text": ("text", "conversation")}
_QRELS: ColumnRoles = (("query-id", "id"), ("corpus-id", "id"), ("score", "number"))


def check_split(task: ResolvedTask, subset: str, split: str, data: Split) -> None:
    """Hold a split against the columns that its task reads.

    Raises:
        UserError: it is empty, or a column is missing, has missing values, values of a wrong type or no images.
    """
    where = f"subset {subset!r}, split {split!r}"
    evaluated = split in task.config.splits
    columns = tuple((name, role) for name, role in task.columns if evaluated or role != "cluster")
    if isinstance(data, RetrievalTables):
        asked, searched = task.type.sides(task.settings)
        corpus = (*_ID, *(_DOCUMENTS[part] for part in parts_of(searched)))
        queries = (*_ID, *(_QUERIES[part] for part in parts_of(asked)), *columns)
        _check_side(data.corpus, f"{where}, corpus", corpus, f"document_modality: {searched}")
        _check_side(data.queries, f"{where}, queries", queries, f"query_modality: {asked}")
        _check_table(data.qrels, f"{where}, qrels", _QRELS)
        return
    try:
        _check_table(data, where, columns)
    except UserError as error:
        hint = " The first row of a CSV or TSV has to name its columns." if _is_headless(task, data) else ""
        raise UserError(f"{error}{hint}") from error
    _check_images(data, where, columns)


def _check_side(table: Table, where: str, columns: ColumnRoles, setting: str) -> None:
    """Hold queries or documents against the columns of what they are; columns of what they are not stay unread."""
    try:
        _check_table(table, where, columns)
        _check_images(table, where, columns)
    except UserError as error:
        of_texts = setting.endswith(": text")
        raise UserError(f"{error}{'' if of_texts else f' The task says `settings: {setting}`.'}") from error


def _check_images(table: Table, where: str, columns: ColumnRoles) -> None:
    for name, role in columns:
        if role in _OF_IMAGES:
            images.check(table, name, where)


def _is_headless(task: ResolvedTask, data: Table) -> bool:
    """Whether none of the columns wanted is there, as where a file's first row is data already."""
    wanted = {name for name, role in task.columns if role != "cluster"}
    return (
        isinstance(task.config.dataset, FilesDataset) and bool(wanted) and not wanted & {*data.names, *data.unreadable}
    )


def _check_table(table: Table, where: str, columns: ColumnRoles) -> None:
    if len(table) == 0:
        raise UserError(f"{where} is empty. Check the split's name and the transforms that filter rows.")
    try:
        table.require([name for name, _ in columns])
    except TableError as error:
        raise UserError(f"{where}: {error} Name the columns in `settings`, or rename them in `transforms`.") from error
    for name, role in columns:
        column = table.column(name)
        if column.null_count:
            row = next(row for row, missing in enumerate(column.is_null().to_pylist()) if missing)
            path = " (a path without bytes is no image)" if role in _OF_IMAGES else ""
            raise UserError(
                f"{where}: {column.null_count} of {len(table)} rows have no value in {name!r}{path}, the first is row "
                f"{row}. Leave them out with `- filter: {{column: {name}, non_empty: true}}`."
            )
        if not _fits(column.type, role):
            raise UserError(f"{where}: column {name!r} holds {kind_name(column.type)}, expected {_EXPECTED[role]}.")


_OF_IMAGES = ("image", "images")
_IMAGES = "images, as bytes or as the Image of `datasets` with its bytes"
_LABELS = "text, numbers, or lists of these"
_EXPECTED: Mapping[Role, str] = {
    "text": "text",
    "id": "text",
    "label": _LABELS,
    "value": _LABELS,
    "cluster": "text or whole numbers",
    "number": "numbers",
    "list": "lists",
    "image": _IMAGES,
    "images": f"{_IMAGES}, or lists of them",
    "conversation": "text, or lists of turns (texts, or mappings with `role` and `content`)",
}

_NUMBERS = (pa.types.is_integer, pa.types.is_floating)
_FITTING: Mapping[Role, tuple[Callable[[pa.DataType], bool], ...]] = {
    "text": (is_text,),
    "id": (is_text,),
    "label": (is_text, *_NUMBERS, pa.types.is_boolean),
    "value": (is_text, *_NUMBERS, pa.types.is_boolean),
    "cluster": (is_text, pa.types.is_integer),
    "number": _NUMBERS,
    "list": (),
    "image": (pa.types.is_large_binary,),
    "images": (pa.types.is_large_binary,),
    "conversation": (is_text, pa.types.is_struct),
}
"""Which types fit a role: of the values, or for most roles of the values of lists."""


def _fits(kind: pa.DataType, role: Role) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return role == "list" or (role not in {"number", "image"} and _fits(kind.value_type, role))
    return any(fits(kind) for fits in _FITTING[role])
