"""The sample of a corpus that the reference's wrapper of CDE shows its model before each task, as JSON.

    HF_ENDPOINT=... HF_HOME=... .venv-reference/bin/python tests/benchmarks/reference/record_samples.py OUT.json

Runs in the reference's environment, on the tasks of the shared hub, or with --mocks FOLDER on those of mteb.mocks,
whose data and configs it then writes to that folder. The model is none: what it is given to encode without the vectors
of a sample is the sample. Every subset of every split is run by a wrapper of its own. The wrapper of mteb 2.26.24
leaves out an argument of a method of retrieval tasks (`num_proc`), and so fails on them; it is given here.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from functools import partialmethod
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["TQDM_DISABLE"] = "1"

import numpy as np
import run
import torch
from encoders import random_vectors
from hub_tasks import HUB_TASKS, LAB_TASKS
from mock_tasks import MOCKS, export
from mteb.abstasks import AbsTaskRetrieval
from mteb.models import ModelMeta
from mteb.models.model_implementations import cde_models
from mteb.similarity_functions import cos_sim, pairwise_cos_sim

SIZE = 300
"""Texts a sample: more than some corpora of the hub have, and fewer than others."""


def main() -> None:
    """Run the tasks and write what was sampled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mocks", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    AbsTaskRetrieval.convert_v1_dataset_format_to_v2 = partialmethod(
        AbsTaskRetrieval.convert_v1_dataset_format_to_v2, num_proc=None
    )
    names = list(MOCKS) if arguments.mocks else [*HUB_TASKS, *LAB_TASKS]
    runs = [found for name in names for found in _runs(name, arguments.mocks)]
    facts = {"size": SIZE, "versions": {"mteb": importlib.metadata.version("mteb")}, "runs": runs}
    arguments.out.write_text(run._one_run_a_line(facts), encoding="utf-8")


def _runs(name: str, mocks: Path | None) -> Iterator[dict[str, Any]]:
    loaded = run._task(name)
    loaded.load_data()
    cde_models.mteb = SimpleNamespace(get_task=lambda _: loaded)
    if mocks:
        export(loaded, mocks)
    for split in loaded.eval_splits:
        for subset in loaded.hf_subsets:
            print(name, split, subset, file=sys.stderr, flush=True)
            network = Network()
            task = run._fresh(loaded, [subset])
            task.evaluate(wrapper(network), split, subsets_to_run=[subset], encode_kwargs={})
            yield {"task": name, "split": split, "subset": subset, "samples": network.samples}


def wrapper(network: Network) -> cde_models.CDEWrapper:
    """The reference's wrapper around a network that is none."""
    made = cde_models.CDEWrapper.__new__(cde_models.CDEWrapper)
    made.model, made.model_prompts, made.max_sentences = network, cde_models.cde_model_prompts, SIZE
    made.mteb_model_meta = ModelMeta.create_empty()
    made.similarity, made.similarity_pairwise = cos_sim, pairwise_cos_sim
    return made


class Network:
    """Vectors out of a hash of the text. samples: a hash of each list of texts that came without a sample's vectors."""

    def __init__(self) -> None:
        self.samples: list[str] = []

    def encode(self, texts: Sequence[str], *, prompt: str | None = None, **arguments: Any) -> Any:
        """As SentenceTransformer.encode."""
        vectors = random_vectors(list(map(str, texts)))
        if "dataset_embeddings" in arguments:
            return np.asarray(vectors)
        described = json.dumps([prompt, *map(str, texts)])
        self.samples.append(hashlib.blake2b(described.encode(), digest_size=16).hexdigest())
        return torch.from_numpy(vectors)


if __name__ == "__main__":
    main()
