"""Result files in every layout that lies about."""

from __future__ import annotations

import math
from typing import Any

import pytest

from embedmark.runner.common.errors import UserError
from embedmark.runner.exchange.result_file import ResultFile, parse_result

MAIN = {
    "STS12": "cosine_spearman",
    "Twitter": "max_ap",
    "XPQARetrieval": "ndcg_at_10",
    "MLSUMClusteringP2P": "v_measure",
}
COMMIT = "a" * 40


def parse(**values: Any) -> ResultFile:
    return parse_result(values, "x.json", MAIN.get)


def a_file(row: dict[str, Any], **more: Any) -> ResultFile:
    full = {"hf_subset": "default", "languages": ["eng-Latn"], **row}
    return parse(**{"task_name": "STS12", "dataset_revision": COMMIT, "mteb_version": "1.18.0", **more,
                    "scores": {"test": [full]}})  # fmt: skip


def test_the_layout_of_today() -> None:
    found = a_file({"main_score": 0.8, "cosine_spearman": 0.8}, evaluation_time=3)
    (row,) = found.rows
    assert (found.task, found.dataset_revision, found.version, found.layout) == (
        "STS12", COMMIT, "1.18.0", "since 1.11",
    )  # fmt: skip
    assert (row.split, row.subset, row.main_score, row.metric, row.version) == ("test", "default", 0.8, None, "1.18.0")
    assert found.notes == {}
    assert found.seconds == 3


def test_a_row_has_a_version_of_its_own() -> None:
    (row,) = a_file({"main_score": 0.8, "mteb_version": "2.12.19"}, mteb_version="2.12.0-2.12.19").rows
    assert row.version == "2.12.19"


def test_no_version_and_texts_in_the_place_of_a_commit() -> None:
    found = a_file({"main_score": 0.8}, mteb_version=None, dataset_revision="main")
    assert (found.version, found.dataset_revision, found.revision_text) == (None, None, "main")
    assert a_file({"main_score": 0.8}, dataset_revision="a75a0eb").dataset_revision == "a75a0eb"
    assert a_file({"main_score": 0.8}, dataset_revision="1").revision_text == "1"


def test_before_1_11_flat() -> None:
    found = parse(mteb_dataset_name="XPQARetrieval", test={"ndcg_at_10": 0.5, "evaluation_time": 1.0})
    (row,) = found.rows
    assert (found.layout, row.subset, row.main_score, row.metric, found.version) == (
        "before 1.11", "default", 0.5, None, None,
    )  # fmt: skip


def test_before_1_11_nested() -> None:
    found = parse(mteb_dataset_name="STS12", test={"cos_sim": {"spearman": 0.7, "pearson": [0.6, 1e-9]}})
    (row,) = found.rows
    assert row.metrics == {"cosine_spearman": 0.7, "cosine_pearson": 0.6}
    assert row.main_score == 0.7
    assert found.notes == {"correlations with their p-value, which is left out": 1}


def test_before_1_11_by_subset_with_the_names_of_today() -> None:
    found = parse(mteb_dataset_name="XPQARetrieval", test={"fr": {"ndcg_at_10": 0.5}, "evaluation_time": 1.0})
    assert [row.subset for row in found.rows] == ["fra-fra"]
    renamed = {"mteb_dataset_name": "MLSUMClusteringP2P", "test": {"v_measure": 0.4, "v_measures": {"Level 0": [0.4]}}}
    assert parse(**renamed, mteb_version="1.1.2.dev0").rows[0].subset == "fr"
    assert parse(**renamed, mteb_version="1.1.9").rows[0].subset == "default"


def test_one_number_that_is_not_todays_main_metric() -> None:
    found = parse(mteb_dataset_name="Twitter", test={"cos_sim": {"ap": 0.7}})
    assert (found.rows[0].main_score, found.rows[0].metric) == (0.7, "cosine_ap")
    assert found.notes == {"the main metric is not today's": 1}
    several = parse(mteb_dataset_name="Twitter", test={"cos_sim": {"ap": 0.7, "f1": 0.6}})
    assert several.rows[0].main_score is None
    assert several.notes == {"no main score": 1}


def test_old_and_new_names_of_one_number() -> None:
    (row,) = a_file({"main_score": 0.8, "cos_sim_spearman": 0.8, "cosine_spearman": 0.8, "cos_sim_pearson": 0.7}).rows
    assert row.metrics == {"cosine_spearman": 0.8, "cosine_pearson": 0.7}
    (row,) = a_file({"main_score": 0.8, "cos_sim_spearman": 0.9, "cosine_spearman": 0.8}).rows
    assert row.metrics == {"cos_sim_spearman": 0.9, "cosine_spearman": 0.8}


def test_nan_is_undefined_and_counted() -> None:
    found = a_file({"main_score": math.nan, "ap": math.nan})
    assert (found.rows[0].main_score, found.rows[0].metrics) == (None, {"ap": None})
    assert found.notes == {"NaN, read as undefined": 2}


def test_experiments() -> None:
    (row,) = a_file({"main_score": 0.5, "scores_per_experiment": [{"accuracy": 0.4}, {"accuracy": 0.6}]}).rows
    assert row.experiments == ({"accuracy": 0.4}, {"accuracy": 0.6})
    (row,) = a_file({"main_score": 0.5, "v_measures": {"Level 0": [0.1], "Level 1": [0.2]}}).rows
    assert row.experiments == ({"level": 0.0, "v_measure": 0.1}, {"level": 1.0, "v_measure": 0.2})
    (row,) = a_file({"main_score": 0.5, "v_measures": [0.1, 0.2]}).rows
    assert row.experiments == ({"v_measure": 0.1}, {"v_measure": 0.2})


def test_what_is_neither_a_number_nor_known_is_named_and_left_out() -> None:
    found = a_file({"main_score": 0.5, "nested": {"a": 1}})
    assert found.rows[0].metrics == {}
    assert list(found.notes) == ["nested: neither a number nor experiments, left out"]


@pytest.mark.parametrize(
    ("row", "more", "said"),
    [
        ({"main_score": True}, {}, "main_score: True is not a number"),
        ({"main_score": "0.5"}, {}, "main_score: '0.5' is not a number"),
        ({"main_score": 0.5, "f1": "high"}, {}, "f1: 'high' is not a number"),
        ({"main_score": 0.5, "hf_subset": "../../etc"}, {}, "not a name that a hf_subset can have"),
        ({"main_score": 0.5, "hf_subset": "CON.txt"}, {}, "not a name"),
        ({"main_score": 0.5, "languages": "eng"}, {}, "languages: expected a list"),
        ({"main_score": 0.5, "scores_per_experiment": [1]}, {}, "expected a list of objects"),
        ({"main_score": 0.5}, {"task_name": "a\x1b[2J"}, "not a name that a task can have"),
        ({"main_score": 0.5}, {"mteb_version": 1.18}, "not a revision or version"),
    ],
)
def test_a_doubtful_file_is_refused(row: dict[str, Any], more: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as raised:
        a_file(row, **more)
    assert said in str(raised.value)


def test_a_cell_that_is_there_twice() -> None:
    row = {"hf_subset": "en", "main_score": 0.5}
    with pytest.raises(UserError, match="the subset 'en' is there 2 times"):
        parse(task_name="STS12", scores={"test": [row, row]})


@pytest.mark.parametrize("values", [{}, {"task_name": "STS12"}, {"scores": {}}, {"task_name": "STS12", "scores": {}}])
def test_what_is_no_result_file(values: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"not a result file|has no scores"):
        parse(**values)
