"""A Hugging Face hub on the loopback, from the folder `shared` beside a development checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

HubRoot = Callable[..., Path]
"""The fixture `hub_root`."""

ServeHub = Callable[..., str]
"""The fixture `serve_hub`."""


def shared_folder() -> Path:
    """The folder with the loopback hub: EMBEDMARK_SHARED, or `shared` beside the repository."""
    return Path(os.environ.get("EMBEDMARK_SHARED") or REPOSITORY.parent / "shared")


@contextmanager
def serving(root: Path, *arguments: str) -> Iterator[str]:
    """Serve a root as a Hugging Face hub on a free port, and give its endpoint. arguments: more options of serve.py."""
    script = shared_folder() / "hub" / "serve.py"
    command = [sys.executable, str(script), "--root", str(root), "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            first = server.stdout.readline().strip()
            if not first.startswith("HF_ENDPOINT="):
                raise RuntimeError(f"{script} said {first!r}; expected HF_ENDPOINT=http://...")
            yield first.removeprefix("HF_ENDPOINT=")
        finally:
            server.terminate()
