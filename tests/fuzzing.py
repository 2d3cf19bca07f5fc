"""Inputs that nobody would write on purpose, made of inputs that somebody would; and what each must end in."""

from __future__ import annotations

import contextlib
import io
import random
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from types import FrameType
from typing import Any

import yaml

SECONDS = 30
"""A call that takes longer hangs."""

_LINE = 600 + len("warning: ")

NASTY = [
    "", " ", "~", "null", "true", "no", "on", "0", "-1", "1e400", ".nan", "-.inf", "0x1F", "0777", "12:30:45",
    "2020-01-01", "9" * 400, "9" * 5000, "'", '"', '"unterminated', "[", "]", "{", "}", "[" * 3000, "{a: " * 200,
    "- - - -", "?", "? a", ": b", "a: b: c", "|", ">-", "&a", "*a", "&a [*a]", "&a [x, *b]",
    "!!python/object/apply:os.system [id]", "!!binary aGk=", "!!set {a, b}", "!!omap [a: 1]", "!x y", "%YAML 9.9",
    "---", "...", "@x", "`x`", "#", " # c", "C#", "a #b", "[/x]", "[red]", "\\", "\\n", "\t", "\r", "\0", "\x1b[31m",
    "\x07", "\u202e", "\u200b", "\ufeff", "\u2028", "\ud800", "é", "日本語", "😀", "x" * 300, "x" * 5000, "a/b",
    "../../etc/passwd", "/", "//", "~root", "/nowhere", "C:\\x", "${oc.env:HOME}", "${", "${x}", "$HOME", "%s", "{0}",
    "{", "{instruction}", "org/name", "a" * 40, "http://u:p@h/", "https://evil.example", "AWS_SECRET_ACCESS_KEY",
    "(a+)+b", "(?=a)b", "[a", "(?P<x>a)", "eng-Latn", "english", "en", "cuda:99x", "_self_", "override", "<<: *a",
    "<<", "=", "==", "+", "++", "~x", "@", "key=value=more", "[{name: X, subsets: [en]}]", "{a: 1, a: 2}",
    "MTEB(eng, v2)", "C++", "1_000", "1__0", ".5.", "--", "-", "-x",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 10**30, 1.5, float("nan"), float("inf"), "", "x", "x" * 2000, date(2020, 1, 1),
    b"\x00\xff", {"a"}, [], [[]], {}, {"a": {}}, {1: 2}, {None: None}, {True: "x"}, [None], [1, "a", {}], {"hub": 1},
    {"path": []}, {"files": None}, ["x"] * 300, "a\x1b[2J", "a\x00b", "\ud800", {"name": "x", "loader": "bm25"},
    [{"rename": {"a": "b"}}], [{"renam": 5}], {"defaults": ["x"]}, "org/name", "eng-Latn", ["eng-Latn"],
    {"en": ["english"]},
]  # fmt: skip

_BYTES = [b"\xff", b"\xe9", b"\xc0\x80", b"\x00", b"\xef\xbb\xbf", b"\xff\xfe", b"\x85", b"\r\n", b"\x1f\x8b"]


@dataclass(frozen=True)
class Case:
    """A command line, and the file that is made for it, if it reads one: its place in the config folder, its bytes."""

    line: tuple[str, ...]
    file: str = ""
    content: bytes = b""


class Hang(BaseException):
    """A call that did not end. No `except Exception` catches it."""


Edit = Callable[[list[str], int, random.Random], None]


def _delete(lines: list[str], at: int, rng: random.Random) -> None:
    if len(lines) > 1:
        del lines[at]


def _splice(lines: list[str], at: int, rng: random.Random) -> None:
    start = rng.randrange(len(lines[at]) + 1)
    lines[at] = lines[at][:start] + rng.choice(NASTY) + lines[at][start + rng.randrange(4) :]


def _set(lines: list[str], at: int, value: str) -> None:
    lines[at] = value


EDITS: Sequence[Edit] = (
    _delete,
    _splice,
    lambda lines, at, rng: lines.insert(at, lines[rng.randrange(len(lines))]),
    lambda lines, at, rng: lines.insert(at, rng.choice(NASTY)),
    lambda lines, at, rng: _set(lines, at, " " * rng.choice([1, 2, 3, 80]) + lines[at]),
    lambda lines, at, rng: _set(lines, at, lines[at].lstrip()),
    lambda lines, at, rng: _set(lines, at, lines[at][: rng.randrange(len(lines[at]) + 1)]),
    lambda lines, at, rng: _set(lines, at, f"{lines[at].partition(':')[0]}: {rng.choice(NASTY)}"),
    lambda lines, at, rng: _set(lines, at, f"{rng.choice(NASTY)}:{lines[at].partition(':')[2]}"),
    lambda lines, at, rng: lines.__setitem__(slice(at + 1, None), []),
    lambda lines, at, rng: rng.shuffle(lines),
    lambda lines, at, rng: _set(lines, at, lines[at].replace(" ", rng.choice(["\t", "", "  ", "\u00a0"]))),
)
"""What is done to the lines of a file, about the one at a place."""


def mutated_text(text: str, rng: random.Random) -> bytes:
    """A YAML file with something done to its characters or lines."""
    lines = text.splitlines() or [""]
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        rng.choice(EDITS)(lines, rng.randrange(len(lines)), rng)
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    return content if rng.random() < 0.9 else _mutated_bytes(content, rng)


def _mutated_bytes(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice(_BYTES) + content[at:]


def mutated_values(text: str, rng: random.Random) -> bytes:
    """A YAML file with another value, key or kind of value somewhere in it."""
    values = yaml.safe_load(text)
    for _ in range(rng.choice([1, 1, 2])):
        values = _changed(values, rng)
    try:
        return str(yaml.dump(values, sort_keys=False, allow_unicode=True)).encode("utf-8", "surrogatepass")
    except (yaml.YAMLError, TypeError):
        return text.encode()


def _changed(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(list(value))
        what = rng.random()
        if what < 0.15:
            return {name: inner for name, inner in value.items() if name != key}
        if what < 0.3:
            return {**value, rng.choice([*NASTY, 5, True, None, 2.5]): rng.choice(VALUES)}
        return {**value, key: _changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.6:
        at = rng.randrange(len(value))
        return [*value[:at], _changed(value[at], rng), *value[at + 1 :]]
    return rng.choice(VALUES)


def mutated_line(lines: Sequence[Sequence[str]], rng: random.Random) -> list[str]:
    """A command line with arguments changed, added, taken away or put elsewhere."""
    words = list(rng.choice(lines))
    for _ in range(rng.choice([1, 1, 2, 3])):
        kind, at = rng.randrange(7), rng.randrange(len(words))
        if kind == 0:
            _delete(words, at, rng)
        elif kind == 1:
            words.insert(at + rng.randrange(2), rng.choice(NASTY))
        elif kind == 2:
            words.insert(at, rng.choice(rng.choice(lines)))
        elif kind == 3:
            _splice(words, at, rng)
        elif kind == 4:
            words[at] = f"{words[at].partition('=')[0]}={rng.choice(NASTY)}"
        elif kind == 5:
            rng.shuffle(words)
        else:
            words.insert(at, f"{rng.choice(['', '+', '++', '~'])}{rng.choice(NASTY)}={rng.choice(NASTY)}")
    return words


def check(case: Case, main: Callable[[Sequence[str]], int]) -> int:
    """Run a case and return its status. Raises AssertionError, with the case, for what no input may end in."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with _watched(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(list(case.line))
    except BaseException as error:
        raise AssertionError(f"{type(error).__name__}: {error} came out of {case}") from error
    shown = out.getvalue() + err.getvalue()
    assert status in {0, 1, 2, 130}, f"status {status!r} of {case}"
    assert "Traceback" not in shown, f"a traceback: {case}\n{shown[-3000:]}"
    assert "a fault of embedmark" not in shown, f"{shown[-600:]}\n{case}"
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u200b]", shown), f"obeyed by a terminal: {case}\n{shown!r}"
    longest = max(err.getvalue().splitlines(), key=len, default="")
    assert len(longest) <= _LINE, f"{len(longest)} characters: {case}\n{longest}"
    said = err.getvalue() if status == 2 else shown  # what a verb found wrong is its answer, on standard output
    assert status == 0 or said.strip(), f"status {status} without a word: {case}"
    return status


@contextlib.contextmanager
def _watched() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise Hang(f"no end within {SECONDS} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
