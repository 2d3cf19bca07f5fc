"""How fast images become vectors, ours against the reference implementation, by the same small CLIP.

    .venv/bin/python tests/benchmarks/image_speed.py [--images 2000] [--runs 5]

PNG files of 128 to 1,024 pixels a side, cut out of scikit-learn's two photographs and scaled, lie in one Parquet file.
The network has two layers and random weights, and the preprocessing of the real ones: scaled to 224 pixels, cut and
normalized. What is timed begins with the opened table and ends with all vectors, on our side in a store on disk, keys
and all; on the reference's with its data loader and wrapper. Each run is a process of its own, both sides in turns.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
PYTHON = {
    "ours": ROOT / ".venv" / "bin" / "python",
    "reference": ROOT / ".venv-reference" / "bin" / "python",
}
SMALLEST, LARGEST, SIDE = 128, 1024, 224


def main() -> None:
    """Make pictures and model, run both sides in turns, and print ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--side", choices=PYTHON, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        found = {"ours": ours, "reference": reference}[options.side](options.folder)
        np.save(options.folder / f"{options.side}.npy", found[1])
        print(json.dumps(found[0]))
        return
    sys.path.insert(0, str(ROOT / "tests"))
    from tiny_models import tiny_clip

    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    environment |= {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tiny_clip(folder, side=SIDE)
        write_pictures(folder / "pictures.parquet", options.images)
        seconds: dict[str, list[float]] = {side: [] for side in PYTHON}
        for _ in range(options.runs):
            for side, python in PYTHON.items():
                command = [str(python), __file__, "--side", side, "--folder", str(folder)]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
                seconds[side].append(json.loads(done.stdout.splitlines()[-1]))
            print(json.dumps({side: round(found[-1], 2) for side, found in seconds.items()}), flush=True)
        largest = float(np.abs(np.load(folder / "ours.npy") - np.load(folder / "reference.npy")).max())
    ratios = [theirs / mine for theirs, mine in zip(seconds["reference"], seconds["ours"], strict=True)]
    for side, found in seconds.items():
        print(f"{side}: {statistics.median(found):.2f} s ({min(found):.2f}-{max(found):.2f})")
    print(f"ratio: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}) over {len(ratios)} pairs")
    print(f"largest difference of any number in a vector: {largest:.1e}")


def write_pictures(path: Path, count: int) -> None:
    """Write so many different PNG files into a Parquet file, in groups of rows as `datasets` makes them."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image
    from sklearn.datasets import load_sample_images

    photographs = [Image.fromarray(pixels) for pixels in load_sample_images().images]
    draw = np.random.default_rng(0)
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    about = {"huggingface": json.dumps({"info": {"features": {"image": {"_type": "Image"}}}})}
    schema = pa.schema({"image": kind}, metadata=about)
    with pq.ParquetWriter(path, schema) as file:
        for start in range(0, count, 100):
            files = []
            for number in range(start, min(start + 100, count)):
                whole = photographs[number % len(photographs)]
                left, top = draw.integers(0, whole.width // 2), draw.integers(0, whole.height // 2)
                box = (int(left), int(top), int(left) + whole.width // 2, int(top) + whole.height // 2)
                width, height = draw.integers(SMALLEST, LARGEST + 1, 2)
                content = io.BytesIO()
                whole.crop(box).resize((int(width), int(height))).save(content, "PNG", compress_level=1)
                files.append({"bytes": content.getvalue(), "path": None})
            file.write_table(pa.table([pa.array(files, kind)], schema=schema))


def ours(folder: Path) -> tuple[float, NDArray[np.float32]]:
    """Seconds of our engine, and the vectors."""
    from embedmark.models.base import Variant
    from embedmark.models.spec import ModelSpec
    from embedmark.models.torch.sentence_transformer import load
    from embedmark.runner.data.images import as_bytes
    from embedmark.runner.data.parquet import mapped_parquet
    from embedmark.runner.data.table import Table
    from embedmark.runner.encode.engine import Request, encode
    from embedmark.runner.encode.store import DiskStore, MemoryStore
    from embedmark.tasks.columns import ImageColumn

    encoder: Any = load(ModelSpec("clip", folder / "model", device="cpu"))
    table = as_bytes(mapped_parquet(folder / "pictures.parquet")[0])
    assert isinstance(table, Table)
    images, variant = ImageColumn(table.rows(), "image"), Variant(modality="image")
    encode(encoder, [Request("warm", images[:8], variant)], MemoryStore())
    with tempfile.TemporaryDirectory(dir=folder) as kept:
        started = time.perf_counter()
        request = Request("all", images, variant)
        vectors = encode(encoder, [request], DiskStore(Path(kept), {})).vectors(request)
        return time.perf_counter() - started, vectors


def reference(folder: Path) -> tuple[float, NDArray[np.float32]]:
    """Seconds of the reference's loader and wrapper, and the vectors."""
    import mteb
    from datasets import load_dataset
    from mteb._create_dataloaders import create_dataloader
    from mteb.models.model_implementations.clip_models import CLIPModel

    model: Any = CLIPModel(str(folder / "model"), revision=None, device="cpu")
    metadata = mteb.get_task("CIFAR10ZeroShot").metadata
    files = str(folder / "pictures.parquet")
    rows = load_dataset("parquet", data_files=files, split="train", cache_dir=str(folder / "cache"))
    about = {"task_metadata": metadata, "input_column": "image"}
    model.get_image_embeddings(create_dataloader(rows.select(range(8)), **about), show_progress_bar=False)
    started = time.perf_counter()
    found = model.get_image_embeddings(create_dataloader(rows, **about), show_progress_bar=False)
    return time.perf_counter() - started, found.numpy()


if __name__ == "__main__":
    main()
