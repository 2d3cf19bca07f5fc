"""Retrieval of texts, images and both through the whole command; scores are the reference's of the same vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from captioned import png
from written import write

from embedmark.runner.cli.main import main

REFERENCE = Path(__file__).parents[2] / "tasks" / "reference" / "any2any.json"
CASES = {case["name"]: case for case in json.loads(REFERENCE.read_text(encoding="utf-8"))}

OWN = '''
import numpy as np
from captioned import caption_in
from embedmark.models.base import Variant
from embedmark.tasks.base import Composite
from letters import vectors


class Texts:
    batch_tokens, facts, modalities = 4096, {}, ("text",)

    def __init__(self, spec):
        self.similarity = spec.similarity

    def variant(self, context):
        return Variant()

    def lengths(self, texts, variant):
        return np.array([len(text) for text in texts])

    def encode(self, texts, variant):
        return vectors(texts)


class Pairs:
    """Scores pairs of whatever they are, as the towers do."""

    facts, modalities = {}, ("text", "image")

    def __init__(self, spec):
        pass

    def score(self, pairs, context):
        return np.array([self._vector(query) @ self._vector(document) for query, document in pairs])

    def _vector(self, item):
        parts = item.parts if isinstance(item, Composite) else (item,)
        return sum(vectors([part if isinstance(part, str) else caption_in(part.data)[::-1]])[0] for part in parts)


class Towers(Texts):
    modalities, fusion = ("text", "image"), "sum"

    def image_lengths(self, images):
        return np.array([len(image) for image in images])

    def encode_images(self, images, variant):
        return vectors([caption_in(image.data)[::-1] for image in images])
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    kinds = {"Towers": ["text", "image"], "Texts": ["text"], "Pairs": ["text", "image"]}
    for kind, modalities in kinds.items():
        for similarity in ("cosine", "dot"):
            weights = folder / f"{kind}-{similarity}"
            weights.mkdir()
            (weights / "own.py").write_text(OWN, encoding="utf-8")
            values = {
                "name": f"test/{kind}-{similarity}",
                "loader": f"own:{kind}",
                "source": {"path": str(weights)},
                "trust_remote_code": True,
                "similarity": similarity,
                "about": {"modalities": modalities},
            }
            write(folder / f"model/{kind}-{similarity}.yaml", values)
    write(folder / "model/words.yaml", {"name": "test/words", "loader": "bm25"})
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tables(data: dict[str, Any]) -> dict[str, pa.Table]:
    """The data of a case as its publisher would lay it out, images as `datasets` has them."""
    made = {}
    for part in ("corpus", "queries"):
        columns = dict(data[part])
        if "image" in columns:
            columns["image"] = [{"bytes": png(caption), "path": None} for caption in columns["image"]]
        made[part] = pa.table({name: pa.array(values) for name, values in columns.items()})
    made["qrels"] = pa.Table.from_pylist(
        [
            {"query-id": query, "corpus-id": document, "score": grade}
            for query, found in data["qrels"].items()
            for document, grade in found.items()
        ]
    )
    if "top_ranked" in data:
        made["top_ranked"] = pa.table(
            {"query-id": list(data["top_ranked"]), "corpus-ids": list(data["top_ranked"].values())}
        )
    return made


def make_task(project: Path, case: dict[str, Any], **changes: Any) -> str:
    """A task of one's own out of a case: its file, and a folder of tables."""
    name = case["name"].replace(", ", "-").replace(" ", "_")
    folder = project / "data" / name
    for part, table in tables(case["data"]).items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        pq.write_table(table, folder / part / "test.parquet")
    values = {
        "name": name,
        "type": "reranking" if "top_ranked" in case["data"] else "retrieval",
        "label": "Any2AnyRetrieval",
        "dataset": {"files": str(folder)},
        "languages": ["eng-Latn"],
        "main_metric": "accuracy",
        "settings": case["settings"],
    }
    write(project / "task" / f"{name}.yaml", {**values, **changes})
    return name


def run(project: Path, model: str, *tasks: str) -> int:
    asked = f"tasks=[{','.join(tasks)}]"
    return main(
        ["run", "--config-dir", str(project), f"model={model}", asked, "outputs=out", "execution.predictions=true"]
    )


def record(task: str) -> tuple[Path, dict[str, Any]]:
    [folder] = Path("out/jobs").glob(f"{task}--*")
    return folder, json.loads((folder / "result.json").read_text(encoding="utf-8"))


SIDES = ("t2i", "i2t", "i2i", "it2t", "it2i", "it2it", "t2it")


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("Towers-dot", [f"{side}, {way} by dot" for side in SIDES for way in ("search", "candidates")]),
        ("Towers-cosine", [f"{side}, candidates by cosine" for side in SIDES]),
        ("Texts-dot", [f"{side}, a model of texts alone" for side in ("t2it", "it2t", "it2it")]),
        ("Pairs-dot", [f"{side}, candidates by dot" for side in SIDES]),
        ("Towers-dot", ["i2t, taxa", "t2i, taxa", "i2t, RAVENEA", "i2i, first result skipped", "t2i, other cut-offs"]),
    ],
)
def test_scores_are_the_reference_s(model: str, names: list[str], project: Path) -> None:
    made = {make_task(project, CASES[name]): CASES[name]["scores"] for name in names}
    assert run(project, model, *made) == 0
    for name, expected in made.items():
        assert record(name)[1]["scores"] == pytest.approx(expected, rel=0, abs=1e-9), name


def test_a_job_of_pages_is_looked_into_verified_and_compared(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = make_task(project, CASES["t2it, candidates by dot"])
    assert run(project, "Towers-dot", name) == 0
    folder, found = record(name)
    assert found["timing"]["texts_encoded"] == len({*texts_and_captions(CASES["t2it, candidates by dot"])})
    assert main(["inspect", str(folder), "--config-dir", str(project), "--outputs", "out", "-n", "1"]) == 0
    shown = capsys.readouterr().out
    assert "an image, PNG " in shown
    assert " x 1, " in shown
    assert main(["verify", str(folder), "--config-dir", str(project), "--outputs", "out"]) == 0
    assert run(project, "Texts-dot", name) == 0
    capsys.readouterr()
    assert main(["compare", "test/Towers-dot", "test/Texts-dot", "--outputs", "out"]) == 0
    assert "no test of" not in capsys.readouterr().out


def texts_and_captions(case: dict[str, Any]) -> list[str]:
    """All that is encoded of a case: queries that are judged, and both parts of documents."""
    data = case["data"]
    asked = [t for q, t in zip(data["queries"]["id"], data["queries"]["text"], strict=True) if data["qrels"][q]]
    titled = zip(data["corpus"]["title"], data["corpus"]["text"], strict=True)
    captions = [f"picture of {caption}" for caption in data["corpus"]["image"]]
    return [*asked, *(f"{title} {text}".strip() for title, text in titled), *captions]


def test_what_a_model_of_texts_leaves_out_is_planned(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [make_task(project, CASES[f"{side}, candidates by dot"]) for side in ("t2it", "t2i")]
    for model, taker in {"Texts-dot": "test/Texts-dot takes texts alone", "words": "loader bm25 takes texts"}.items():
        asked = ["--config-dir", str(project), f"model={model}", f"tasks=[{','.join(names)}]"]
        assert main(["plan", *asked]) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert f"the task gives images, and {taker}" in shown
        assert main(["plan", "--json", *asked]) == 0
        assert [json.loads(row).get("unread") for row in capsys.readouterr().out.splitlines()] == [["image"], None]


def test_a_model_that_is_said_to_take_less_than_it_does_is_not_measured_on_both(project: Path) -> None:
    told = yaml.safe_load((project / "model/Towers-dot.yaml").read_text(encoding="utf-8"))
    write(project / "model/modest.yaml", {**told, "name": "test/modest", "about": {"modalities": ["text"]}})
    assert run(project, "modest", make_task(project, CASES["t2it, candidates by dot"])) == 1
    [path] = Path("out").glob("jobs/*/failure.json")
    message = json.loads(path.read_text(encoding="utf-8"))["message"]
    assert "loaded as a model of images and texts, and its file does not say that it takes images" in message


def test_a_searcher_of_texts_reads_the_texts_of_pages(project: Path) -> None:
    case = CASES["t2it, candidates by dot"]
    plain = {**case, "name": "plain", "settings": {}}
    names = [make_task(project, found) for found in (case, plain)]
    assert run(project, "words", *names) == 0
    assert record(names[0])[1]["scores"] == record(names[1])[1]["scores"]


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("corpus", {"image": None}, "corpus: no column 'image'"),
        ("corpus", {"image": ["text"] * 24}, "corpus: column 'image' holds text, expected images, as bytes"),
        ("corpus", {"image": [b"none"] * 24}, "corpus: column 'image', row 0: expected an image, found 4 bytes"),
        ("queries", {"text": [None] * 10}, "queries: 9 of 9 rows have no value in 'text'"),
    ],
)
def test_sides_are_checked(part: str, change: dict[str, Any], message: str, project: Path) -> None:
    case = {**CASES["t2i, search by dot"], "name": "broken"}
    name = make_task(project, case)
    table = tables(case["data"])[part]
    for column, values in change.items():
        table = table.drop_columns([column])
        table = table if values is None else table.append_column(column, pa.array(values))
    pq.write_table(table, project / "data" / name / part / "test.parquet")
    assert run(project, "Towers-dot", name) == 1
    [path] = Path("out").glob("jobs/*/failure.json")
    told = str(json.loads(path.read_text(encoding="utf-8"))["message"])
    assert message in told
    assert ("The task says `settings: document_modality: image`." in told) == (part == "corpus")


def test_texts_of_documents_that_are_images_are_not_looked_for(project: Path) -> None:
    """Those of these documents are missing, and are no empty documents."""
    case = CASES["t2i, search by euclidean"]
    assert run(project, "Towers-dot", name := make_task(project, {**case, "data": no_texts(case["data"])})) == 0
    assert "empty_documents" not in record(name)[1]["dataset"]["counts"]


def no_texts(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "corpus": {**data["corpus"], "text": [None] * len(data["corpus"]["id"])}}
