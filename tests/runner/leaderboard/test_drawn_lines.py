"""What pictures are drawn from: the best so far along an axis, marks of axes, places of labels."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from typing import Any

from page_in_node import in_page, needs_node

from embedmark.runner.compare.words import p_value

pytestmark = needs_node

BEST = 'import { best } from "./front.js";\nconst found = given.map(({ points, down }) => best(points, down));'
STEPS = """\
import { best, isTold, steps } from "./front.js";
const test = (a, b) => ({ difference: a - b, low: 0, high: 0, apart: given.apart[`${a} ${b}`] });
const found = steps(best(given.points), test).map((one) => [one.point.model, one.before?.model ?? null, isTold(one)]);
"""
MARKS = """\
import { dayMarks, dayOf, powerValues, roundValues } from "./axes.js";
const found = {
  round: given.round.map((one) => roundValues(...one)), power: given.power.map((one) => powerValues(...one)),
  days: given.days.map(([low, high, most]) => dayMarks(dayOf(low), dayOf(high), most)), day: given.dates.map(dayOf),
};
"""
LABELS = """\
import { placeLabels, widthOf } from "./axes.js";
const found = given.map(({ wanted, taken, frame, toLeft }) => {
  const widths = wanted.map(({ text }) => widthOf(text, 12));
  return { at: placeLabels(wanted, taken, frame, { size: 12, toLeft }), widths };
});
"""


def test_the_line_is_of_those_better_than_all_before_them(tmp_path: Path) -> None:
    generator = random.Random(0)
    asked = [
        {
            "points": [
                {"model": at, "x": generator.randint(1, 9), "y": generator.randint(1, 12)}
                for at in range(generator.randint(0, 14))
            ],
            "down": bool(generator.getrandbits(1)),
        }
        for _ in range(300)
    ]
    for one, found in zip(asked, in_page(tmp_path, BEST, asked), strict=True):
        sign = -1 if one["down"] else 1
        points = one["points"]
        expected = [
            point
            for point in points
            if not any(
                (sign * other["x"], -other["y"], other["model"]) < (sign * point["x"], -point["y"], point["model"])
                and other["y"] >= point["y"]
                for other in points
            )
        ]
        assert found == sorted(expected, key=lambda point: sign * point["x"])


def test_each_step_is_tested_against_the_one_before(tmp_path: Path) -> None:
    points = [{"model": at, "x": at, "y": at} for at in range(4)]
    asked = {"points": points, "apart": {"1 0": True, "2 1": False, "3 2": None}}
    assert in_page(tmp_path, STEPS, asked) == [[0, None, True], [1, 0, True], [2, 1, False], [3, 2, False]]


def test_marks_of_axes_are_round_and_within(tmp_path: Path) -> None:
    found = in_page(
        tmp_path,
        MARKS,
        {
            "round": [[36, 78, 9], [0, 1, 5], [61.2, 63.9, 6], [5, 5, 4]],
            "power": [[1.5e6, 7e10, 12], [1.5e6, 7e10, 5], [3e8, 3e8, 5]],
            "days": [["2019-11-01", "2026-09-01", 8], ["2025-01-15", "2025-08-15", 9], ["2024-12-31", "2025-01-01", 4]],
            "dates": ["1970-01-02", "2025-06-05", "2025-06", "soon"],
        },
    )
    assert found["round"] == [
        [40, 45, 50, 55, 60, 65, 70, 75], [0, 0.2, 0.4, 0.6, 0.8, 1], [61.5, 62, 62.5, 63, 63.5], [5],
    ]  # fmt: skip
    assert found["power"] == [
        [3e6, 1e7, 3e7, 1e8, 3e8, 1e9, 3e9, 1e10, 3e10], [1e7, 1e8, 1e9, 1e10], [3e8],
    ]  # fmt: skip
    assert [[mark["text"] for mark in marks] for marks in found["days"]] == [
        ["2020", "2021", "2022", "2023", "2024", "2025", "2026"],
        ["2025-02", "2025-03", "2025-04", "2025-05", "2025-06", "2025-07", "2025-08"],
        ["2025-01"],
    ]
    assert found["days"][1][0]["value"] == (date(2025, 2, 1) - date(1970, 1, 1)).days
    assert found["day"] == [1, 20244, 20240, None]


def test_labels_lie_over_nothing_and_within_the_frame(tmp_path: Path) -> None:
    generator = random.Random(1)
    frame = {"left": 40, "right": 640, "top": 14, "bottom": 400}
    asked: list[dict[str, Any]] = [
        {
            "wanted": [
                {"x": generator.uniform(40, 640), "y": generator.uniform(14, 400), "text": "abcdefg" * number}
                for number in range(1, 6)
                for _ in range(5)
            ],
            "taken": {"hard": [box(generator) for _ in range(10)], "soft": [box(generator) for _ in range(10)]},
            "frame": frame,
            "toLeft": bool(generator.getrandbits(1)),
        }
        for _ in range(40)
    ]
    put = 0
    for one, found in zip(asked, in_page(tmp_path, LABELS, asked), strict=True):
        boxes = list(one["taken"]["hard"])
        for at, width in zip(found["at"], found["widths"], strict=True):
            if at is None:
                continue
            put += 1
            left = at["x"] if at["anchor"] == "start" else at["x"] - width
            mine = {"left": left, "right": left + width, "top": at["y"] - 11, "bottom": at["y"] + 3}
            assert all(frame[side] <= mine[side] for side in ("left", "top"))
            assert all(frame[side] >= mine[side] for side in ("right", "bottom"))
            assert not any(over(mine, other) for other in boxes)
            boxes.append(mine)
    assert put > 300


def box(generator: random.Random) -> dict[str, float]:
    x, y = generator.uniform(40, 600), generator.uniform(14, 390)
    return {"left": x, "right": x + 30, "top": y, "bottom": y + 10}


def over(one: dict[str, float], other: dict[str, float]) -> bool:
    return (
        one["left"] < other["right"] and other["left"] < one["right"]
        and one["top"] < other["bottom"] and other["top"] < one["bottom"]
    )  # fmt: skip


def test_a_typed_name_is_the_whole_else_the_end_else_a_part(tmp_path: Path) -> None:
    labels = ["a/mini", "b/mini-large", "c/mini", "x/Only"]
    script = 'import { meant } from "./compare.js";\nconst found = given.typed.map((one) => meant(one, given.labels));'
    typed = ["a/mini", " MINI ", "large", "only", "none", ""]
    expected = [["a/mini"], ["a/mini", "c/mini"], ["b/mini-large"], ["x/Only"], [], []]
    assert in_page(tmp_path, script, {"labels": labels, "typed": typed}) == expected


def test_p_values_are_printed_as_the_command_does(tmp_path: Path) -> None:
    asked = [0.00001, 0.00012, 0.0666, 0.09999, 0.1, 0.29, 1]
    script = 'import { pText } from "./compare.js";\nconst found = given.map(pText);'
    assert in_page(tmp_path, script, asked) == [p_value(p) for p in asked]
