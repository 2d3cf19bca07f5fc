"""Steps of a task's transforms, each on the smallest table that shows what it does; draws beside the library's."""

from __future__ import annotations

import random
from typing import Any

import datasets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedmark.runner.common.errors import UserError
from embedmark.runner.data.table import RetrievalTables, Table
from embedmark.runner.data.transforms.apply import apply, makes_retrieval, needed
from embedmark.runner.data.transforms.parsing import parse
from embedmark.runner.data.transforms.steps import arguments_of, step_kinds

Columns = dict[str, list[Any]]


def run(columns: Columns, *steps: dict[str, Any], subset: str = "default") -> Columns:
    """The columns of `test` after the steps."""
    return splits({"test": columns}, *steps, subset=subset)["test"]


def splits(given: dict[str, Columns], *steps: dict[str, Any], subset: str = "default") -> dict[str, Columns]:
    tables = {name: Table.of(columns) for name, columns in given.items()}
    done = apply(parse(steps), tables, subset)
    return {name: table.arrow.to_pydict() for name, table in done.items() if isinstance(table, Table)}


TEXTS: Columns = {"text": ["a", "b", "c"], "label": [2, 0, 2]}
LISTS: Columns = {"sentences": [["a", "b"], ["c"]], "labels": [[1, 2], [3]], "id": [10, 11]}


@pytest.mark.parametrize(
    ("columns", "step", "expected"),
    [
        (TEXTS, {"rename": {"text": "sentence"}}, {"sentence": ["a", "b", "c"], "label": [2, 0, 2]}),
        (TEXTS, {"copy": {"new": "label"}}, {**TEXTS, "new": [2, 0, 2]}),
        (TEXTS, {"select_columns": ["label"]}, {"label": [2, 0, 2]}),
        (TEXTS, {"drop_columns": ["label"]}, {"text": ["a", "b", "c"]}),
        (TEXTS, {"cast": {"label": "string"}}, {"text": ["a", "b", "c"], "label": ["2", "0", "2"]}),
        ({"x": ["1", "2.5"]}, {"cast": {"x": "float"}}, {"x": [1.0, 2.5]}),
        (TEXTS, {"add": {"n": 1}}, {**TEXTS, "n": [1, 1, 1]}),
        (
            {"title": ["t", None], "text": ["x", "y"]},
            {"merge": {"into": "text", "template": "{title}\n{text}", "strip": True}},
            {"title": ["t", None], "text": ["t\nx", "y"]},
        ),
        (
            {"title": ["t", "u", "v"], "text": ["x", "", None]},
            {"merge": {"into": "text", "template": "{title}\n{text}", "without": {"text": "{title}"}}},
            {"title": ["t", "u", "v"], "text": ["t\nx", "u", "v"]},
        ),
        (
            {"choices": [["a", "b"], ["c"]], "answer": [1, 0]},
            {"element": {"column": "choices", "place": "answer", "into": "answer"}},
            {"choices": [["a", "b"], ["c"]], "answer": ["b", "c"]},
        ),
        (TEXTS, {"drop_rows": [1, 9]}, {"text": ["a", "c"], "label": [2, 2]}),
        (
            {"answers": [{"text": ["a", "b"]}, {"text": ["c"]}]},
            {"extract": {"column": "answers", "path": ["text", 0], "into": "answer"}},
            {"answers": [{"text": ["a", "b"]}, {"text": ["c"]}], "answer": ["a", "c"]},
        ),
        ({"label": ["a.b", "c"]}, {"split_text": {"column": "label", "by": "."}}, {"label": [["a", "b"], ["c"]]}),
        (
            {"text": ["# Title\n\nText.\n## Part", None, "a # b"]},
            {"replace": {"column": "text", "pattern": r"(?m)^#+\s.*$", "strip": True}},
            {"text": ["Text.", None, "a # b"]},
        ),
        (
            {"text": ["a1b22"]},
            {"replace": {"column": "text", "pattern": "[0-9]+", "with": r"\1"}},
            {"text": [r"a\1b\1"]},
        ),
        (
            {"text": ["q\nd\ne", "q"]},
            {"split_text": {"column": "text", "by": "\n", "limit": 1, "start": 1, "join": "", "into": "doc"}},
            {"text": ["q\nd\ne", "q"], "doc": ["d\ne", ""]},
        ),
        (
            TEXTS,
            {"map_values": {"column": "label", "values": {2: 1, 0: 0}}},
            {"text": ["a", "b", "c"], "label": [1, 0, 1]},
        ),
        (
            {"label": ["x", "y"]},
            {"map_values": {"column": "label", "values": {"x": 1}, "default": 0}},
            {"label": [1, 0]},
        ),
        ({"label": ["b", "a", "10"]}, {"class_encode": "label"}, {"label": [2, 1, 0]}),
        (
            {"q1": ["yes", "no"], "q2": ["yes", "yes"]},
            {"collect_labels": {"columns": ["q1", "q2"], "where": "yes"}},
            {"q1": ["yes", "no"], "q2": ["yes", "yes"], "label": [[0, 1], [1]]},
        ),
        (TEXTS, {"filter": {"column": "label", "in": [0]}}, {"text": ["b"], "label": [0]}),
        (TEXTS, {"filter": {"column": "label", "not_in": [0]}}, {"text": ["a", "c"], "label": [2, 2]}),
        (TEXTS, {"filter": {"column": "label", "min": 1, "max": 2}}, {"text": ["a", "c"], "label": [2, 2]}),
        ({"text": [" ", None, "", "x"]}, {"filter": {"column": "text", "non_empty": True}}, {"text": ["x"]}),
        ({"text": ["a", None, "abc"]}, {"filter": {"column": "text", "min_length": 2}}, {"text": ["abc"]}),
        ({"text": ["a", "abc"]}, {"filter": {"column": "text", "max_length": 2}}, {"text": ["a"]}),
        ({"flag": [True, False]}, {"filter": {"column": "flag", "in": [1]}}, {"flag": []}),
        ({"text": ["a", "b", "a"], "n": [1, 2, 3]}, {"drop_duplicates": ["text"]}, {"text": ["a", "b"], "n": [1, 2]}),
        ({"text": ["a", "b", "a"]}, {"drop_duplicates": {"columns": ["text"], "keep": "none"}}, {"text": ["b"]}),
        (
            {"text": ["a", "b", "a"], "n": [1, 2, 3]},
            {"drop_duplicates": {"columns": ["text"], "keep": "last"}},
            {"text": ["b", "a"], "n": [2, 3]},
        ),
        ({"utterance": ["a"], "label": [1]}, {"pick": {"text": ["text", "utterance"]}}, {"text": ["a"], "label": [1]}),
        (
            {"text": ["a"], "utterance": ["b"]},
            {"pick": {"text": ["text", "utterance"]}},
            {"text": ["a"], "utterance": ["b"]},
        ),
        (
            {"q": ["b", None, "a", "b"], "n": [1, 2, 3, 4]},
            {"identify": {"column": "q", "into": "id", "id": "Q{n}/{n}"}},
            {"q": ["b", None, "a", "b"], "n": [1, 2, 3, 4], "id": ["Q0/0", None, "Q1/1", "Q0/0"]},
        ),
        ({"x": ["[0.2, 0.8]", "[]"]}, {"parse_list": "x"}, {"x": [[0.2, 0.8], []]}),
        (
            {"x": [[0.2, 0.8], [1.0, 1.0]]},
            {"argmax": {"column": "x", "into": "y"}},
            {"x": [[0.2, 0.8], [1.0, 1.0]], "y": [1, 0]},
        ),
        ({"label": ["a", "b", "a"]}, {"drop_rare": "label"}, {"label": ["a", "a"]}),
        (
            LISTS,
            {"explode": ["sentences", "labels"]},
            {"sentences": ["a", "b", "c"], "labels": [1, 2, 3], "id": [10, 10, 11]},
        ),
        (
            {"a": ["x", "y"], "b": ["z", "w"], "n": [1, 2]},
            {"stack": {"columns": ["a", "b"], "into": "text", "origin": "from"}},
            {"n": [1, 2, 1, 2], "text": ["x", "y", "z", "w"], "from": ["a", "a", "b", "b"]},
        ),
        ({"s": [1, 2, 3, 4, 5]}, {"group_rows": {"columns": ["s"], "size": 2, "take": 2}}, {"s": [[1, 2], [3, 4]]}),
        ({"s": [1, 2, 3, 4, 5]}, {"group_rows": {"columns": ["s"], "size": 2}}, {"s": [[1, 2], [3, 4], [5]]}),
        ({"s": [1, 2, 3, 4, 5]}, {"group_rows": {"columns": ["s"], "parts": 2}}, {"s": [[1, 2, 3], [4, 5]]}),
        (TEXTS, {"take": 2}, {"text": ["a", "b"], "label": [2, 0]}),
        (TEXTS, {"take": 9}, TEXTS),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_step(columns: Columns, step: dict[str, Any], expected: Columns) -> None:
    assert run(columns, step) == expected


def test_rename_by_the_subsets_name() -> None:
    step = {
        "rename": {"columns": {"{left}": "sentence1", "{right}": "sentence2"}, "pattern": "(?P<left>..)-(?P<right>..)"}
    }
    assert run({"de": ["x"], "en": ["y"]}, step, subset="de-en") == {"sentence1": ["x"], "sentence2": ["y"]}
    with pytest.raises(UserError, match=r"step 1 \(rename\).*does not match the subset's name 'deen'"):
        run({"de": ["x"], "en": ["y"]}, step, subset="deen")


def test_subset_rows() -> None:
    merged = {"text": ["x", "y"], "lang": ["de", "en"]}
    assert run(merged, {"subset_rows": "lang"}, subset="en") == {"text": ["y"]}
    with pytest.raises(UserError, match="no row has 'fr' in column 'lang'; it holds de, en"):
        run(merged, {"subset_rows": "lang"}, subset="fr")


def test_steps_may_be_limited_to_splits_and_subsets() -> None:
    given = {"train": {"a": [1, 2]}, "test": {"a": [1, 2]}}
    assert splits(given, {"take": 1, "splits": ["test"]}) == {"train": {"a": [1, 2]}, "test": {"a": [1]}}
    assert splits(given, {"take": 1, "subsets": ["cym"]}) == given
    assert splits(given, {"take": 1, "subsets": ["cym"]}, subset="cym") == {"train": {"a": [1]}, "test": {"a": [1]}}


def test_class_names_are_one_set_over_all_splits_and_decode_again() -> None:
    given = {"train": {"label": ["c", "a"]}, "test": {"label": ["b", "c"]}}
    assert splits(given, {"class_encode": "label"}) == {"train": {"label": [2, 0]}, "test": {"label": [1, 2]}}
    assert splits(given, {"class_encode": "label"}, {"class_decode": "label"}) == given
    named = {"map_values": {"column": "label", "values": {"a": "x", "b": "y", "c": "z"}}}
    assert splits(given, {"class_encode": "label"}, named)["test"] == {"label": ["y", "z"]}
    only_c = {"filter": {"column": "label", "in": ["c"]}}
    assert splits(given, {"class_encode": "label"}, only_c)["train"] == {"label": [2]}


def test_splits_are_renamed_joined_and_made_out_of_values() -> None:
    given = {"a": {"x": [1], "v": ["p"]}, "b": {"x": [2], "v": ["q"]}}
    assert set(splits(given, {"map_splits": {"test": "a"}})) == {"test", "b"}
    assert splits(given, {"concatenate": {"from": ["b", "a"], "into": "test"}})["test"]["x"] == [2, 1]
    joined = {"concatenate": {"from": ["a", "b"], "into": "a"}}
    assert splits(given, joined, {"split_by_value": {"from": "a", "column": "v"}})["q"] == {"x": [2], "v": ["q"]}


def test_duplicates_across_splits_fall_to_the_first_one_named() -> None:
    given = {"train": {"t": ["a", "b"]}, "test": {"t": ["b", "c"]}}
    step = {"drop_duplicates": {"columns": ["t"], "across": ["test", "train"]}}
    assert splits(given, step) == {"train": {"t": ["a"]}, "test": {"t": ["b", "c"]}}


LABELS = st.lists(st.integers(0, 12), min_size=30, max_size=80)


@settings(max_examples=15, deadline=None)
@given(labels=LABELS, seed=st.integers(0, 5), n=st.integers(14, 29))
def test_stratified_sample_equals_that_of_datasets(labels: list[int], seed: int, n: int) -> None:
    """Values are encoded as text first: 10 comes before 2, as in the reference."""
    labels = [label for label in labels if labels.count(label) > 1] or [0, 1] * 20
    n = min(n, len(labels) - 14)
    columns = {"row": list(range(len(labels))), "label": labels}
    names = sorted({str(label) for label in labels})
    if n < len(names) or len(labels) - n < len(names):
        return
    theirs = datasets.Dataset.from_dict({**columns, "label": [str(label) for label in labels]})
    theirs = theirs.cast_column("label", datasets.ClassLabel(names=names))
    expected = theirs.train_test_split(test_size=n, seed=seed, stratify_by_column="label")["test"]["row"]
    assert run(columns, {"subsample": {"n": n, "seed": seed, "stratify": "label"}})["row"] == list(expected)


@settings(max_examples=20, deadline=None)
@given(size=st.integers(1, 60), seed=st.integers(0, 50))
def test_shuffles_and_random_samples_equal_those_of_the_libraries(size: int, seed: int) -> None:
    columns = {"row": list(range(size))}
    theirs = list(datasets.Dataset.from_dict(columns).shuffle(seed=seed)["row"])
    assert run(columns, {"shuffle": seed})["row"] == theirs
    if size > 7:
        assert run(columns, {"subsample": {"n": 7, "seed": seed}})["row"] == theirs[:7]
    pairs = list(range(size))
    random.Random(seed).shuffle(pairs)
    assert run(columns, {"shuffle": {"seed": seed, "generator": "python"}})["row"] == pairs


def test_random_sample_equals_train_test_split() -> None:
    columns = {"row": list(range(50))}
    theirs = datasets.Dataset.from_dict(columns).train_test_split(test_size=9, seed=42)
    assert run(columns, {"subsample": {"n": 9, "seed": 42}})["row"] == list(theirs["test"]["row"])
    ours = splits({"all": columns}, {"train_test_split": {"from": "all", "test_size": 9, "seed": 42}})
    assert {name: split["row"] for name, split in ours.items()} == {
        "train": list(theirs["train"]["row"]),
        "test": list(theirs["test"]["row"]),
    }


def test_small_tables_are_not_sampled() -> None:
    assert run(TEXTS, {"subsample": {"n": 3, "stratify": "label"}}) == TEXTS


def test_sample_by_quantiles_keeps_their_shares() -> None:
    values = [float(value) for value in range(100)]
    kept = run({"value": values}, {"subsample": {"n": 20, "stratify": "value", "bins": 10}})["value"]
    assert sorted(int(value // 10) for value in kept) == sorted([*range(10)] * 2)


def test_lists_are_sampled_at_the_same_places() -> None:
    lists = {"s": [list("abcdef"), ["x"]], "n": [list(range(6)), [9]]}
    places = random.Random(1).sample(range(6), 3)
    kept = run(lists, {"sample_lists": {"columns": ["s", "n"], "n": 3, "seed": 1}})
    assert kept == {"s": [["abcdef"[place] for place in places], ["x"]], "n": [places, [9]]}


def retrieval(columns: Columns, **arguments: Any) -> RetrievalTables:
    step = {"to_retrieval": {"query": "q", "documents": ["d"], **arguments}}
    made = apply(parse([step]), {"test": Table.of(columns)}, "default")["test"]
    assert isinstance(made, RetrievalTables)
    return made


QUESTIONS: Columns = {"q": ["one", "two", "one"], "d": ["x", "x", "y"], "grade": [1, 0, 2]}


@pytest.mark.parametrize(
    ("arguments", "queries", "corpus", "qrels"),
    [
        (
            {},
            {"0": "one", "1": "two", "2": "one"},
            {"doc_0": "x", "doc_1": "x", "doc_2": "y"},
            {"0": {"doc_0": 1}, "1": {"doc_1": 1}, "2": {"doc_2": 1}},
        ),
        (
            {"numbering": "shared", "document_id": "{n}"},
            {"0": "one", "2": "two", "3": "one"},
            {"1": "x", "4": "y"},
            {"0": {"1": 1}, "2": {"1": 1}, "3": {"4": 1}},
        ),
        (
            {"numbering": "distinct", "query_id": "Q{n}", "document_id": "C{n}", "relevance": "grade"},
            {"Q0": "one", "Q2": "two"},
            {"C1": "x", "C3": "y"},
            {"Q0": {"C1": 1, "C3": 2}, "Q2": {"C1": 0}},
        ),
    ],
)
def test_retrieval_out_of_a_table(
    arguments: dict[str, Any], queries: dict[str, str], corpus: dict[str, str], qrels: dict[str, dict[str, int]]
) -> None:
    found = retrieval(QUESTIONS, **arguments).rows()
    assert dict(zip(found.queries["id"], found.queries["text"], strict=True)) == queries
    assert dict(zip(found.corpus["id"], found.corpus["text"], strict=True)) == corpus
    assert found.qrels == qrels


def test_a_step_on_a_part_of_a_retrieval_layout() -> None:
    layout = {"test": retrieval(QUESTIONS)}
    changed = apply(parse([{"drop_columns": ["text"], "part": "queries"}]), layout, "default")["test"]
    assert isinstance(changed, RetrievalTables)
    assert changed.queries.names == ["id"]
    assert changed.corpus.names == ["id", "text"]
    with pytest.raises(UserError, match="say which table with `part`"):
        apply(parse([{"drop_columns": ["text"]}]), layout, "default")


@pytest.mark.parametrize(
    ("steps", "wanted", "expected"),
    [
        ([], ["test"], {"test"}),
        ([{"concatenate": {"from": ["train", "test"], "into": "test"}}], ["test"], {"train", "test"}),
        ([{"concatenate": {"from": ["a", "b"], "into": "c"}}], ["test"], {"test"}),
        ([{"map_splits": {"train": "train_2021"}}], ["train", "test"], {"train_2021", "test"}),
        ([{"train_test_split": {"from": "all"}}], ["test"], {"all"}),
        ([{"train_test_split": {"from": "all"}}, {"map_splits": {"dev": "test"}}], ["dev"], {"all"}),
        ([{"drop_duplicates": {"columns": ["t"], "across": ["train", "test"]}}], ["test"], {"train", "test"}),
        ([{"concatenate": {"from": ["a"], "into": "test"}, "subsets": ["x"]}], ["test"], {"test"}),
    ],
)
def test_splits_to_load_are_known_before(steps: list[dict[str, Any]], wanted: list[str], expected: set[str]) -> None:
    assert set(needed(parse(steps), "default", wanted)) == expected


def test_tables_are_loaded_where_a_step_makes_the_layout() -> None:
    steps = parse([{"to_retrieval": {"query": "q", "documents": ["d"]}, "subsets": ["x"]}])
    assert makes_retrieval(steps, "x")
    assert not makes_retrieval(steps, "y")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"renam": {}}, "step 1: no step is called 'renam'. Did you mean 'rename'"),
        (
            {"filter": {"column": "x", "is": [1]}},
            r"step 1 \(filter\): is: no such key. Known keys: .*column, .*in, ",
        ),
        ({"filter": {"in": [1]}}, "column: missing; it has to be given"),
        ({"take": "two"}, "n: found 'two'; expected a whole number, as in `n: 128`"),
        ({"take": 2, "split": ["test"]}, "expected one verb, found 2"),
        ({"take": 2, "splits": "test"}, r"splits: found 'test'; expected a list of texts, as in `splits: \[test\]`"),
        ({"take": 2, "part": "answers"}, "part: found 'answers'; expected one of corpus, queries, qrels"),
        ({}, "expected one verb, found none"),
    ],
)
def test_a_wrong_step_is_explained_before_anything_is_loaded(step: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse([step])


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"rename": {"txt": "sentence"}}, r"step 2 \(rename\).*no column 'txt'; the columns are.*Did you mean 'text'"),
        ({"rename": {"text": "label"}}, "two columns would be called 'label'"),
        ({"cast": {"text": "int"}}, "column 'text' cannot become int: row 0: expected a number"),
        ({"map_values": {"column": "label", "values": {2: 1}}}, "holds 0, for which `values` says nothing"),
        ({"map_values": {"column": "label", "values": {"2": 1, "0": 0}}}, "holds 2, for which"),
        ({"explode": ["text"]}, "column 'text' holds"),
        ({"filter": {"column": "text", "min": 1}}, "holds text, and 1.0 is no text. Cast the column before"),
        ({"filter": {"column": "text"}}, "no condition"),
        ({"merge": {"into": "x", "template": "{text!r}"}}, "only names in braces"),
        ({"class_decode": "label"}, "no class names"),
        ({"class_encode": {"column": "label", "names": ["0", "1"]}}, "holds 2, which `names` does not list"),
        ({"subsample": {"n": 1, "stratify": "label"}}, "column 'label': label '0' has one row"),
        ({"concatenate": {"from": ["train", "test"], "into": "test"}}, "no split 'train'; the splits here are"),
        ({"drop_columns": ["text"], "part": "queries"}, "is one plain table"),
        ({"pick": {"x": ["y", "z"]}}, r"none of the columns \['y', 'z'\] is there; the columns are"),
        ({"parse_list": "text"}, "column 'text', row 0: 'a' spells no list"),
        ({"unite": "text", "part": "corpus"}, "needs a retrieval layout"),
        ({"rerank_judged": {}}, "needs a retrieval layout"),
        ({"reword_classes": {"column": "label", "replace": {"a": "b"}}}, "no class names"),
        ({"element": {"column": "text", "place": "label", "into": "x"}}, "row 0: 'text' is a"),
    ],
)
def test_a_step_that_does_not_fit_the_data_names_itself_and_what_there_is(step: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(TEXTS, {"take": 3}, step)


def test_every_step_has_its_line_in_the_documentation() -> None:
    from pathlib import Path

    page = (Path(__file__).parents[3] / "docs" / "transforms.md").read_text(encoding="utf-8")
    for name in step_kinds():
        assert f"| `{name}` |" in page


def test_what_a_step_is_told_is_no_argument_of_its() -> None:
    for name in step_kinds():
        assert not {"subset", "part"} & arguments_of(name).model_fields.keys(), name


def layout(given: Columns, *steps: dict[str, Any], subset: str = "default") -> dict[str, Any]:
    """What a task reads after the steps."""
    made = apply(parse(steps), {"test": Table.of(given)}, subset)["test"]
    assert isinstance(made, RetrievalTables)
    rows = made.rows()
    corpus, queries = (dict(zip(table["id"], table["text"], strict=True)) for table in (rows.corpus, rows.queries))
    return {"corpus": corpus, "queries": queries, "qrels": rows.qrels, "top_ranked": rows.top_ranked}


def test_a_row_can_hold_relevant_documents_and_others() -> None:
    """A distractor with the text of a relevant document is relevant."""
    step = {
        "query": "q",
        "documents": ["good", "bad"],
        "relevance": {"good": 1},
        "query_id": "{subset}{number}",
        "document_id": "D{number}",
        "numbering": "occurrence",
        "rerank": True,
    }
    found = layout({"q": ["x", "y"], "good": ["a", "b"], "bad": ["c", "b"]}, {"to_retrieval": step}, subset="s")
    assert found["corpus"] == {"D1": "a", "D2": "c", "D3": "b", "D4": "b"}
    assert found["qrels"] == {"s1": {"D1": 1}, "s2": {"D3": 1, "D4": 1}}
    assert found["top_ranked"] == {"s1": ["D1", "D2"], "s2": ["D3", "D4"]}


@pytest.mark.parametrize(("repeated", "text"), [("first", "a"), ("last", "b")])
def test_of_texts_with_one_id_the_first_or_the_last_counts(repeated: str, text: str) -> None:
    step = {"query": "q", "documents": ["d"], "document_id": "{key}", "repeated": repeated}
    found = layout({"q": ["x", "y"], "d": ["a", "b"], "key": ["k", "k"]}, {"to_retrieval": step})
    assert found["corpus"] == {"k": text}
    assert found["qrels"] == {"0": {"k": 1}, "1": {"k": 1}}


def test_equal_documents_are_united_and_judgments_follow() -> None:
    given: Columns = {"q": ["x", "y", "x"], "d": ["a", "b", "a"]}
    steps: list[dict[str, Any]] = [
        {"to_retrieval": {"query": "q", "documents": ["d"]}},
        {"unite": "text", "part": "corpus"},
        {"unite": {"by": "text", "id": "Q{n}"}, "part": "queries"},
    ]
    found = layout(given, *steps)
    assert found["corpus"] == {"doc_0": "a", "doc_1": "b"}
    assert found["queries"] == {"Q0": "x", "Q1": "y"}
    assert found["qrels"] == {"Q0": {"doc_0": 1}, "Q1": {"doc_1": 1}}


def test_rows_of_several_labels_are_sampled_by_their_labels() -> None:
    labels = [["a"] if row % 4 else ["a", "b"] for row in range(40)]
    kept = run({"row": list(range(40)), "label": labels}, {"subsample": {"n": 20, "seed": 1, "stratify": "label"}})
    assert len(kept["row"]) == 20
    assert kept["row"] == sorted(kept["row"])
    assert sum(len(row) == 2 for row in kept["label"]) == 5
