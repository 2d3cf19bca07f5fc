"""A service on this machine that speaks the protocols of embedding services, with faults on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]
Vectors = list[list[float]]


@dataclass(frozen=True)
class Spoken:
    """How a protocol is spoken on the side of the service. base: what its address ends with."""

    base: str
    texts: Callable[[Body], list[str]]
    answer: Callable[[Vectors], Any]


def _numbered(vectors: Vectors) -> Any:
    return {"object": "list", "data": [{"index": i, "embedding": vector} for i, vector in enumerate(vectors)]}


SPOKEN = {
    "openai": Spoken(
        "/v1", lambda body: body["input"], lambda vectors: {**_numbered(vectors), "model": "", "usage": {}}
    ),
    "voyage": Spoken("/v1", lambda body: body["input"], _numbered),
    "cohere": Spoken("", lambda body: body["texts"], lambda vectors: {"id": "1", "embeddings": {"float": vectors}}),
    "google": Spoken(
        "/v1beta",
        lambda body: [asked["content"]["parts"][0]["text"] for asked in body["requests"]],
        lambda vectors: {"embeddings": [{"values": vector} for vector in vectors]},
    ),
    "vertex": Spoken(
        "",
        lambda body: [instance["content"] for instance in body["instances"]],
        lambda vectors: {"predictions": [{"embeddings": {"values": vector}} for vector in vectors]},
    ),
    "tei": Spoken("", lambda body: body["inputs"], lambda vectors: vectors),
}


@dataclass
class Service:
    """faults: what is answered instead of vectors, in turn: (status, headers), or with content of one's own.

    pauses: headers of a 429 that is the answer to the n-th request. requests: (headers, body) that came; paths: where
    to. width: dimensions of a vector. seconds: until it answers.
    """

    url: str = ""
    protocol: str = "openai"
    largest: int = 2048
    faults: list[tuple[int, dict[str, str]] | tuple[int, dict[str, str], str]] = field(default_factory=list)
    pauses: dict[int, dict[str, str]] = field(default_factory=dict)
    requests: list[tuple[dict[str, str], Body]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    shuffled: bool = False
    missing: bool = False
    width: int = 3
    seconds: float = 0.0

    def answer(self, body: Body) -> tuple[int, dict[str, str], str]:
        """Status, headers and content."""
        time.sleep(self.seconds)
        if len(self.requests) in self.pauses:
            return 429, self.pauses[len(self.requests)], "slower"
        if self.faults:
            status, headers, *content = self.faults.pop(0)
            return status, headers, content[0] if content else json.dumps({"error": {"message": "later"}})
        spoken = SPOKEN[self.protocol]
        texts = spoken.texts(body)
        if len(texts) > self.largest or not all(texts):
            return 400, {}, json.dumps({"error": {"message": f"{len(texts)} texts"}})
        answer = spoken.answer([vector(text)[: self.width] for text in texts][int(self.missing) :])
        if self.shuffled:
            answer["data"].reverse()
        return 200, {}, json.dumps(answer)


def vector(text: str) -> list[float]:
    """What the service makes of a text."""
    return [float(len(text)), float(text.count("a")), 1.0]


@contextmanager
def serving(protocol: str = "openai") -> Iterator[Service]:
    """A service on a free port."""
    service = Service(protocol=protocol)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            service.paths.append(self.path)
            status, headers, answer = service.answer(body)
            content = answer.encode()
            with suppress(ConnectionError):  # a client that did not wait is gone
                self.send_response(status)
                for name, value in {**headers, "Content-Type": "application/json"}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}{SPOKEN[protocol].base}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
