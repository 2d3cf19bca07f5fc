"""What the reference tells services about each kind of text: the input type, for models behind Cohere, Voyage, Google.

    .venv-reference/bin/python tests/benchmarks/reference/record_services.py OUT.json

The clients of these services are not installed; in their place stand ones that only note what they are given.
tests/models/test_published_input_types.py compares.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import mteb
from record_prompts import CONTEXTS, Inputs

MODELS = [
    "Cohere/Cohere-embed-english-v3.0",
    "Cohere/Cohere-embed-multilingual-light-v3.0",
    "Cohere/Cohere-embed-v4.0",
    "mongodb/voyage-3.5",
    "mongodb/voyage-3-large",
    "mongodb/voyage-code-3",
    "google/gemini-embedding-001",
    "google/text-embedding-005",
    "google/text-multilingual-embedding-002",
]

given: dict[str, Any] = {}


class Client:
    """A client of Cohere or Voyage."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def tokenize(self, *_: Any, **__: Any) -> Any:
        """One token a text, as both say it."""
        return _Tokens()

    def embed(self, **arguments: Any) -> Any:
        """Note what is asked."""
        given.update(arguments)
        given["type"] = arguments["input_type"]
        vectors = [[0.0, 0.0]] * len(arguments["texts"])
        embeddings = SimpleNamespace(float=vectors) if "embedding_types" in arguments else vectors
        return SimpleNamespace(embeddings=embeddings, total_tokens=1)


class _Tokens(list[list[int]]):
    tokens = (0,)

    def __init__(self) -> None:
        super().__init__([[0]])


class TextEmbeddingInput(SimpleNamespace):
    """A text for Google, with its task type."""

    def __init__(self, text: str, task_type: str | None = None, title: str | None = None) -> None:
        super().__init__(text=text, task_type=task_type, title=title)


class TextEmbeddingModel:
    """A model of Google's."""

    @classmethod
    def from_pretrained(cls, _: str) -> TextEmbeddingModel:
        """The only one there is."""
        return cls()

    def get_embeddings(self, batch: list[TextEmbeddingInput], **_: Any) -> Any:
        """Note what is asked."""
        given.update(texts=[asked.text for asked in batch], type=batch[0].task_type)
        return [SimpleNamespace(values=[0.0, 0.0])] * len(batch)


def stand_in(name: str, **members: Any) -> None:
    """A module of that name that has these members."""
    module = ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module


def main() -> None:
    """Record every context of every model."""
    errors = SimpleNamespace(TooManyRequestsError=TimeoutError)
    stand_in("cohere", Client=Client, ClientV2=Client, errors=errors)
    stand_in("voyageai", Client=Client)
    stand_in("vertexai")
    stand_in("vertexai.language_models", TextEmbeddingInput=TextEmbeddingInput, TextEmbeddingModel=TextEmbeddingModel)
    nothing = SimpleNamespace(Compose=lambda _: None, PILToTensor=lambda: None)
    stand_in("torchvision", transforms=nothing)
    mteb.models.ModelMeta._check_requirements = lambda _: None
    # Requests are spaced by the reference, which has nobody to spare here.
    sys.modules["time"].sleep = lambda _: None
    tasks = {name: mteb.get_task(name) for name in {task for task, _ in CONTEXTS}}
    facts: dict[str, dict[str, Any]] = {}
    for name in MODELS:
        model = mteb.get_model_meta(name).load_model(device="cpu")
        facts[name] = {}
        for task, side in CONTEXTS:
            given.clear()
            model.encode(
                Inputs(), task_metadata=tasks[task].metadata, hf_split="test", hf_subset="default", prompt_type=side
            )
            assert given["texts"] == ["text"]
            facts[name][f"{task}-{side.value}" if side else task] = given["type"]
    Path(sys.argv[1]).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
