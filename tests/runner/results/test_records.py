"""A record reads back as what was written, refuses what is wrong, and says where."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sample_records import failure, identity, record

from embedmark.runner.common.errors import UserError
from embedmark.runner.results.record import Record, read_failure, read_record
from tools.record_schema import json_schema

ROOT = Path(__file__).resolve().parents[3]

scores = st.dictionaries(st.text(min_size=1), st.floats(allow_infinity=False, allow_subnormal=True), min_size=1)
moments = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))


def same(left: Any, right: Any) -> bool:
    """Equality that takes NaN as equal to NaN and tells -0.0 from 0.0."""
    if isinstance(left, float) and isinstance(right, float):
        return (math.isnan(left) and math.isnan(right)) or left.hex() == right.hex()
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


@given(st.data(), scores, st.lists(scores, max_size=3), moments, st.text(), st.none() | st.floats(0, 1e6))
def test_reads_back_what_was_written(
    data: st.DataObject, values: dict[str, float], experiments: Any, moment: datetime, text: str, co2: float | None
) -> None:
    main = data.draw(st.sampled_from(sorted(values)))
    written = record(
        identity(task=text),
        values[main],
        main_metric=main,
        scores=values,
        experiments=tuple(experiments),
        finished_at=moment,
        co2_kg=co2,
        platform=text,
    )
    read = Record.model_validate(json.loads(written.to_json()))
    assert same(read.model_dump(), written.model_dump())


def test_undefined_score_is_null_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(record(identity(), math.nan).to_json(), encoding="utf-8")
    assert json.loads((tmp_path / "result.json").read_bytes())["main_score"] is None
    assert math.isnan(read_record(tmp_path / "result.json").main_score)


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinite_score_is_refused(value: float) -> None:
    with pytest.raises(ValidationError, match="infinite"):
        record(identity(), value)


def test_main_score_has_to_be_its_metrics_score() -> None:
    with pytest.raises(ValidationError, match=r"main_score is 0\.5, but scores\.pearson is 0\.25"):
        record(identity(), 0.5, main_metric="pearson")
    with pytest.raises(ValidationError, match="not among the scores"):
        record(identity(), main_metric="accuracy")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 3}, "written by a newer version of embedmark"),
        ({"schema": None}, "schema: missing"),
        ({"main_score": "high"}, "main_score: found 'high'"),
        ({"fingerprint": "abc"}, "fingerprint: found 'abc'"),
        ({"timing": {"load_s": -1}}, r"timing\.load_s: found -1"),
        ({"tmie": 1}, "tmie: no such key. Did you mean 'ties' or 'timing'?"),
        ({"started_at": "2026-01-01T00:00:00"}, "started_at: .*timezone"),
    ],
)
def test_errors_name_file_and_key(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps({**json.loads(record(identity()).to_json()), **change}), encoding="utf-8")
    with pytest.raises(UserError, match=message) as error:
        read_record(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"), [("{", "not valid JSON"), ("[]", "found a list"), (None, "No such file")]
)
def test_unreadable_files_are_named(content: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=message) as error:
        read_record(path)
    assert str(path) in str(error.value)


def test_times_are_kept_in_utc() -> None:
    values = json.loads(record(identity()).to_json())
    values["started_at"] = "2026-01-01T13:30:00+01:00"
    assert json.loads(Record.model_validate(values).to_json())["started_at"] == "2026-01-01T12:30:00Z"


def test_failure_keeps_the_traceback(tmp_path: Path) -> None:
    path = tmp_path / "failure.json"
    path.write_text(failure(identity()).to_json(), encoding="utf-8")
    read = read_failure(path)
    assert (read.error_class, read.message) == ("ValueError", "no column 'label'")
    assert "raise ValueError(message)" in read.traceback
    assert "python" in read.versions


def test_documented_schema_is_current() -> None:
    # To renew it: python -m tools.record_schema > docs/record.schema.json
    documented = json.loads((ROOT / "docs" / "record.schema.json").read_text(encoding="utf-8"))
    assert documented == json_schema()
