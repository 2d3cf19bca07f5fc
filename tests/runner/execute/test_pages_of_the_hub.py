"""Pages of a hub, as texts and pictures, read and searched by ours and by the reference, each by its own loading."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from captioned import png
from datasets import Dataset, Features, Value
from datasets import Image as ImageFeature
from loopback import REPOSITORY, HubRoot, ServeHub
from written import write

REFERENCE = REPOSITORY / ".venv-reference" / "bin" / "python"
SCRIPT = REPOSITORY / "tests" / "benchmarks" / "reference" / "pages.py"
REVISION = "e" * 40
LANGUAGES = {"en": ["eng-Latn"], "de": ["deu-Latn"]}
PAGES, QUESTIONS = 40, 60

TOWERS = """
import numpy as np
from captioned import caption_in, fused
from embedmark.models.base import Variant


class Towers:
    batch_tokens, facts, modalities, fusion, similarity = 65536, {}, ("text", "image"), "sum", "dot"

    def __init__(self, spec):
        pass

    def variant(self, context):
        return Variant()

    def lengths(self, texts, variant):
        return np.array([len(text) for text in texts])

    def encode(self, texts, variant):
        return fused([(text, None) for text in texts])

    def image_lengths(self, images):
        return np.array([len(image) for image in images])

    def encode_images(self, images, variant):
        return fused([(None, caption_in(image.data)) for image in images])
"""


def publish(folder: Path, shared: Path) -> None:
    """Some of XQuAD's paragraphs beside pictures of how they begin, in the layout and files of the hub."""
    [source] = (shared / "hub" / "root" / "datasets" / "mteb" / "XQuADRetrieval").iterdir()
    features = Features(
        {"id": Value("string"), "text": Value("string"), "title": Value("string"), "image": ImageFeature()}
    )
    parts: list[str] = []

    def write(name: str, rows: Dataset) -> None:
        (folder / name).mkdir(parents=True)
        rows.to_parquet(str(folder / name / "test-00000-of-00001.parquet"))
        parts.append(name)

    for subset in LANGUAGES:
        rows = {part: read(source / f"{subset}-{part}" / "validation.jsonl.gz") for part in ("corpus", "queries")}
        pages, asked = rows["corpus"][:PAGES], rows["queries"][:QUESTIONS]
        corpus: dict[str, list[Any]] = {
            "id": [page["_id"] for page in pages],
            "text": [page["text"] for page in pages],
            "title": ["" for _ in pages],
            "image": [{"bytes": png(page["text"][:40][::-1]), "path": None} for page in pages],
        }
        write(f"{subset}-corpus", Dataset.from_dict(corpus, features=features))
        write(f"{subset}-queries", Dataset.from_list([{"id": row["_id"], "text": row["text"]} for row in asked]))
        kept = {row["_id"] for row in asked}
        judged = [
            row for row in read(source / f"{subset}-qrels" / "validation.jsonl.gz") if str(row["query-id"]) in kept
        ]
        write(f"{subset}-qrels", Dataset.from_list(judged))
    configs = [
        {"config_name": part, "data_files": [{"split": "test", "path": f"{part}/test-*.parquet"}]} for part in parts
    ]
    head = yaml.safe_dump({"configs": configs})
    (folder / "README.md").write_text(f"---\n{head}---\n", encoding="utf-8")


def read(path: Path) -> list[dict[str, Any]]:
    return list(Dataset.from_json(str(path)))  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.reference
@pytest.mark.hub
@pytest.mark.skipif(not REFERENCE.exists(), reason="no .venv-reference; make it with `make reference`")
def test_pages_are_read_and_found_as_by_the_reference(
    shared: Path, tmp_path: Path, hub_root: HubRoot, serve_hub: ServeHub
) -> None:
    publish(tmp_path / "pages", shared)
    endpoint = serve_hub(hub_root(datasets={f"lab/pages/{REVISION}": tmp_path / "pages"}, with_shared=False))
    paths = {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")])}
    env = {**os.environ, **paths, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "home")}
    command = [str(REFERENCE), str(SCRIPT), "lab/pages", REVISION, str(tmp_path / "reference.json")]
    with subprocess.Popen(command, env={**env, "HF_HOME": str(tmp_path / "theirs")}) as theirs:
        found = ours(tmp_path, env)
        assert theirs.wait() == 0
    expected = json.loads((tmp_path / "reference.json").read_text(encoding="utf-8"))
    assert found.keys() == expected.keys()
    for run, scores in expected.items():
        del scores["main_score"]
        assert found[run].keys() == scores.keys()
        # The vectors of MiniLM depend a little on what was batched with what, and nAUC on their last digits.
        end_to_end = run.startswith("minilm")
        names = [name for name in scores if not (end_to_end and name.startswith("nauc"))]
        far = {name: abs(found[run][name] - scores[name]) for name in names if not math.isnan(scores[name])}
        assert max(far.values()) <= (1e-4 if end_to_end else 1e-9), (run, max(far, key=far.__getitem__))
    assert expected["minilm t2it en"]["ndcg_at_5"] > 0.5


def ours(folder: Path, env: dict[str, str]) -> dict[str, dict[str, float]]:
    """Run (model, task) by the command line: all scores of each subset."""
    own = folder / "towers"
    own.mkdir()
    (own / "own.py").write_text(TOWERS, encoding="utf-8")
    about = {"modalities": ["text", "image"]}
    model = {"name": "lab/towers", "loader": "own:Towers", "source": {"path": str(own)}, "trust_remote_code": True}
    write(folder / "model" / "towers.yaml", {**model, "about": about})
    for name, modality in {"t2i": "image", "t2it": "text+image"}.items():
        values = {
            "name": name,
            "type": "retrieval",
            "label": "DocumentUnderstanding",
            "dataset": {"hub": "lab/pages", "revision": REVISION},
            "subsets": LANGUAGES,
            "main_metric": "ndcg_at_5",
            "settings": {"document_modality": modality},
        }
        write(folder / "task" / f"{name}.yaml", values)
    found = {}
    for model_name, tasks in {"towers": ("t2i", "t2it"), "minilm": ("t2it",)}.items():
        outputs = folder / f"out-{model_name}"
        command = [sys.executable, "-m", "embedmark.runner", "run", "--config-dir", str(folder)]
        asked = [f"model={model_name}", f"tasks=[{','.join(tasks)}]", f"outputs={outputs}"]
        subprocess.run([*command, *asked], check=True, cwd=folder, env=env)
        for path in outputs.glob("jobs/*/result.json"):
            record = json.loads(path.read_text(encoding="utf-8"))
            scores = {name: math.nan if value is None else value for name, value in record["scores"].items()}
            found[f"{model_name} {record['job']['task']} {record['job']['subset']}"] = scores
    return found
