"""How much memory images take on their way from a hub or a folder to a score.

    python tests/benchmarks/image_memory.py [--images 20000] [--kilobytes 256] [--sources files hub hub-again]
        [--row-group 100] [--scratch DIR]

PNG files of 16 by 16 pixels, padded by noise in a text chunk, in one Parquet file: the whole command plans a zero-shot
task over them, hashes, encodes (by a model whose vectors are a hash of the bytes, so that nothing of a network is
measured) and scores. The hub is `serve.py` on the loopback. What is measured is RssAnon of the process, sampled every
20 ms: memory that belongs to it alone; pages of mapped files, which the system takes back when it likes, are not in it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from loopback import serving

COMMIT = "c" * 40
CLASSES = ["a circle", "a square"]

OWN = """
import hashlib

import numpy as np

from embedmark.models.base import Variant


class Hashing:
    batch_tokens, facts, modalities, similarity = 16, {}, ("text", "image"), "cosine"

    def __init__(self, spec):
        pass

    def variant(self, context):
        return Variant()

    def lengths(self, texts, variant):
        return np.ones(len(texts), dtype=np.int64)

    def encode(self, texts, variant):
        return np.stack([_vector(text.encode()) for text in texts])

    def image_lengths(self, images):
        return np.ones(len(images), dtype=np.int64)

    def encode_images(self, images, variant):
        return np.stack([_vector(image.data) for image in images])


def _vector(content):
    return np.frombuffer(hashlib.blake2b(content).digest(), dtype=np.uint8).astype(np.float32) - 128
"""


def main() -> None:
    """Make the data, run each source in a process of its own, print a line of JSON for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--kilobytes", type=int, default=256)
    parser.add_argument("--row-group", type=int, default=100)
    parser.add_argument("--sources", nargs="*", default=["files", "hub", "hub-again"])
    parser.add_argument("--scratch", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
        folder = Path(scratch)
        data = folder / "data" / "test.parquet"
        write_images(data, arguments.images, arguments.kilobytes * 1024, arguments.row_group)
        _project(folder)
        for source in arguments.sources:
            print(json.dumps(_measured(folder, source, data)), flush=True)


def write_images(path: Path, count: int, size: int, row_group: int) -> None:
    """Write so many different images of that size, with a class number each, into a Parquet file."""
    path.parent.mkdir(parents=True)
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    features = {"image": {"_type": "Image"}, "label": {"names": CLASSES, "_type": "ClassLabel"}}
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    schema = pa.schema({"image": kind, "label": pa.int64()}, metadata=about)
    with pq.ParquetWriter(path, schema) as file:
        for start in range(0, count, row_group):
            numbers = range(start, min(start + row_group, count))
            images = pa.array([{"bytes": padded(number, size), "path": None} for number in numbers], kind)
            file.write_table(pa.table([images, [number % 2 for number in numbers]], schema=schema))


def padded(number: int, size: int) -> bytes:
    """A PNG of that number and size: 16 by 16 pixels, and noise in a text chunk before them."""
    rng = np.random.default_rng(number)
    content = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(content, "PNG")
    plain = content.getvalue()
    head = 33  # signature and IHDR
    noise = b"tEXtnoise\0" + rng.bytes(max(0, size - len(plain) - 18))
    chunk = (len(noise) - 4).to_bytes(4, "big") + noise + zlib.crc32(noise).to_bytes(4, "big")
    return plain[:head] + chunk + plain[head:]


def _project(folder: Path) -> None:
    (folder / "weights").mkdir()
    (folder / "weights" / "own.py").write_text(OWN, encoding="utf-8")
    model = {
        "name": "test/hashing",
        "loader": "own:Hashing",
        "source": {"path": str(folder / "weights")},
        "trust_remote_code": True,
        "about": {"modalities": ["text", "image"]},
    }
    _write(folder / "model" / "hashing.yaml", model)
    places = {"files": {"files": str(folder / "data")}, "hub": {"hub": "me/images", "revision": COMMIT}}
    for name, dataset in places.items():
        task = {
            "name": name,
            "type": "zeroshot_image_classification",
            "dataset": dataset,
            "languages": ["eng-Latn"],
            "main_metric": "accuracy",
            "settings": {"candidate_labels": CLASSES},
        }
        _write(folder / "task" / f"{name}.yaml", task)
    dataset = folder / "root" / "datasets" / "me" / "images" / COMMIT / "data"
    dataset.mkdir(parents=True)
    (dataset / "test.parquet").symlink_to(folder / "data" / "test.parquet")


def _write(path: Path, values: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(values), encoding="utf-8")


def _measured(folder: Path, source: str, data: Path) -> dict[str, object]:
    """Run the command on one source; `hub-again` has the hub's files in its cache."""
    task = source.partition("-")[0]
    outputs = folder / f"outputs-{source}"
    command = [sys.executable, "-m", "runner", "--config-dir", str(folder), "model=hashing"]
    command += [f"tasks=[{task}]", f"outputs={outputs}"]
    with serving(folder / "root") as endpoint:
        environment = {
            **os.environ,
            "HF_ENDPOINT": endpoint,
            "HF_HOME": str(folder / "hf"),
            "EMBEDMARK_CACHE": str(folder / "cache"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=sys.stderr)
        anonymous = max(_anonymous(process))
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    [record] = [json.loads(path.read_text(encoding="utf-8")) for path in outputs.glob("jobs/*/result.json")]
    return {
        "source": source,
        "data_mib": round(data.stat().st_size / 2**20),
        "anonymous_mib": round(anonymous / 2**20),
        "seconds": round(time.perf_counter() - started, 1),
        "encoded": record["timing"]["texts_encoded"],
        "content": record["dataset"]["content"]["test"][:12],
    }


def _anonymous(process: subprocess.Popen[bytes]) -> Iterator[int]:
    """Bytes of anonymous memory, again and again until the process ends."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        if found := re.search(r"RssAnon:\s+(\d+) kB", status.read_text()):
            yield int(found[1]) * 1024
        time.sleep(0.02)


if __name__ == "__main__":
    main()
