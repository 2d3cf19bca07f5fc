"""Which prompt a model puts before a text.

Prompts are keyed as the field keys them: by task name, by task type ("Retrieval"), by side ("query", "document"), or
by one of the first two joined with a side by a hyphen ("Retrieval-query"). The order of choice is that of mteb 2.26.24.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from embedmark.models.base import EncodeContext
from embedmark.runner.common.errors import ModelError
from embedmark.runner.common.names import nearest

SIDES = ("query", "document")

CHECKPOINT_FILE = "config_sentence_transformers.json"
"""Where a sentence-transformers checkpoint keeps its prompts."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class PromptTable:
    """The prompts of one model. `default` is the key that is used where no key fits the context."""

    prompts: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None

    def choose(self, context: EncodeContext) -> str:
        """What goes before the texts of that context; empty where nothing does."""
        prompt = most_specific(self.prompts, context)
        if prompt is None and self.default is not None:
            prompt = self.prompts.get(self.default)
        return prompt or ""


def most_specific(table: Mapping[str, Value], context: EncodeContext) -> Value | None:
    """The entry whose key fits the context best: task and side, task, type and side, type, side."""
    return next((table[key] for key in fitting_keys(context) if key in table), None)


def fitting_keys(context: EncodeContext) -> Iterator[str]:
    """The keys that fit a context, the most specific first."""
    for name in (context.task.name, context.task.type):
        if context.side:
            yield f"{name}-{context.side}"
        yield name
    if context.side:
        yield context.side


def prompt_table(prompts: Mapping[str, str], folder: Path) -> PromptTable:
    """The prompts of a sentence-transformers checkpoint, replaced by the config's own where it gives any.

    The checkpoint's `default_prompt_name` stays in force either way. A checkpoint without a prompt for a side has the
    empty one, which keeps its default prompt from texts of that side.

    Raises ModelError when the checkpoint's file cannot be read or names a default that it does not have.
    """
    saved = _saved(folder)
    own = dict.fromkeys(SIDES, "") | {key: text or "" for key, text in (saved.get("prompts") or {}).items()}
    default = saved.get("default_prompt_name")
    if default is not None and default not in own:
        raise ModelError(
            f"{folder / CHECKPOINT_FILE}: default_prompt_name is {default!r}, not one of its prompts {list(own)}"
        )
    return PromptTable(dict(prompts) or own, default)


def _saved(folder: Path) -> Mapping[str, Any]:
    path = folder / CHECKPOINT_FILE
    if not path.exists():
        return {}
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}") from error
    if not isinstance(saved, dict) or not isinstance(saved.get("prompts") or {}, dict):
        raise ModelError(f"{path}: expected an object whose `prompts` maps names to texts")
    return saved


def check_keys(prompts: Collection[str], types: Collection[str], tasks: Collection[str] | None = None) -> None:
    """Refuse prompt keys that no context can ever match.

    types: labels of the known task types. tasks: names of the known tasks; without them, a key that resembles no type
    and no side is taken for a task's name.

    Raises ModelError naming the key and the nearest one that would do.
    """
    known = {*SIDES, *types, *(tasks or ())}
    for key in prompts:
        name = next((key.removesuffix(f"-{side}") for side in SIDES if key.endswith(f"-{side}")), key)
        if name in known and not (name in SIDES and name != key):
            continue
        hint = nearest_key(name, known)
        if tasks is not None or hint or name in SIDES:
            raise ModelError(
                f"prompts: no task, task type or side is called {key!r}.{hint} A key is a task name, a task type "
                f"({', '.join(sorted(types))}), a side ({', '.join(SIDES)}), or a task or type and a side, as in "
                "Retrieval-query."
            )


def nearest_key(wrong: str, known: Collection[str]) -> str:
    """Name the key that somebody may have meant, as a phrase to end a message with; "" where none is near."""
    return nearest(_SYNONYMS.get(wrong.casefold(), wrong), known, cutoff=0.7)


_SYNONYMS = {"passage": "document", "corpus": "document", "doc": "document", "documents": "document"}
"""What other libraries call the side of documents."""
