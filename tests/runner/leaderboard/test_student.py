"""Student's t and Holm's method in the page are those of Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from page_in_node import in_page, needs_node
from scipy import stats

from embedmark.runner.stats.paired import holm

pytestmark = needs_node

FREEDOM = [*range(1, 220), 400, 1000, 5000]


def test_p_values_are_those_of_scipy(tmp_path: Path) -> None:
    asked = [(t, df) for df in FREEDOM for t in (1e-4, 0.01, -0.3, 0.9, 1.0, 1.7, -2.0, 2.5, 3.0, 5.0, 9.0, 20.0, 40.0)]
    script = 'import { pOfT } from "./student.js";\nconst found = given.map(([t, df]) => pOfT(t, df));'
    found = np.array(in_page(tmp_path, script, asked))
    expected = np.array([2 * stats.t.sf(abs(t), df) for t, df in asked])
    assert found == pytest.approx(expected, rel=1e-10)
    assert (expected < 1e-12).any()


def test_the_ends_of_the_scale_are_no_certainty(tmp_path: Path) -> None:
    script = 'import { pOfT } from "./student.js";\nconst found = [pOfT(0, 5), pOfT(Infinity, 5), pOfT(-1e9, 300)];'
    none, certain, far = in_page(tmp_path, script, None)
    assert none == 1
    assert 0 < certain < 1e-300
    assert 0 < far < 1e-300


def test_quantiles_are_those_of_scipy(tmp_path: Path) -> None:
    found = in_page(tmp_path, 'import { t975 } from "./quantiles.js";\nconst found = given.map(t975);', FREEDOM)
    assert found == pytest.approx([float(stats.t.ppf(0.975, df)) for df in FREEDOM], rel=1e-11)


def test_holm_adjusts_as_compare_does(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    sets = [generator.random(n).round(2).tolist() for n in (0, 1, 2, 7, 40)]
    found = in_page(tmp_path, 'import { holm } from "./student.js";\nconst found = given.map(holm);', sets)
    for one, p in zip(found, sets, strict=True):
        assert one == pytest.approx(holm(p).tolist(), rel=1e-12)
