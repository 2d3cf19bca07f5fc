"""A user's own folder of tables: <subset>/<split>.<kind>, or <split>.<kind> where there is one subset.

Retrieval data uses the hub's names: folders `corpus`, `queries`, `qrels`, and perhaps `top_ranked`, `instruction`,
`qrel_diff` and `excluded`, with a file a split, or one file each (`corpus.jsonl`), as BEIR's data has them; with
several subsets these lie in <subset>/ or are called `<subset>-corpus` and so on. Kinds: jsonl, json, csv, tsv, each
perhaps with .gz, and parquet.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from embedmark.runner.common import folder
from embedmark.runner.common.errors import JobError, TableError, UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.text import composed
from embedmark.runner.config.identity import Pin
from embedmark.runner.config.schema import FilesDataset, TaskConfig
from embedmark.runner.data.numbers import empty_as_missing, numbers
from embedmark.runner.data.parquet import MAPPED, mapped_parquet
from embedmark.runner.data.parse import UNTYPED, describe, parse, table_name
from embedmark.runner.data.sources.base import Facts, Raw, Request
from embedmark.runner.data.sources.retrieval import IDS, OPTIONAL, REQUIRED, retrieval_tables
from embedmark.runner.data.table import RetrievalTables, Split, Table, is_text, kind_name, shown


def fetch(asked: Request) -> Raw:
    """What is asked for, if the folder is what it was when it was planned with. Raises as `read`."""
    return read(asked.dataset, asked.subset, asked.splits, retrieval=asked.retrieval, content=asked.content)


def pin(task: TaskConfig) -> Pin:
    """What identifies the folder of a task: the hash of all its tables. Raises UserError when it can hold none."""
    assert isinstance(task.dataset, FilesDataset)
    try:
        for key, names in (("subsets", task.subsets), ("splits", task.splits)):
            for name in names:
                _refuse_name(name, key)
        content = content_revision(folder.expand(task.dataset.files, "dataset.files"))
    except UserError as error:
        raise UserError(f"task {task.name}: {error}") from error
    return Pin(task.dataset.revision, content)


def read(
    dataset: FilesDataset, subset: str, splits: Sequence[str], *, retrieval: bool, content: str | None = None
) -> Raw:
    """Splits of one subset. content: what the folder's content has to be, where it was planned with.

    Raises UserError for a folder, subset or split that is not there or cannot be read, JobError when the content is
    another one than `content`.
    """
    for name in (subset, *splits):
        _refuse_name(name, "subset or split")
    tables = _Tables(folder.expand(dataset.files, "dataset.files"))
    loaded: dict[str, Split] = {}
    if retrieval:
        available = sorted(tables.splits(tables.part(subset, "qrels")))
        for split in splits:
            loaded[split] = _retrieval(tables, subset, split)
    else:
        place = tables.subset(subset)
        available = sorted(tables.splits(place))
        for split in splits:
            loaded[split] = tables.read(place, split)
    found = tables.content()
    if content is not None and found != content:
        raise JobError(
            f"folder {tables.root} has changed since this job was planned: its content is {found[:12]} now, and was "
            f"{content[:12]}. Run again: a new job is planned for the new content."
        )
    return Raw(
        loaded, tuple(available), Facts("files", str(tables.root), dataset.revision or found, tuple(tables.hashes))
    )


def content_revision(root: Path) -> str:
    """What identifies a folder: sha256 over the names and contents of its tables, in the order of names.

    Raises UserError when it has no tables.
    """
    return _Tables(root).content()


def table_files(root: Path) -> dict[str, Path]:
    """The tables of a folder, name → path: all that `content_revision` hashes. Raises UserError."""
    return _Tables(root).all()


def _refuse_name(name: str, key: str) -> None:
    folder.refuse_leaving(name, key)
    if any(part.startswith(".") for part in name.split("/")):
        raise UserError(f"{key}: the name {name!r} begins with a dot; such files are hidden, and never read")


@dataclass(frozen=True)
class _Place:
    """Where splits lie: in a folder of this name, or in one file that has all of them."""

    name: str
    file: str | None = None


@dataclass
class _Tables:
    """The tables of a folder, found once. hashes: file → sha256 of those that were read, as they were read."""

    root: Path
    hashes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = folder.files(self.root, hidden=False)
        self._files = {name: path for name, path in found.items() if table_name(name) is not None}
        self._others = {name: path for name, path in found.items() if table_name(name) is None}
        if not self._files:
            raise UserError(
                f"folder {self.root} holds no tables; expected <split>.jsonl, .csv or .parquet.{describe(self._others)}"
            )

    def all(self) -> dict[str, Path]:
        """All tables, name → path."""
        return dict(self._files)

    def content(self) -> str:
        """The hash of all tables; those that were read count as they were read."""
        digest = hashlib.sha256(b"files:1")
        for name, sha256 in folder.digests(self._files, self.hashes).items():
            encoded = os.fsencode(name)
            digest.update(len(encoded).to_bytes(8, "little") + encoded + sha256.encode())
        return digest.hexdigest()

    @cached_property
    def _folders(self) -> dict[str, dict[str, list[str]]]:
        """Folder → split → the files that may be it."""
        folders: dict[str, dict[str, list[str]]] = {}
        for name in self._files:
            where, _, file = composed(name).rpartition("/")  # as the names in configs are
            folders.setdefault(where, {}).setdefault(table_name(file) or "", []).append(name)
        return folders

    def _is_folder(self, name: str) -> bool:
        return any(known == name or known.startswith(f"{name}/") for known in self._folders)

    def splits(self, place: _Place) -> Mapping[str, list[str]]:
        """Split → files of a place."""
        return {"": [place.file]} if place.file is not None else self._folders.get(place.name, {})

    def subset(self, subset: str) -> _Place:
        """The folder of a subset."""
        if self._is_folder(subset):
            return _Place(subset)
        if subset == "default":
            return _Place("")
        known = sorted({name.split("/")[0] for name in self._folders if name})
        raise UserError(
            f"folder {self.root}: no subset {subset!r} (a folder of that name with tables); it has "
            f"{shown(', '.join(known)) or 'no folders with tables'}.{nearest(subset, known)}"
        )

    def part(self, subset: str, part: str) -> _Place:
        """A part of retrieval data: <subset>/corpus, <subset>-corpus, or corpus; qrels may be called `default`."""
        found = self.optional_part(subset, part)
        if found is None:
            known = sorted({name.split("/")[0] for name in (*self._files, *self._others)})
            raise UserError(
                f"folder {self.root}: no {part} for subset {subset!r}; expected a folder or a file such as "
                f"{'' if subset == 'default' else subset + '/'}{part}.jsonl. It holds {shown(', '.join(known))}."
                f"{describe(self._others)}"
            )
        return found

    def optional_part(self, subset: str, part: str) -> _Place | None:
        """The same; None where there is none."""
        names = [part, "default"] if part == "qrels" else [part, "query"] if part == "queries" else [part]
        bases = [f"{subset}/{name}" for name in names] + [f"{subset}-{name}" for name in names]
        if subset == "default":
            bases += names
        for base in bases:
            if self._is_folder(base):
                return _Place(base)
            where, _, file = base.rpartition("/")
            if files := self._folders.get(where, {}).get(file):
                return _Place(where, self._only(file, files))
        return None

    def read(self, place: _Place, split: str, columns: Sequence[str] = ()) -> Table:
        """One split; a place that is one file has it for all splits. columns: see `parse`."""
        file = place.file or self._pick(place, split)
        try:
            return _composed(self._parsed(file, columns))
        except TableError as error:
            raise UserError(f"{self.path(file)}: cannot be read: {error}") from error

    def _parsed(self, file: str, columns: Sequence[str]) -> Table:
        """The table in a file, of which the hash is noted as it was read."""
        path = self._files[file]
        if file.lower().endswith(".parquet") and folder.size(path) > MAPPED:
            table, self.hashes[file] = mapped_parquet(path)
            return table
        content, self.hashes[file] = folder.read(path)
        return parse(file.rpartition("/")[2], content, columns)

    def path(self, file: str) -> Path:
        """A table's path."""
        return self._files[file]

    def _pick(self, place: _Place, split: str) -> str:
        splits = self.splits(place)
        if split not in splits:
            raise UserError(
                f"folder {self.root / place.name}: no split {split!r} (a file {split}.jsonl, .csv or .parquet); it has "
                f"{shown(', '.join(splits)) or 'no tables'}.{nearest(split, splits)}{describe(self._others)}"
            )
        return self._only(split, splits[split])

    def _only(self, split: str, files: Sequence[str]) -> str:
        if len(files) > 1:
            same = len({composed(name) for name in files}) == 1  # they look alike too
            names = " and ".join(ascii(name) if same else name.rpartition("/")[2] for name in files)
            where = self.root / files[0].rpartition("/")[0]
            raise UserError(f"folder {where}: split {split!r} has two files, {names}. Remove one of them.")
        return files[0]


def _composed(table: Table) -> Table:
    """The table with the names of its columns as those in configs are. Raises TableError where two become one."""
    names = [composed(name) for name in table.names]
    if names == table.names:
        return table
    if len({*names}) < len(names):
        raise TableError("two columns have one name, written with other signs of Unicode; give one another name")
    return replace(table, arrow=table.arrow.rename_columns(names))


def _retrieval(tables: _Tables, subset: str, split: str) -> RetrievalTables:
    parts: dict[str, Table] = {}
    for part in (*REQUIRED, *OPTIONAL):
        place = tables.part(subset, part) if part in REQUIRED else tables.optional_part(subset, part)
        if place is None:
            continue
        splits = tables.splits(place)
        # Corpus and queries may serve all splits, judgments are those of one.
        asked = next(iter(splits)) if len(splits) == 1 and (part != "qrels" or place.file is not None) else split
        read = tables.read(place, asked, _HEADLESS if part == "qrels" else ())
        try:
            if _untyped(tables):
                _refuse_headless(read, part)
            parts[part] = _with_ids(read, untyped=_untyped(tables))
            if part == "qrels":
                parts[part] = _with_grades(parts[part])
        except TableError as error:
            file = list(tables.hashes)[-1]
            raise UserError(f"{tables.path(file)}: {error}") from error
    return retrieval_tables(parts, f"folder {tables.root}, subset {subset!r}, split {split!r}")


_HEADLESS = ("query-id", "corpus-id", "score")
"""The columns of judgments without a header, as BEIR's tools write them."""


def _untyped(tables: _Tables) -> bool:
    return list(tables.hashes)[-1].lower().endswith(UNTYPED)


def _refuse_headless(table: Table, part: str) -> None:
    """Raises TableError where the first row of a CSV names no ids: it is data, or they are called otherwise."""
    if not set(IDS) & set(table.names):
        expected = ("_id", "title", "text") if part in ("corpus", "queries") else _HEADLESS
        raise TableError(
            f"no column {expected[0]!r}: the first row has to name the columns, as in {' '.join(expected)}; it holds "
            f"{shown(', '.join(map(repr, table.names)), 120)}"
        )


def _with_ids(table: Table, *, untyped: bool) -> Table:
    """The table with its ids as they are written; empty cells of a CSV are missing ids.

    Raises TableError for ids that are neither text nor whole numbers, whose spelling would be a guess.
    """
    for name in IDS:
        if name in table.unreadable:
            table.require([name])
        if name not in table.names:
            continue
        column = table.column(name)
        if untyped:
            table = table.put(name, empty_as_missing(column))
        elif not (is_text(column.type) or pa.types.is_integer(column.type) or pa.types.is_null(column.type)):
            raise TableError(f"column {name!r} holds {kind_name(column.type)}, expected text or whole numbers")
    return table


def _with_grades(table: Table) -> Table:
    try:
        return table.put("score", numbers(table.column("score"))) if "score" in table.names else table
    except TableError as error:
        raise TableError(f"column 'score', {error}") from error
