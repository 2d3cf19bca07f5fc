"""Rules over one row: each finds what is wrong, and nothing where all is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned_records import measure
from sample_records import identity, record

from embedmark.runner.cli.main import main
from embedmark.runner.lint.over_records import errors_of, lint_records
from embedmark.runner.lint.over_rows import ROW_RULES, faults

RIGHT: dict[str, Any] = {
    "mrr_at_1": 0.3, "mrr_at_10": 0.4, "map_at_1": 0.3, "map_at_10": 0.4, "recall_at_1": 0.3, "recall_at_10": 0.6,
    "precision_at_1": 0.3, "hit_rate_at_1": 0.3, "hit_rate_at_10": 0.6, "ndcg_at_10": 0.5,
    "cosine_f1": 0.6, "cosine_precision": 0.5, "cosine_recall": 0.75, "cosine_ap": 0.7, "dot_ap": 0.6, "max_ap": 0.7,
    "accuracy": 0.8, "recall_weighted": 0.8, "f1": 0.4, "precision": 0.5, "recall": 0.6,
}  # fmt: skip


def broken(**changes: Any) -> list[tuple[str, str]]:
    return [(rule.name, evidence) for rule, evidence in faults({**RIGHT, **changes}, [])]


def test_nothing_is_found_where_all_is_right() -> None:
    assert broken() == []
    # The mean of F1 over classes may be below their means of precision and recall.
    assert broken(f1=0.4, precision=0.5, recall=0.6) == []
    assert broken(cosine_ap=None, max_ap=None) == []


@pytest.mark.parametrize(
    ("changes", "rule", "said"),
    [
        (
            {"mrr_at_10": 0.0, "mrr_at_1": 0.0, "precision_at_1": 0.0},
            "mrr",
            "mrr_at_1 is 0, and map_at_1 0.3 (and 1 more)",
        ),
        ({"map_at_10": 0.402}, "mrr", "map_at_10 0.402 is above mrr_at_10 0.4"),
        ({"precision_at_1": 0.301}, "mrr-first", "mrr_at_1 0.3 is not precision_at_1 0.301"),
        ({"max_ap": 0.6}, "maximum", "max_ap 0.6, and the largest of its parts is 0.7"),
        ({"ndcg_at_10": 1.5}, "share", "ndcg_at_10 1.5 is no share"),
        ({"recall_at_10": 0.2}, "falling", "recall_at_1 is 0.3, and recall_at_10 0.2"),
        ({"map_at_10": 0.4, "recall_at_10": 0.35}, "map-recall", "map_at_10 0.4 is above recall_at_10 0.35"),
        ({"cosine_f1": 0.61}, "f1", "cosine_f1 0.61, and precision and recall give 0.6"),
        ({"accuracy": 0.81}, "accuracy", "accuracy 0.81 is not recall_weighted 0.8"),
    ],
)
def test_each_rule(changes: dict[str, Any], rule: str, said: str) -> None:
    assert (rule, said) in broken(**changes)


def test_experiments() -> None:
    assert list(faults({"accuracy": 0.5}, [{"accuracy": 0.4}, {"accuracy": 0.6}])) == []
    ((rule, said),) = faults({"accuracy": 0.55}, [{"accuracy": 0.4}, {"accuracy": 0.6}])
    assert (rule.name, said) == ("experiments", "accuracy 0.55, and the mean of 2 experiments is 0.5")
    assert list(faults({"v_measure": 0.9}, [{"v_measure": 0.4, "level": 0.0}])) == []


@given(st.dictionaries(st.sampled_from(sorted(RIGHT)), st.one_of(st.none(), st.floats(-2, 2))))
def test_no_row_breaks_a_rule_itself(metrics: dict[str, float | None]) -> None:
    assert all(rule in ROW_RULES for rule, _ in faults(metrics, [metrics]))


def test_own_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    right = record(identity(), 0.5)
    assert list(lint_records([right])) == []
    wrong = record(identity(), 0.5, scores={"cosine_spearman": 0.5, "accuracy": 7.0})
    assert errors_of([right, wrong, wrong]) == (
        "lint: share: org/model Topic: accuracy 7 is no share (and 1 more; `python -m runner lint` lists them)"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["lint"]) == 2
    (folder,) = measure(tmp_path, "model=minilm", "tasks=[STSBenchmark]")
    assert main(["lint"]) == 0
    assert capsys.readouterr().out == "0 errors, 0 warnings, 0 to look at, 0 notes, in 0 s\n"
    (folder / "result.json").write_bytes(b"")
    assert main(["lint"]) == 1
    assert f"{folder.name}: result.json is not what was written" in capsys.readouterr().out
