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

Content = Mapping[tuple[str, str] | str, Sequence[dict[str, Any]]]
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
    """Read a task of the catalogue, in (configuration, split) → rows and in path → rows outside of configurations."""

    def make(name: str, content: Content, subset: str = "default", split: str = "test") -> Loaded:
        configs: dict[str, list[dict[str, str]]] = {}
        for number, (place, rows) in enumerate(content.items()):
            made = datasets.Dataset.from_list([dict(row) for row in rows])
            if "image" in made.column_names:
                made = made.cast_column("image", datasets.Image())
            path = place if isinstance(place, str) else f"{number}.parquet"
            (tmp_path / "data" / path).parent.mkdir(parents=True, exist_ok=True)
            made.to_parquet(tmp_path / "data" / path)
            if not isinstance(place, str):
                configs.setdefault(place[0], []).append({"split": place[1], "path": path})
        header = {"configs": [{"config_name": config, "data_files": files} for config, files in configs.items()]}
        (tmp_path / "data" / "README.md").write_text(
            f"---\n{yaml.safe_dump(header) if configs else 'license: mit'}---\n"
        )
        root = hub_root(datasets={f"me/mine/{'a' * 40}": tmp_path / "data"}, with_shared=False)
        hub = Hub(serve_hub(root), hf_home / "hub", offline=False, attempts=2, wait=0.01)
        return load(_task(name), subset, [split], hub=hub)

    return make


def _task(name: str) -> TaskConfig:
    """The task as it ships, with its data elsewhere."""
    task = CATALOGUE.task(name)
    return task.model_copy(update={"dataset": task.dataset.model_copy(update={"hub": "me/mine", "revision": "a" * 40})})


def rows_of(loaded: Loaded) -> RetrievalRows:
    (found,) = loaded.splits.values()
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


PAGES = [{"corpus-id": i, "image": picture(i), "doc-id": f"file {i}"} for i in (7, 3)]
ASKED = [
    {"query-id": 40, "query": "où?", "rephrase_level_3": "where to?", "language": "french"},
    {"query-id": 9, "query": "where?", "rephrase_level_3": "at what place?", "language": "english"},
]
JUDGED = [{"query-id": 40, "corpus-id": 3, "score": 1}, {"query-id": 9, "corpus-id": 7, "score": 2}]


PARTS = ("corpus", "queries", "qrels")


@pytest.mark.hub
@pytest.mark.parametrize(
    ("name", "places", "subset"),
    [
        ("VidoreArxivQARetrieval", [(part, "test") for part in PARTS], "default"),
        ("JinaVDRChartQARetrieval", [f"default/{part}/test-0.parquet" for part in PARTS], "default"),
        ("JinaVDRAirbnbSyntheticRetrieval", [f"de/{part}/test-0.parquet" for part in PARTS], "de"),
    ],
)
def test_pages_are_numbered_in_their_split(read: Read, name: str, places: Sequence[Any], subset: str) -> None:
    found = rows_of(read(name, dict(zip(places, (PAGES, ASKED, JUDGED), strict=True)), subset))
    assert (list(found.corpus["id"]), numbers(found.corpus["image"])) == (["corpus-test-7", "corpus-test-3"], [7, 3])
    assert dict(zip(found.queries["id"], found.queries["text"], strict=True)) == {
        "query-test-40": "où?",
        "query-test-9": "where?",
    }
    assert found.qrels == {"query-test-40": {"corpus-test-3": 1}, "query-test-9": {"corpus-test-7": 2}}


@pytest.mark.hub
def test_pages_are_asked_for_in_one_language(read: Read) -> None:
    content = {("corpus", "test"): PAGES, ("queries", "test"): ASKED, ("qrels", "test"): JUDGED}
    found = rows_of(read("Vidore2ESGReportsRetrieval", content, "english"))
    assert (list(found.queries["id"]), list(found.queries["text"])) == (["query-test-9"], ["where?"])
    assert (list(found.corpus["id"]), numbers(found.corpus["image"])) == (["corpus-test-7", "corpus-test-3"], [7, 3])
    assert found.qrels["query-test-9"] == {"corpus-test-7": 2}


@pytest.mark.hub
def test_the_most_rephrased_queries_are_read(read: Read) -> None:
    content = {("corpus", "test"): PAGES, ("queries", "test"): ASKED, ("qrels", "test"): JUDGED}
    found = rows_of(read("RealMMRAGFinSlidesRetrieval", content))
    assert list(found.queries["text"]) == ["where to?", "at what place?"]
    assert found.qrels == {"40": {"3": 1}, "9": {"7": 2}}


@pytest.mark.hub
def test_a_query_lists_its_pages(read: Read) -> None:
    pages = [{"page_id": f"p{i}", "text": f"page {i}", "image": picture(i)} for i in (2, 1)]
    asked = [
        {"id": "q0", "query": "a?", "valid_pages": ["p1", "p2"]},
        {"id": "q1", "query": "b?", "valid_pages": ["p9"]},
    ]
    found = rows_of(read("DanRAGT2ITRetrieval", {"corpus/0.parquet": pages, "queries/0.parquet": asked}))
    assert (list(found.corpus["text"]), numbers(found.corpus["image"])) == (["page 2", "page 1"], [2, 1])
    assert found.qrels == {"q0": {"p1": 1, "p2": 1}, "q1": {"p9": 1}}


@pytest.mark.hub
def test_images_have_the_ids_that_the_texts_of_their_pages_have(read: Read) -> None:
    texts = [{"_id": f"de#{i}", "image_id": i, "text": "t", "title": "T"} for i in (1, 2, 3)]
    content = {
        ("corpus-de", "default"): texts,
        ("images-de", "default"): [{"file_name": str(i), "image": picture(i)} for i in (3, 1)],
        ("queries-de", "default"): [{"_id": 5, "text": "wo?"}],
        ("qrels-de", "default"): [{"query-id": 5, "corpus-id": "de#1", "score": 1}],
    }
    found = rows_of(read("MIRACLVisionRetrieval", content, "de", "default"))
    assert (list(found.corpus["id"]), numbers(found.corpus["image"])) == (["de#3", "de#1"], [3, 1])
    assert (list(found.queries["id"]), found.qrels) == (["5"], {"5": {"de#1": 1}})


@pytest.mark.hub
def test_a_page_without_a_query_is_a_document_alone(read: Read) -> None:
    queries = {2: "what?", 1: None, 3: ""}
    rows = [{"id": i, "query": query, "image": picture(i)} for i, query in queries.items()]
    found = rows_of(read("VDRMultilingualRetrieval", {("en", "train"): rows}, "en", "train"))
    assert (list(found.corpus["id"]), numbers(found.corpus["image"])) == (["doc-2", "doc-1", "doc-3"], [2, 1, 3])
    assert dict(zip(found.queries["id"], found.queries["text"], strict=True)) == {"query-2": "what?", "query-3": ""}
    assert found.qrels == {"query-2": {"doc-2": 1}, "query-3": {"doc-3": 1}}


@pytest.mark.hub
@pytest.mark.parametrize(("name", "kept"), [("IRPapersT2ITRetrieval", [4, 6]), ("IRPapersT2IRetrieval", [4, 5, 6])])
def test_pages_without_a_transcription_are_left_out_where_texts_are_read(
    read: Read, name: str, kept: Sequence[int]
) -> None:
    texts = {4: "four", 5: None, 6: ""}
    content = {
        ("corpus", "train"): [{"id": f"d{i}", "transcription": text, "image": picture(i)} for i, text in texts.items()],
        ("queries", "train"): [{"id": "q", "text": "what?"}],
        ("qrels", "train"): [{"query-id": "q", "corpus-id": "d4", "score": 1}],
    }
    found = rows_of(read(name, content, split="train"))
    assert numbers(found.corpus["image"]) == kept
    if name == "IRPapersT2ITRetrieval":
        assert list(found.corpus["text"]) == ["four", ""]


@pytest.mark.hub
def test_headings_are_left_out_of_articles(read: Read) -> None:
    articles = ["# Title\nText of it.\n\n## Part\nMore. ", "No heading # here", "#Not one\n#\u2003but this\n"]
    content = {
        ("corpus", "test"): [{"id": f"d{i}", "text": text} for i, text in enumerate(articles)],
        ("queries", "test"): [{"id": "q", "image": picture(1)}],
        ("qrels", "test"): [{"query-id": "q", "corpus-id": "d1", "score": 7}],
        ("top_ranked", "test"): [{"query-id": "q", "corpus-ids": ["d2", "d1", "d0"]}],
    }
    found = rows_of(read("RAVENEAI2TRetrieval", content))
    assert list(found.corpus["text"]) == ["Text of it.\n\n\nMore.", "No heading # here", "#Not one"]
    assert (numbers(found.queries["image"]), found.top_ranked) == ([1], {"q": ["d2", "d1", "d0"]})
