from __future__ import annotations

from collections.abc import Mapping

import pytest

from embedmark.models.base import EncodeContext
from embedmark.models.instructions import Instructions, InstructionTable, Wording, check
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import Side, TaskContext

TEMPLATE = "Instruct: {instruction}\nQuery: "


def context(side: Side | None, prompt: Mapping[str, str] | None = None) -> EncodeContext:
    return EncodeContext(TaskContext("ArguAna", "Retrieval", prompt=prompt or {}, instruction="Of the type."), side)


@pytest.mark.parametrize(
    ("prompts", "prompt", "side", "expected"),
    [
        ({}, {}, "query", "Of the type."),
        ({}, {"": "Of the task."}, "document", "Of the task."),
        ({}, {"query": "Of the task."}, "query", "Of the task."),
        ({}, {"query": "Of the task."}, "document", ""),
        ({}, {"query": "Of the task."}, None, "Of the task."),
        ({"Retrieval": "Of the model."}, {"": "Of the task."}, "query", "Of the model."),
        ({"ArguAna-query": "Of the model."}, {"": "Of the task."}, "document", "Of the task."),
        ({"document": ""}, {"": "Of the task."}, "document", "Of the type."),
        ({"ArguAna-document": ""}, {"": "Of the task."}, "document", ""),
    ],
)
def test_the_models_own_instruction_comes_first_then_the_tasks_then_the_types(
    prompts: Mapping[str, str], prompt: Mapping[str, str], side: Side | None, expected: str
) -> None:
    table = InstructionTable(Instructions("<{instruction}>", bare="<>"), prompts)
    assert table.choose(context(side, prompt)) == f"<{expected}>"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (TEMPLATE, ("Instruct: Of the type.\nQuery: ",) * 3),
        ({"query": TEMPLATE}, ("Instruct: Of the type.\nQuery: ", "", "Instruct: Of the type.\nQuery: ")),
        ({"query": TEMPLATE, "document": "text: ", "symmetric": "s {instruction}"}, (None, "text: ", "s Of the type.")),
    ],
)
def test_a_template_a_side(template: Wording, expected: tuple[str | None, ...]) -> None:
    table = InstructionTable(Instructions(template))
    for side, prompt in zip(("query", "document", None), expected, strict=True):
        assert prompt is None or table.choose(context(side)) == prompt  # type: ignore[arg-type]


def test_documents_that_are_not_prompted_have_the_checkpoints_default() -> None:
    table = InstructionTable(Instructions(TEMPLATE, documents=False), {"document": "never"}, default="plain: ")
    assert table.choose(context("document")) == "plain: "


def test_an_instruction_is_put_in_as_it_is() -> None:
    table = InstructionTable(Instructions("{instruction}: {x"), {"query": "{braces} \\1"})
    assert table.choose(context("query")) == "{braces} \\1: {x"


@pytest.mark.parametrize(
    ("template", "bare", "message"),
    [
        ("Instruct:", "", "takes no instruction"),
        ("Instruct: {instructions} {instruction}", "", r"nothing fills \{instructions\}"),
        ({"qurey": TEMPLATE}, "", "no place is called 'qurey'.*'query'"),
        (TEMPLATE, {"passage": ""}, "bare: no place is called 'passage'.*'document'"),
    ],
)
def test_wordings_that_cannot_work_are_refused(template: Wording, bare: Wording, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        check(template, bare)
