"""`python -m runner model=e5 benchmark=mteb_eng_v2` on a loopback hub that has a small checkpoint under E5's name."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from loopback import HubRoot, ServeHub
from tiny_models import tiny_bert

from embedmark.models.torch.sentence_transformer import TransformerEncoder
from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import Catalogue

AT_HAND = {"Banking77Classification", "STS14", "STSBenchmark", "AmazonCounterfactualClassification", "ArguAna"}


def _arguana(folder: Path) -> Path:
    """A retrieval dataset in the layout that the task expects, of three documents."""
    files = {
        "corpus": [{"_id": f"d{i}", "title": f"title {i}", "text": f"text {i}"} for i in range(3)],
        "queries": [{"_id": "q", "text": "what is text 1"}],
        "qrels": [{"query-id": "q", "corpus-id": "d1", "score": 1}],
    }
    for name, rows in files.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    configs = {"corpus": "corpus", "queries": "queries", "default": "qrels"}
    listed = "".join(
        f"- config_name: {config}\n  data_files:\n  - split: test\n    path: {name}/test.jsonl\n"
        for config, name in configs.items()
    )
    (folder / "README.md").write_text(f"---\nconfigs:\n{listed}---\n")
    return folder


@pytest.mark.hub
@pytest.mark.slow
def test_e5_on_english_mteb(
    hub_root: HubRoot,
    serve_hub: ServeHub,
    hf_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    catalogue = Catalogue()
    e5, arguana = catalogue.model("e5"), catalogue.task("ArguAna").dataset
    assert e5.name == "intfloat/e5-base-v2"
    root = hub_root(
        models={f"{e5.name}/{e5.revision}": tiny_bert(tmp_path / "e5")},
        datasets={f"{arguana.hub}/{arguana.revision}": _arguana(tmp_path / "arguana")},  # type: ignore[union-attr]
    )
    monkeypatch.setenv("HF_ENDPOINT", serve_hub(root))
    monkeypatch.chdir(tmp_path)
    given: set[str] = set()
    plain = TransformerEncoder.tokenize

    def tokenize(self: TransformerEncoder, texts: Sequence[str], variant: Any) -> Any:
        given.update(variant.prompt + text for text in texts)
        return plain(self, texts, variant)

    monkeypatch.setattr(TransformerEncoder, "tokenize", tokenize)

    assert main(["plan", "model=e5", "benchmark=mteb_eng_v2"]) == 0
    assert "41 tasks, 41 jobs" in capsys.readouterr().out

    # Tasks whose datasets this hub does not have fail with a clear word and stop nothing.
    assert main(["model=e5", "benchmark=mteb_eng_v2"]) == 1
    done = {json.loads(path.read_text())["job"]["task"] for path in Path("outputs/jobs").glob("*/result.json")}
    assert done == AT_HAND
    failures = [json.loads(path.read_text()) for path in Path("outputs/jobs").glob("*.failed/failure.json")]
    assert len(failures) == 41 - len(AT_HAND)
    assert all(
        re.search(r"no dataset '[\w./-]+'|cannot be reached|not found", failure["message"]) for failure in failures
    )

    prompted = {text for text in given if text.startswith(("query: ", "passage: "))}
    prompted -= {"query: ", "passage: "}  # the prompts alone, whose length the pooling asks for
    assert prompted == {"query: what is text 1", *(f"passage: title {i} text {i}" for i in range(3))}
    assert given - prompted, "symmetric tasks have no prompt"
