from __future__ import annotations

import pytest

from embedmark.models.api.pace import Pace


class Clock:
    """Time that only sleeping makes pass."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def sent(requests: list[int], **limits: float) -> list[float]:
    """When requests of so many characters are sent, in seconds after the first."""
    clock = Clock()
    pace = Pace(**limits, clock=clock, sleep=clock.sleep)
    times = []
    for characters in requests:
        pace.wait(characters)
        times.append(clock.now - 100)
    return times


def test_without_limits_nothing_waits() -> None:
    assert sent([10, 10_000, 10]) == [0, 0, 0]


def test_requests_a_minute() -> None:
    assert sent([1, 1, 1], requests_per_minute=30) == [0, 2, 4]


def test_tokens_a_minute_are_estimated_from_characters() -> None:
    assert sent([400, 800, 4], tokens_per_minute=100) == pytest.approx([0, 60, 180])


def test_the_limit_that_is_reached_first_holds() -> None:
    assert sent([400, 4, 4], requests_per_minute=6, tokens_per_minute=300) == pytest.approx([0, 20, 30])


def test_time_that_has_passed_is_not_saved_up() -> None:
    clock = Clock()
    pace = Pace(60, clock=clock, sleep=clock.sleep)
    clock.now += 30
    for _ in range(3):
        pace.wait(1)
    assert clock.now == 132
