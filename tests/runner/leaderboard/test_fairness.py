"""Fairness over languages: effects, their errors and intervals."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from embedmark.runner.config.languages import is_valid
from embedmark.runner.leaderboard.fairness import FEWEST_LANGUAGES, fitted, gap, spread
from embedmark.runner.leaderboard.resources import resource_class, side, source


def layout(
    seed: int, tasks: int = 12, languages: int = 10, noise: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores of one model that are a task's and a language's alone, and noise; some are missing."""
    generator = np.random.default_rng(seed)
    there = generator.random((tasks, languages)) < 0.7
    of_language = generator.normal(0, 5, languages)
    scores = generator.normal(60, 15, (tasks, 1)) + of_language + generator.normal(0, noise, (tasks, languages))
    return np.where(there, scores, np.nan)[:, :, None], there, of_language - of_language.mean()


def test_effects_are_found_whatever_tasks_a_language_has() -> None:
    scores, there, truth = layout(0, noise=0)
    fit = fitted(scores, there)
    assert fit is not None
    assert fit.effects[0] == pytest.approx(truth, abs=1e-9)
    plain = np.nanmean(scores[:, :, 0], axis=0)
    assert np.abs(plain - plain.mean() - truth).max() > 1  # the means would not do


def test_effects_and_errors_are_those_of_least_squares() -> None:
    scores, there, _ = layout(1)
    fit = fitted(scores, there)
    assert fit is not None
    task, language = np.nonzero(there)
    n_tasks, n = there.shape
    design = np.zeros((len(task), n_tasks + n))
    design[np.arange(len(task)), task] = 1
    design[np.arange(len(task)), n_tasks + language] = 1
    target = scores[task, language, 0]
    solution, *_ = np.linalg.lstsq(design, target, rcond=None)
    of_language = solution[n_tasks:] - solution[n_tasks:].mean()
    assert fit.effects[0] == pytest.approx(of_language, abs=1e-9)
    left = target - design @ solution
    assert fit.freedom == len(task) - n_tasks - n + 1
    contrast = np.hstack([np.zeros((n, n_tasks)), np.eye(n) - 1 / n])
    covariance = contrast @ np.linalg.pinv(design.T @ design) @ contrast.T * (left @ left) / fit.freedom
    assert fit.errors[0] == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-9)


def test_languages_that_share_no_tasks_are_not_compared() -> None:
    there = np.zeros((8, 5), dtype=bool)
    there[:4, :3] = there[4:, 3:] = True
    fit = fitted(np.where(there, 50.0, np.nan)[:, :, None], there)
    assert fit is not None
    assert fit.languages.tolist() == [0, 1, 2]
    alone = np.eye(5, dtype=bool)
    assert fitted(np.where(alone, 50.0, np.nan)[:, :, None], alone) is None


@given(
    st.lists(st.floats(-50, 50), min_size=2, max_size=FEWEST_LANGUAGES - 1), st.lists(st.floats(-50, 50), min_size=6)
)
def test_too_few_languages_have_no_interval(few: list[float], many: list[float]) -> None:
    assert spread(np.array(few))[1:] == (None, None)
    assert gap(np.array(few), np.array(many))[1:] == (None, None)
    assert gap(np.array(many), np.array(few))[1:] == (None, None)


def test_intervals_of_a_gap_hold_what_they_should() -> None:
    generator = np.random.default_rng(0)
    held = []
    for _ in range(1000):
        high, low = generator.normal(3, 2, 20), generator.normal(-4, 6, 30)
        _, least, most = gap(high, low)
        assert least is not None
        assert most is not None
        held.append(least <= 7 <= most)
    assert np.mean(held) == pytest.approx(0.95, abs=0.025)


@pytest.mark.parametrize("n", [12, 40, 120])
def test_intervals_of_a_spread_hold_what_they_should(n: int) -> None:
    generator = np.random.default_rng(n)
    held = []
    for _ in range(1000):
        _, least, most = spread(generator.normal(0, 4, n))
        assert least is not None
        assert most is not None
        held.append(least <= 4 <= most)
    assert np.mean(held) > 0.91


def test_no_language_is_of_two_classes() -> None:
    text = files("embedmark.runner.leaderboard").joinpath("resources.yaml").read_text(encoding="ascii")
    codes = [code for of in yaml.safe_load(text)["classes"].values() for code in of]
    assert len(codes) == len({*codes})
    assert all(is_valid(f"{code}-Latn") for code in codes)


def test_resources_are_facts_of_a_named_source() -> None:
    assert source()["name"].startswith("Joshi")
    assert source()["url"].startswith("https://aclanthology.org/")
    assert [resource_class(code) for code in ("eng", "hin", "ind", "swa", "tel", "sin", "qqq")] == [
        5,
        4,
        3,
        2,
        1,
        0,
        None,
    ]
    assert [side(code) for code in ("deu", "por", "tha", "yor", "sin", "qqq")] == [
        "high",
        "high",
        None,
        "low",
        "low",
        None,
    ]
