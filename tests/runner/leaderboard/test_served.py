"""A built folder over HTTP: right types, one folder and nothing else, and Ctrl-C ends it well."""

from __future__ import annotations

import http.client
import os
import socket
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from embedmark.runner.common.errors import UserError
from embedmark.runner.leaderboard.serve import address, opened, until_stopped

pytestmark = pytest.mark.service


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    for name in ("index.html", "style.css", "a b#c%41.js", "d/x.js", "m/y.json", "p.png", "p.svg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "out").symlink_to(tmp_path)
    (folder / "in.html").symlink_to(folder / "index.html")
    return folder


@pytest.fixture
def server(site: Path) -> Iterator[ThreadingHTTPServer]:
    made = opened(site, port=0)
    thread = threading.Thread(target=until_stopped, args=(made,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()


def get(server: ThreadingHTTPServer, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=10)
    try:
        connection.putrequest(method, path, skip_host=False)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Content-Type", ""), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html?x=1", "text/html; charset=utf-8"),
        ("/in.html", "text/html; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/d/x.js", "text/javascript; charset=utf-8"),
        ("/a%20b%23c%2541.js", "text/javascript; charset=utf-8"),
        ("/m/y.json", "application/json"),
        ("/p.png", "image/png"),
        ("/p.svg", "image/svg+xml"),
    ],
)
def test_files_and_their_types(path: str, kind: str, server: ThreadingHTTPServer) -> None:
    status, found, content = get(server, path)
    assert (status, found) == (200, kind)
    assert content
    assert get(server, path, "HEAD") == (200, kind, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/d/../../secret.txt", "//../secret.txt",
        "/out/secret.txt", "/out/site/index.html/", "/..\\secret.txt", "/d", "/d/", "/out/", "/nothing", "/index.html/",
        "/index.html%00.js", "/" + "a" * 5000, "/secret.txt", "/%ff%fe",
    ],
)  # fmt: skip
def test_nothing_else_is_there(path: str, server: ThreadingHTTPServer) -> None:
    status, _, content = get(server, path)
    if status == 301:  # a folder's own name, on the way to its index, which there is not
        status, _, content = get(server, f"{path}/")
    assert status == 404
    assert b"secret\n" not in content
    assert b"x.js" not in content


def test_nothing_can_be_written(server: ThreadingHTTPServer) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert get(server, "/index.html", method)[0] == 501


def test_a_folder_that_is_built_anew_is_seen_at_once(site: Path, server: ThreadingHTTPServer) -> None:
    site.rename(site.with_name("old"))
    site.mkdir()
    (site / "index.html").write_text("new")
    assert get(server, "/")[2] == b"new"


def test_only_this_machine_by_default(server: ThreadingHTTPServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert address(server) == f"http://127.0.0.1:{server.server_address[1]}/"


def test_ports(site: Path) -> None:
    with opened(site) as first, opened(site) as second:
        assert first.server_address[1] != second.server_address[1]
        taken = int(first.server_address[1])
        with pytest.raises(UserError, match=f"--port {taken}: another program has it"):
            opened(site, port=taken)
    for wrong in (-1, 65_536):
        with pytest.raises(UserError, match="expected a number from 0 to 65,535"):
            opened(site, port=wrong)
    with pytest.raises(UserError, match=r"--host 192\.0\.2\.1: cannot be listened on"):
        opened(site, "192.0.2.1", 0)


@pytest.mark.skipif(not socket.has_ipv6 or os.name == "nt", reason="no IPv6")
def test_an_address_of_ipv6(site: Path) -> None:
    try:
        made = opened(site, "::1", 0)
    except UserError:
        pytest.skip("no IPv6 on this machine")
    with made:
        assert address(made).startswith("http://[::1]:")
