"""Datasets of the Hugging Face hub: plain tables and the layouts of retrieval data.

Configurations of a retrieval dataset, as the reference implementation reads them: `corpus`, `queries` (or `query`),
qrels under `default` (or `qrels`), and, where present, `top_ranked`, `instruction` and `qrel_diff`; with subsets each
is called `<subset>-corpus` and so on, the qrels `<subset>-qrels`. A configuration with a single split serves every
split. Where tables lie elsewhere, the dataset's `layout` says so.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embedmark.runner.common.commits import is_commit
from embedmark.runner.common.errors import JobError, TableError, UserError
from embedmark.runner.common.folder import refuse_leaving
from embedmark.runner.common.names import nearest
from embedmark.runner.config.identity import Pin
from embedmark.runner.config.schema import HubDataset, LookUp, Place, TaskConfig
from embedmark.runner.data import images
from embedmark.runner.data.parquet import MAPPED, rows_at_once
from embedmark.runner.data.sources import places
from embedmark.runner.data.sources.base import Facts, Raw, Request
from embedmark.runner.data.sources.retrieval import OPTIONAL, REQUIRED, retrieval_tables
from embedmark.runner.data.table import Split, Table
from embedmark.runner.hub.configs import Configuration, Configurations, library
from embedmark.runner.hub.files import Commit, Hub

log = logging.getLogger(__name__)


def fetch(asked: Request) -> Raw:
    """What is asked for, out of the environment's hub or the one that is given. Raises as `read`."""
    hub = asked.hub or Hub.from_environment(offline=asked.offline)
    return read(asked.dataset, asked.subset, asked.splits, retrieval=asked.retrieval, hub=hub)


def pin(task: TaskConfig) -> Pin:
    """The commit that a dataset is at, with a warning that says which line to add. Raises JobError."""
    dataset = task.dataset
    assert isinstance(dataset, HubDataset)
    commit = Hub.from_environment().resolve_revision(dataset.hub, "dataset", dataset.revision or "main")
    log.warning("task %s: dataset %s is not pinned; it is now at `revision: %s`", task.name, dataset.hub, commit)
    return Pin(commit)


def read(dataset: HubDataset, subset: str, splits: Sequence[str], *, retrieval: bool, hub: Hub) -> Raw:
    """Splits of one subset. `retrieval`: whether they are laid out as corpus, queries and qrels.

    Raises UserError for a dataset, revision, configuration or split that does not exist, JobError for network trouble
    that did not pass.
    """
    revision = dataset.revision or "main"
    if not is_commit(revision):
        revision = hub.resolve_revision(dataset.hub, "dataset", revision)
    commit = hub.commit(dataset.hub, "dataset", revision)
    with Configurations(hub, commit) as configurations:
        reader = _Reader(hub, commit, configurations)
        if retrieval:
            return reader.retrieval(dataset, subset, splits)
        return reader.tables(dataset, subset, splits)


class _Reader:
    """Reads configurations of one commit, and keeps note of the files that were used."""

    def __init__(self, hub: Hub, commit: Commit, configurations: Configurations) -> None:
        self._hub = hub
        self._commit = commit
        self._configurations = configurations
        self._used: set[str] = set()
        self._used_elsewhere: set[str] = set()

    def tables(self, dataset: HubDataset, subset: str, splits: Sequence[str]) -> Raw:
        """Each split as one table."""
        usual = [split for split in splits if split not in dataset.layout]
        available = set(dataset.layout)
        loaded: dict[str, Split] = {
            split: self._read_place(dataset.layout[split], places.names(dataset, subset, split))
            for split in splits
            if split in dataset.layout
        }
        if usual:
            known = places.names(dataset, subset, usual[0])
            by_subset = subset != "default" and dataset.subset_column is None
            configuration = self._configurations.get(known.get("config") or (subset if by_subset else None))
            available |= set(configuration.files)
            for split in usual:
                table = self._table(configuration, split)
                if dataset.subset_column is not None:
                    table = self._of_subset(table, dataset.subset_column, subset)
                loaded[split] = table
        return Raw(loaded, tuple(sorted(available)), self._facts())

    def retrieval(self, dataset: HubDataset, subset: str, splits: Sequence[str]) -> Raw:
        """Each split as corpus, queries and qrels."""
        for part in dataset.layout:
            if part not in (*REQUIRED, *OPTIONAL):
                raise UserError(
                    f"dataset.layout: {part!r} is no part of retrieval data; the parts are "
                    f"{', '.join((*REQUIRED, *OPTIONAL))}.{nearest(part, (*REQUIRED, *OPTIONAL))}"
                )
        prefix = places.names(dataset, subset, splits[0]).get("config", subset)
        usual = {} if set(REQUIRED) <= set(dataset.layout) else self._usual_parts(prefix)
        loaded: dict[str, Split] = {}
        for split in splits:
            known = places.names(dataset, subset, split)
            parts = {
                part: self._part(configuration, split)
                for part, configuration in usual.items()
                if part not in dataset.layout
            }
            parts |= {part: self._read_place(place, known) for part, place in dataset.layout.items()}
            loaded[split] = retrieval_tables(parts, f"{self._where}, subset {subset!r}, split {split!r}")
        available = usual["qrels"].files if "qrels" in usual else splits
        return Raw(loaded, tuple(available), self._facts())

    def _usual_parts(self, prefix: str) -> dict[str, Configuration]:
        """Part → its configuration, where the reference implementation looks for it."""
        known = set(self._configurations.names())
        own = "" if prefix == "default" else f"{prefix}-"
        names = {part: f"{own}{part}" for part in (*REQUIRED, *OPTIONAL)}
        if "query" in known:
            names["queries"] = "query"
        if prefix == "default" and "default" in known:
            names["qrels"] = "default"
        if own and f"qrel_diff-{prefix}" in known:
            names["qrel_diff"] = f"qrel_diff-{prefix}"
        return {
            part: self._configurations.get(name) for part, name in names.items() if part in REQUIRED or name in known
        }

    def _part(self, configuration: Configuration, split: str) -> Table:
        """A split of a part of a retrieval dataset, or its only split."""
        if split not in configuration.files and len(configuration.files) == 1:
            split = next(iter(configuration.files))
        return self._table(configuration, split)

    def _read_place(self, place: Place, known: places.Names) -> Table:
        """The table of a layout, from one split of its configuration, or from several, one after the other."""
        if place.hub is not None:
            return self._elsewhere(place, place.hub, known)

        def format_template(key: str) -> str | None:
            template: str | None = getattr(place, key)
            if template is None:
                return None
            name = places.format_template(template, known, f"layout: {key}")
            refuse_leaving(name.removesuffix("/"), f"dataset.layout: {key}")
            return name

        folder, file = format_template("folder"), format_template("file")
        configuration = (
            self._configurations.get(format_template("config") or known.get("config"))
            if folder is None and file is None
            else self._configurations.of_files(folder=folder, pattern=file)
        )
        asked = place.split or known["split"]
        splits = [
            places.format_template(name, known, "layout: split")
            for name in ([asked] if isinstance(asked, str) else asked)
        ]
        if splits == ["all"]:  # a keyword of `datasets`, never the name of a split
            splits = list(configuration.files)
        pieces = []
        for split in splits:
            table = self._table(configuration, split) if place.split else self._part(configuration, split)
            for column, wanted in place.look_up.items():
                table = self._looked_up(table, column, wanted, {**known, "split": split})
            try:
                pieces.append(places.select_place(table, place, {**known, "split": split}))
            except TableError as error:
                raise UserError(
                    f"{self._where}, configuration {configuration.name!r}, split {split!r}: {error}"
                ) from error
        joined = pa.concat_tables([piece.arrow for piece in pieces], promote_options="permissive")
        return Table(joined, pieces[0].labels)

    def _looked_up(self, table: Table, column: str, wanted: LookUp, known: places.Names) -> Table:
        """The table with the values of a column as another one calls them."""
        name = places.format_template(wanted.config, known, "layout: look_up: config")
        configuration = self._configurations.get(name)
        try:
            return places.look_up(table, column, self._part(configuration, known["split"]), wanted.key, wanted.value)
        except TableError as error:
            raise UserError(f"{self._where}, layout: look_up: configuration {name!r}: {error}") from error

    def _elsewhere(self, place: Place, repository: str, known: places.Names) -> Table:
        """A table of another dataset, whose configurations are its own."""
        assert place.revision is not None
        commit = self._hub.commit(repository, "dataset", place.revision)
        with Configurations(self._hub, commit) as configurations:
            reader = _Reader(self._hub, commit, configurations)
            here = place.model_copy(update={"hub": None, "revision": None})
            table = reader._read_place(here, {name: value for name, value in known.items() if name != "config"})
        self._used_elsewhere.update(f"{repository}/{path}" for path in reader._facts().files)
        return table

    @property
    def _where(self) -> str:
        return f"dataset {self._commit.repo} at {self._commit.revision}"

    def _table(self, configuration: Configuration, split: str) -> Table:
        datasets = library()
        where = f"{self._where}, configuration {configuration.name!r}"
        if split not in configuration.files:
            raise UserError(
                f"{where}: no split {split!r}; the splits are {', '.join(configuration.files)}."
                f"{nearest(split, configuration.files)}"
            )
        paths = configuration.files[split]
        self._used.update(paths)
        local = self._hub.fetch(self._commit, paths)
        try:
            rows = datasets.load_dataset(
                configuration.builder,
                data_files={split: [str(local[path]) for path in paths]},
                split=split,
                **{**_reading(configuration.builder, local.values()), **configuration.options},
            )
        except datasets.exceptions.DatasetGenerationError as error:
            cause = error.__cause__ or error
            raise JobError(f"{where}, split {split!r}: `datasets` cannot read {', '.join(paths)}: {cause}") from error
        table = images.with_files(from_dataset(rows), local.values())
        # A tar's own column of where it lies in the cache, on which no content hash may depend.
        unread = {"__url__"} if configuration.builder == "webdataset" else set()
        return table.select([name for name in table.names if name not in unread])

    def _of_subset(self, table: Table, column: str, subset: str) -> Table:
        where = self._where
        try:
            values = table.column(column)
        except TableError as error:
            raise UserError(f"{where}: subset_column: {error}") from error
        rows = table.take(np.flatnonzero(np.asarray(pc.fill_null(pc.equal(values, subset), False))))
        if len(rows) == 0:
            known = [str(value) for value in values.unique().to_pylist()]
            raise UserError(
                f"{where}: no row has {subset!r} in column {column!r}; it holds {', '.join(known[:40])}."
                f"{nearest(subset, known)}"
            )
        return rows.select([name for name in rows.names if name != column])

    def _facts(self) -> Facts:
        files = (*sorted(self._used), *sorted(self._used_elsewhere))
        return Facts("hub", self._commit.repo, self._commit.revision, files)


def _reading(builder: str, files: Collection[Path]) -> dict[str, object]:
    """How `datasets` is to read large Parquet files: a few rows at a time, where by default it reads far ahead."""
    if builder != "parquet" or all(file.stat().st_size <= MAPPED for file in files):
        return {}
    import pyarrow.dataset
    import pyarrow.parquet

    options = {"pre_buffer": False, "use_buffered_stream": True, "buffer_size": 1 << 20}
    largest = max(files, key=lambda file: file.stat().st_size)
    try:
        at_once = rows_at_once(pyarrow.parquet.read_metadata(largest))
    except (pa.ArrowException, OSError):  # what reads the rows says what is wrong
        return {}
    return {
        "fragment_scan_options": pyarrow.dataset.ParquetFragmentScanOptions(**options),
        "batch_size": 2 ** (at_once.bit_length() - 1),
    }


def from_dataset(rows: object) -> Table:
    """A table from a `datasets.Dataset`, with the names of its class labels."""
    import datasets

    assert isinstance(rows, datasets.Dataset)
    arrow = rows.with_format("arrow")[:] if rows._indices is not None else rows.data.table
    labels = {
        name: tuple(feature.names)
        for name, feature in rows.features.items()
        if isinstance(feature, datasets.ClassLabel)
    }
    return Table(arrow, labels).plain()
