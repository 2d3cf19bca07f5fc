"""The steps that a task's YAML asks for, checked against the schemas of their arguments before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.config.annotations import holds, kinds_in
from embedmark.runner.config.explain import problem
from embedmark.runner.data.transforms.steps import PLACE, StepKind, added_steps, arguments_of, step_kinds

Part = Literal["corpus", "queries", "qrels", "top_ranked", "excluded"]
PARTS: tuple[Part, ...] = get_args(Part)


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
    def kind(self) -> StepKind:
        """What it does."""
        return step_kinds()[self.name]

    @property
    def where(self) -> str:
        """What it is called in messages."""
        return _where(self.number, self.name)

    def concerns(self, subset: str) -> bool:
        """Whether it applies to a subset."""
        return self.subsets is None or subset in self.subsets


class _Place(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    splits: list[str] | None = None
    subsets: list[str] | None = None
    part: Part | None = None


def parse(transforms: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Check the steps of a task.

    Raises:
        UserError: with the step's number, key, value and what was expected; or where a package takes a step's name.
    """
    if transforms and (clashes := added_steps().clashes):
        raise UserError(clashes[0])
    return tuple(_parse_step(number, given) for number, given in enumerate(transforms, start=1))


def _parse_step(number: int, given: Mapping[str, Any]) -> Step:
    name = _name_of(number, given)
    accepted = arguments_of(name)
    value = _as_arguments(given[name], step_kinds()[name].main, accepted)
    if not isinstance(value, Mapping):
        expected = ", ".join(field.alias or key for key, field in accepted.model_fields.items())
        raise UserError(f"{_where(number, name)}: expected arguments ({expected}), found {value!r}.")
    try:
        checked = accepted.model_validate(dict(value))
        place = _Place.model_validate({key: given[key] for key in PLACE if key in given})
    except ValidationError as error:
        raise UserError(_explain(number, name, accepted, error)) from error
    arguments = {key: getattr(checked, key) for key in accepted.model_fields}
    return Step(number, name, arguments, _tuple(place.splits), _tuple(place.subsets), place.part)


def _name_of(number: int, given: Mapping[str, Any]) -> str:
    names = [key for key in given if key not in PLACE]
    if len(names) != 1:
        found = f"{len(names)}: {names}" if names else "none"
        raise UserError(
            f"transforms, step {number}: expected one verb, found {found}. A step looks like "
            "`- rename: {old: new}`, and may say `splits`, `subsets` or `part` beside the verb."
        )
    (name,) = names
    known, left_out = step_kinds(), added_steps().left_out
    if name not in known:
        why = f" One is left out: {left_out[name]}." if name in left_out else ""
        raise UserError(
            f"transforms, step {number}: no step is called {name!r}.{why}{nearest(name, [*known, *PLACE])} "
            f"The steps are {', '.join(sorted(known))}."
        )
    return name


def _as_arguments(value: Any, main: str | None, accepted: type[BaseModel]) -> Any:
    """Arguments by name, where the main one may stand alone, and one text for a list of one."""
    if main is None or not _stands_alone(value, accepted, main):
        return value
    return {main: [value] if isinstance(value, str) and _takes(accepted, main, Sequence) else value}


def _stands_alone(value: Any, accepted: type[BaseModel], main: str) -> bool:
    """Whether a value is the main argument itself, rather than a mapping of arguments."""
    if not isinstance(value, Mapping):
        return True
    return _takes(accepted, main, Mapping) and not isinstance(value.get(main), Mapping)


def _takes(accepted: type[BaseModel], name: str, kind: type) -> bool:
    return any(holds(member, kind) for member in kinds_in(accepted.model_fields[name].annotation))


def _tuple(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _explain(number: int, name: str, accepted: type[BaseModel], error: ValidationError) -> str:
    # What is misspelt is also missing under its right name.
    first = min(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
    schema = _Place if first["loc"][:1] and first["loc"][0] in PLACE else accepted
    return f"{_where(number, name)}: {problem(first, schema)}"


def _where(number: int, name: str) -> str:
    return f"transforms, step {number} ({name})"
