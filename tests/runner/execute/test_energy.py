"""What jobs take of electricity: asked for, shared, summed, and left out where nobody asked."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sample_records import identity, record
from small_project import small_project

from embedmark.runner.cli.main import main
from embedmark.runner.encode.engine import Encoding, Request
from embedmark.runner.execute.energy import Interval, Meter, Used, source_of
from embedmark.runner.report.energy import energy_line
from embedmark.runner.results.record import Record, read_record


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    small_project(tmp_path / "project")
    return ["run", "model=tiny", "tasks=[Likeness,Search]", "--config-dir", "project"]


def records() -> list[Record]:
    return [read_record(path) for path in sorted(Path("outputs/jobs").glob("*/result.json"))]


def test_nothing_is_said_where_nobody_asked(run: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run) == 0
    assert all(found.energy_kwh is found.co2_kg is found.energy_source is None for found in records())
    assert main(["report"]) == 0
    assert "energy" not in capsys.readouterr().out


def test_what_jobs_take(run: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
    assert main([*run, "execution.co2=true", "execution.country=FRA"]) == 0
    assert asked == []
    found = records()
    assert len(found) == 2
    for one in found:
        assert one.energy_kwh is not None
        assert one.co2_kg is not None
        assert 0 < one.energy_kwh < 0.01
        assert 0 < one.co2_kg < one.energy_kwh  # France: well below a kilogram for a kilowatt-hour
        assert one.energy_source in {"measured", "estimated"}
    capsys.readouterr()
    assert main(["report"]) == 0
    assert " g CO2 of 2 of 2 records" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["execution.co2=true"], "execution.country: not given"),
        (["execution.co2=true", "execution.country=XXX"], "knows no such country"),
        (["execution.country=fr"], "country"),
    ],
)
def test_mistakes_are_told_before_anything_is_loaded(
    more: list[str], said: str, run: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*run, *more]) == 2
    assert said in capsys.readouterr().err
    assert not Path("outputs/jobs").exists() or not list(Path("outputs/jobs").glob("*--*"))


def test_without_the_package_it_says_what_to_install(
    run: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    assert main([*run, "execution.co2=true", "execution.country=FRA"]) == 2
    assert "pip install 'embedmark[co2]'" in capsys.readouterr().err


@pytest.mark.parametrize("sizes", [[1.0, 1.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
def test_shares_sum_up(sizes: list[float]) -> None:
    parts = Interval(Used(1.0, 0.5)).shares(sizes)
    assert sum(parts, Used()) == Used(1.0, 0.5)
    assert parts[-1] == Used(1.0, 0.5).share(max(sizes) / sum(sizes) if sum(sizes) else 0.25)


@pytest.mark.parametrize(
    ("hardware", "source"),
    [
        ([("CPU", "cpu_load"), ("RAM", None)], "estimated"),
        ([("CPU", "constant"), ("GPU", None), ("RAM", None)], "estimated"),
        ([("CPU", "intel_rapl"), ("GPU", None), ("RAM", None)], "measured"),
        ([("CPU", "windows_emi")], "measured"),
        ([("AppleSiliconChip", None), ("AppleSiliconChip", None), ("RAM", None)], "measured"),
        ([("RAM", None)], "estimated"),
    ],
)
def test_what_has_a_meter(hardware: list[tuple[str, str | None]], source: str) -> None:
    parts = [type(kind, (), {"_mode": mode} if mode else {})() for kind, mode in hardware]
    assert source_of(parts) == source


def test_what_a_failed_group_took_is_its_jobs_and_those_are_metered_alone(
    run: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[float] = []

    class Ticks:
        source = "estimated"

        @contextmanager
        def interval(self) -> Iterator[Interval]:
            found = Interval()
            try:
                yield found
            finally:
                found.used = Used(1.0, 0.5)
                taken.append(1.0)

    together = Encoding.run

    def refusing(self: Encoding, requests: Sequence[Request]) -> None:
        names = {request.name for request in requests}
        together(self, requests)
        if len(names) > 1 and len(taken) == 0:
            raise ValueError("together it fails once")

    monkeypatch.setattr(Meter, "of", classmethod(lambda cls, execution: Ticks()))
    monkeypatch.setattr(Encoding, "run", refusing)
    assert main([*run, "execution.co2=true", "execution.country=FRA"]) == 0
    found = [one.energy_kwh for one in records()]
    assert len(taken) == 1 + 2 + 2  # the group, each alone, and each scored
    assert sum(kwh or 0 for kwh in found) == pytest.approx(len(taken))


def test_the_line_says_what_is_missing_and_what_is_estimated() -> None:
    one = record(identity(), energy_kwh=0.5, co2_kg=0.1, energy_source="estimated")
    other = record(identity(), energy_kwh=0.25, co2_kg=0.05, energy_source="measured")
    assert energy_line([record(identity())]) == ""
    assert energy_line([one, other, record(identity())]) == (
        "energy: 0.75 kWh, 150 g CO2 of 2 of 3 records; 1 estimated from the processor's load"
    )
