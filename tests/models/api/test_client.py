"""How a service is asked again, and what is told of one that gives nothing."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from embeddings_server import Service, serving

from embedmark.models.api.client import Client
from embedmark.models.api.key import Key
from embedmark.models.api.pace import Pace
from embedmark.models.api.protocol import bearer
from embedmark.runner.common.errors import ModelError

KEY = Key("SOME_KEY", "sk-never-to-be-seen")
BODY = {"input": ["a"]}


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as running:
        yield running


def client(url: str, slept: list[float], *, retries: int = 3, timeout: float = 5.0) -> Client:
    return Client(url, bearer(KEY.secret), KEY, Pace(), retries=retries, timeout=timeout, sleep=slept.append)


def test_a_pause_is_as_long_as_the_service_says(service: Service) -> None:
    slept: list[float] = []
    service.faults = [(429, {"Retry-After": "17"}), (503, {"Retry-After": "0.5"})]
    assert client(service.url, slept).post("/embeddings", BODY, 1)["data"]
    assert slept == [17, 0.5]


def test_a_pause_may_be_said_as_a_date(service: Service) -> None:
    slept: list[float] = []
    service.faults = [(429, {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=40))})]
    client(service.url, slept).post("/embeddings", BODY, 1)
    assert 35 < slept[0] <= 40


def test_google_says_in_its_answer_how_long(service: Service) -> None:
    slept: list[float] = []
    details = [{"@type": "type.googleapis.com/google.rpc.Help"}, {"retryDelay": "22s"}]
    service.faults = [(429, {}, json.dumps({"error": {"code": 429, "details": details}}))]
    client(service.url, slept).post("/embeddings", BODY, 1)
    assert slept == [22]


def test_pauses_grow_where_the_service_says_nothing(service: Service) -> None:
    slept: list[float] = []
    service.faults = [(500, {}), (502, {"Retry-After": "soon"}), (503, {})]
    client(service.url, slept).post("/embeddings", BODY, 1)
    assert [int(pause // 2**n) for n, pause in enumerate(slept)] == [1, 1, 1]


def test_nobody_waits_for_tomorrow(service: Service) -> None:
    service.faults = [(429, {"Retry-After": "7200"})]
    with pytest.raises(ModelError, match=r"answered 429: .*later.*asked again in 7200 s"):
        client(service.url, []).post("/embeddings", BODY, 1)
    assert len(service.requests) == 1


def test_an_answer_that_is_cut_off_is_asked_for_again(service: Service) -> None:
    service.faults = [(200, {}, '{"data": [{"index": 0, "embed')]
    assert client(service.url, []).post("/embeddings", BODY, 1)["data"]


def test_what_is_no_json_is_shown(service: Service) -> None:
    service.faults = [(200, {}, "<html>\n  <h1>Sign in</h1>" + "x" * 9999)] * 2
    with pytest.raises(
        ModelError, match=r"answered 200 with something other than JSON: '<html> <h1>Sign in</h1>x+\."
    ) as raised:
        client(service.url, [], retries=1).post("/embeddings", BODY, 1)
    assert len(str(raised.value)) < 500


def test_a_service_that_is_gone_is_waited_for_once() -> None:
    slept: list[float] = []
    gone = client("http://127.0.0.1:9", slept)
    with pytest.raises(ModelError, match=r"ConnectError: .*refused.*\(asked 4 times\)"):
        gone.post("/embeddings", BODY, 1)
    assert len(slept) == 3
    with pytest.raises(ModelError, match="ConnectError"):
        gone.post("/embeddings", BODY, 1)
    assert len(slept) == 3


def test_a_service_that_came_back_is_waited_for_again(service: Service) -> None:
    slept: list[float] = []
    asking = client(service.url, slept, retries=1, timeout=0.2)
    service.seconds = 0.5
    with pytest.raises(ModelError, match=r"no answer within 0\.2 s \(asked 2 times\)"):
        asking.post("/embeddings", BODY, 1)
    service.seconds = 0.0
    asking.post("/embeddings", BODY, 1)
    service.faults = [(503, {})]
    assert asking.post("/embeddings", BODY, 1)["data"]


@pytest.mark.parametrize(
    ("status", "told"),
    [(400, "answered 400: "), (401, "answered 401: .*is the key in SOME_KEY right"), (404, "answered 404: ")],
)
def test_what_asking_again_cannot_mend_is_an_error_at_once(status: int, told: str, service: Service) -> None:
    service.faults = [(status, {})]
    with pytest.raises(ModelError, match=told):
        client(service.url, []).post("/embeddings", BODY, 1)
    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
def test_a_key_that_the_service_repeats_is_taken_out(
    status: int, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.faults = [(status, {}, f"{'x' * 295}{KEY.secret} is not a key")] * 2
    asking = client(service.url, [], retries=1)
    with pytest.raises(ModelError) as raised:
        asking.post("/embeddings", BODY, 1)
    assert service.requests[0][0]["authorization"] == f"Bearer {KEY.secret}"
    told = str(raised.value) + caplog.text + repr(asking) + repr(KEY)
    assert "sk-" not in told
    service.faults = [(200, {}, json.dumps({"said": KEY.secret}))]
    assert asking.post("/embeddings", BODY, 1) == {"said": "***"}
