from __future__ import annotations

import os
import py_compile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedmark.models.base import Variant
from embedmark.models.loaders import find_loader
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import ModelError

CODE = """
import numpy as np

from embedmark.models.base import Variant
from embedmark.models.prompts import PromptTable


class Length:
    similarity = "dot"
    batch_tokens = 100
    facts = {}

    def __init__(self, spec):
        self.prompts = PromptTable(spec.prompts)
        self.scale = spec.parameters.get("scale", 1)

    def variant(self, context):
        return Variant(self.prompts.choose(context))

    def lengths(self, texts, variant):
        return np.array([len(text) for text in texts])

    def encode(self, texts, variant):
        return np.array([[len(variant.prompt + text) * self.scale, 1] for text in texts], dtype=np.float32)


class Nothing:
    def __init__(self, spec):
        pass
"""


def load(folder: Path | None, name: str, **more: Any) -> Any:
    loader = find_loader(name)
    assert loader is not None
    return loader.load(ModelSpec("own", folder, loader=name, **{"trust_remote_code": True, **more}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(CODE, encoding="utf-8")
    return tmp_path


LACKING = """
class Bare:
    def __init__(self, spec):
        pass

    def encode(self, texts, variant):
        return texts
"""


def test_a_class_that_lacks_something_is_refused_before_any_text(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(LACKING, encoding="utf-8")
    with pytest.raises(ModelError, match="has encode, but not similarity, batch_tokens, facts, variant, lengths"):
        load(tmp_path, "mine:Bare")


def test_the_class_of_the_docs_encodes(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "models.md"
    _, _, after = page.read_text(encoding="utf-8").partition("```python\n")
    (tmp_path / "mine.py").write_text(after.partition("```")[0], encoding="utf-8")
    encoder = load(tmp_path, "mine:Encoder", prompts={"query": "q: "})
    np.testing.assert_array_equal(encoder.encode(["abc"], Variant("q: ")), [[6, 1]])


def test_a_class_in_the_models_folder(folder: Path) -> None:
    encoder = load(folder, "mine:Length", parameters={"scale": 2})
    np.testing.assert_array_equal(encoder.encode(["abc"], Variant("q")), [[8, 1]])


def test_modules_of_two_folders_do_not_meet(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.py").write_text(CODE.replace('similarity = "dot"', 'similarity = "cosine"'), encoding="utf-8")
    assert load(folder, "mine:Length").similarity == "dot"
    assert load(other, "mine:Length").similarity == "cosine"


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("mine:Length", {"trust_remote_code": False}, "must say `trust_remote_code: true`"),
        ("mine:Lenght", {}, r"has no class 'Lenght'; it has .*'Length'"),
        ("mine:Nothing", {}, "neither of encode, score and search"),
        ("yours:Length", {}, r"yours\.py does not exist, and no module 'yours' is installed"),
    ],
)
def test_what_is_no_model(name: str, more: dict[str, Any], message: str, folder: Path) -> None:
    with pytest.raises(ModelError, match=message):
        load(folder, name, **more)


@pytest.mark.parametrize("module", ["..up", "/etc/x", "../up", ".hidden", "a..b", "", "a b"])
def test_modules_outside_the_folder_are_refused(module: str, folder: Path) -> None:
    (folder.parent / "up.py").write_text(CODE, encoding="utf-8")
    with pytest.raises(ModelError, match="is no name of a module"):
        load(folder, f"{module}:Length")


def test_the_file_is_run_and_not_what_was_compiled_of_it(folder: Path) -> None:
    """Python takes a compiled file for the present one where size and second are the same."""
    path = folder / "mine.py"
    os.utime(path, (1_600_000_000, 1_600_000_000))
    py_compile.compile(str(path), doraise=True)
    path.write_text(CODE.replace('similarity = "dot"', 'similarity = "cos"'), encoding="utf-8")
    os.utime(path, (1_600_000_000, 1_600_000_000))
    assert load(folder, "mine:Length").similarity == "cos"


def test_a_loader_that_nobody_knows() -> None:
    assert find_loader("sentence_transfomer") is None
