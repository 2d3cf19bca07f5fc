"""Images are hashed and read without being held: memory of the process's own stays far below their size."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from image_memory import padded, write_images

from embedmark.runner.common import folder
from embedmark.runner.common.errors import UserError
from embedmark.runner.data import parquet
from embedmark.runner.data.hashing import content_hash
from embedmark.runner.data.table import Table

IMAGES, SIZE = 512, 2**18

READ = """
import re, sys, threading
from pathlib import Path

import pyarrow.parquet
from PIL import Image
from resolved import load

from embedmark.models.base import Variant
from embedmark.runner.config.schema import TaskConfig
from embedmark.runner.encode.keys import digests
from embedmark.tasks.columns import ImageColumn

status = Path("/proc/self/status")
def anonymous():
    return int(re.search(r"RssAnon:\\s+(\\d+)", status.read_text())[1]) * 1024

over = threading.Event()
def watch():
    while not over.wait(0.002):
        peak.append(anonymous())

STEPS = [{"filter": {"column": "image", "non_empty": True}}, {"drop_duplicates": {"columns": ["image"]}}]
def read(folder):
    config = TaskConfig(name="Own", type="zeroshot_image_classification", dataset={"files": folder},
        languages=["eng-Latn"], main_metric="accuracy", settings={"candidate_labels": ["a", "b"]}, transforms=STEPS)
    rows = load(config, "default", ["test"]).splits["test"]
    digests("x", ImageColumn(rows, "image"), Variant(modality="image"))
    return sum(map(len, rows["image"]))

read(sys.argv[2])  # whatever is imported on the way
peak = [anonymous()]
watching = threading.Thread(target=watch)
watching.start()
assert read(sys.argv[1]) == 2**27
over.set()
watching.join()
print(max(peak) - peak[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="only Linux tells what is a process's own memory")
def test_memory_stays_far_below_the_size_of_the_images(tmp_path: Path) -> None:
    write_images(tmp_path / "data" / "test.parquet", IMAGES, SIZE, row_group=8)
    write_images(tmp_path / "warm" / "test.parquet", 4, SIZE, row_group=4)
    done = subprocess.run(
        [sys.executable, "-c", READ, tmp_path / "data", tmp_path / "warm"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) < IMAGES * SIZE // 2


def test_a_mapped_table_is_that_of_the_file(tmp_path: Path) -> None:
    """Whatever the types: categories, lists, missing values; and what was read is what was hashed."""
    columns = {
        "image": pa.array([padded(number, 400) for number in range(6)]),
        "kind": pa.array(["a", "b", None, "a", "b", "a"]).dictionary_encode(),
        "lists": pa.array([["x"], None, [], ["y", None], ["z"], []]),
    }
    path = tmp_path / "test.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=2)
    table, sha256 = parquet.mapped_parquet(path)
    assert content_hash(table) == content_hash(Table(pa.table(columns)).plain())
    assert table.arrow.schema.field("kind").type == pa.string()
    content = path.read_bytes()
    assert sha256 == hashlib.sha256(content).hexdigest() == folder.digest(path)
    path.write_bytes(b"")  # nobody else can change what is mapped
    assert table.values("image") == columns["image"].to_pylist()


def test_a_mapped_table_may_have_no_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": pa.array([], pa.binary())}), tmp_path / "x.parquet")
    table, _ = parquet.mapped_parquet(tmp_path / "x.parquet")
    assert (table.names, len(table)) == (["image"], 0)


def test_no_room_for_a_mapped_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({"image": [b"x"]}), tmp_path / "x.parquet")
    monkeypatch.setenv("EMBEDMARK_CACHE", str(tmp_path / "x.parquet" / "below"))
    with pytest.raises(UserError, match=r"below: large tables are laid down here.*EMBEDMARK_CACHE"):
        parquet.mapped_parquet(tmp_path / "x.parquet")
