"""Each protocol against a service that speaks it: what is sent, what is read, and what goes wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest
from embeddings_server import Service, serving, vector

from embedmark.models.api.encoder import ApiEncoder
from embedmark.models.base import EncodeContext, Variant
from embedmark.models.loaders import find_loader
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import Side, TaskContext

KEY = "sk-never-to-be-seen"
QUICKLY = {"Retry-After": "0.01"}


@dataclass(frozen=True)
class Case:
    """What a protocol sends for the texts "q: a" and "q: bcd" of a query, three dimensions asked for."""

    variable: str | None
    header: tuple[str, str]
    path: str
    body: dict[str, Any]


CASES = {
    "cohere": Case(
        "COHERE_API_KEY",
        ("authorization", f"Bearer {KEY}"),
        "/v2/embed",
        {
            "model": "small",
            "texts": ["q: a", "q: bcd"],
            "input_type": "search_query",
            "embedding_types": ["float"],
            "output_dimension": 3,
        },
    ),
    "voyage": Case(
        "VOYAGE_API_KEY",
        ("authorization", f"Bearer {KEY}"),
        "/v1/embeddings",
        {"model": "small", "input": ["q: a", "q: bcd"], "input_type": "query", "output_dimension": 3},
    ),
    "google": Case(
        "GEMINI_API_KEY",
        ("x-goog-api-key", KEY),
        "/v1beta/models/small:batchEmbedContents",
        {
            "requests": [
                {
                    "model": "models/small",
                    "content": {"parts": [{"text": text}]},
                    "taskType": "RETRIEVAL_QUERY",
                    "outputDimensionality": 3,
                }
                for text in ("q: a", "q: bcd")
            ]
        },
    ),
    "vertex": Case(
        "GOOGLE_OAUTH_ACCESS_TOKEN",
        ("authorization", f"Bearer {KEY}"),
        "/v1/projects/mine/locations/us-central1/publishers/google/models/small:predict",
        {
            "instances": [{"content": text, "task_type": "RETRIEVAL_QUERY"} for text in ("q: a", "q: bcd")],
            "parameters": {"outputDimensionality": 3},
        },
    ),
    "tei": Case(
        None,
        ("content-type", "application/json"),
        "/embed",
        {"inputs": ["q: a", "q: bcd"], "truncate": True, "dimensions": 3},
    ),
}
every_protocol = pytest.mark.parametrize("protocol", CASES)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for case in CASES.values():
        if case.variable:
            monkeypatch.setenv(case.variable, KEY)
    monkeypatch.delenv("GOOGLE_CLOUD_LOCATION", raising=False)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "mine")


def load(protocol: str, **parameters: Any) -> ApiEncoder:
    loader = find_loader(protocol)
    assert loader is not None
    spec = ModelSpec("org/small", None, loader=protocol, prompts={"query": "q: "}, parameters=parameters)
    return cast("ApiEncoder", loader.load(spec))


@contextmanager
def asked(protocol: str, **parameters: Any) -> Iterator[tuple[Service, ApiEncoder]]:
    with serving(protocol) as service:
        yield service, load(protocol, url=service.url, **parameters)


def of(task_type: str, side: Side | None = None) -> EncodeContext:
    return EncodeContext(TaskContext("T", task_type), side)


@every_protocol
def test_what_is_sent_and_read(protocol: str) -> None:
    case = CASES[protocol]
    with asked(protocol, dimensions=3) as (service, model):
        found = model.encode(["a", "bcd"], model.variant(of("Retrieval", "query")))
    np.testing.assert_array_equal(found, [vector("q: a"), vector("q: bcd")])
    assert found.dtype == np.float32
    headers, body = service.requests[0]
    name, value = case.header
    assert (headers[name], service.paths, body) == (value, [case.path], case.body)
    assert case.variable is not None or "authorization" not in headers


CONTEXTS = [
    of("Retrieval", "query"),
    of("Reranking", "document"),
    of("Classification"),
    of("MultilabelClassification"),
    of("Clustering"),
    of("STS"),
    of("PairClassification"),
    of("BitextMining"),
]
TYPES = {
    "cohere": (
        "input_type",
        "search_query search_document classification classification clustering "
        "search_document search_document search_document",
    ),
    "voyage": ("input_type", "query document document document document document document document"),
    "google": (
        "taskType",
        "RETRIEVAL_QUERY RETRIEVAL_DOCUMENT CLASSIFICATION CLASSIFICATION CLUSTERING SEMANTIC_SIMILARITY none none",
    ),
    "vertex": (
        "task_type",
        "RETRIEVAL_QUERY RETRIEVAL_DOCUMENT CLASSIFICATION CLASSIFICATION CLUSTERING SEMANTIC_SIMILARITY none none",
    ),
}


@pytest.mark.parametrize("protocol", TYPES)
def test_what_texts_are_for_is_told_as_the_reference_tells_it(protocol: str) -> None:
    field, expected = TYPES[protocol]
    model = load(protocol)
    assert [dict(model.variant(context).parameters).get(field, "none") for context in CONTEXTS] == expected.split()


def test_a_config_can_tell_it_otherwise() -> None:
    model = load("cohere", encode={"Retrieval-query": {"input_type": "clustering"}})
    variants = [model.variant(of("Retrieval", side)) for side in ("query", "document")]
    assert [dict(variant.parameters)["input_type"] for variant in variants] == ["clustering", "search_document"]
    for nothing in ({}, {"input_type": None}, "clustering"):
        with pytest.raises(ModelError, match=r"encode: query.*: found .*; expected fields with their values"):
            load("cohere", encode={"query": nothing})


def test_the_outline_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COHERE_API_KEY")
    loader = find_loader("cohere")
    assert loader is not None
    spec = ModelSpec("org/small", None, loader="cohere", prompts={"query": "q: "})
    outline = loader.outline(spec)
    assert outline is not None
    variant = outline.variant(of("Retrieval", "query"))
    assert variant == Variant("q: ", (("input_type", "search_query"),))
    assert outline.lengths(["abc"], variant).tolist() == [6]
    with pytest.raises(ModelError, match="environment variable COHERE_API_KEY or CO_API_KEY is not set"):
        loader.load(spec)


def test_text_embeddings_inference_is_told_what_its_file_says() -> None:
    fields = {"query": {"prompt_name": "query"}}
    with asked("tei", truncate=False, normalize=False, key="COHERE_API_KEY", encode=fields) as (service, model):
        model.encode(["a"], model.variant(of("Retrieval", "query")))
    headers, body = service.requests[0]
    assert body == {"inputs": ["q: a"], "truncate": False, "normalize": False, "prompt_name": "query"}
    assert headers["authorization"] == f"Bearer {KEY}"
    with pytest.raises(ModelError, match="url: not given; the tei loader needs its server's address"):
        load("tei")
    with pytest.raises(ModelError, match="no parameter 'truncate'"):
        load("voyage", truncate=True)


@every_protocol
def test_requests_hold_no_more_than_the_batch_and_keep_the_order(protocol: str) -> None:
    texts = ["a" * n for n in range(1, 6)]
    with asked(protocol, batch=2) as (service, model):
        service.largest = 2
        np.testing.assert_array_equal(model.encode(texts, Variant()), [vector(text) for text in texts])
    assert len(service.requests) == 3


def test_requests_hold_no_more_characters_than_a_minute_has_tokens() -> None:
    with asked("voyage", tokens_per_minute=25_000_000, batch=3) as (service, model):
        model.encode(["a" * 30_000, "a" * 30_000, "a" * 30_000, "a" * 99_000, ""], Variant())
        assert [[len(text) for text in body["input"]] for _, body in service.requests] == [
            [30_000, 30_000],
            [30_000],
            [99_000],
            [1],
        ]
    assert load("voyage", tokens_per_minute=10_000).batch_tokens == 40_000


def test_a_limit_of_requests_a_minute_is_kept() -> None:
    with asked("voyage", batch=1, requests_per_minute=600) as (service, model):
        started = time.monotonic()
        model.encode(["a", "b", "c"], Variant())
        assert time.monotonic() - started >= 0.2
    assert len(service.requests) == 3


def test_vectors_are_read_by_their_numbers() -> None:
    with asked("voyage") as (service, model):
        service.shuffled = True
        np.testing.assert_array_equal(model.encode(["a", "bcd"], Variant()), [vector("a"), vector("bcd")])


@every_protocol
def test_limits_and_failures_of_the_service_are_waited_for(protocol: str) -> None:
    with asked(protocol) as (service, model):
        service.faults = [(429, QUICKLY), (503, QUICKLY)]
        np.testing.assert_array_equal(model.encode(["a"], Variant()), [vector("a")])
    assert len(service.requests) == 3


@every_protocol
def test_too_few_vectors_are_an_error(protocol: str) -> None:
    with asked(protocol) as (service, model):
        service.missing = True
        with pytest.raises(ModelError, match=rf"{service.url.split('/v1')[0]}.*: answered 1 vectors for 2 texts"):
            model.encode(["a", "b"], Variant())


@every_protocol
def test_vectors_of_another_width_are_an_error(protocol: str) -> None:
    with asked(protocol) as (service, model):
        model.encode(["a"], Variant())
        service.width = 2
        with pytest.raises(ModelError, match="answered a vector of 2 dimensions; expected 3"):
            model.encode(["a"], Variant())
    with asked(protocol, dimensions=2) as (service, model), pytest.raises(ModelError, match="expected 2"):
        model.encode(["a"], Variant())


@every_protocol
@pytest.mark.parametrize(
    "content", ['{"detail": "no"}', "null", "[]", '"vectors"', "7", '{"embeddings": {"float": [["a", "b"]]}}', "[[[]]]"]
)
def test_json_that_holds_no_vectors_is_shown(protocol: str, content: str) -> None:
    with asked(protocol) as (service, model):
        service.faults = [(200, {}, content)]
        with pytest.raises(ModelError, match="answered"):
            model.encode(["a"], Variant())


@every_protocol
@pytest.mark.parametrize(("status", "requests"), [(429, 3), (500, 3), (400, 1), (401, 1)])
def test_what_no_retry_mends_is_an_error_without_the_key(
    protocol: str, status: int, requests: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = CASES[protocol].variable or "COHERE_API_KEY"
    with asked(protocol, retries=2, key=key) as (service, model):
        service.faults = [(status, QUICKLY, f'{{"error": "bad key {KEY}"}}')] * 9
        with pytest.raises(ModelError, match=f"{service.url}: answered {status}") as raised:
            model.encode(["a"], Variant())
        assert len(service.requests) == requests
        assert KEY not in str(raised.value) + caplog.text + repr(model) + repr(model.facts)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"api_key": KEY}, "no parameter 'api_key'"),
        ({"key": KEY}, "key: expected .*the name of another environment variable"),
        ({"key": "NO_SUCH_API_KEY"}, "environment variable NO_SUCH_API_KEY is not set"),
        ({"url": "127.0.0.1:8080"}, "url: expected http://"),
        ({"url": f"http://me:{KEY}@127.0.0.1"}, "url: expected http://"),
        ({"url": f"http://127.0.0.1/v1?key={KEY}"}, "url: expected http://"),
        ({"batch": 0}, "batch: found 0; expected a whole number above 0"),
        ({"requests_per_minute": "fast"}, "requests_per_minute: found 'fast'; expected a number above 0"),
        ({"retries": -1}, "retries: found -1; expected a whole number, not below 0"),
        ({"dimensions": True}, "dimensions: found True; expected a whole number above 0"),
    ],
)
@pytest.mark.parametrize("loader", ["openai", "cohere"])
def test_parameters_that_cannot_be(
    loader: str, parameters: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(ModelError, match=told) as raised:
        load(loader, **parameters)
    assert "never" not in str(raised.value)


@pytest.mark.parametrize("secret", ["sk-never\nto-be", "sk-never to-be", "sk-néver"])
def test_a_variable_that_holds_no_key(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOYAGE_API_KEY", secret)
    with pytest.raises(ModelError, match="VOYAGE_API_KEY holds characters that no key has") as raised:
        load("voyage")
    assert "sk-" not in str(raised.value)


def test_vertex_needs_a_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "europe-west4")
    assert load("vertex").facts["service"] == "https://europe-west4-aiplatform.googleapis.com"
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    with pytest.raises(ModelError, match="GOOGLE_CLOUD_PROJECT is not set"):
        load("vertex")
