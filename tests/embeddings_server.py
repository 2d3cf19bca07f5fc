"""A service on this machine that speaks the protocol of OpenAI's embeddings, with faults on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Service:
    """faults: what is answered instead of vectors, in turn: (status, headers). requests: (headers, body) that came."""

    url: str = ""
    largest: int = 2048
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    shuffled: bool = False
    missing: bool = False

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Status, headers and body."""
        if self.faults:
            status, headers = self.faults.pop(0)
            return status, headers, {"error": {"message": "later", "type": "fault"}}
        texts = body["input"]
        if len(texts) > self.largest or not all(texts):
            return 400, {}, {"error": {"message": f"{len(texts)} texts", "type": "invalid_request_error"}}
        data = [{"object": "embedding", "index": i, "embedding": vector(text)} for i, text in enumerate(texts)]
        if self.shuffled:
            data.reverse()
        if self.missing:
            data.pop()
        return 200, {}, {"object": "list", "data": data, "model": body["model"], "usage": {}}


def vector(text: str) -> list[float]:
    """What the service makes of a text."""
    return [float(len(text)), float(text.count("a")), 1.0]


@contextmanager
def serving() -> Iterator[Service]:
    """A service on a free port."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status, headers, answer = service.answer(body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
