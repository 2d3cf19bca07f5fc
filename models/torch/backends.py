"""The forward pass of a transformer by ONNX Runtime or OpenVINO; all around it stays as it is.

What runs is an ONNX or OpenVINO file of the checkpoint, named by `file`, or what PyTorch's own exporter makes of the
checkpoint's weights. `weights` rounds the weights of an ONNX model to fewer bits, and its activations as they come
(dynamic quantisation). A backend changes the last digits of vectors, so it is part of a model's identity; the versions
of the libraries are in the record.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Transformer

from embedmark.models.base import BACKEND_DTYPES
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import ModelError

WEIGHTS = ("int8", "uint8")
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
"""What a transformer of texts is fed, in the order in which exports take it."""
OUTPUTS = ("last_hidden_state", "token_embeddings")
"""What exporters call the vectors of tokens."""
_ONLY_TORCH = ("attention", "encode", "context")

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Runtime:
    """A loaded export. inputs: the names and number formats that it wants. run: from inputs to token vectors."""

    inputs: Mapping[str, type[Any]]
    run: Callable[[Arrays], NDArray[Any]]
    facts: Mapping[str, Any]


def checked_backend(spec: ModelSpec) -> str:
    """The backend that a config asks for. Raises ModelError when there is none, or for what it cannot be given."""
    backend: str = spec.parameters.get("backend", "torch")
    weights = spec.parameters.get("weights")
    if weights is not None and backend != "onnx":
        raise ModelError(
            f"parameters: weights: found {weights!r} with backend {backend}; expected {' or '.join(WEIGHTS)} with "
            "backend onnx, or a `file` of the checkpoint that is quantised already"
        )
    if backend == "torch":
        if "file" in spec.parameters:
            raise ModelError("parameters: file: only backends onnx and openvino read a file of their own")
        return backend
    for name in _ONLY_TORCH:
        if name in spec.parameters:
            raise ModelError(f"parameters: {name}: an exported model takes it no more; leave it out, or the backend")
    if spec.device not in ("auto", "cpu"):
        raise ModelError(f"device is {spec.device}; backend {backend} runs on cpu")
    if spec.dtype not in BACKEND_DTYPES:
        raise ModelError(
            f"dtype is {spec.dtype}; backend {backend} computes in float32, so it takes {' or '.join(BACKEND_DTYPES)}"
        )
    return backend


def exchange(network: SentenceTransformer, backend: str, spec: ModelSpec, folder: Path) -> None:
    """Put an exported model into the place of the network's transformer. Raises ModelError."""
    first = network[0]
    if not isinstance(first, Transformer) or "text" not in first.modality_config:
        raise ModelError(f"parameters: backend: {backend} runs transformers of texts, and this model is none")
    try:
        with TemporaryDirectory() as scratch, _quietly():
            path = _file(spec, folder) or _exported(network, Path(scratch))
            if (weights := spec.parameters.get("weights")) is not None:
                path = _quantized(path, weights, Path(scratch))
            runtime = (_onnx if backend == "onnx" else _openvino)(path, spec)
    except ModelError:
        raise
    # Exporters and runtimes have errors of their own for whatever they cannot do.
    except Exception as error:
        raise ModelError(f"{folder} cannot be run by backend {backend}: {_first_cause(error)}") from error
    if unknown := runtime.inputs.keys() - {*INPUTS, "position_ids"}:
        raise ModelError(f"parameters: backend: the exported model wants {sorted(unknown)}, which texts do not give")
    origin = spec.parameters.get("file") or f"exported by torch {torch.__version__}"
    facts = {**runtime.facts, "export": origin, "attention": None}
    first.model = Exported(first.model.config, runtime, facts)


class Exported(torch.nn.Module):
    """An exported model where the library expects the transformer."""

    def __init__(self, config: Any, runtime: Runtime, facts: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = config
        self.facts = facts
        self._runtime = runtime
        # By its parameters the library knows a network's device and number format.
        self.empty = torch.nn.Parameter(torch.zeros(0), requires_grad=False)

    def forward(self, **features: Any) -> dict[str, torch.Tensor]:
        """Vectors of the tokens of one batch."""
        given = {name: features[name].numpy() for name in INPUTS if name in features}
        given.setdefault("token_type_ids", np.zeros_like(given["input_ids"]))
        given["position_ids"] = np.maximum(given["attention_mask"].cumsum(axis=1) - 1, 0)
        wanted = {name: given[name].astype(kind, copy=False) for name, kind in self._runtime.inputs.items()}
        return {"last_hidden_state": torch.from_numpy(self._runtime.run(wanted).astype(np.float32, copy=False))}


# -- the file ---------------------------------------------------------------------------------------------------------


def _file(spec: ModelSpec, folder: Path) -> Path | None:
    """The checkpoint's file that the config names, if it names one."""
    name: str | None = spec.parameters.get("file")
    if name is None:
        return None
    path = folder / name
    # Not resolved: the cache of the hub links files from elsewhere.
    if Path(os.path.normpath(path)).is_relative_to(folder) and path.is_file():
        return path
    found = sorted(
        str(path.relative_to(folder))
        for kind in ("onnx", "xml")
        for path in folder.rglob(f"*.{kind}")
        if path.is_file()
    )
    raise ModelError(f"parameters: file: {folder} has no file {name!r}; it has {', '.join(found) or 'no such files'}")


def _exported(network: SentenceTransformer, folder: Path) -> Path:
    """The network's transformer as an ONNX file, made by PyTorch."""
    _package("onnxscript", "onnx")
    features = network.preprocess(["two texts", "of unlike lengths"])
    names = [name for name in INPUTS if name in features]
    path = folder / "exported.onnx"
    free = torch.export.Dim.DYNAMIC
    torch.onnx.export(
        _Named(network[0].model, names).eval(),
        tuple(features[name] for name in names),
        path,
        dynamo=True,
        dynamic_shapes=(tuple({0: free, 1: free} for _ in names),),
        input_names=names,
        output_names=["last_hidden_state"],
        verbose=False,
    )
    return path


class _Named(torch.nn.Module):
    """A transformer that takes its inputs in order, as exporters give them, and gives the vectors of tokens alone."""

    def __init__(self, transformer: Any, names: list[str]) -> None:
        super().__init__()
        self._transformer = transformer
        self._names = names

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        given = dict(zip(self._names, inputs, strict=True))
        vectors: torch.Tensor = self._transformer(**given).last_hidden_state
        return vectors


def _quantized(path: Path, weights: str, folder: Path) -> Path:
    """The ONNX model with 8-bit weights, scaled channel by channel.

    Signed weights use seven of their bits: without that, sums overflow on processors that lack VNNI, and a score would
    depend on the machine.
    """
    quantization = _package("onnxruntime.quantization", "onnx")
    kind = {"int8": quantization.QuantType.QInt8, "uint8": quantization.QuantType.QUInt8}[weights]
    made = folder / f"{weights}.onnx"
    quantization.quantize_dynamic(path, made, weight_type=kind, per_channel=True, reduce_range=weights == "int8")
    return made


@contextmanager
def _quietly() -> Iterator[None]:
    """Exporters warn of much that is as it should be."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _first_cause(error: BaseException) -> str:
    """What went wrong at first: exporters wrap it in pages of advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {next(iter(str(error).strip().splitlines()), '')}"


def _package(name: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"backend {extra} needs {error.name}, which is not installed; run: pip install 'embedmark[{extra}]'"
        ) from error


# -- the runtimes -----------------------------------------------------------------------------------------------------


def _onnx(path: Path, spec: ModelSpec) -> Runtime:
    onnxruntime = _package("onnxruntime", "onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = spec.threads or torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = {node.name: _format(node.type) for node in session.get_inputs()}
    output = _output([node.name for node in session.get_outputs()])
    facts = {"backend": f"onnxruntime {onnxruntime.__version__}"}
    return Runtime(inputs, lambda given: np.asarray(session.run([output], dict(given))[0]), facts)


def _openvino(path: Path, spec: ModelSpec) -> Runtime:
    # On import it would send word of its use to its makers; without this module it does not.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    openvino = _package("openvino", "openvino")
    core = openvino.Core()
    # Files made here are gone once they are read.
    core.set_property({"ENABLE_MMAP": False})
    exact = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": spec.threads or torch.get_num_threads()}
    compiled = core.compile_model(core.read_model(path), "CPU", {**exact, "NUM_STREAMS": 1})
    inputs = {node.any_name: _format(node.element_type.get_type_name()) for node in compiled.inputs}
    output = _output([node.any_name for node in compiled.outputs])
    facts = {"backend": f"openvino {openvino.__version__}"}
    return Runtime(inputs, lambda given: np.asarray(compiled(dict(given))[output]), facts)


def _format(name: str) -> type[Any]:
    """The number format of an input: tensor(int64) and tensor(int32) of ONNX, i64 and i32 of OpenVINO."""
    return np.int32 if "32" in name else np.int64


def _output(names: list[str]) -> str:
    """Which output holds the vectors of tokens. Raises ModelError when none is called so."""
    for name in OUTPUTS:
        if name in names:
            return name
    raise ModelError(f"the exported model gives {', '.join(names)}; expected one of {', '.join(OUTPUTS)}")
