"""What the reference gives a model for each kind of text: prompt and encode arguments, for published models' settings.

    .venv-reference/bin/python tests/benchmarks/reference/record_prompts.py OUT.json [MODEL ...]

Loads each model as the reference's own metadata says, but around a network that only notes what it is given, so nothing
is downloaded; the checkpoints' own prompts are thereby empty. tests/models/test_published_prompts.py compares.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mteb
import sentence_transformers
import torch
from mteb.types import PromptType
from sentence_transformers import SentenceTransformer

MODELS = [
    "intfloat/e5-base-v2",
    "BAAI/bge-base-en-v1.5",
    "BAAI/bge-small-zh-v1.5",
    "nomic-ai/nomic-embed-text-v1.5",
    "nomic-ai/modernbert-embed-base",
    "intfloat/e5-mistral-7b-instruct",
    "intfloat/multilingual-e5-large-instruct",
    "Alibaba-NLP/gte-Qwen2-7B-instruct",
    "Qwen/Qwen3-Embedding-0.6B",
    "NovaSearch/stella_en_400M_v5",
    "jinaai/jina-embeddings-v3",
    "mixedbread-ai/mxbai-embed-large-v1",
    "Snowflake/snowflake-arctic-embed-l-v2.0",
    "GritLM/GritLM-7B",
    "ReasonIR/ReasonIR-8B",
    "nvidia/NV-Embed-v2",
    "Salesforce/SFR-Embedding-Mistral",
    "Linq-AI-Research/Linq-Embed-Mistral",
    "Octen/Octen-Embedding-0.6B",
    "codefuse-ai/C2LLM-0.5B",
    "sbintuitions/sarashina-embedding-v2-1b",
    "tencent/Youtu-Embedding",
    "ai-sage/Giga-Embeddings-instruct",
    "tencent/KaLM-Embedding-Gemma3-12B-2511",
    "microsoft/harrier-oss-v1-270m",
    "jinaai/jina-embeddings-v5-text-nano",
    "HIT-TMG/KaLM-embedding-multilingual-mini-instruct-v1.5",
]

SYMMETRIC = [
    "Banking77Classification",
    "MassiveIntentClassification",
    "AmazonCounterfactualClassification",
    "KorHateSpeechMLClassification",
    "TwentyNewsgroupsClustering.v2",
    "ArxivClusteringP2P",
    "STSBenchmark",
    "STS22.v2",
    "AFQMC",
    "SprintDuplicateQuestions",
    "TwitterURLCorpus",
    "BUCC.v2",
    "SummEvalSummarization.v2",
]
SIDED = [
    "ArguAna",
    "NFCorpus",
    "SciFact",
    "CosQA",
    "AppsRetrieval",
    "BrightBiologyRetrieval",
    "T2Retrieval",
    "AskUbuntuDupQuestions",
    "SciDocsRR",
    "MindSmallReranking",
    "TERRa.V2",
]
CONTEXTS = [(task, None) for task in SYMMETRIC] + [
    (task, side) for task in SIDED for side in (PromptType.query, PromptType.document)
]


class Probe(torch.nn.Module):
    """Stands where a network would; `given` is what it was asked to encode last."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.given: dict[str, Any] = {}
        self.auto_model = SimpleNamespace(config=SimpleNamespace(_attn_implementation="sdpa"))
        self.tokenizer = SimpleNamespace(padding_side="right")

    def preprocess(self, texts: list[str], prompt: str | None = None, **arguments: Any) -> dict[str, Any]:
        """Notes down the texts, with their prompt in front, and the arguments."""
        self.given = {"texts": [(prompt or "") + text for text in texts], **arguments}
        return {"input_ids": torch.zeros(len(texts), 1)}

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Vectors of zeros."""
        return {**features, "sentence_embedding": torch.zeros(len(features["input_ids"]), 2)}


class Recording(SentenceTransformer):
    """A SentenceTransformer without a checkpoint, whatever it is told to load."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__(modules=[Probe()], device="cpu")

    def set_pooling_include_prompt(self, include_prompt: bool) -> None:
        """There is no pooling."""


class Inputs:
    """One batch with one text, as the reference's data loaders give it."""

    dataset = SimpleNamespace(features={"text": None})

    def __iter__(self) -> Any:
        yield {"text": ["text"]}


def main() -> None:
    """Record every context of every model."""
    out, *names = sys.argv[1:]
    sentence_transformers.SentenceTransformer = Recording
    mteb.models.ModelMeta._check_requirements = lambda _: None
    tasks = {name: mteb.get_task(name) for name in {task for task, _ in CONTEXTS}}
    facts: dict[str, dict[str, Any]] = {}
    for name in names or MODELS:
        model = mteb.get_model_meta(name).load_model(device="cpu")
        facts[name] = {}
        for task, side in CONTEXTS:
            model.encode(
                Inputs(), task_metadata=tasks[task].metadata, hf_split="test", hf_subset="default", prompt_type=side
            )
            given = dict(model.model[0].given)
            (text,) = given.pop("texts")
            if given.get("task") in (None, "query", "document"):  # the side, which sentence-transformers adds
                given.pop("task", None)
            key = f"{task}-{side.value}" if side else task
            facts[name][key] = [text.removesuffix("text"), given] if given else text.removesuffix("text")
    Path(out).write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
