"""Tasks of images as their publishers lay them out, one of each recipe: what is read, from a hub of small pictures.

The reference reads the same (tests/benchmarks/layouts_parity.py compares all of them).
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import pytest
import yaml
from loopback import HubRoot, ServeHub
from PIL import Image
from resolved import load

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import TaskConfig
from embedmark.runner.data.load import Loaded
from embedmark.runner.hub.files import Hub
from embedmark.tasks.base import RetrievalRows

Content = Mapping[tuple[str, str], Sequence[dict[str, Any]]]
CATALOGUE = Catalogue()


def picture(number: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2, 2), (number, 0, 0)).save(file, "PNG")
    return file.getvalue()


def numbers(images: Sequence[bytes]) -> list[int]:
    """What the pictures were made of."""
    return [Image.open(io.BytesIO(image)).getpixel((0, 0))[0] for image in images]  # type: ignore[index]


Read = Callable[..., Loaded]


@pytest.fixture
def read(tmp_path: Path, hub_root: HubRoot, serve_hub: ServeHub, hf_home: Path) -> Read:
    """Read a task of the catalogue, in (configuration, split) → rows."""

    def make(name: str, content: Content, subset: str = "default") -> Loaded:
        configs: dict[str, list[dict[str, str]]] = {}
        for number, ((config, split), rows) in enumerate(content.items()):
            made = datasets.Dataset.from_list([dict(row) for row in rows])
            if "image" in made.column_names:
                made = made.cast_column("image", datasets.Image())
            made.to_parquet(tmp_path / "data" / f"{number}.parquet")
            configs.setdefault(config, []).append({"split": split, "path": f"{number}.parquet"})
        header = {"configs": [{"config_name": config, "data_files": files} for config, files in configs.items()]}
        (tmp_path / "data" / "README.md").write_text(f"---\n{yaml.safe_dump(header)}---\n")
        root = hub_root(datasets={f"me/mine/{'a' * 40}": tmp_path / "data"}, with_shared=False)
        hub = Hub(serve_hub(root), hf_home / "hub", offline=False, attempts=2, wait=0.01)
        return load(_task(name), subset, ["test"], hub=hub)

    return make


def _task(name: str) -> TaskConfig:
    """The task as it ships, with its data elsewhere."""
    task = CATALOGUE.task(name)
    return task.model_copy(update={"dataset": task.dataset.model_copy(update={"hub": "me/mine", "revision": "a" * 40})})


def rows_of(loaded: Loaded) -> RetrievalRows:
    found = loaded.splits["test"]
    assert isinstance(found, RetrievalRows)
    return found


CAPTIONED = [
    {"image_id": "a", "image": picture(0), "captions": ["one", " ", "two"]},
    {"image_id": "b", "image": picture(1), "captions": [""]},
]


@pytest.mark.hub
def test_captions_are_numbered_an_image(read: Read) -> None:
    content = {("default", "de"): CAPTIONED, ("default", "fr"): CAPTIONED[1:]}
    found = rows_of(read("WITT2IRetrieval", content, "de"))
    assert list(found.queries["id"]) == ["query-a-0", "query-a-1", "query-a-2", "query-b-0"]
    assert list(found.queries["text"]) == ["one", " ", "two", ""]
    assert (list(found.corpus["id"]), numbers(found.corpus["image"])) == (["corpus-a", "corpus-b"], [0, 1])
    assert found.qrels["query-a-2"] == {"corpus-a": 1}


@pytest.mark.hub
def test_blank_captions_are_no_documents(read: Read) -> None:
    found = rows_of(read("WITI2TRetrieval", {("default", "de"): CAPTIONED}, "de"))
    assert dict(zip(found.corpus["id"], found.corpus["text"], strict=True)) == {
        "corpus-a-0": "one",
        "corpus-a-1": "two",
    }
    assert (list(found.queries["id"]), numbers(found.queries["image"])) == (["query-a"], [0])
    assert found.qrels == {"query-a": {"corpus-a-0": 1, "corpus-a-1": 1}}


@pytest.mark.hub
def test_the_corpus_of_memes_is_of_all_splits_each_text_once(read: Read) -> None:
    ids = {"train": [1, 2, 3], "validation": [4], "test": [5, 6]}
    texts = {1: "x", 2: "y", 3: "z", 4: "x", 5: "y", 6: "y"}
    content = {
        ("default", split): [{"id": i, "text": texts[i], "image": picture(i), "label": 0, "split": split} for i in held]
        for split, held in ids.items()
    }
    found = rows_of(read("HatefulMemesT2IRetrieval", content))
    assert (list(found.corpus["id"]), numbers(found.corpus["image"])) == (
        ["corpus-5", "corpus-4", "corpus-3"],
        [5, 4, 3],
    )
    assert found.qrels == {"query-5": {"corpus-5": 1}, "query-6": {"corpus-6": 1}}, "the last one has no answer"


@pytest.mark.hub
def test_choices_are_documents_each_once(read: Read) -> None:
    rows = [
        {"task": "Count", "question": "how many?", "choices": ["1", "2"], "answer": "(B)", "image": picture(0)},
        {"task": "Depth", "question": "which?", "choices": ["far", "near"], "answer": "(A)", "image": picture(1)},
        {"task": "Count", "question": "and now?", "choices": ["0", "2", "1"], "answer": "(C)", "image": picture(2)},
    ]
    found = rows_of(read("CVBenchCount", {("default", "test"): rows}))
    assert (list(found.queries["text"]), numbers(found.queries["image"])) == (["how many?", "and now?"], [0, 2])
    assert list(found.corpus["text"]) == ["1", "2", "0"]
    assert found.qrels["query-test-1"] == {"corpus-test-2": 0, "corpus-test-1": 0, "corpus-test-0": 1}
    assert found.top_ranked == {
        "query-test-0": ["corpus-test-0", "corpus-test-1"],
        "query-test-1": ["corpus-test-2", "corpus-test-1", "corpus-test-0"],
    }


@pytest.mark.hub
def test_the_right_image_is_the_first_of_ten(read: Read) -> None:
    corpus = [{"id": f"d{i}", "image": picture(i)} for i in range(12)]
    judged = [{"query-id": "q", "corpus-id": f"d{i}", "score": int(i == 4)} for i in range(11, 0, -1)]
    queries = [{"id": "q", "text": "the one"}]
    content = {("corpus", "corpus"): corpus, ("query", "test"): queries, ("qrels", "test"): judged}
    found = read("ImageCoDe", content).splits["test"]
    images = [found[name][0] for name in CATALOGUE.task("ImageCoDe").settings["image_columns"]]
    assert numbers(images) == [4, 11, 10, 9, 8, 7, 6, 5, 3, 2]
    assert list(found["text"]) == ["the one"]


@pytest.mark.hub
def test_a_tar_has_the_same_content_wherever_it_is_kept(
    tmp_path: Path, hub_root: HubRoot, serve_hub: ServeHub, hf_home: Path
) -> None:
    (tmp_path / "data").mkdir()
    with tarfile.open(tmp_path / "data" / "0.tar", "w") as made:
        for name, content in {"0.cls": b"1", "0.jpg": picture(7), "1.cls": b"0", "1.jpg": picture(8)}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    header = {"configs": [{"config_name": "default", "data_files": [{"split": "test", "path": "0.tar"}]}]}
    (tmp_path / "data" / "README.md").write_text(f"---\n{yaml.safe_dump(header)}---\n")
    endpoint = serve_hub(hub_root(datasets={f"me/mine/{'a' * 40}": tmp_path / "data"}, with_shared=False))
    settings = {"image_column": "jpg", "label_column": "cls", "candidate_labels": ["a", "b"]}
    task = TaskConfig.model_validate(
        {
            "name": "Tar",
            "type": "zeroshot_image_classification",
            "dataset": {"hub": "me/mine", "revision": "a" * 40},
            "languages": ["eng-Latn"],
            "main_metric": "accuracy",
            "settings": settings,
        }
    )
    loaded = [load(task, "default", ["test"], hub=Hub(endpoint, hf_home / name, offline=False)) for name in "ab"]
    assert list(loaded[0].splits["test"]["cls"]) == [1, 0]
    assert numbers(loaded[0].splits["test"]["jpg"]) == [7, 8]
    assert loaded[0].hashes == loaded[1].hashes
