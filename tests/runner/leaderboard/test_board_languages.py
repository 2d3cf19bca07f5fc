"""Languages of a board: the rule of subsets, names, files and the overview."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from page_in_node import content_of
from planned_records import measure
from test_subsets_page import BENCHMARK, CATALOGUE, scores_of

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import BenchmarkConfig
from embedmark.runner.exchange.task_scores import SCALE, leaf_scores
from embedmark.runner.leaderboard.bench import MISSING, bench
from embedmark.runner.leaderboard.languages import display_names, ending, languages_of
from embedmark.runner.leaderboard.scores import all_scores
from embedmark.runner.leaderboard.subsets import code_of, needed, subsets_of
from embedmark.runner.ranking.board import board
from embedmark.runner.ranking.families import families
from embedmark.runner.ranking.matrix import matrix_of
from embedmark.runner.report.rows import leaves, rows_asked


@pytest.mark.parametrize(
    ("languages", "needs"),
    [
        (["deu-Latn"], {"deu"}),
        (["srp-Cyrl", "srp-Latn"], {"srp"}),
        (["deu-Latn", "eng-Latn"], {"deu"}),
        (["deu-Latn", "fra-Latn"], {"deu", "fra"}),
        (["deu-Latn", "fra-Latn", "eng-Latn"], {"deu", "fra"}),
        (["eng-Latn"], {"eng"}),
        (["lua-Code", "eng-Latn"], {"lua-Code"}),
    ],
)
def test_what_has_to_be_chosen(languages: list[str], needs: set[str]) -> None:
    assert needed(languages) == needs


def test_a_programming_language_is_no_spoken_one() -> None:
    assert code_of("lua-Code") != code_of("lua-Latn")
    names = display_names(["deu", "lua", "lua-Code", "ell", "swa", "swh", "qqq"])
    assert names["deu"] == "German"
    assert (names["lua"], names["lua-Code"]) == ("Luba-Lulua", "Lua")
    assert names["ell"] == "Modern Greek"
    assert names["swa"] != names["swh"]
    assert names["qqq"] == "qqq"


def test_files_end_in_letters_that_no_other_file_ends_in() -> None:
    codes = ["deu", "src", "python-Code", "c++-Code", "c-Code", "c#-Code", "objective-c-Code"]
    endings = [ending(code) for code in codes]
    assert len({*endings}) == len(codes)
    assert all(one.isascii() and one.isalpha() and one.islower() for one in endings)
    assert "src" not in endings


def test_a_benchmark_in_one_language_has_nothing_to_choose() -> None:
    scores = all_scores(None, CATALOGUE, ["MTEB(jpn, v1)"])
    made = bench(scores, "MTEB(jpn, v1)")
    assert made is not None
    assert not languages_of(scores, made, "jpn").files


def test_the_overview_names_the_best_of_each_language_as_its_own_ranking_does() -> None:
    scores = all_scores(None, CATALOGUE, ["MTEB(Europe, v1)"])
    config = scores.benchmarks["MTEB(Europe, v1)"]
    made = bench(scores, config.name)
    assert made is not None
    found = languages_of(scores, made, "europe")
    _, overview = content_of(found.files["d/europe.languages"].decode("ascii"))
    assert [one["code"] for one in found.listed] == overview["codes"]
    assert [one["tasks"] for one in found.listed] == overview["tasks"]
    names = [*made.matrix.models, *made.parts_alone]
    decided = 0
    for code in ("deu", "pol", "fra", "swe", "eng"):
        at = overview["codes"].index(code)
        tasks = []
        for row in rows_asked(config, CATALOGUE):
            languages = CATALOGUE.task(row.name).subsets
            subsets = [name for _, name in row.slots if needed(languages[name]) <= {code}]
            splits = list(dict.fromkeys(split for split, _ in row.slots))
            if subsets:
                tasks.append({"name": row.name, "subsets": list(dict.fromkeys(subsets)), "splits": splits})
        rows = rows_asked(BenchmarkConfig.model_validate({"name": code, "tasks": tasks}), CATALOGUE)
        whole = leaf_scores(scores.cells.lazy(), leaves(rows)).of_tasks(rows, scores.preferred, "joined")
        matrix = matrix_of(rows, whole)
        ranked = board(matrix, families(matrix.tasks, CATALOGUE).of, draws=10)
        least = min(place.rank for place in ranked.places if place.rank is not None)
        first = {ranked.matrix.names[place.row] for place in ranked.places if place.rank == least}
        assert {names[model] for model in overview["best"][at]} == first
        size = sum(place.group == 0 for place in ranked.places)
        assert overview["group"][at] == (size or None)
        decided += size > 0
        for row, name in enumerate(ranked.matrix.names):
            mean = np.nanmean(ranked.matrix.values[row])
            assert overview["mean"][at][names.index(name)] == pytest.approx(mean * 10_000, abs=0.51)
    assert decided > 1


def test_scores_of_chosen_languages_are_those_of_the_first_revision_that_has_all() -> None:
    scores = scores_of(1)
    made = bench(scores, BENCHMARK.name)
    assert made is not None
    subsets = subsets_of(scores, made)
    assert any(task.others for task in subsets.tasks)
    found = subsets.narrowed({"deu", "fra"})
    row = next(row for row in rows_asked(BENCHMARK, CATALOGUE) if row.name == "MassiveIntentClassification")
    cut = rows_asked(
        BenchmarkConfig.model_validate(
            {"name": "x", "tasks": [{"name": row.name, "subsets": ["de", "fr"], "splits": ["validation", "test"]}]}
        ),
        CATALOGUE,
    )
    whole = leaf_scores(scores.cells.lazy(), leaves(cut)).of_tasks(cut, scores.preferred, "joined")
    names = [*made.matrix.models, *made.parts_alone]
    place = made.matrix.tasks.index(row.name)
    for model, name in enumerate(names):
        score = whole[name].scores.get(row.name) if name in whole else None
        assert found[place][model] == (MISSING if score is None else round(score * 1_000_000))


def test_ones_own_records_count_by_their_subsets_as_in_a_report_of_them(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    for subset, score in (("de", 0.123456), ("fr", 0.4), ("da", 0.7)):
        asked = f"tasks=[{{name: MassiveScenarioClassification, subsets: [{subset}]}}]"
        measure(tmp_path, "model=minilm", asked, score=score, outputs=outputs)
    measure(tmp_path, "model=minilm", "tasks=[PolEmo2.0-OUT]", score=0.2, outputs=outputs)
    part = {"name": "MassiveScenarioClassification", "subsets": ["de", "fr"]}
    text = yaml.safe_dump({"name": "Cut", "tasks": [part]})
    (tmp_path / "benchmark").mkdir()
    (tmp_path / "benchmark" / "cut.yaml").write_text(text)
    scores = all_scores(outputs, Catalogue.of([tmp_path]), ["MTEB(Europe, v1)", "Cut"])
    made = bench(scores, "MTEB(Europe, v1)")
    assert made is not None
    own = made.matrix.own.index(True)
    place = made.matrix.tasks.index("MassiveScenarioClassification")
    subsets = subsets_of(scores, made)
    assert np.isnan(made.matrix.values[own, place])
    assert subsets.narrowed({"deu"})[place][own] == 123456
    cut, _ = scores.matrix("Cut")
    expected = dict(zip(cut.models, cut.values[:, 0], strict=True))
    for model, name in enumerate(made.matrix.models):
        score = expected.get(name)
        assert subsets.narrowed({"deu", "fra"})[place][model] == (MISSING if score is None else round(score * SCALE))
    assert subsets.narrowed({"deu", "swe"})[place][own] == MISSING


def test_files_are_the_same_each_time() -> None:
    scores = scores_of(0)
    made = bench(scores, BENCHMARK.name)
    assert made is not None
    found = languages_of(scores, made, "several")
    again = languages_of(scores, made, "several")
    assert found.files == again.files
    for one in found.listed:
        assert one["bytes"] == len(found.files[one["key"]])
        assert one["pairs"] is None or one["pairs"] in found.files
    assert any(one["pairs"] for one in found.listed)
