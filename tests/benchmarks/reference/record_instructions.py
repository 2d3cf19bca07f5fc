"""What the reference puts before texts, for instructions that are empty, of one side, or missing.

    .venv-reference/bin/python tests/benchmarks/reference/record_instructions.py tests/facts/reference_instructions.json

Every combination of what a model says (its prompts_dict) and what a task says (its prompt), for a task with sides and
one without, through AbsEncoder.get_task_instruction alone. tests/models/test_empty_instructions.py compares.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import mteb
from mteb.models.abs_encoder import AbsEncoder
from mteb.types import PromptType

TASKS = {"ArguAna": "Retrieval", "Banking77Classification": "Classification"}
"""A task with sides and one without → its type."""

MODELS: list[dict[str, Any]] = [
    {},
    {"TASK": ""},
    {"TYPE": ""},
    {"query": ""},
    {"document": ""},
    {"query": "", "document": ""},
    {"TASK": "Of the task."},
    {"TASK": "", "TYPE": "Of the type."},
    {"TASK": "Of the task.", "TYPE": ""},
    {"TYPE": "", "query": "Of queries."},
    {"TYPE": "Of the type.", "query": ""},
    {"TASK": " "},
    {"TYPE": "\n"},
    {"TASK": {"query": "", "document": ""}},
    {"TASK": {"query": "Of queries.", "document": ""}},
    {"TASK": {"query": "", "document": "Of documents."}},
    {"TASK": {"query": "Of queries."}},
    {"TYPE": {"query": "", "document": "Of documents."}},
    {"TYPE": {"query": "Of queries.", "document": ""}, "query": "Not this."},
    {"TASK": "", "TYPE": {"query": "Of queries.", "document": "Of documents."}},
    {"Another": "Of another task.", "STS": ""},
]
PROMPTS: list[Any] = [
    None,
    "",
    "Find it.",
    " ",
    {"query": "Find it."},
    {"document": "Read it."},
    {"query": "", "document": ""},
    {"query": "", "document": "Read it."},
]
TEMPLATES = [None, "Instruct: {instruction}\nQuery: "]


class Instructed(AbsEncoder):
    """The reference's choice of instructions, without a model."""

    def __init__(self, prompts: dict[str, Any], template: str | None) -> None:
        self.prompts_dict = prompts
        self.instruction_template = template

    def encode(self, *_: Any, **__: Any) -> Any:
        """There is nothing to encode."""


def main() -> None:
    """Record every case whose instruction is a text."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    cases = []
    for task, kind in TASKS.items():
        metadata = mteb.get_task(task).metadata
        sides = (PromptType.query, PromptType.document) if kind == "Retrieval" else (None,)
        for model in MODELS:
            prompts = {{"TASK": task, "TYPE": kind}.get(key, key): value for key, value in model.items()}
            for prompt in PROMPTS:
                of_task = metadata.model_construct(**{**metadata.__dict__, "prompt": prompt})
                for template in TEMPLATES if prompt is None else TEMPLATES[:1]:
                    for side in sides:
                        if side is None and isinstance(Instructed(prompts, None).get_instruction(of_task, None), dict):
                            continue  # the reference puts the whole table before the text
                        case = {"task": task, "type": kind, "prompts": prompts, "prompt": prompt, "template": template}
                        said = Instructed(prompts, template).get_task_instruction(of_task, side)
                        cases.append({**case, "side": side.value if side else None, "said": said})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    Path(sys.argv[1]).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
