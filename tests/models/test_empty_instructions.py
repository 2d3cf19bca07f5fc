"""Instructions that are empty, of one side, or missing: the reference's choice, by facts that it wrote, and runs.

The facts are written by tests/benchmarks/reference/record_instructions.py, from mteb 2.26.24.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from resolved import resolved_task
from small_project import small_project

from embedmark.models.base import EncodeContext
from embedmark.models.instructions import Instructions, InstructionTable
from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.execute.jobs import context_of
from tools.catalogue import instruct

FACTS: dict[str, list[dict[str, Any]]] = defaultdict(list)
for _case in json.loads((Path(__file__).parents[1] / "facts/reference_instructions.json").read_text(encoding="utf-8")):
    FACTS[f"{_case['task']}: {json.dumps(_case['prompts'])}"].append(_case)


@pytest.mark.parametrize("cases", FACTS.values(), ids=FACTS)
def test_the_choice_is_the_references(cases: list[dict[str, Any]]) -> None:
    shipped = Catalogue().task(cases[0]["task"])
    for case in cases:
        prompts = instruct.prompts(case["prompts"], {case["task"]}, documents=True)
        template = case["template"] or "{instruction}"
        table = InstructionTable(Instructions(template), prompts)
        task = shipped.model_copy(update={"prompt": case["prompt"]})
        context = EncodeContext(context_of(resolved_task(task), "default", "test", ()), case["side"])
        assert table.choose(context) == case["said"], case


def test_documents_that_are_not_prompted_stay_so() -> None:
    context = EncodeContext(context_of(resolved_task(Catalogue().task("ArguAna")), "default", "test", ()), "document")
    for prompts in ({"document": ""}, {"ArguAna": ""}, {"Retrieval": "Not this."}, {}):
        assert InstructionTable(Instructions(documents=False), prompts).choose(context) == ""


# -- whole runs -------------------------------------------------------------------------------------------------------

OF_TYPE = "Retrieve text based on user query."


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def plain(project: Path) -> str:
    return (project / "model/tiny.yaml").read_text(encoding="utf-8")


def run(project: Path, model: str) -> int:
    """Search with the model of that file."""
    (project / "model/tiny.yaml").write_text(model, encoding="utf-8")
    return main(["run", "--config-dir", str(project), "model=tiny", "tasks=[Search]", "outputs=outputs"])


def encoded_last() -> int:
    """How many texts the newest record needed to be encoded for it."""
    newest = max(Path("outputs/jobs").glob("*/result.json"), key=lambda path: path.stat().st_mtime_ns)
    return int(json.loads(newest.read_text())["timing"]["texts_encoded"])


@pytest.mark.parametrize(
    ("instructions", "prompts", "query", "document"),
    [
        ("{}", "{}", OF_TYPE, OF_TYPE),
        ("{}", '{Search: ""}', OF_TYPE, OF_TYPE),
        ("{}", '{Retrieval: "", query: a, document: b}', OF_TYPE, OF_TYPE),
        ("{}", '{query: "", document: b}', OF_TYPE, "b"),
        ("{}", '{query: a, document: ""}', "a", OF_TYPE),
        ("{}", '{Search-query: "", document: b}', "", "b"),
        ("{}", '{Retrieval-document: "", query: a}', "a", ""),
        ("{}", '{Search: " "}', " ", " "),
        ("{documents: false}", '{document: ""}', OF_TYPE, ""),
        ("{documents: false}", '{Search: ""}', OF_TYPE, ""),
        ("{without: [Retrieval]}", "{query: a, document: b}", "", ""),
        ("{without: [document]}", '{Search: ""}', OF_TYPE, ""),
        ("{without: [Search-query]}", "{}", "", OF_TYPE),
        ('{template: "<{instruction}>"}', '{Search: ""}', f"<{OF_TYPE}>", f"<{OF_TYPE}>"),
        ('{template: "<{instruction}>", bare: "<>"}', '{Search-query: ""}', "<>", f"<{OF_TYPE}>"),
    ],
)
def test_what_reaches_the_model(
    instructions: str,
    prompts: str,
    query: str,
    document: str,
    project: Path,
    plain: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same texts with these prompts written out find all their vectors in the store."""
    monkeypatch.chdir(tmp_path)
    assert run(project, f"{plain}instructions: {instructions}\nprompts: {prompts}\n") == 0
    assert encoded_last() == 48
    assert run(project, f"{plain}prompts: {json.dumps({'query': query, 'document': document})}\n") == 0
    assert len(list(Path("outputs/jobs").glob("*/result.json"))) == 2
    assert encoded_last() == 0


def test_a_key_that_nothing_has_is_refused(project: Path, plain: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(project, f"{plain}instructions: {{without: [Retreival]}}\n") == 2
    assert "Did you mean 'Retrieval'" in capsys.readouterr().err
