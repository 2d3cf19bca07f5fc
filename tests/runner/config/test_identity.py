"""What decides a score changes the fingerprint; nothing else does; and neither changes by accident."""

from __future__ import annotations

import json
import random
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from resolved import resolved_model, resolved_task

from embedmark.runner.config.identity import (
    canonical,
    deciding,
    fingerprint,
    job_identity,
)
from embedmark.runner.config.roles import Schema, role_of
from embedmark.runner.config.schema import Execution, ModelConfig, Settings, TaskConfig

MODEL: dict[str, Any] = {
    "name": "org/model",
    "revision": "a" * 40,
    "prompts": {"query": "query: ", "document": "passage: "},
    "normalize": True,
    "max_tokens": 512,
    "about": {"n_parameters": 1},
}
TASK: dict[str, Any] = {
    "name": "Topic",
    "type": "classification",
    "dataset": {"hub": "org/topic", "revision": "b" * 40},
    "subsets": {"en": ["eng-Latn"], "de": ["deu-Latn"]},
    "splits": ["test", "validation"],
    "main_metric": "accuracy",
    "settings": {"samples_per_label": 16},
    "about": {"license": "mit"},
}


def identity(
    model: dict[str, Any] = MODEL, task: dict[str, Any] = TASK, subset: str = "en", split: str = "test"
) -> Any:
    model_config, task_config = ModelConfig.model_validate(model), TaskConfig.model_validate(task)
    return job_identity(
        resolved_model(model_config).identity,
        resolved_task(task_config).identity,
        subset,
        split,
        task_config.subsets.get(subset, ()),
    )


def test_golden_fingerprint() -> None:
    # If this fails, every stored result gets a new name. Raise IDENTITY, say why under "Changes to scores", then edit.
    assert fingerprint(identity()) == GOLDEN


def test_every_field_has_a_role() -> None:
    for schema in (ModelConfig, TaskConfig, Execution, Settings):
        for field in schema.model_fields:
            assert role_of(schema, field) in {"decides", "describes", "executes"}


OTHER_MODELS: dict[str, dict[str, Any]] = {
    "name": {"name": "org/other"},
    "loader": {"loader": "other"},
    "source": {"source": {"hub": "mirror/model"}},
    "revision": {"revision": "c" * 40},
    "prompts": {"prompts": {"query": "query: "}},
    "instructions": {"instructions": {"documents": False}},
    "normalize": {"normalize": False},
    "layer_norm": {"layer_norm": True},
    "quantize": {"quantize": "int8"},
    "quantize_clip": {"quantize": "int8", "quantize_clip": [0.01, 0.99]},
    "max_tokens": {"max_tokens": 256},
    "truncate_dim": {"truncate_dim": 64},
    "similarity": {"similarity": "dot"},
    "dtype": {"dtype": "float16"},
    "trust_remote_code": {"trust_remote_code": True},
    "parameters": {"parameters": {"pooling": "cls"}},
    "members": {"members": [{"name": "org/one"}, {"name": "org/other"}]},
}
OTHER_TASKS: dict[str, dict[str, Any]] = {
    "name": {"name": "Other"},
    "type": {"type": "multilabel_classification", "settings": {}},
    "label": {"label": "DocumentUnderstanding"},
    "dataset": {"dataset": {"hub": "org/topic", "revision": "c" * 40}},
    "main_metric": {"main_metric": "f1"},
    "settings": {"settings": {"samples_per_label": 8}},
    "modality": {"settings": {"samples_per_label": 16, "modality": "image"}},
    "transforms": {"transforms": [{"rename": {"a": "b"}}]},
    "prompt": {"prompt": "Find the topic."},
    "languages of the subset": {"subsets": {"en": ["eng-Latn", "fra-Latn"]}},
}


def test_no_deciding_field_is_forgotten_below() -> None:
    per_job = {"subsets", "languages", "splits"}
    assert {f for f in ModelConfig.model_fields if role_of(ModelConfig, f) == "decides"} == set(OTHER_MODELS)
    decides = {f for f in TaskConfig.model_fields if role_of(TaskConfig, f) == "decides"}
    assert decides - per_job == set(OTHER_TASKS) - {"languages of the subset", "modality"}


@pytest.mark.parametrize("change", OTHER_MODELS.values(), ids=OTHER_MODELS)
def test_deciding_model_fields_change_the_fingerprint(change: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from embedmark.models import loaders
    from embedmark.runner.config import checks as module

    known = {**loaders.loaders(), "other": loaders.Loader("other", "x:y", 1)}
    monkeypatch.setattr(module, "find_loader", known.get)
    assert fingerprint(identity({**MODEL, **change})) != fingerprint(identity())


@pytest.mark.parametrize("change", OTHER_TASKS.values(), ids=OTHER_TASKS)
def test_deciding_task_fields_change_the_fingerprint(change: dict[str, Any]) -> None:
    assert fingerprint(identity(task={**TASK, **change})) != fingerprint(identity())


def test_a_members_deciding_fields_change_the_fingerprint() -> None:
    one, other = {"name": "org/one", "revision": "1" * 40}, {"name": "org/other", "revision": "2" * 40}
    changed = ([other, one], [one, one], [{**one, "max_tokens": 8}, other], [one, {**other, "revision": "3" * 40}])
    found = {fingerprint(identity({**MODEL, "members": members})) for members in ([one, other], *changed)}
    assert len(found) == 5
    described = {**one, "about": {"license": "mit"}}
    assert fingerprint(identity({**MODEL, "members": [described, other]})) in found


def test_subset_and_split_change_the_fingerprint() -> None:
    assert len({fingerprint(identity(subset=s, split=p)) for s in ("en", "de") for p in ("test", "validation")}) == 4


@pytest.mark.parametrize(
    ("model", "task"),
    [
        ({**MODEL, "about": {"n_parameters": 2}}, TASK),
        (MODEL, {**TASK, "about": {"license": "apache-2.0"}}),
        (MODEL, {**TASK, "splits": ["validation", "test"]}),
        (MODEL, {**TASK, "subsets": {"en": ["eng-Latn"], "fr": ["fra-Latn"]}}),
        (MODEL, {**TASK, "transforms": []}),
        (MODEL, {**TASK, "settings": {"samples_per_label": 16, "n_experiments": 10}}),
        (MODEL, {**TASK, "label": None, "settings": {"samples_per_label": 16, "modality": "text"}}),
    ],
    ids=[
        "model about",
        "task about",
        "order of splits",
        "other subsets",
        "empty transforms",
        "default spelt out",
        "what came later",
    ],
)
def test_what_does_not_decide_changes_nothing(model: dict[str, Any], task: dict[str, Any]) -> None:
    assert fingerprint(identity(model, task)) == fingerprint(identity())


def test_how_a_service_is_asked_decides_nothing_and_what_it_is_asked_does() -> None:
    def of(**parameters: Any) -> str:
        model = {**MODEL, "max_tokens": None, "loader": "cohere", "parameters": parameters, "trust_url": True}
        return fingerprint(identity(model))

    pace = {"requests_per_minute": 100, "tokens_per_minute": 1e6}
    assert of(dimensions=256, **pace, batch=8, retries=1, timeout=9, key="MY_API_KEY") == of(dimensions=256)
    assert len({of(), of(dimensions=256), of(url="http://127.0.0.1"), of(model="other")}) == 4


def test_versions_of_code_change_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    from embedmark.runner.config import identity as module

    before = fingerprint(identity())
    monkeypatch.setattr(module, "IDENTITY", 2)
    assert fingerprint(identity()) != before


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values), st.randoms())
def test_order_of_keys_never_matters(value: dict[str, Any], rng: random.Random) -> None:
    def shuffled(inner: Any) -> Any:
        if isinstance(inner, dict):
            items = [(key, shuffled(held)) for key, held in inner.items()]
            rng.shuffle(items)
            return dict(items)
        return [shuffled(held) for held in inner] if isinstance(inner, list) else inner

    assert canonical(shuffled(value)) == canonical(value)


def test_canonical_spelling() -> None:
    assert (
        canonical({"b": 0.1, "a": "e\u0301", "c": None, "d": {}, "e": [1, 2.0, True]})
        == '{"a":"é","b":0.1,"e":[1,2.0,true]}'
    )


OTHER_SIGNS: dict[str, tuple[type[Schema], dict[str, Any], dict[str, Any]]] = {
    "a prompt": (ModelConfig, MODEL, {"prompts": {"query": "Frage: \u00e9 "}}),
    "a prompt's key": (ModelConfig, MODEL, {"prompts": {"D\u00e9j\u00e0Vu-query": "query: "}}),
    "a template": (ModelConfig, MODEL, {"instructions": {"template": "\u00c9: {instruction}"}}),
    "templates": (ModelConfig, MODEL, {"instructions": {"template": {"query": "\u1ec7 {instruction}"}}}),
    "without": (ModelConfig, MODEL, {"instructions": {"without": ["D\u00e9j\u00e0Vu"]}}),
    "a name": (ModelConfig, MODEL, {"name": "org/mod\u00e8le"}),
    "a parameter": (ModelConfig, MODEL, {"parameters": {"context": {"prompt": "\uac00: "}}}),
    "a member's prompt": (ModelConfig, MODEL, {"members": [{"name": "a", "prompts": {"query": "\u00fc"}}]}),
    "a task's prompt": (TaskConfig, TASK, {"prompt": {"query": "R\u00e9ponds"}}),
    "a subset": (TaskConfig, TASK, {"subsets": {"fran\u00e7ais": ["fra-Latn"]}}),
    "a split": (TaskConfig, TASK, {"splits": ["entra\u00eenement"]}),
    "a column": (TaskConfig, TASK, {"settings": {"input_column": "t\u00eate"}}),
    "candidates": (TaskConfig, TASK, {"settings": {"candidate_labels": ["\u00e9", "a"]}}),
    "a step": (TaskConfig, TASK, {"transforms": [{"rename": {"columns": {"text": "\u0439"}}}]}),
}
"""Schema, values, and some that are written in NFC."""


@pytest.mark.parametrize(("schema", "values", "more"), OTHER_SIGNS.values(), ids=OTHER_SIGNS)
def test_what_has_one_identity_is_used_as_one(schema: type[Schema], values: Any, more: Any) -> None:
    apart = json.loads(unicodedata.normalize("NFD", json.dumps(more, ensure_ascii=False)))
    assert apart != more
    assert schema.model_validate({**values, **apart}) == schema.model_validate({**values, **more})


EMPTIED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a default": ({"map_values": {"values": {"a": 1}}}, {"map_values": {"values": {"a": 1}, "default": None}}),
    "a value": ({"map_values": {"values": {"a": 1}}}, {"map_values": {"values": {"a": 1, "b": None}}}),
    "no splits": ({"take": 3}, {"take": 3, "splits": []}),
    "no subsets": ({"take": 3}, {"take": 3, "subsets": []}),
    "nothing allowed": ({"filter": {"column": "a", "max": 1}}, {"filter": {"column": "a", "max": 1, "in": []}}),
    "a number as a text": ({"map_values": {"values": {1: "a"}}}, {"map_values": {"values": {"1": "a"}}}),
    "of two kinds": ({"map_values": {"values": {1: "a"}}}, {"map_values": {"values": {1: "a", "1": "b"}}}),
    "yes as a text": ({"map_values": {"values": {True: "a"}}}, {"map_values": {"values": {"True": "a"}}}),
    "nothing added": ({"add": {"columns": {"a": 1}}}, {"add": {"columns": {"a": 1, "title": None}}}),
    "an empty entry": ({"extract": {"path": [0]}}, {"extract": {"path": [0], "into": {}}}),
}
"""A step, and one that differs in what is there and empty."""


@pytest.mark.parametrize(("step", "other"), EMPTIED.values(), ids=EMPTIED)
def test_an_argument_that_is_there_and_empty_is_not_left_out(step: dict[str, Any], other: dict[str, Any]) -> None:
    found = [fingerprint(identity(task={**TASK, "transforms": [one]})) for one in (step, other)]
    assert found[0] != found[1]
    found = [fingerprint(identity({**MODEL, "loader": "encoder:Mine", "parameters": one})) for one in (step, other)]
    assert found[0] != found[1]


def test_two_names_that_are_one() -> None:
    subsets = {"\u00e9": ["fra-Latn"], "e\u0301": ["fra-Latn"]}
    with pytest.raises(ValidationError, match="two names are the same"):
        TaskConfig.model_validate({**TASK, "subsets": subsets})


def test_execution_decides_nothing() -> None:
    assert deciding(Execution()) == {}


GOLDEN = "ba399abbd300e7591fa5d274618fa42a01e013474f58b3df62b3ddb5bba6db3e"
