"""JSON of strangers: what is beyond a limit, or not JSON, is refused in words."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from embedmark.runner.common.errors import UserError
from embedmark.runner.exchange.limits import BYTES, parse_json, read_json


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[" * 100_000, "nested deeper"),
        (b'{"a":' * 13 + b"1" + b"}" * 13, "nested deeper than 12"),
        (b'{"a": 1, "a": 2}', "the key 'a' is there twice"),
        (b'{"a": 1e999}', "no finite number"),
        (b'{"a": Infinity}', "no finite number"),
        (b'{"a": -Infinity}', "no finite number"),
        (b'{"a": ' + b"9" * 19 + b"}", "19 digits"),
        (b'{"a": ' + b"9" * 5000 + b"}", "5000 digits"),
        (b'{"a": 0.' + b"1" * 50 + b"}", "52 characters"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\ud800": 1}', "surrogate"),
        ('{"a": 1}'.encode("utf-16"), "not in UTF-8"),
        (b"\xef\xbb\xbf{}", "not valid"),
        (b'{"a": "' + b"x" * 5000 + b'"}', "5000 characters"),
        (b'{"a": [' + b"1," * 20_000 + b"1]}", "list of 20001"),
        (b"{" + b",".join(b'"%d": 1' % number for number in range(513)) + b"}", "513 keys"),
        (b"[1]", "expected an object"),
        (b'{"a": 1', "not valid"),
        (b" " * (BYTES + 1), "larger than 8 MiB"),
    ],
)  # fmt: skip
def test_refused(content: bytes, said: str) -> None:
    with pytest.raises(UserError, match=said) as raised:
        parse_json(content, "x.json")
    assert str(raised.value).startswith("x.json: ")
    assert len(str(raised.value)) < 400


def test_nan_is_read_and_infinity_where_it_is_asked_for() -> None:
    assert math.isnan(parse_json(b'{"a": NaN}', "x")["a"])
    assert parse_json(b'{"a": Infinity}', "x", infinite=True) == {"a": math.inf}
    with pytest.raises(UserError, match="no finite"):
        parse_json(b'{"a": -Infinity}', "x", infinite=True)


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_json(tmp_path)
