"""A built folder over HTTP, for a browser on the same machine; any other static host does the same."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from embedmark.runner.common.errors import UserError

LOOPBACK = "127.0.0.1"
FIRST_PORT = 8000
_PORTS = 20
_LAST_PORT = 65_535
_NO_NAME = "-" * 300
"""Longer than any file's name may be."""


class _Pages(SimpleHTTPRequestHandler):
    """Files of one folder and nothing else: no lists of folders, and no path that leads out."""

    # Told here: what a system says of types may be anything (Windows' registry has .js as text/plain at times).
    extensions_map: ClassVar[dict[str, str]] = {  # type: ignore[misc]
        "": "application/octet-stream",
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml",
        ".png": "image/png",
        ".ico": "image/x-icon",
        ".txt": "text/plain; charset=utf-8",
        ".yaml": "text/plain; charset=utf-8",
        ".xml": "application/xml",
    }
    server_version = "embedmark"
    sys_version = ""

    def translate_path(self, path: str) -> str:
        """The file of a path; a name that no file has where it leads out of the folder, also over a link."""
        root, found = Path(self.directory).resolve(), super().translate_path(path)
        try:
            place = Path(found).resolve()
        except (OSError, ValueError, RuntimeError):
            return str(root / _NO_NAME)
        return found if place == root or root in place.parents else str(root / _NO_NAME)

    def list_directory(self, path: object) -> None:  # noqa: ARG002 - called by http.server
        """A folder without an index is not there."""
        self.send_error(404, "File not found")

    def end_headers(self) -> None:
        """A folder that was built anew is seen at once."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: who looks at pages has no use for a line a file."""


def opened(folder: Path, host: str = LOOPBACK, port: int | None = None) -> ThreadingHTTPServer:
    """Open a server of a folder.

    Args:
        folder: What is served.
        host: The address that it listens on.
        port: Its port, 0 for any; None for the first free one from 8000 on.

    Raises:
        UserError: The port is taken or none, or the host is none of this machine.
    """
    if port is not None and not 0 <= port <= _LAST_PORT:
        raise UserError(f"--port {port}: expected a number from 0 to {_LAST_PORT:,}; 0 takes any that is free")
    wanted = [port] if port is not None else [*range(FIRST_PORT, FIRST_PORT + _PORTS), 0]
    make = partial(_Server, handler=partial(_Pages, directory=str(folder)))
    for one in wanted:
        try:
            return make((host, one))
        except OSError as error:
            if port is None and error.errno in {errno.EADDRINUSE, errno.EACCES}:
                continue
            raise UserError(_why(error, host, one)) from error
        except (OverflowError, UnicodeError) as error:
            raise UserError(f"--host {host}: no address ({error}); give one of this machine, as 0.0.0.0") from error
    raise AssertionError("port 0 is never taken")


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"--port {port}: another program has it; give another one, or none to take the next that is free"
    if error.errno == errno.EACCES:
        return f"--port {port}: may not be taken ({error.strerror}); give one above 1023"
    return (
        f"--host {host}: cannot be listened on: {error.strerror or error}; give an address of this machine, as 0.0.0.0"
    )


def address(server: ThreadingHTTPServer) -> str:
    """Return where a browser finds it."""
    host, port = server.server_address[:2]
    name = host.decode() if isinstance(host, bytes) else str(host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


def until_stopped(server: ThreadingHTTPServer, started: Callable[[], object] = lambda: None) -> None:
    """Serve until Ctrl-C."""
    try:
        started()
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, place: tuple[str, int], handler: Callable[..., SimpleHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        super().__init__(place, handler)
