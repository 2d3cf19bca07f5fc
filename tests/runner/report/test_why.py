"""`why` finds the jobs that are meant and shows exactly what differs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from sample_records import failure, identity, keep, record

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.identity import canonical, fingerprint, plain
from embedmark.runner.report.why import Difference, differences, resolve, why

LEAVES = st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner), max_leaves=8)
IDENTITIES = st.dictionaries(st.text(min_size=1), VALUES).map(plain).map(canonical).map(json.loads)


@given(IDENTITIES, IDENTITIES)
def test_different_exactly_when_fingerprints_differ(a: Any, b: Any) -> None:
    assert bool(differences(a, b)) == (fingerprint(a) != fingerprint(b))
    assert differences(a, b) == [Difference(d.key, d.b, d.a) for d in differences(b, a)]
    assert differences(a, a) == []


def test_every_leaf_by_its_path() -> None:
    a = {"model": {"name": "m", "prompts": {"query": "q"}}, "task": {"splits": ["a", "b"], "seed": 1}}
    b = {"model": {"name": "m"}, "task": {"splits": ["a", "c", "d"], "seed": True}}
    assert differences(a, b) == [
        Difference("model.prompts.query", "q", None),
        Difference("task.seed", 1, True),
        Difference("task.splits[1]", "b", "c"),
        Difference("task.splits[2]", None, "d"),
    ]


def test_printed(tmp_path: Path) -> None:
    a, b = identity(prompt="query: "), identity(prompt="")
    folders = [keep(tmp_path, values, record(values)) for values in (a, b)]
    screen = Console(file=io.StringIO(), width=80)
    found = why(tmp_path, folders[0].name, fingerprint(b)[:12], screen)
    assert found == [Difference("model.prompts.query", "query: ", "")] == why(tmp_path, *map(str, folders), screen)
    assert isinstance(screen.file, io.StringIO)
    lines = [line.split() for line in screen.file.getvalue().splitlines()]
    assert ["A", folders[0].name] in lines
    assert ["model.prompts.query", '"query:', '"', '""'] in lines
    assert why(tmp_path, folders[0].name, folders[0].name, screen) == []
    assert "they are the same job" in screen.file.getvalue()


def test_jobs_by_name_path_or_digits(tmp_path: Path) -> None:
    values = identity("Topic")
    made = keep(tmp_path, values, record(values))
    other = identity("Other")
    keep(tmp_path, other, record(other))
    digits = fingerprint(values)
    for name in [made.name, str(made), str(made / "identity.json"), "topic--org", digits, digits[:12], digits[:6]]:
        assert resolve(tmp_path, name) == made
    with pytest.raises(UserError, match="no job"):
        resolve(tmp_path, digits[:40] + ("0" if digits[40] != "0" else "1"))


def test_a_failure_is_found_unless_there_is_a_result(tmp_path: Path) -> None:
    values = identity()
    failed = keep(tmp_path, values, failure(values))
    assert resolve(tmp_path, fingerprint(values)[:12]) == failed
    done = keep(tmp_path, values, record(values))
    keep(tmp_path, values, failure(values))
    assert resolve(tmp_path, fingerprint(values)[:12]) == done


def test_unknown_and_ambiguous_names(tmp_path: Path) -> None:
    made = []
    for subset in ("a", "b"):
        values = identity("Topic", subset)
        made.append(keep(tmp_path, values, record(values)).name)
    with pytest.raises(UserError, match="fits 2 jobs") as error:
        resolve(tmp_path, "Topic")
    assert all(name in str(error.value) for name in made)
    with pytest.raises(UserError, match=f"Did you mean '{made[0]}'"):
        resolve(tmp_path, made[0].replace("Topic", "Tpic"))
    with pytest.raises(UserError, match="among the 0 in"):
        resolve(tmp_path / "nowhere", "Topic")


def test_an_identity_that_cannot_be_read(tmp_path: Path) -> None:
    values = identity()
    made = keep(tmp_path, values, record(values))
    (made / "identity.json").write_text("[", encoding="utf-8")
    with pytest.raises(UserError, match=r"identity\.json: not valid JSON"):
        why(tmp_path, made.name, made.name, Console(file=io.StringIO()))
