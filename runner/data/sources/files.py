"""A user's own folder of tables: <subset>/<split>.<kind>, or <split>.<kind> where there is one subset.

Retrieval data uses the hub's names: folders `corpus`, `queries`, `qrels`, and perhaps `top_ranked`, `instruction`,
`qrel_diff` and `excluded`, with a file a split, or one file each (`corpus.jsonl`); with several subsets these lie in
<subset>/ or are called `<subset>-corpus` and so on. Kinds: jsonl, jsonl.gz, json, csv, csv.gz, parquet.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from runner.config.schema import FilesDataset
from runner.data.sources.base import Facts, Raw
from runner.data.sources.retrieval import OPTIONAL, REQUIRED, retrieval_tables
from runner.data.table import RetrievalTables, Split, Table, TableError
from runner.errors import UserError, nearest

_KINDS = (".jsonl.gz", ".jsonl", ".json", ".csv.gz", ".csv", ".parquet")


def read(dataset: FilesDataset, subset: str, splits: Sequence[str], *, retrieval: bool) -> Raw:
    """Splits of one subset. Raises UserError for a folder, subset or split that is not there or cannot be read."""
    root = Path(dataset.files).expanduser()
    if not root.is_dir():
        raise UserError(f"dataset.files: no folder {str(root)!r}. Give the folder that holds the tables.")
    used: dict[str, str] = {}
    loaded: dict[str, Split] = {}
    if retrieval:
        available = sorted(_tables(_part_folder(root, subset, "qrels")))
        for split in splits:
            loaded[split] = _retrieval(root, subset, split, used)
    else:
        folder = _subset_folder(root, subset)
        tables = _tables(folder)
        available = sorted(tables)
        for split in splits:
            loaded[split] = _read(_pick(tables, split, folder), root, used)
    revision = dataset.revision or content_revision(root)
    return Raw(loaded, tuple(available), Facts("files", str(root), revision, used))


def content_revision(root: Path) -> str:
    """What identifies a folder: sha256 over the names and contents of its tables, in the order of names."""
    digest = hashlib.sha256(b"files:1")
    for path in sorted(path for path in root.rglob("*") if path.is_file() and _split_name(path) is not None):
        name = path.relative_to(root).as_posix().encode()
        digest.update(len(name).to_bytes(8, "little") + name + _sha256(path).encode())
    return digest.hexdigest()


def _retrieval(root: Path, subset: str, split: str, used: dict[str, str]) -> RetrievalTables:
    parts: dict[str, Table] = {}
    for part in (*REQUIRED, *OPTIONAL):
        try:
            folder = _part_folder(root, subset, part)
        except UserError:
            if part in REQUIRED:
                raise
            continue
        tables = {folder.name: folder} if folder.is_file() else _tables(folder)
        only = next(iter(tables)) if len(tables) == 1 else split
        parts[part] = _read(_pick(tables, split if split in tables else only, folder), root, used)
    return retrieval_tables(parts, f"folder {root}, subset {subset!r}, split {split!r}")


def _part_folder(root: Path, subset: str, part: str) -> Path:
    """The folder or file of a part: <subset>/corpus, <subset>-corpus, or corpus; qrels may be called `default`."""
    names = [part, "default"] if part == "qrels" else [part, "query"] if part == "queries" else [part]
    bases = [root / subset / name for name in names] + [root / f"{subset}-{name}" for name in names]
    if subset == "default":
        bases += [root / name for name in names]
    for base in bases:
        if base.is_dir():
            return base
        for kind in _KINDS:
            file = base.with_name(base.name + kind)
            if file.is_file():
                return file
    known = sorted(path.name for path in root.iterdir())
    raise UserError(
        f"folder {root}: no {part} for subset {subset!r}; expected {bases[0]} . It holds {', '.join(known)}."
    )


def _subset_folder(root: Path, subset: str) -> Path:
    if (root / subset).is_dir():
        return root / subset
    if subset == "default":
        return root
    known = sorted(path.name for path in root.iterdir() if path.is_dir())
    raise UserError(
        f"folder {root}: no subset {subset!r} (a folder of that name); it has {', '.join(known) or 'no folders'}."
        f"{nearest(subset, known)}"
    )


def _tables(folder: Path) -> dict[str, Path]:
    """Split → file."""
    if folder.is_file():
        return {folder.name: folder}
    found = {path: _split_name(path) for path in sorted(folder.iterdir()) if path.is_file()}
    tables: dict[str, Path] = {}
    for path, split in found.items():
        if split is None:
            continue
        if split in tables:
            raise UserError(f"folder {folder}: split {split!r} has two files, {tables[split].name} and {path.name}.")
        tables[split] = path
    return tables


def _split_name(path: Path) -> str | None:
    return next((path.name.removesuffix(kind) for kind in _KINDS if path.name.endswith(kind)), None)


def _pick(tables: Mapping[str, Path], split: str, folder: Path) -> Path:
    if split not in tables:
        raise UserError(
            f"folder {folder}: no split {split!r} (a file {split}.jsonl, .csv or .parquet); "
            f"it has {', '.join(tables) or 'no tables'}.{nearest(split, tables)}"
        )
    return tables[split]


def _read(path: Path, root: Path, used: dict[str, str]) -> Table:
    try:
        table = _parse(path)
    except (ValueError, OSError, EOFError, TableError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    used[path.relative_to(root).as_posix()] = _sha256(path)
    return table


def _parse(path: Path) -> Table:
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        import pyarrow.parquet

        return Table(pyarrow.parquet.read_table(path))
    if name.endswith(".csv"):
        import pyarrow.csv

        options = pyarrow.csv.ParseOptions(newlines_in_values=True)
        return Table(pyarrow.csv.read_csv(path, parse_options=options))
    raw = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
    return _from_json(raw.decode("utf-8"), lines=name.endswith(".jsonl"))


def _from_json(text: str, *, lines: bool) -> Table:
    if not lines:
        rows = json.loads(text)
        if not isinstance(rows, list):
            raise TableError(f"expected a list of objects, found {type(rows).__name__}")
    else:
        rows = [_line(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise TableError(f"row {number}: expected an object, found {type(row).__name__}")
    names = list(dict.fromkeys(name for row in rows for name in row))
    try:
        return Table(pa.table({name: pa.array([row.get(name) for row in rows]) for name in names}))
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise TableError(f"a column mixes types: {error}") from error


def _line(number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise TableError(f"line {number}: {error}") from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
