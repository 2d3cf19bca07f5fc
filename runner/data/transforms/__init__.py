"""What a task's YAML may do to rows between loading and scoring; docs/transforms.md lists the steps.

A step is a plain function with keyword arguments; its signature is the schema of its arguments in YAML. Functions that
take `table` see one table of one split, functions that take `splits` see all, and those that take `layout` see all
tables of a retrieval split. Steps are checked by `parse` before anything is
loaded, `needed` says which splits to load, `apply` runs them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from runner.config.explain import problem
from runner.data.table import RetrievalTables, Split, Table, TableError
from runner.data.transforms import columns, retrieval, rows, sampling, splits
from runner.errors import UserError, nearest

Part = Literal["corpus", "queries", "qrels", "top_ranked", "excluded"]
PARTS: tuple[Part, ...] = get_args(Part)
_PLACE = ("splits", "subsets", "part")

Needs = Callable[[Mapping[str, Any], set[str]], set[str]]


def _same(arguments: Mapping[str, Any], wanted: set[str]) -> set[str]:  # noqa: ARG001 - the shape of Needs
    return wanted


@dataclass(frozen=True)
class Verb:
    """A kind of step. main: the argument that may stand alone. needs: the splits it reads to give the wanted ones."""

    run: Callable[..., Any]
    main: str | None = None
    needs: Needs = _same

    @property
    def sees(self) -> str:
        """What it takes: one `table`, all `splits` at once, or the whole `layout` of a retrieval split."""
        return next(iter(inspect.signature(self.run).parameters))


def _made_from(*made: str) -> Needs:
    """The needs of a verb that makes the splits named by these arguments out of the split or splits named `from`."""

    def needs(arguments: Mapping[str, Any], wanted: set[str]) -> set[str]:
        results = {arguments[name] for name in made}
        source = arguments["from_"]
        return wanted - results | ({source} if isinstance(source, str) else set(source)) if wanted & results else wanted

    return needs


def _renamed_from(arguments: Mapping[str, Any], wanted: set[str]) -> set[str]:
    return {arguments["names"].get(name, name) for name in wanted}


def _compared_with(arguments: Mapping[str, Any], wanted: set[str]) -> set[str]:
    return wanted | set(arguments["across"])


def _all_from(arguments: Mapping[str, Any], wanted: set[str]) -> set[str]:  # noqa: ARG001 - the shape of Needs
    return {arguments["from_"]}


VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        "rename": Verb(columns.rename, "columns"),
        "copy": Verb(columns.copy, "columns"),
        "select_columns": Verb(columns.select_columns, "columns"),
        "drop_columns": Verb(columns.drop_columns, "columns"),
        "cast": Verb(columns.cast, "columns"),
        "add": Verb(columns.add, "columns"),
        "merge": Verb(columns.merge),
        "extract": Verb(columns.extract),
        "pick": Verb(columns.pick, "columns"),
        "identify": Verb(columns.identify),
        "parse_list": Verb(columns.parse_list, "column"),
        "argmax": Verb(columns.argmax, "column"),
        "split_text": Verb(columns.split_text),
        "map_values": Verb(columns.map_values),
        "class_encode": Verb(splits.class_encode, "column"),
        "class_decode": Verb(columns.class_decode, "column"),
        "collect_labels": Verb(columns.collect_labels),
        "filter": Verb(rows.filter_rows),
        "drop_duplicates": Verb(splits.drop_duplicates, "columns", _compared_with),
        "drop_rare": Verb(rows.drop_rare, "column"),
        "explode": Verb(rows.explode, "columns"),
        "stack": Verb(rows.stack),
        "group_rows": Verb(rows.group_rows),
        "sample_lists": Verb(sampling.sample_lists),
        "subset_rows": Verb(rows.subset_rows, "column"),
        "take": Verb(rows.take, "n"),
        "shuffle": Verb(sampling.shuffle, "seed"),
        "subsample": Verb(sampling.subsample, "n"),
        "map_splits": Verb(splits.map_splits, "names", _renamed_from),
        "concatenate": Verb(splits.concatenate, None, _made_from("into")),
        "train_test_split": Verb(sampling.train_test_split, None, _made_from("train", "test")),
        "split_by_value": Verb(splits.split_by_value, None, _all_from),
        "to_retrieval": Verb(retrieval.to_retrieval),
        "unite": Verb(retrieval.unite, "by"),
    }
)


@dataclass(frozen=True)
class Step:
    """One checked step: what to do, and where. `number` counts from 1."""

    number: int
    name: str
    arguments: Mapping[str, Any]
    splits: tuple[str, ...] | None = None
    subsets: tuple[str, ...] | None = None
    part: str | None = None

    @property
    def verb(self) -> Verb:
        """What it does."""
        return VERBS[self.name]

    def concerns(self, subset: str) -> bool:
        """Whether it applies to a subset."""
        return self.subsets is None or subset in self.subsets


def parse(transforms: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """The checked steps of a task. Raises UserError with the step's number, key, value and what was expected."""
    return tuple(_parse_step(number, given) for number, given in enumerate(transforms, start=1))


def needed(steps: Sequence[Step], subset: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """The splits to load so that, after the steps, the wanted ones are there."""
    names = set(wanted)
    for step in reversed(steps):
        if step.concerns(subset):
            names = step.verb.needs(step.arguments, names)
    return tuple(sorted(names))


def makes_retrieval(steps: Sequence[Step], subset: str) -> bool:
    """Whether the steps turn plain tables into a retrieval layout, so that plain tables are to be loaded."""
    return any(step.name == "to_retrieval" and step.concerns(subset) for step in steps)


def apply(steps: Sequence[Step], loaded: Mapping[str, Split], subset: str) -> dict[str, Split]:
    """Run the steps that concern a subset over its splits. Raises UserError, which names the step."""
    current = dict(loaded)
    for step in steps:
        if step.concerns(subset):
            try:
                current = _run(step, current, subset)
            except TableError as error:
                raise UserError(f"{_where(step.number, step.name)}: subset {subset!r}: {error}") from error
    return current


def _run(step: Step, current: dict[str, Split], subset: str) -> dict[str, Split]:
    chosen = {name: split for name, split in current.items() if step.splits is None or name in step.splits}
    arguments = dict(step.arguments)
    if "subset" in inspect.signature(step.verb.run).parameters:
        arguments["subset"] = subset
    if step.verb.sees == "layout":
        changed = {
            name: step.verb.run(_layout(split, step.part, name), part=step.part, **arguments)
            for name, split in chosen.items()
        }
        return {**current, **changed}
    tables = {name: _table(split, step.part, name) for name, split in chosen.items()}
    if step.verb.sees == "table":
        results = {name: step.verb.run(table, **arguments) for name, table in tables.items()}
    else:
        missing = sorted(_sources(arguments) - set(tables))
        if missing:
            raise TableError(
                f"no split {missing[0]!r}; the splits here are {sorted(tables)}.{nearest(missing[0], tables)}"
            )
        results = step.verb.run(tables, **arguments)
    others = {name: split for name, split in current.items() if name not in chosen}
    return {**others, **{name: _put(current.get(name), step.part, table) for name, table in results.items()}}


def _sources(arguments: Mapping[str, Any]) -> set[str]:
    """The splits that a step names as what it reads."""
    named = arguments.get("from_", arguments.get("across", ()))
    return {named} if isinstance(named, str) else set(named)


def _table(split: Split, part: str | None, name: str) -> Table:
    if isinstance(split, Table):
        if part is not None:
            raise TableError(f"`part: {part}` is for retrieval layouts, and split {name!r} is one plain table")
        return split
    if part is None:
        raise TableError(f"split {name!r} has a retrieval layout; say which table with `part`, one of {list(PARTS)}")
    table: Table | None = getattr(split, part)
    if table is None:
        raise TableError(f"split {name!r} has no {part}")
    return table


def _layout(split: Split, part: str | None, name: str) -> RetrievalTables:
    if isinstance(split, Table) or part is None:
        raise TableError(
            f"split {name!r}: this step needs a retrieval layout, and `part` to say which table it is about"
        )
    return split


def _put(split: Split | None, part: str | None, result: Split) -> Split:
    if part is None or not isinstance(split, RetrievalTables):
        return result
    changed: dict[str, Any] = {part: result}
    return replace(split, **changed)


def _where(number: int, name: str) -> str:
    return f"transforms, step {number} ({name})"


def _parse_step(number: int, given: Mapping[str, Any]) -> Step:
    verbs = [key for key in given if key not in _PLACE]
    if len(verbs) != 1:
        found = f"{len(verbs)}: {verbs}" if verbs else "none"
        raise UserError(
            f"transforms, step {number}: expected one verb, found {found}. A step looks like "
            "`- rename: {old: new}`, and may say `splits`, `subsets` or `part` beside the verb."
        )
    name = verbs[0]
    if name not in VERBS:
        raise UserError(
            f"transforms, step {number}: no step is called {name!r}.{nearest(name, [*VERBS, *_PLACE])} "
            f"The steps are {', '.join(sorted(VERBS))}."
        )
    verb = VERBS[name]
    value = given[name]
    accepted = _argument_model(name)
    if verb.main is not None and _stands_alone(value, accepted, verb.main):
        value = {verb.main: [value] if isinstance(value, str) and _takes(accepted, verb.main, "Sequence") else value}
    if not isinstance(value, Mapping):
        expected = ", ".join(field.alias or key for key, field in accepted.model_fields.items())
        raise UserError(f"{_where(number, name)}: expected arguments ({expected}), found {value!r}.")
    try:
        checked = accepted.model_validate(dict(value))
        place = _Place.model_validate({key: given[key] for key in _PLACE if key in given})
    except ValidationError as error:
        raise UserError(_explain(number, name, accepted, error)) from error
    arguments = {key: getattr(checked, key) for key in accepted.model_fields}
    return Step(number, name, arguments, _tuple(place.splits), _tuple(place.subsets), place.part)


def _tuple(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _stands_alone(value: Any, accepted: type[BaseModel], main: str) -> bool:
    """Whether a value is the main argument itself, rather than a mapping of arguments."""
    if not isinstance(value, Mapping):
        return True
    return _takes(accepted, main, "Mapping") and not isinstance(value.get(main), Mapping)


def _takes(accepted: type[BaseModel], name: str, kind: str) -> bool:
    return kind in str(accepted.model_fields[name].annotation)


class _Place(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    splits: list[str] | None = None
    subsets: list[str] | None = None
    part: Part | None = None


@cache
def _argument_model(name: str) -> type[BaseModel]:
    """The schema of a step's arguments, from the signature of its function; `in_` and `from_` are `in` and `from`."""
    run = VERBS[name].run
    hints = get_type_hints(run)
    fields: dict[str, Any] = {}
    for key, parameter in list(inspect.signature(run).parameters.items())[1:]:
        if key in ("subset", "part"):  # known from where the step is, not given as arguments
            continue
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[key] = (hints[key], Field(default, alias=key.removesuffix("_")))
    config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)
    return create_model(f"{name}_arguments", __config__=config, **fields)


def _explain(number: int, name: str, accepted: type[BaseModel], error: ValidationError) -> str:
    # What is misspelt is also missing under its right name.
    first = min(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
    schema = _Place if first["loc"][:1] and first["loc"][0] in _PLACE else accepted
    return f"{_where(number, name)}: {problem(first, schema)}"


__all__ = ["PARTS", "VERBS", "Step", "Verb", "apply", "makes_retrieval", "needed", "parse"]
