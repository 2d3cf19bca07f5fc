"""Nothing that only Unix has is touched when a module is imported or a test collected, so that Windows can do both."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}
NAMES = {
    "os": {
        "fork",
        "geteuid",
        "getuid",
        "getpgid",
        "killpg",
        "mkfifo",
        "nice",
        "sched_getaffinity",
        "setsid",
        "WNOHANG",
    },
    "signal": {"SIGKILL", "SIGXFSZ", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGHUP", "SIGPIPE", "setitimer", "alarm"},
}
FILES = [path for folder in ("runner", "tasks", "models", "tools", "tests") for path in (ROOT / folder).rglob("*.py")]
"""Scripts that measure are run by hand."""
LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """All that is evaluated when a module is imported: bodies of functions are not, their decorators are."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, LATER):
            for decorator in getattr(child, "decorator_list", ()):
                yield decorator
                yield from at_import(decorator)
        elif not (_is_guarded(child)):
            yield child
            yield from at_import(child)


def _is_guarded(node: ast.AST) -> bool:
    """Whether it says itself what is done where a module is not there."""
    if isinstance(node, ast.Try):
        return any(handler.type and "Error" in ast.unparse(handler.type) for handler in node.handlers)
    return isinstance(node, ast.If) and "platform" in ast.unparse(node.test)


def unix_only(source: str) -> set[str]:
    found = set()
    for node in at_import(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & MODULES
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} & MODULES
        elif isinstance(node, ast.Attribute) and node.attr in NAMES.get(ast.unparse(node.value), ()):
            found.add(ast.unparse(node))
    return found


def test_our_modules_and_tests_touch_nothing_that_only_unix_has() -> None:
    assert len(FILES) > 250
    found = {
        str(path.relative_to(ROOT)): unix_only(path.read_text(encoding="utf-8"))
        for path in FILES
        if "benchmarks" not in path.parts
    }
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import resource", {"resource"}),
        ("from pwd import getpwnam", {"pwd"}),
        ("import os\nMAKE = {'pipe': os.mkfifo}", {"os.mkfifo"}),
        ("import signal\n@repeat(signal.SIGKILL)\ndef f(): pass", {"signal.SIGKILL"}),
        ("import os\ndef f():\n    import fcntl\n    os.fork()\ng = lambda: os.fork()", set()),
        ("import sys\nif sys.platform != 'win32':\n    import fcntl", set()),
    ],
)
def test_what_is_found(source: str, found: set[str]) -> None:
    assert unix_only(source) == found
