"""What an instruction model is told: which instruction fits a text, and how the model's prompt words it.

The choice is that of mteb 2.26.24 (AbsEncoder.get_instruction, with its own default priorities): the model's entry for
the task, its type or the side; then the task's own instruction; then the one of the task's type. An empty entry gives
way to the one of the task's type, unless it is for one side of a task or type.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from embedmark.models.base import EncodeContext
from embedmark.models.prompts import SIDES, fitting_keys, nearest_key
from embedmark.runner.common.errors import ModelError

PLACEHOLDER = "{instruction}"
"""Where a template takes the instruction."""

TEMPLATE_SIDES = (*SIDES, "symmetric")
"""What a template may be given for: the two sides, and texts of symmetric tasks."""

Wording = str | Mapping[str, str]
"""One text for all places, or one a place. `symmetric` is worded as `query` where it is not given, `document` as
nothing."""


@dataclass(frozen=True)
class Instructions:
    """How a model takes instructions.

    template: what is put before a text that has an instruction, which it takes at `{instruction}`.
    bare: what is put before a text that has none. documents: whether texts on the document side are prompted at all.
    without: tasks, task types and sides, keyed like prompts, whose texts are not prompted at all.
    """

    template: Wording = PLACEHOLDER
    bare: Wording = ""
    documents: bool = True
    without: Collection[str] = ()


@dataclass(frozen=True)
class InstructionTable:
    """The instructions of one model. prompts: instruction texts, keyed like prompts.

    default: what texts are given that are not prompted at all: the checkpoint's default prompt.
    """

    instructions: Instructions
    prompts: Mapping[str, str] = field(default_factory=dict)
    default: str = ""

    def choose(self, context: EncodeContext) -> str:
        """What goes before the texts of that context; empty where nothing does."""
        without = self.instructions.without
        if (context.side == "document" and not self.instructions.documents) or without_prompt(without, context):
            return self.default
        instruction = instruction_for(self.prompts, context)
        place = context.side or "symmetric"
        if not instruction:
            return template_for_side(self.instructions.bare, place)
        return template_for_side(self.instructions.template, place).replace(PLACEHOLDER, instruction)


def without_prompt(without: Collection[str], context: EncodeContext) -> bool:
    """Whether texts of that context are among those that are not prompted."""
    return any(key in without for key in fitting_keys(context))


def instruction_for(prompts: Mapping[str, str], context: EncodeContext) -> str:
    """The instruction of that context, empty where it has none.

    A task that instructs one side says nothing to the other. A symmetric text of such a task (the reference puts the
    whole table there) is instructed as a query.
    """
    task = context.task
    key = next((key for key in fitting_keys(context) if key in prompts), None)
    if key is not None:
        of_one_side = key not in (task.name, task.type, context.side)
        return prompts[key] if prompts[key] or of_one_side else task.instruction
    if any(side in task.prompt for side in SIDES):
        return task.prompt.get(context.side or "query", "")
    return task.prompt.get("") or task.instruction


def template_for_side(wording: Wording, place: str) -> str:
    """What a wording says at that place."""
    if isinstance(wording, str):
        return wording
    if place == "symmetric" and "symmetric" not in wording:
        place = "query"
    return wording.get(place, "")


def check(template: Wording, bare: Wording) -> None:
    """Refuse wordings for places that do not exist, and templates that take no instruction or something else.

    Raises ModelError.
    """
    for name, wording in {"template": template, "bare": bare}.items():
        for place in () if isinstance(wording, str) else wording:
            if place not in TEMPLATE_SIDES:
                hint = nearest_key(place, TEMPLATE_SIDES)
                raise ModelError(f"{name}: no place is called {place!r}; expected {', '.join(TEMPLATE_SIDES)}.{hint}")
    for text in _texts(template):
        for name in re.findall(r"\{(\w*)\}", text):
            if name != "instruction":
                raise ModelError(f"template: nothing fills {{{name}}} in {text!r}; did you mean {PLACEHOLDER}?")
    if not any(PLACEHOLDER in text for text in _texts(template)):
        raise ModelError(f"template: {template!r} takes no instruction; write {PLACEHOLDER} where it goes")


def _texts(wording: Wording) -> list[str]:
    return [wording] if isinstance(wording, str) else list(wording.values())
