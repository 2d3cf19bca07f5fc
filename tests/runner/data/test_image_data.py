"""Images out of a package, a folder and the hub: bytes, classes and hashes; what is no image is named by its row."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features
from datasets import Image as ImageFeature
from loopback import HubRoot, ServeHub
from PIL import Image as Pictures
from resolved import load
from sklearn.datasets import load_digits

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.schema import TaskConfig
from embedmark.runner.data.images import as_bytes, with_files
from embedmark.runner.data.table import Table
from embedmark.runner.hub.files import Hub
from embedmark.tasks.base import Rows

PACKAGE = {"package": "scikit-learn", "version": "1.9.1", "reader": "sklearn_digits"}


PATH_ALONE = pa.array(
    [{"bytes": None, "path": "elsewhere.png"}], pa.struct({"bytes": pa.binary(), "path": pa.string()})
)


def task(dataset: dict[str, Any], **changes: Any) -> TaskConfig:
    values = {
        "name": "Digits",
        "type": "zeroshot_image_classification",
        "dataset": dataset,
        "languages": ["eng-Latn"],
        "main_metric": "accuracy",
    }
    return TaskConfig(**{**values, **changes})


def rows(config: TaskConfig, **hub: Any) -> Rows:
    found = load(config, "default", ["test"], **hub).splits["test"]
    assert isinstance(found, Rows)
    return found


def png(shade: int) -> bytes:
    content = io.BytesIO()
    Pictures.new("L", (3, 3), shade).save(content, "PNG")
    return content.getvalue()


def parquet(folder: Path, images: Any) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"image": images, "label": list(range(len(images)))}), folder / "test.parquet")
    return {"files": str(folder), "revision": "1"}


def test_digits_are_those_of_scikit_learn() -> None:
    digits, found = load_digits(), rows(task(PACKAGE))
    assert list(found["label"]) == list(digits.target)
    assert found.classes["label"] == tuple("0123456789")
    pixels = [np.asarray(Pictures.open(io.BytesIO(content))) for content in found["image"][:50]]
    np.testing.assert_array_equal(np.round(np.stack(pixels) * (16 / 255)), digits.images[:50])


def test_digits_are_always_the_same() -> None:
    """Golden: other bytes would be other data, and make scores of earlier runs incomparable."""
    assert load(task(PACKAGE), "default", ["test"]).hashes["test"][:12] == "6923fed65034"


def test_the_hash_is_of_the_bytes_whatever_column_they_lie_in(tmp_path: Path) -> None:
    contents = [png(shade) for shade in (0, 100, 200)]
    columns = {
        "binary": pa.array(contents, pa.binary()),
        "large": pa.array(contents, pa.large_binary()),
        "datasets": pa.array([{"bytes": content, "path": f"{n}.png"} for n, content in enumerate(contents)]),
        "moved": pa.array([{"bytes": content, "path": None} for content in contents]),
    }
    loaded = {
        name: load(task(parquet(tmp_path / name, column)), "default", ["test"]) for name, column in columns.items()
    }
    assert len({one.hashes["test"] for one in loaded.values()}) == 1
    other = load(task(parquet(tmp_path / "other", pa.array(contents[::-1]))), "default", ["test"])
    assert other.hashes["test"] != loaded["binary"].hashes["test"]


@pytest.mark.hub
def test_images_of_the_hub_come_with_their_classes(
    tmp_path: Path, hub_root: HubRoot, serve_hub: ServeHub, hf_home: Path
) -> None:
    features = Features({"img": ImageFeature(), "fine": ClassLabel(names=["cat", "dog"])})
    contents = [{"bytes": png(shade), "path": "a.png"} for shade in (1, 2)]
    (tmp_path / "data").mkdir()
    Dataset.from_dict({"img": contents, "fine": [1, 0]}, features=features).to_parquet(
        str(tmp_path / "data" / "test.parquet")
    )
    root = hub_root(datasets={f"me/mine/{'c' * 40}": tmp_path / "data"}, with_shared=False)
    hub = Hub(serve_hub(root), hf_home / "hub", offline=False, attempts=2, wait=0.01)
    config = task({"hub": "me/mine", "revision": "c" * 40}, settings={"image_column": "img", "label_column": "fine"})
    found = rows(config, hub=hub)
    assert list(found["img"]) == [png(1), png(2)]
    assert found.classes == {"fine": ("cat", "dog")}


@pytest.mark.hub
def test_a_folder_of_images_on_the_hub_comes_with_its_bytes(
    tmp_path: Path, hub_root: HubRoot, serve_hub: ServeHub, hf_home: Path
) -> None:
    for shade, label in enumerate(["cat", "dog", "cat"]):
        (tmp_path / "data/test" / label).mkdir(parents=True, exist_ok=True)
        (tmp_path / "data/test" / label / f"{shade}.png").write_bytes(png(shade))
    root = hub_root(datasets={f"me/mine/{'c' * 40}": tmp_path / "data"}, with_shared=False)
    hub = Hub(serve_hub(root), hf_home / "hub", offline=False, attempts=2, wait=0.01)
    found = rows(task({"hub": "me/mine", "revision": "c" * 40}), hub=hub)
    assert sorted(zip(found["image"], found["label"], strict=True)) == sorted([(png(0), 0), (png(1), 1), (png(2), 0)])
    assert found.classes == {"label": ("cat", "dog")}


def test_paths_outside_of_the_dataset_are_not_read(tmp_path: Path) -> None:
    for name in ("inside.png", "outside.png"):
        (tmp_path / name).write_bytes(png(1))
    paths = [{"bytes": None, "path": str(tmp_path / name)} for name in ("inside.png", "outside.png")]
    table = with_files(Table(pa.table({"image": pa.array(paths, PATH_ALONE.type)})), [tmp_path / "inside.png"])
    assert table.values("image") == [png(1), None]


def test_transforms_see_images_as_bytes(tmp_path: Path) -> None:
    dataset = parquet(tmp_path, pa.array([png(1), b"", png(2)]))
    kept = rows(task(dataset, transforms=[{"filter": {"column": "image", "non_empty": True}}]))
    assert list(kept["label"]) == [0, 2]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([png(1), None], "1 of 2 rows have no value in 'image'.*the first is row 1"),
        (PATH_ALONE, r"1 of 1 rows have no value in 'image' \(a path without bytes is no image\), the first is row 0"),
        ([png(1), b"GIF89a, but no more"], "'image', row 1: expected an image, found 19 bytes"),
        ([png(1), png(2), b"text"], "'image', row 2: expected an image, found 4 bytes: they begin like no kind"),
        (["a.png"], "column 'image' holds text, expected images, as bytes"),
        ([[png(1)]], "column 'image' holds lists of bytes, expected images"),
    ],
)
def test_what_is_no_image_is_named(images: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"task Digits: subset 'default', split 'test': .*{message}"):
        load(task(parquet(tmp_path, images)), "default", ["test"])


def test_images_need_pillow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(UserError, match=r"Pillow.*not installed; run: pip install 'embedmark\[image\]'"):
        load(task(parquet(tmp_path, [b"x"])), "default", ["test"])


def test_more_images_than_32_bits_of_offsets_hold_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of joined chunks: the offsets are 64 bits wide before any transform."""
    table = as_bytes(Table(pa.table({"image": pa.chunked_array([[b"a"], [b"b"]], pa.binary())})))
    assert isinstance(table, Table)
    assert table.take([1, 0]).arrow.column("image").type == pa.large_binary()


LISTS = pa.array(
    [[{"bytes": png(1), "path": "a.png"}, {"bytes": png(2), "path": None}], None, [], [{"bytes": png(3), "path": None}]]
)


def test_lists_of_images_are_lists_of_bytes_however_they_are_cut() -> None:
    table = as_bytes(Table(pa.table({"images": pa.chunked_array([LISTS.slice(1), LISTS.slice(0, 1), LISTS[:0]])})))
    assert isinstance(table, Table)
    assert table.column("images").type == pa.large_list(pa.large_binary())
    assert table.values("images") == [None, [], [png(3)], [png(1), png(2)]]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([[png(1), png(2)], [png(3)]], None),
        ([png(1), png(2)], None),
        ([[png(1)], [png(2), b"text"]], "'image', row 1, place 1: expected an image, found 4 bytes"),
        ([[png(1)], [None]], r"'image', row 1, place 0: expected an image, found nothing \(a path without bytes"),
        ([["a.png"], ["b.png"]], "column 'image' holds lists of text, expected images.*or lists of them"),
    ],
)
def test_images_or_lists_of_them(images: Any, message: str | None, tmp_path: Path) -> None:
    dataset = parquet(tmp_path, pa.array(images))
    config = task(
        dataset, type="compositionality", main_metric="accuracy", settings={"text_columns": ["label"]},
        transforms=[{"map_values": {"column": "label", "values": {0: "a", 1: "b"}}}],
    )  # fmt: skip
    if message is None:
        assert list(rows(config)["image"]) == images
    else:
        with pytest.raises(UserError, match=message):
            rows(config)
