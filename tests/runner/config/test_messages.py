"""What is said about a value of the wrong kind: for every key of every schema, in no word of Python or pydantic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.text import MESSAGE
from embedmark.runner.config import schema as schemas
from embedmark.runner.config.annotations import fields_of
from embedmark.runner.config.checks import check_settings
from embedmark.runner.config.explain import invalid
from embedmark.runner.config.schema import BenchmarkConfig, Execution, ModelConfig, Settings, TaskConfig
from embedmark.runner.data.transforms.parsing import parse
from embedmark.runner.data.transforms.steps import arguments_of, step_kinds
from embedmark.tasks.types import task_types

FORBIDDEN = re.compile(
    r"\bInput should|\bvalid (tuple|list|string|integer|number|dictionary|boolean)|\btuple\b|\bdict\b|\bNone\b|NoneType"
    r"|\bstr\b|\bint\b|\bbool\b|\bfloat\b|literal\[|\binstance\b|\bunable to\b|BaseModel|Mapping|Sequence|\bpydantic\b"
    r"|\bdatetime\b|\bTrue\b|\bFalse\b|<class|\bunion\b|\bobject\b|finite_|Traceback",
)
WRONG: dict[str, Any] = {
    "null": None,
    "whole number": 5,
    "number": 2.5,
    "negative": -1,
    "nan": float("nan"),
    "infinite": float("inf"),
    "many digits": 10**5000,
    "true": True,
    "text": "some text",
    "empty text": "",
    "long text": "x" * 5000,
    "escape": "a\x1b[31mb",
    "code 0": "a\0b",
    "surrogate": "a\ud800",
    "password": "https://user:secret@host/path",
    "date": date(2020, 1, 1),
    "time": datetime(2020, 1, 1, 12, 0),
    "bytes": b"abc",
    "set": {"a"},
    "empty list": [],
    "list of numbers": [1],
    "list of lists": [[["a"]]],
    "list of mappings": [{"a": 1}],
    "long list": ["x" * 100] * 500,
    "empty mapping": {},
    "mapping": {"a": 1},
    "mapping with a number": {1: "a"},
    "mapping with null": {None: "a"},
    "mapping of mappings": {"a": {"b": {"c": [1, None]}}},
}
BASES: dict[type[Any], dict[str, Any]] = {
    ModelConfig: {"name": "org/x"},
    TaskConfig: {
        "name": "T",
        "type": "sts",
        "dataset": {"files": "x"},
        "languages": ["eng-Latn"],
        "main_metric": "cosine_spearman",
    },
    BenchmarkConfig: {"name": "b", "tasks": ["T"]},
    Execution: {},
    Settings: {"model": {"name": "org/x"}},
    schemas.TaskAbout: {},
    schemas.ModelAbout: {},
    schemas.HubDataset: {"hub": "a/b"},
    schemas.PackageDataset: {"package": "a", "version": "1", "reader": "r"},
    schemas.FilesDataset: {"files": "x"},
    schemas.TaskGroup: {"tasks": ["T"]},
    schemas.LookUp: {"config": "c", "key": "k", "value": "v"},
    schemas.Place: {},
    schemas.BenchmarkTask: {"name": "T"},
    schemas.HubModel: {"hub": "a/b"},
    schemas.PackageModel: {"package": "a", "version": "1", "sha256": {}},
    schemas.FolderModel: {"path": "x"},
    schemas.InstructionsConfig: {},
}


def _every_schema() -> Iterator[type[Any]]:
    yield from (kind for kind in vars(schemas).values() if isinstance(kind, type) and issubclass(kind, schemas.Schema))


def _check(message: str, *, found: object) -> None:
    assert len(message) <= MESSAGE, message
    said = re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`|string, int, float, bool", "", message)  # the last: names of `cast`
    assert not FORBIDDEN.search(said), message
    assert "secret" not in message
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", message), message


def test_every_schema_is_tried() -> None:
    assert set(_every_schema()) - {schemas.Schema} == set(BASES)


@pytest.mark.parametrize("schema", BASES, ids=lambda schema: schema.__name__)
def test_values_of_the_wrong_kind_are_explained_in_words(schema: type[Any]) -> None:
    refused = 0
    for key in fields_of(schema):
        for wrong in WRONG.values():
            try:
                schema.model_validate({**BASES[schema], key: wrong})
            except ValidationError as error:
                refused += 1
                message = str(invalid(error, "/a/folder/of/mine.yaml", schema))
                _check(message, found=wrong)
                assert re.search(rf"\n  ({key}\b|subsets|\(top level\))", message), message
    assert refused > 4 * len(fields_of(schema))


@pytest.mark.parametrize("kind", sorted(name for name, kind in task_types().items() if kind.implementation))
def test_settings_of_the_wrong_kind_are_explained_in_words(kind: str) -> None:
    needed = {"candidate_labels": ["a", "b"]} if kind == "zeroshot_classification" else {}
    refused = 0
    for key in fields_of(task_types()[kind].settings):
        for wrong in WRONG.values():
            values = {**BASES[TaskConfig], "type": kind, "settings": {**needed, key: wrong}}
            try:
                check_settings(TaskConfig.model_validate(values), "/a/folder/of/mine.yaml", task_types()[kind])
            except ValidationError as error:
                _check(str(invalid(error, "mine.yaml", TaskConfig)), found=wrong)
            except UserError as error:
                refused += 1
                _check(str(error), found=wrong)
    assert refused > 8


@pytest.mark.parametrize("verb", step_kinds())
def test_arguments_of_steps_of_the_wrong_kind_are_explained_in_words(verb: str) -> None:
    refused = 0
    for key in [*fields_of(arguments_of(verb)), "splits", "subsets", "part"]:
        for wrong in WRONG.values():
            step = {verb: {}, key: wrong} if key in {"splits", "subsets", "part"} else {verb: {key: wrong}}
            try:
                parse([step])
            except UserError as error:
                refused += 1
                _check(str(error), found=wrong)
    assert refused > 20


@pytest.mark.parametrize(
    ("schema", "values", "said"),
    [
        (TaskConfig, {"dataset": "org/name"}, "dataset: {hub: org/name"),
        (TaskConfig, {"dataset": {"hub": "a/b", "revision": 1234}}, 'revision: "1234"'),
        (TaskConfig, {"languages": ["english"]}, "Did you mean 'eng-Latn'?"),
        (TaskConfig, {"languages": "eng-Latn"}, "languages: [eng-Latn]"),
        (TaskConfig, {"languages": ["eng-Latin"]}, "Did you mean 'eng-Latn'?"),
        (TaskConfig, {"languages": ["de-DE"]}, "Did you mean 'deu-Latn'?"),
        (TaskConfig, {"splits": "test"}, "splits: [test]"),
        (TaskConfig, {"splits": [2020]}, '- "2020"'),
        (TaskConfig, {"main_metric": True}, "put it in quotes"),
        (TaskConfig, {"prompt": {"querry": "x"}}, "did you mean 'query'"),
        (TaskConfig, {"about": {"date": date(2020, 1, 1)}}, 'date: ["2024-01-01", "2024-12-31"]'),
        (TaskConfig, {"subsets": {True: ["nor-Latn"]}}, "put it in quotes"),
        (TaskConfig, {"dataset": {"hub": "a/b", "pattern": "(?=a)"}}, "lookaround"),
        (ModelConfig, {"source": "path"}, "source: {path: /where/the/weights/are}"),
        (ModelConfig, {"members": [1]}, "members: [bm25, minilm]"),
        (ModelConfig, {"max_tokens": True}, "max_tokens: 512"),
        (ModelConfig, {"max_tokens": 0}, "a number of at least 1"),
        (ModelConfig, {"dtype": "float"}, "did you mean 'float32'"),
        (ModelConfig, {"quantize_clip": [0.5]}, "quantize_clip: [0.01, 0.99]"),
        (ModelConfig, {"revision": False}, 'revision: "false"'),
        (ModelConfig, {"name": "x" * 300}, "at most 200 characters"),
        (ModelConfig, {"parameters": {"url": "http://me:secret@host"}}, "environment variable"),
        (BenchmarkConfig, {"aliases": 5}, "a list of texts"),
        (BenchmarkConfig, {"tasks": "T"}, "tasks: [STSBenchmark]"),
    ],
)
def test_the_right_form_is_shown(schema: type[Any], values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        schema.model_validate({**BASES[schema], **values})
    message = str(invalid(refused.value, "mine.yaml", schema))
    _check(message, found=values)
    assert said in message
