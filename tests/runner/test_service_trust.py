"""A model's file of a stranger gets no secret, and no text goes where nobody decided that it goes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from embeddings_server import serving
from small_project import small_project

from embedmark.runner.cli.main import main

SECRET = "the-secret-of-the-environment"
EVIL = "https://evil.example/v1"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "HOME_API_KEY", "OPENAI_API_KEY", "COHERE_API_KEY"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def model(project: Path, loader: str, parameters: Mapping[str, Any], **more: Any) -> None:
    values = {"name": "a/stranger", "loader": loader, "revision": "1", "parameters": parameters, **more}
    (project / "model" / "stranger.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")


def ask(verb: str, project: Path, *more: str) -> int:
    if verb == "show":
        return main(["show", "--config-dir", str(project), "a/stranger"])
    return main([verb, "--config-dir", str(project), "model=stranger", "tasks=[Topics]", *more])


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a secret of a cloud": ("openai", {"key": "AWS_SECRET_ACCESS_KEY"}, "_API_KEY"),
    "a token of the hub": ("cohere", {"key": "HF_TOKEN"}, "_API_KEY"),
    "the search path": ("voyage", {"key": "PATH"}, "_API_KEY"),
    "a name that only begins so": ("google", {"key": "X_API_KEY_SECRET"}, "_API_KEY"),
    "small letters": ("tei", {"url": "http://127.0.0.1:1", "key": "my_api_key"}, "_API_KEY"),
    "a number as key": ("openai", {"key": 5}, "_API_KEY"),
    "a list as key": ("openai", {"key": ["A_API_KEY"]}, "_API_KEY"),
    "another host": ("openai", {"url": EVIL}, "trust_url: true"),
    "another host, without a key": ("openai", {"url": EVIL, "key": None}, "trust_url: true"),
    "a server of one's own kind": ("tei", {"url": "http://evil.example:8080"}, "trust_url: true"),
    "this machine, with a key": ("openai", {"url": "http://127.0.0.1:1/v1"}, "trust_url: true"),
    "the service's host without encryption": ("cohere", {"url": "http://api.cohere.com"}, "trust_url: true"),
    "a host that begins alike": ("cohere", {"url": "https://api.cohere.com.evil.example"}, "trust_url: true"),
    "a host that ends alike": ("voyage", {"url": "https://evil-api.voyageai.com"}, "trust_url: true"),
    "another port": ("voyage", {"url": "https://api.voyageai.com:8443"}, "trust_url: true"),
    "a region that is none": ("vertex", {"url": "https://evil.example/-aiplatform.googleapis.com"}, "trust_url: true"),
    "a host behind a user": ("cohere", {"url": "https://api.cohere.com@evil.example"}, "user:password@"),
    "a password": ("openai", {"url": f"https://me:{SECRET}@host/v1"}, "user:password@"),
    "a key in the address": ("openai", {"url": f"https://host/v1?key={SECRET}"}, "environment variable"),
    "a backslash": ("cohere", {"url": "https://api.cohere.com\\@evil.example"}, "user:password@"),
    "no host": ("openai", {"url": "https:///v1"}, "parameters: url"),
    "a file": ("openai", {"url": "file:///etc/passwd"}, "parameters: url"),
    "a port that is none": ("openai", {"url": "http://127.0.0.1:99999"}, "parameters: url"),
}


@pytest.mark.parametrize(
    ("case", "verb"),
    [*((case, "plan") for case in REFUSED), *((case, verb) for case in list(REFUSED)[::8] for verb in ("show", "run"))],
)
def test_a_strangers_file_is_refused(
    case: str, verb: str, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loader, parameters, said = REFUSED[case]
    model(project, loader, parameters)
    assert ask(verb, project) == 2
    shown = capsys.readouterr()
    assert said in " ".join(shown.err.split())
    assert SECRET not in shown.out + shown.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("loader", "parameters", "more"),
    [
        ("openai", {}, {}),
        ("openai", {"key": "HOME_API_KEY"}, {}),
        ("openai", {"url": "https://api.openai.com/v2"}, {}),
        ("cohere", {"url": "https://API.cohere.com:443/"}, {}),
        ("vertex", {"url": "https://us-central1-aiplatform.googleapis.com"}, {}),
        ("openai", {"url": EVIL}, {"trust_url": True}),
        ("tei", {"url": "http://localhost:8080"}, {}),
        ("openai", {"url": "http://127.0.0.1:1/v1", "key": None}, {}),
        ("openai", {"url": "http://[::1]:1/v1", "key": None}, {}),
        ("cohere", {"key": "CO_API_KEY"}, {}),
    ],
)
def test_what_may_be_said(loader: str, parameters: dict[str, Any], more: dict[str, Any], project: Path) -> None:
    model(project, loader, parameters, **more)
    assert ask("plan", project) == 0


def test_whoever_gives_an_address_on_the_command_line_trusts_it(project: Path) -> None:
    model(project, "openai", {})
    assert ask("plan", project, f"model.parameters.url={EVIL}") == 0
    assert ask("plan", project, f"model.parameters={{url: '{EVIL}', key: null}}") == 0
    assert ask("plan", project, "model.parameters={batch: 8}") == 0
    model(project, "openai", {"url": EVIL})
    assert ask("plan", project, "model.parameters.batch=8") == 2


def test_trust_is_no_part_of_a_models_identity(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plans = []
    for trusted in (True, False):
        model(project, "openai", {}, trust_url=trusted)
        assert ask("plan", project, "--json") == 0
        plans.append(capsys.readouterr().out)
    assert plans[0] == plans[1]


@pytest.mark.parametrize("loader", ["openai", "cohere"])
def test_a_redirect_takes_neither_texts_nor_key_along(loader: str, project: Path, tmp_path: Path) -> None:
    with serving(loader) as trusted, serving(loader) as other:
        for status in (307, 308, 302):
            trusted.faults.append((status, {"Location": other.url + "/embeddings"}))
        parameters = {"url": trusted.url, "key": "HOME_API_KEY", "retries": 0}
        model(project, loader, parameters, trust_url=True)
        assert ask("run", project) == 1
        assert trusted.requests
        assert not other.requests
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "failure.json" for path in kept)
    assert not any(SECRET.encode() in path.read_bytes() for path in kept)


def test_the_password_of_a_mirror_stands_in_no_file(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hub's address comes from the environment, and errors of its client repeat it."""
    monkeypatch.setenv("HF_ENDPOINT", f"http://me:{SECRET}@127.0.0.1:9")
    values = {"name": "Far", "type": "sts", "dataset": {"hub": "a/b", "revision": "c" * 40}}
    values |= {"languages": ["eng-Latn"], "main_metric": "cosine_spearman"}
    (project / "task" / "far.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    assert main(["--config-dir", str(project), "model=tiny", "tasks=[Far]"]) in {1, 2}
    shown = capsys.readouterr()
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    assert not any(SECRET.encode() in path.read_bytes() for path in kept)
    assert SECRET not in shown.out + shown.err


def test_an_override_with_a_password_is_refused_before_it_is_recorded(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model(project, "openai", {})
    for verb in (["plan"], ["run"], ["run", "-m"]):
        arguments = [*verb, "--config-dir", str(project), "model=stranger", "tasks=[Topics]"]
        assert main([*arguments, f"model.parameters.url=https://me:{SECRET}@host/v1"]) == 2
    shown = capsys.readouterr()
    assert SECRET not in shown.out + shown.err
    assert not list(tmp_path.iterdir())
