"""What the reference makes of some vectors in every number format that it rounds to.

    .venv-reference/bin/python tests/benchmarks/reference/record_quantized.py OUT.json

tests/models/test_postprocess.py compares.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from mteb.models import CompressionWrapper
from mteb.types import OutputDType

FORMATS = "float16 bfloat16 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz int8 uint8 int4 uint4 binary"
CLIP = (0.05, 0.9)


def main() -> None:
    """Write vectors, and what became of them, by format; with percentiles cut off under `<format> clipped`."""
    # As text in six digits, so that both read the same float32.
    written = np.random.default_rng(0).normal(0, 1, (24, 5)).round(6).tolist()
    vectors = torch.tensor(written, dtype=torch.float32)
    found = {"vectors": written, "clip": CLIP}
    for name in FORMATS.split():
        for clip in (None, CLIP) if "int" in name else (None,):
            meta = SimpleNamespace(output_dtypes=None, experiment_kwargs=None, name="any")
            meta.model_copy = lambda update, meta=meta: meta
            wrapper = CompressionWrapper(SimpleNamespace(mteb_model_meta=meta), OutputDType(name), clip)
            rounded = wrapper._quantize_embeddings(vectors).float()
            found[name if clip is None else f"{name} clipped"] = rounded.tolist()
    Path(sys.argv[1]).write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
