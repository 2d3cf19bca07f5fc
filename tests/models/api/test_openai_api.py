from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from embeddings_server import Service, serving, vector

from embedmark.models.api.encoder import ApiEncoder
from embedmark.models.api.openai import load
from embedmark.models.base import EncodeContext, Variant
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import TaskContext

KEY = "sk-never-to-be-seen"
QUICKLY = {"retry-after-ms": "10"}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving() as running:
        yield running


def encoder(service: Service, **parameters: Any) -> ApiEncoder:
    return load(ModelSpec("org/small", None, prompts={"query": "q: "}, parameters={"url": service.url, **parameters}))


def test_vectors_prompts_fields_and_key(service: Service) -> None:
    model = encoder(service, dimensions=3, encode={"query": {"input_type": "query"}})
    variant = model.variant(EncodeContext(TaskContext("T", "Retrieval"), "query"))
    np.testing.assert_array_equal(model.encode(["a", "bcd"], variant), [vector("q: a"), vector("q: bcd")])
    headers, body = service.requests[0]
    assert headers["authorization"] == f"Bearer {KEY}"
    assert body == {
        "model": "small",
        "input": ["q: a", "q: bcd"],
        "encoding_format": "float",
        "dimensions": 3,
        "input_type": "query",
    }


def test_requests_hold_no_more_than_the_batch_and_keep_the_order(service: Service) -> None:
    service.largest, service.shuffled = 2, True
    texts = ["a" * n for n in range(1, 6)]
    np.testing.assert_array_equal(encoder(service, batch=2).encode(texts, Variant()), [vector(t) for t in texts])
    assert [len(body["input"]) for _, body in service.requests] == [2, 2, 1]


def test_an_empty_text_is_sent_as_a_space(service: Service) -> None:
    np.testing.assert_array_equal(encoder(service).encode([""], Variant()), [vector(" ")])


def test_limits_and_failures_of_the_service_are_waited_for(service: Service) -> None:
    service.faults = [(429, QUICKLY), (503, QUICKLY), (500, QUICKLY)]
    np.testing.assert_array_equal(encoder(service).encode(["a"], Variant()), [vector("a")])
    assert len(service.requests) == 4


@pytest.mark.parametrize(("status", "requests"), [(429, 3), (500, 3), (400, 1), (401, 1)])
def test_what_no_retry_mends_is_an_error_without_the_key(
    status: int, requests: int, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.faults = [(status, QUICKLY)] * 9
    with pytest.raises(ModelError, match=f"answered {status}") as raised:
        encoder(service, retries=2).encode(["a"], Variant())
    assert len(service.requests) == requests
    assert KEY not in str(raised.value) + caplog.text + repr(encoder(service).facts)


def test_too_few_vectors_are_an_error(service: Service) -> None:
    service.missing = True
    with pytest.raises(ModelError, match="1 vectors for 2 texts"):
        encoder(service).encode(["a", "b"], Variant())


def test_vectors_of_another_width_are_an_error(service: Service) -> None:
    model = encoder(service)
    model.encode(["a"], Variant())
    service.width = 2
    with pytest.raises(ModelError, match="answered a vector of 2 dimensions; expected 3"):
        model.encode(["a"], Variant())


@pytest.mark.parametrize("content", ["[]", "null", '{"data": [{"index": 0}]}', '{"data": 7}', "{}"])
def test_what_is_no_answer_in_its_protocol_is_an_error(content: str, service: Service) -> None:
    service.faults = [(200, {}, content)]
    with pytest.raises(ModelError, match=f"{service.url}/: answered"):
        encoder(service).encode(["a"], Variant())


def test_a_limit_of_requests_a_minute_is_kept(service: Service) -> None:
    model = encoder(service, batch=1, requests_per_minute=600)
    started = time.monotonic()
    model.encode(["a", "b", "c"], Variant())
    assert time.monotonic() - started >= 0.2


def test_a_service_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    gone = Service(url="http://127.0.0.1:9/v1")
    with pytest.raises(ModelError, match=r"127\.0\.0\.1:9.*APIConnectionError"):
        encoder(gone, retries=0).encode(["a"], Variant())


def test_the_key_comes_from_the_environment_alone(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ModelError, match="environment variable OPENAI_API_KEY is not set"):
        encoder(service)
    assert encoder(service, key=None).encode(["a"], Variant()).shape == (1, 3)
    monkeypatch.setenv("OTHER_API_KEY", "x")
    assert encoder(service, key="OTHER_API_KEY").encode(["a"], Variant()).shape == (1, 3)
    with pytest.raises(ModelError, match="no parameter 'api_key'"):
        encoder(service, api_key=KEY)
