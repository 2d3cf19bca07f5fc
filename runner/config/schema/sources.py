"""The kinds of source that rows come from: one row each. Those of installed packages come through `embedmark.sources`.

To add a kind, write a module in runner/data/sources/ with its schema, a function `fetch` and, where its fields alone do
not say what its data is, a function `pin`; then add a row. Functions are named and not imported, and a package's module
is imported when a task file has its key: reading files of tasks loads nothing of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import SerializeAsAny, Tag, ValidationError, WrapValidator

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.plugins import PlugIns, added_entries, plug_ins
from embedmark.runner.config.explain import problem
from embedmark.runner.config.roles import Schema, kind_by_key
from embedmark.runner.config.schema.dataset import FilesDataset, HubDataset, PackageDataset, TaskGroup

_GROUP = "embedmark.sources"


@dataclass(frozen=True)
class Source:
    """A kind of source.

    Args:
        key: The key of its schema by which a `dataset` is told to be of this kind; no other kind has it.
        schema: What a task's file says of such a dataset. Its fields that decide enter the identity.
        fetch: "module:function" of a `Request` (runner/data/sources/base.py), which gives a `Raw`.
        version: A whole number that enters the identity. Bump it whenever a change of code changes the rows.
        pin: "module:function" of a task's config, which gives the `Pin` of data that its fields do not pin.
        arguments: Fields that are handed on to a function, in which what is empty was said on purpose.

    Example:
        >>> Source("table", TableDataset, "my_package.tables:fetch", version=1)
    """

    key: str
    schema: type[Schema]
    fetch: str
    version: int
    pin: str | None = None
    arguments: frozenset[str] = frozenset()


_SOURCES = "embedmark.runner.data.sources"
_BUILT_IN = (
    Source("hub", HubDataset, f"{_SOURCES}.hub:fetch", 1, f"{_SOURCES}.hub:pin"),
    Source("package", PackageDataset, f"{_SOURCES}.package:fetch", 1, arguments=frozenset({"options"})),
    Source("files", FilesDataset, f"{_SOURCES}.files:fetch", 2, f"{_SOURCES}.files:pin"),
)
_GROUP_OF_TASKS = "tasks"
"""The key of a dataset that is a mean of other tasks, which has no rows of its own."""
_KEYS = (*(source.key for source in _BUILT_IN), _GROUP_OF_TASKS)


def source_of(dataset: Schema) -> Source:
    """The kind of a dataset. Raises UserError when a package takes the key of a kind that is built in."""
    if clashes := added_sources().clashes:
        raise UserError(clashes[0])
    return next(source for source in sources().values() if source.schema is type(dataset))


def reading(keys: Container[str]) -> int:
    """The version of how a dataset is read, by the keys of its config or of its part of an identity."""
    # Of a folder, an identity has no key, since where it lies decides nothing.
    return next((source for key, source in sources().items() if key in keys), sources()["files"]).version


def function(name: str) -> Any:
    """The function that a row names as "module:function"."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


@cache
def sources() -> dict[str, Source]:
    """List all kinds by key, those of installed packages included."""
    return {**{source.key: source for source in _BUILT_IN}, **added_sources().found}


@cache
def added_sources() -> PlugIns[Source]:
    """List the kinds of installed packages, which take no key of one that is built in."""
    return plug_ins(_GROUP, "source", Source, _KEYS, lambda source: (str(source.key),), _fault)


def _fault(source: Source) -> str | None:
    if not (isinstance(source.schema, type) and issubclass(source.schema, Schema)):
        return "whose `schema` is no Schema"
    if not isinstance(source.version, int):
        return "whose `version` is no whole number"
    names = [name for name in (source.fetch, source.pin) if name is not None]
    if not all(isinstance(name, str) and ":" in name for name in names):
        return "whose functions are not of the form module:function"
    return _fault_of_schema(source)


def _fault_of_schema(source: Source) -> str | None:
    fields = source.schema.model_fields
    if source.key not in fields:
        return f"whose schema has no key {source.key!r}"
    if taken := next((key for key in _KEYS if key in fields), None):
        return f"whose schema has the key {taken!r}, by which another kind is told"
    if without := next((name for name, field in fields.items() if not _has_role(field.json_schema_extra)), None):
        return f"whose field {without!r} has no role; expected Annotated[..., Decides], Describes or Executes"
    return None


def _has_role(extra: Any) -> bool:
    return isinstance(extra, Mapping) and "role" in extra


def _of_package(value: Any, others: Any) -> Any:
    """Check a dataset by the schema of a package's source where it has the key of one, else by those built in."""
    given = vars(value) if isinstance(value, Schema) else value if isinstance(value, Mapping) else {}
    keys = {entry.name for entry in added_entries().get(_GROUP, ())} & given.keys()
    if not keys or any(key in given for key in _KEYS):
        return others(value)
    added, key = added_sources(), min(keys)
    if added.clashes or key not in added.found:
        raise ValueError(added.clashes[0] if added.clashes else f"{key}: left out: {added.left_out[key]}")
    schema = added.found[key].schema
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        lines = [problem(detail, schema) for detail in error.errors(include_url=False)]
        raise ValueError("; ".join(lines)) from None


if TYPE_CHECKING:
    Dataset = Schema
else:
    Dataset = Annotated[
        Union[  # noqa: UP007 - of a tuple
            tuple(
                Annotated[schema, Tag(key)]
                for key, schema in (*((row.key, row.schema) for row in _BUILT_IN), (_GROUP_OF_TASKS, TaskGroup))
            )
        ],
        kind_by_key(*_KEYS),
        WrapValidator(_of_package),
        SerializeAsAny(),
    ]
"""Where a task's data is: one of the schemas of sources, or a group of tasks."""
