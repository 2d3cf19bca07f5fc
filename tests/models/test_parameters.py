"""What `parameters` may say is checked before anything loads, and messages say what was found and expected."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.modules import Pooling

from embedmark.models.loaders import Loader, loaders
from embedmark.models.parameters import Parameters, SentenceTransformerParameters, check
from embedmark.runner.cli.main import main
from embedmark.runner.common.errors import ModelError

SCHEMAS = {name: loader for name, loader in loaders().items() if isinstance(loader.parameters, type)}

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("bm25", {"k1": "x"}, "parameters: k1: found 'x'; expected a number, not below 0"),
    ("bm25", {"b": 1.5}, "parameters: b: found 1.5; expected a number from 0 to 1"),
    ("bm25", {"method": "lucen"}, "parameters: method: found 'lucen'; expected .* Did you mean 'lucene'"),
    ("bm25", {"frequent": True}, "parameters: frequent: found True; expected a share from 0 to 1"),
    ("bm25", {"k2": 1.0}, "parameters: no parameter 'k2'; known: b, delta, frequent, k1, method"),
    ("fusion", {"method": "rrff"}, "parameters: method: found 'rrff'; expected rrf, weighted or dbsf. Did you mean"),
    ("fusion", {"weights": [0.3, "much"]}, r"parameters: weights: found \[0.3, 'much'\]; expected a list of numbers"),
    ("fusion", {"method": "dbsf", "k": 3}, "parameters: k: method dbsf has no use for it"),
    ("fusion", {"depth": -1}, "parameters: depth: found -1; expected a whole number, not below 0"),
    ("cohere", {"batch": "many"}, "parameters: batch: found 'many'; expected a whole number above 0"),
    ("cohere", {"encode": {"query": {}}}, "parameters: encode: query: found {}; expected fields with their values"),
    ("cohere", {"truncate": True}, "parameters: no parameter 'truncate'"),
    ("openai", {"retries": 1.5}, "parameters: retries: found 1.5; expected a whole number, not below 0"),
    ("voyage", {"requests_per_minute": 0}, "parameters: requests_per_minute: found 0; expected a number above 0"),
    ("google", {"timeout": -2}, "parameters: timeout: found -2; expected a number above 0"),
    ("vertex", {"dimensions": "wide"}, "parameters: dimensions: found 'wide'; expected a whole number above 0"),
    ("tei", {"truncate": "no"}, "parameters: truncate: found 'no'; expected true or false"),
    ("sentence_transformer", {"pooling": "meen"}, "parameters: pooling: found 'meen'; expected .* Did you mean 'mean'"),
    (
        "sentence_transformer",
        {"tokenizer": {"padding_sid": "left"}},
        "parameters: tokenizer: no parameter 'padding_sid'",
    ),
    (
        "sentence_transformer",
        {"tokenizer": {"padding_side": "lef"}},
        "tokenizer: padding_side: found 'lef'; expected left",
    ),
    ("sentence_transformer", {"tokenizer": 3}, "parameters: tokenizer: found 3; expected a mapping"),
    ("sentence_transformer", {"backend": "onyx"}, "parameters: backend: found 'onyx'; expected .* Did you mean 'onnx'"),
    ("sentence_transformer", {"context": {"size": 0}}, "parameters: context: size: found 0; expected how many texts"),
    ("cross_encoder", {"activation": "tanh"}, "parameters: activation: found 'tanh'; expected sigmoid or identity"),
    ("sparse_encoder", {"pooling": "mean"}, "parameters: no parameter 'pooling'; known: attention, tokenizer"),
    ("multi_vector", {"attention": 2}, "parameters: attention: found 2; expected an attention implementation"),
    ("model2vec", {"pooling": "mean"}, "parameters: no parameter 'pooling'; it has none"),
    ("ocr_text", {}, "parameters: rapidocr: missing; expected the version of rapidocr-onnxruntime, as in 1.4.4"),
    ("two_towers", {"padding": "max"}, "parameters: padding: found 'max'; expected longest or max_length"),
    ("open_clip", {"pooling": "mean"}, "parameters: no parameter 'pooling'; it has none"),
]


def test_every_built_in_loader_is_tried() -> None:
    assert {name for name, _, _ in WRONG} == set(SCHEMAS) == {name for name in loaders() if ":" not in name}


@pytest.mark.parametrize(("loader", "parameters", "message"), WRONG, ids=lambda value: str(value)[:40])
def test_an_invalid_parameter_is_told(loader: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        loaders()[loader].check(parameters)


@pytest.mark.parametrize("verb", ["plan", "show", "run"])
@pytest.mark.parametrize(
    ("loader", "parameters", "message"), [WRONG[0], WRONG[5], WRONG[9]], ids=["bm25", "fusion", "cohere"]
)
def test_verbs_refuse_it_before_anything_is_loaded(
    verb: str,
    loader: str,
    parameters: dict[str, Any],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own" / "model").mkdir(parents=True)
    values = {"name": "a/model", "loader": loader, "parameters": parameters, "members": ["minilm", "bm25"]}
    if loader != "fusion":
        del values["members"]
    (tmp_path / "own" / "model" / "mine.yaml").write_text(yaml.safe_dump(values))
    asked = ["mine"] if verb == "show" else ["model=mine", "tasks=[STSBenchmark]"]
    assert main([verb, "--config-dir", "own", *asked]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "mine.yaml" in said
    assert message.split(";")[0] in said
    assert not Path("outputs").exists()


def test_every_field_says_what_is_expected_and_a_row_names_no_other() -> None:
    for name, loader in SCHEMAS.items():
        schema = loader.parameters
        assert isinstance(schema, type)
        assert all(field.description for field in schema.model_fields.values()), name
        assert loader.executes <= set(schema.model_fields), name


def test_the_names_of_poolings_are_the_librarys() -> None:
    annotation = SentenceTransformerParameters.model_fields["pooling"].annotation
    assert {choice for part in get_args(annotation) for choice in get_args(part)} == set(Pooling.POOLING_MODES)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(data=st.data(), name=st.sampled_from(sorted(SCHEMAS)))
def test_any_value_is_taken_or_told(data: st.DataObject, name: str) -> None:
    schema = SCHEMAS[name].parameters
    assert isinstance(schema, type)
    keys = st.sampled_from([*schema.model_fields, "other"])
    parameters = data.draw(st.dictionaries(keys, VALUES, max_size=3))
    with suppress(ModelError):  # any other error fails
        assert isinstance(check(schema, parameters), Parameters)


def test_a_loader_of_a_package_may_name_its_parameters_alone() -> None:
    named = Loader("theirs", "theirs:load", 1, parameters=frozenset({"depth"}))
    assert named.check({"depth": "whatever"}) == {"depth": "whatever"}
    with pytest.raises(ModelError, match=r"no parameter 'dept'.*Did you mean 'depth'"):
        named.check({"dept": 3})
    assert Loader("theirs", "theirs:load", 1).check({"any": 1}) == {"any": 1}
