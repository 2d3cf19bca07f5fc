"""Images and captions that hardly differ: laws of the scores, what is kept, and data that cannot be scored.

That every metric equals the reference's is in test_pictures.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Embeddings, Image, Item, Rows, Scores, TaskContext, TaskData
from embedmark.tasks.types import task_types

KIND = task_types()["compositionality"]
SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 3))
TWO_BY_TWO = {"image_columns": ("a", "b"), "text_columns": ("c", "d")}


def vectors_of(items: Any, seed: int = 0) -> np.ndarray:
    """The same vector for the same bytes, of few values, so that much is equal."""
    content = [(item.data if isinstance(item, Image) else item.encode()) for item in items]
    return np.stack([np.random.default_rng([seed, *data]).integers(-2, 3, 4).astype(np.float32) for data in content])


def score(columns: dict[str, list[Any]], vectors: Any = vectors_of, **settings: Any) -> Scores:
    task = KIND.bind(KIND.settings(**settings), TaskContext("Captions", KIND.label), "text_acc")
    data = TaskData({"test": Rows(columns)})
    return task.evaluate(Embeddings({one.name: vectors(one.items) for one in task.items(data)}, "euclidean"), data)


@st.composite
def tables(draw: Any) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    n_images, n_texts = draw(SHAPES)
    n = draw(st.integers(1, 8))
    names = [f"i{i}" for i in range(n_images)], [f"t{i}" for i in range(n_texts)]
    letters = st.sampled_from("abcdef")
    columns: dict[str, list[Any]] = {name: [draw(letters).encode() for _ in range(n)] for name in names[0]}
    columns |= {name: [draw(letters) for _ in range(n)] for name in names[1]}
    return columns, {"image_columns": tuple(names[0]), "text_columns": tuple(names[1])}


@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_length_of_vectors_change_nothing(table: Any, random: Any) -> None:
    columns, settings = table
    found = score(columns, **settings)
    order = random.sample(range(len(next(iter(columns.values())))), len(next(iter(columns.values()))))
    turned = {name: [values[row] for row in order] for name, values in columns.items()}
    assert score(turned, **settings).values == found.values
    assert score(columns, lambda items: 4 * vectors_of(items), **settings).values == found.values


@given(tables())
def test_columns_of_lists_are_the_columns_of_their_items(table: Any) -> None:
    columns, settings = table
    n = len(next(iter(columns.values())))
    listed: dict[str, list[Any]] = {
        name: [[columns[column][row] for column in settings[f"{name}_columns"]] for row in range(n)]
        for name in ("image", "text")
    }
    found = score(listed, image_columns=("image",), text_columns=("text",))
    expected = score(columns, **settings)
    assert found.values == expected.values
    for name, values in expected.items.items():
        if name != "_cluster":  # which column's items repeat is another question of lists
            np.testing.assert_array_equal(found.items[name], values, name)


@given(tables())
def test_accuracy_is_that_both_are_right_and_ends_where_one_side_is_longer(table: Any) -> None:
    columns, settings = table
    found = score(columns, **settings)
    image, text, both = (found.items[name] for name in ("image_acc", "text_acc", "accuracy"))
    np.testing.assert_array_equal(both, image * text)
    n_images, n_texts = len(settings["image_columns"]), len(settings["text_columns"])
    assert n_images >= n_texts or found.values["image_acc"] == 0
    assert n_texts >= n_images or found.values["text_acc"] == 0
    assert all(found.values[name] == pytest.approx(found.items[name].mean(), abs=1e-7) for name in found.values)


def test_what_is_kept_of_each_row() -> None:
    columns = {"image": [[b"a", b"b"], [b"c"]], "caption": [["a", "b"], ["d"]]}
    items = score(columns).items
    assert set(items) == {"image_acc", "text_acc", "accuracy", "text_of_image", "image_of_text", "_unit"}
    assert items["text_of_image"].tolist() == [[0, 1], [0, -1]]
    assert items["image_of_text"].tolist() == [[0, 1], [0, -1]]
    assert items["accuracy"].tolist() == [1, 1]


def test_rows_that_share_an_image_are_a_cluster() -> None:
    columns = {"image": [b"a", b"a", b"b"], "caption": ["a", "b", "c"], "other": ["b", "c", "d"]}
    kept = score(columns, text_columns=("caption", "other")).items["_cluster"]
    assert kept[0] == kept[1] != kept[2]


def test_of_equal_images_and_captions_the_first_counts() -> None:
    same = {"a": [b"x"], "b": [b"x"], "c": ["x"], "d": ["x"]}
    found = score(same, **TWO_BY_TWO)
    assert (found.items["text_of_image"].tolist(), found.items["image_of_text"].tolist()) == ([[0, 0]], [[0, 0]])
    assert found.values == {"image_acc": 0, "text_acc": 0, "accuracy": 0}
    first = {"image": [b"x"], "c": ["x"], "d": ["x"]}
    assert score(first, text_columns=("c", "d")).values["text_acc"] == 1


def test_vectors_of_zeros_are_equally_far_from_all() -> None:
    columns = {"image": [b"a"], "c": ["b"], "d": ["c"]}
    assert score(columns, lambda items: np.zeros((len(items), 3), np.float32), text_columns=("c", "d")).main_score == 1


def test_lists_of_images_are_read_in_slices() -> None:
    columns = {"image": [[b"a", b"b"], [b"c"]], "caption": [["a", "b"], ["d"]]}
    task = KIND.bind(KIND.settings(), TaskContext("Captions", KIND.label), "text_acc")
    images: Any = task.items(TaskData({"test": Rows(columns)}))[0].items
    whole: list[Item] = [Image(b"a"), Image(b"b"), Image(b"c")]
    assert (list(images), images[1:], images[-1]) == (whole, whole[1:], whole[-1])
    assert [image.where for image in images[::2]] == [
        "column 'image', row 0, place 0",
        "column 'image', row 1, place 0",
    ]


LISTS: dict[str, list[Any]] = {"image": [[b"a"], [b"b"]], "caption": [["a"], ["b"]]}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": [b"a", b"b"], "caption": ["a", None]}, "'caption', row 1: expected a text, found nothing"),
        (
            {"image": [b"a", None], "caption": ["a", "b"]},
            "'image', row 1: expected an encoded image, as bytes",
        ),
        ({"image": ["a.png"], "caption": ["a"]}, "'image', row 0: expected an encoded image, as bytes, found str"),
        ({"picture": [b"a"], "caption": ["a"]}, "no column 'image'"),
        (
            {**LISTS, "image": [[b"a"], []]},
            "'image', row 1: expected a list of at least one image, found an empty",
        ),
        ({**LISTS, "caption": [[], ["b"]]}, "'caption', row 0: expected a list of at least one text, found an empty"),
        ({**LISTS, "caption": [["a"], "b"]}, "'caption', row 1: expected a list of at least one text, found str 'b'"),
        ({**LISTS, "caption": [["a"], ["b", None]]}, "'caption', row 1, place 1: expected a text, found nothing"),
        ({**LISTS, "image": [[b"a"], [b"b", None]]}, "'image', row 1, place 1: expected an encoded image, as bytes"),
        ({"image": [], "caption": []}, "is empty"),
    ],
)
def test_data_that_cannot_be_scored_is_refused_with_a_reason(columns: dict[str, list[Any]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        score(columns)


def test_vectors_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="row 0: a cosine similarity is no number"):
        score({"image": [b"a"], "caption": ["a"]}, lambda items: np.full((len(items), 2), np.nan, np.float32))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"image_columns": ()}, "image_columns is empty"),
        ({"text_columns": ()}, "text_columns is empty"),
        ({"text_columns": ("a", "a")}, "name 'a' twice"),
        ({"text_columns": ("image",)}, "name 'image' twice"),
    ],
)
def test_settings_that_contradict_themselves(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KIND.settings(**settings)
