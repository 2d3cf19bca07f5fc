"""The steps that there are: one row each. Those of installed packages come through `embedmark.transforms`.

To add a step, write a function and add a row: what the function gets first is said by the row, its other arguments are
given by keyword, and their annotations are the schema of what a YAML may say.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from embedmark.runner.common.plugins import PlugIns, plug_ins
from embedmark.runner.data.transforms import columns, rendering, retrieval, rows, sampling, splits

Over = Literal["table", "splits", "layout"]
Told = Literal["subset", "part"]
PLACE = ("splits", "subsets", "part")
"""The keys beside a step's own that say where it applies."""

Needs = Callable[[Mapping[str, Any], set[str]], set[str]]


def _same(arguments: Mapping[str, Any], wanted: set[str]) -> set[str]:  # noqa: ARG001 - the shape of Needs
    return wanted


@dataclass(frozen=True)
class StepKind:
    """One thing that can be done to rows.

    Args:
        run: A function of what it works on, of keyword arguments with annotations, and of what it is `told`.
        main: The argument that may stand alone, as in `- take: 100`.
        over: What it works on: each "table" by itself, giving a table; all "splits" at once, split → table, giving the
            same; or the whole "layout" of a retrieval split, giving one.
        needs: The splits that it reads, of its arguments and the splits wanted after it.
        told: What it is handed besides, by keyword: the name of the "subset", or the "part" of a layout.
        makes_layout: Whether it turns a plain table into a retrieval layout.

    Example:
        >>> def lower(table: Table, *, column: str) -> Table: ...
        >>> LOWER = StepKind(lower, "column")
    """

    run: Callable[..., Any]
    main: str | None = None
    over: Over = "table"
    needs: Needs = _same
    told: tuple[Told, ...] = ()
    makes_layout: bool = False

    def schema(self) -> type[BaseModel]:
        """The schema of its arguments. `in_` and `from_`, which Python cannot call otherwise, are `in` and `from`."""
        hints = get_type_hints(self.run)
        fields: dict[str, Any] = {}
        for key, parameter in list(inspect.signature(self.run).parameters.items())[1:]:
            if key not in self.told:
                default = ... if parameter.default is inspect.Parameter.empty else parameter.default
                fields[key] = (hints[key], Field(default, alias=key.removesuffix("_")))
        config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)
        return create_model(f"{self.run.__name__}_arguments", __config__=config, **fields)


def _made_from(*made: str) -> Needs:
    """The needs of a step that makes the splits named by these arguments out of the split or splits named `from`."""

    def needs(arguments: Mapping[str, Any], wanted: set[str]) -> set[str]:
        results = {arguments[name] for name in made}
        source = arguments["from_"]
        return wanted - results | ({source} if isinstance(source, str) else set(source)) if wanted & results else wanted

    return needs


def _renamed_from(arguments: Mapping[str, Any], wanted: set[str]) -> set[str]:
    return {arguments["names"].get(name, name) for name in wanted}


def _compared_with(arguments: Mapping[str, Any], wanted: set[str]) -> set[str]:
    return wanted | set(arguments["across"])


def _tables_of_layout(arguments: Mapping[str, Any], wanted: set[str]) -> set[str]:
    made = {arguments["into"]}
    return wanted - made | {arguments[name] for name in ("queries", "corpus", "qrels")} if wanted & made else wanted


def _all_from(arguments: Mapping[str, Any], wanted: set[str]) -> set[str]:  # noqa: ARG001 - the shape of Needs
    return {arguments["from_"]}


_BUILT_IN: Mapping[str, StepKind] = MappingProxyType(
    {
        "rename": StepKind(columns.rename, "columns", told=("subset",)),
        "copy": StepKind(columns.copy, "columns"),
        "select_columns": StepKind(columns.select_columns, "columns"),
        "drop_columns": StepKind(columns.drop_columns, "columns"),
        "cast": StepKind(columns.cast, "columns"),
        "add": StepKind(columns.add, "columns"),
        "merge": StepKind(columns.merge),
        "extract": StepKind(columns.extract),
        "element": StepKind(columns.element),
        "pick": StepKind(columns.pick, "columns"),
        "identify": StepKind(columns.identify),
        "parse_list": StepKind(columns.parse_list, "column"),
        "argmax": StepKind(columns.argmax, "column"),
        "split_text": StepKind(columns.split_text),
        "replace": StepKind(columns.replace_text),
        "map_values": StepKind(columns.map_values),
        "class_encode": StepKind(splits.class_encode, "column", over="splits"),
        "class_decode": StepKind(columns.class_decode, "column"),
        "reword_classes": StepKind(columns.reword_classes),
        "collect_labels": StepKind(columns.collect_labels),
        "render": StepKind(rendering.render, "column"),
        "filter": StepKind(rows.filter_rows),
        "drop_duplicates": StepKind(splits.drop_duplicates, "columns", over="splits", needs=_compared_with),
        "drop_rare": StepKind(rows.drop_rare, "column"),
        "explode": StepKind(rows.explode, "columns"),
        "stack": StepKind(rows.stack),
        "group_rows": StepKind(rows.group_rows),
        "sample_lists": StepKind(sampling.sample_lists),
        "subset_rows": StepKind(rows.subset_rows, "column", told=("subset",)),
        "drop_rows": StepKind(rows.drop_rows, "rows"),
        "take": StepKind(rows.take, "n"),
        "shuffle": StepKind(sampling.shuffle, "seed"),
        "subsample": StepKind(sampling.subsample, "n"),
        "map_splits": StepKind(splits.map_splits, "names", over="splits", needs=_renamed_from),
        "concatenate": StepKind(splits.concatenate, over="splits", needs=_made_from("into")),
        "train_test_split": StepKind(sampling.train_test_split, over="splits", needs=_made_from("train", "test")),
        "split_by_value": StepKind(splits.split_by_value, over="splits", needs=_all_from),
        "spread_judged": StepKind(splits.spread_judged, over="splits", needs=_tables_of_layout),
        "to_retrieval": StepKind(retrieval.to_retrieval, told=("subset",), makes_layout=True),
        "unite": StepKind(retrieval.unite, "by", over="layout", told=("part",)),
        "swap_sides": StepKind(retrieval.swap_sides, over="layout"),
        "rerank_judged": StepKind(retrieval.rerank_judged, over="layout"),
    }
)


@cache
def step_kinds() -> Mapping[str, StepKind]:
    """List all steps by name, those of installed packages included."""
    return MappingProxyType({**_BUILT_IN, **added_steps().found})


@cache
def added_steps() -> PlugIns[StepKind]:
    """List the steps of installed packages, which take no name of a step, and of no key beside one."""
    return plug_ins("embedmark.transforms", "step", StepKind, (*_BUILT_IN, *PLACE), fault=_fault)


@cache
def arguments_of(name: str) -> type[BaseModel]:
    """The schema of a step's arguments, by its name."""
    return step_kinds()[name].schema()


def _fault(kind: StepKind) -> str | None:
    if kind.over not in get_args(Over):
        return f"whose `over` is {kind.over!r}; expected one of {', '.join(get_args(Over))}"
    try:
        fields = kind.schema().model_fields
    except Exception as error:  # whatever its annotations are made of
        return f"whose arguments cannot be read ({type(error).__name__}: {error}); each needs a name and an annotation"
    if kind.main is not None and kind.main not in fields:
        return f"whose `main` is {kind.main!r}, which is no argument of {kind.run.__name__}"
    return None
