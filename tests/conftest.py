"""What tests share: a hub on the loopback, and an environment that reaches neither the internet nor a user's cache."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from loopback import HubRoot, ServeHub, serving, shared_folder

# Machines are shared: how long an example takes says nothing. A change is judged by the same examples each time
# (.ci/run); at a desk and at night they are new ones.
settings.register_profile("shared", deadline=None, derandomize=os.environ.get("EMBEDMARK_EXAMPLES") == "fixed")
settings.load_profile("shared")

# tests/benchmarks holds scripts and what they share with tests.
sys.path.append(str(Path(__file__).parent / "benchmarks"))

# The clients of the Hugging Face hub read the environment once, when they are imported, which is after this and
# before any fixture. So the hub's address is reserved here; until a test asks for the hub, connections are refused.
_RESERVED = socket.socket()
_RESERVED.bind(("127.0.0.1", 0))
_PORT = _RESERVED.getsockname()[1]
_SESSION_HF_HOME = Path(tempfile.mkdtemp(prefix="embedmark-hf-"))
os.environ.update(
    HF_HOME=str(_SESSION_HF_HOME),
    EMBEDMARK_CACHE=str(_SESSION_HF_HOME / "embedmark"),
    HF_ENDPOINT=f"http://127.0.0.1:{_PORT}",
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
)
for _name in ("HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
    os.environ.pop(_name, None)


REFERENCE = Path(__file__).resolve().parents[1] / ".venv-reference"
ON_THE_LOOPBACK = {"hub", "serve_hub", "hub_env", "service"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only what talks to a server may fail by chance, and is tried again; nothing else is."""
    for item in items:
        talks = item.get_closest_marker("service") or ON_THE_LOOPBACK & set(getattr(item, "fixturenames", ()))
        if talks:
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))
        if item.get_closest_marker("reference") and not REFERENCE.is_dir():
            item.add_marker(pytest.mark.skip(reason="no .venv-reference (`make reference`)"))


def pytest_unconfigure() -> None:
    shutil.rmtree(_SESSION_HF_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the loopback hub. Without it tests are skipped; on our own CI, which has it, they fail."""
    folder = shared_folder()
    if not (folder / "hub" / "serve.py").is_file():
        reason = f"no loopback hub in {folder} (EMBEDMARK_SHARED names another folder)"
        if os.environ.get("CI") == "true" and os.environ.get("GITHUB_ACTIONS") != "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def hub(shared: Path) -> Iterator[str]:
    """Endpoint of a hub that serves the shared root to the whole session; HF_ENDPOINT says so already."""
    _RESERVED.close()
    with serving(shared / "hub" / "root", "--port", str(_PORT)) as endpoint:
        yield endpoint


@pytest.fixture
def hub_root(shared: Path, tmp_path: Path) -> HubRoot:
    """Make a root of one's own: `hub_root(models={"org/name/<revision>": folder}, datasets={...})`.

    Folders are linked, not copied. The shared datasets are in it too, unless `with_shared=False`.
    """
    made = 0

    def make(
        *,
        models: Mapping[str, Path] | None = None,
        datasets: Mapping[str, Path] | None = None,
        with_shared: bool = True,
    ) -> Path:
        nonlocal made
        made += 1
        root = tmp_path / f"hub-root-{made}"
        links: dict[str, Path] = {}
        if with_shared:
            source = shared / "hub" / "root"
            links = {path.relative_to(source).as_posix(): path for path in source.glob("*/*/*/*")}
        links |= {f"models/{name}": folder for name, folder in (models or {}).items()}
        links |= {f"datasets/{name}": folder for name, folder in (datasets or {}).items()}
        root.mkdir()
        for name, folder in links.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to(folder.resolve(), target_is_directory=True)
        return root

    return make


@pytest.fixture
def serve_hub(shared: Path) -> Iterator[ServeHub]:
    """Start a hub of one's own: `serve_hub(root, "--faults", "status=503:0.2")` gives its endpoint."""
    with ExitStack() as running:
        yield lambda root, *arguments: running.enter_context(serving(root, *arguments))


@pytest.fixture
def hf_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh HF_HOME, for this process and those that it starts.

    The libraries keep what they read from the environment at import, so their copies are changed too.
    """
    import datasets.config
    from huggingface_hub import constants

    home = tmp_path / "hf-home"
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setattr(constants, "HF_HOME", str(home))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr(constants, "HF_ASSETS_CACHE", str(home / "assets"))
    monkeypatch.setattr(constants, "HF_XET_CACHE", str(home / "xet"))
    monkeypatch.setattr(datasets.config, "HF_CACHE_HOME", str(home))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", home / "datasets")
    monkeypatch.setattr(datasets.config, "HF_MODULES_CACHE", str(home / "modules"))
    return home


@pytest.fixture
def hub_env(hub: str, hf_home: Path) -> Mapping[str, str]:
    """The shared hub and a fresh HF_HOME: the environment of this process, and the `env` of a subprocess."""
    return {**os.environ, "HF_ENDPOINT": hub, "HF_HOME": str(hf_home)}
