"""A model's weights on disk, and what they are.

`resolve` says which weights a config means, without loading anything and, for a pinned revision, without any network.
`fetch` puts them into a folder, and accepts nothing that is not what its source says it is.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from runner.config.identity import Pin, known_loader
from runner.config.schema import FolderModel, HubModel, ModelConfig, PackageModel
from runner.data.sources.hub_files import Hub
from runner.errors import UserError

log = logging.getLogger(__name__)

COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Weights:
    """A model's files. source: where they are from. content: the hash of a local folder's files.

    files: the hash of each file that was checked: SHA-256, or git's SHA-1 of small files of the hub.
    """

    source: str
    folder: Path | None
    revision: str | None
    content: str | None
    files: Mapping[str, str]


def resolve(config: ModelConfig) -> Pin:
    """Which weights a config means: the hub's commit, or the hash of a local folder's content.

    A hub revision that is no commit is looked up, with a warning. Weights of a package are pinned by the config itself.

    Raises UserError when the folder or the revision does not exist, JobError when the hub cannot be reached.
    """
    source = config.weights
    if not _has_weights(config):
        return _code_pin(config)
    if isinstance(source, FolderModel):
        return Pin(content=content_hash(_local(source, config)))
    if isinstance(source, PackageModel) or COMMIT.fullmatch(config.revision or ""):
        return Pin(revision=config.revision)
    commit = Hub.from_environment().resolve_revision(source.hub, "model", config.revision or "main")
    log.warning(
        "model %s: revision %s of %s is commit %s now; pin it by writing `revision: %s` into the model's file",
        config.name,
        config.revision or "main",
        source.hub,
        commit,
        commit,
    )
    return Pin(revision=commit)


def fetch(config: ModelConfig) -> Weights:
    """The weights in a folder, downloaded and verified if they are not there yet.

    Raises UserError when files are missing or are not what was promised, JobError when the hub cannot be reached.
    """
    source = config.weights
    if not _has_weights(config):
        return Weights("none", None, config.revision, None, {})
    if isinstance(source, HubModel):
        return _from_hub(source, config)
    if isinstance(source, PackageModel):
        folder = _package_folder(source, config)
        files = _verified(folder, source, config)
        return Weights(f"package {source.package}=={source.version}", folder, config.revision, None, files)
    folder = _local(source, config)
    return Weights("folder", folder, config.revision, content_hash(folder), {})


def _has_weights(config: ModelConfig) -> bool:
    """Whether there are files: not for lexical search and services, nor for installed code that names no source."""
    loader = known_loader(config)
    return config.source is not None or (loader.needs_weights and loader.kind != "any")


def _code_pin(config: ModelConfig) -> Pin:
    if known_loader(config).kind == "any" and config.revision is None:
        raise UserError(
            f"model {config.name}: nothing says which code {config.loader} is; give its folder as "
            "`source: {path: ...}`, or a `revision` that you raise when the code changes"
        )
    return Pin(revision=config.revision)


def _from_hub(source: HubModel, config: ModelConfig) -> Weights:
    revision = resolve(config).revision
    assert revision is not None
    hub = Hub.from_environment()
    commit = hub.commit(source.hub, "model", revision)
    names = needed(commit.paths, trust_remote_code=config.trust_remote_code)
    if not any(name.endswith(WEIGHTS) for name in names):
        raise UserError(
            f"model {config.name}: {source.hub} at {revision} has no weights ({', '.join(WEIGHTS)}); "
            f"its files are {', '.join(commit.paths[:20])}"
        )
    names = sorted({*names, *asked_for(config, commit.paths)})
    local = hub.fetch(commit, names)
    # The snapshot's folder: above each file by as many steps as its name has parts.
    name, path = next(iter(local.items()))
    hashes = {name: commit.file(name).sha256 or commit.file(name).git_sha1 or "" for name in names}
    return Weights(f"hub {source.hub}", path.parents[name.count("/")], revision, None, hashes)


# -- which files ------------------------------------------------------------------------------------------------------

WEIGHTS = (".safetensors", ".bin", ".pt")
OTHERS = (".json", ".txt", ".model", ".jinja", ".tiktoken", ".vocab", ".bpe", ".spm", ".npz", ".npy", ".metadata")
ELSEWHERE = re.compile(r"(onnx|openvino|coreml|tflite|gguf|runs|assets|images?|eval\w*|checkpoint-\d+|\..*)$")
TRAINING = re.compile(r"(training_args|optimizer|scheduler|rng_state.*|consolidated.*|trainer_state)\.\w+$")


def needed(names: Sequence[str], *, trust_remote_code: bool = False) -> list[str]:
    """The files among those of a model that its loader reads, sorted.

    Of several formats of the weights in one folder, safetensors; no exports for other runtimes, nothing of the
    training, no documentation. Python code only where the config trusts it.
    """
    suffixes = (*WEIGHTS, *OTHERS, *((".py",) if trust_remote_code else ()))
    paths = [PurePosixPath(name) for name in sorted(names)]
    kept = [
        path
        for path in paths
        if path.suffix in suffixes
        and not TRAINING.match(path.name)
        and not any(ELSEWHERE.match(part) for part in path.parts[:-1])
        and not path.name.startswith(".")
    ]
    has_safetensors = {path.parent for path in kept if path.suffix == ".safetensors"}
    return [
        str(path)
        for path in kept
        if path.parent not in has_safetensors
        or (path.suffix not in (".bin", ".pt") and not path.name.endswith(".bin.index.json"))
    ]


def asked_for(config: ModelConfig, names: Sequence[str]) -> list[str]:
    """The export that a config names in `parameters: file`, with what belongs to it. Raises UserError without it.

    Weights that ONNX keeps apart are called like their model with something behind, those of OpenVINO end in .bin.
    """
    asked = config.parameters.get("file")
    if asked is None:
        return []
    if asked not in names:
        exports = [name for name in names if name.endswith((".onnx", ".xml"))]
        raise UserError(
            f"model {config.name}: parameters: file: the repository has no {asked!r}; it has "
            f"{', '.join(exports) or 'no exports'}"
        )
    beside = str(PurePosixPath(asked).with_suffix(".bin")) if asked.endswith(".xml") else asked
    return [name for name in names if name.startswith(asked) or name == beside]


# -- packages and folders ---------------------------------------------------------------------------------------------


def _package_folder(source: PackageModel, config: ModelConfig) -> Path:
    where = f"model {config.name}: package {source.package}"
    try:
        distribution = importlib.metadata.distribution(source.package)
    except importlib.metadata.PackageNotFoundError:
        raise UserError(f"{where} is not installed; run: pip install {source.package}=={source.version}") from None
    if distribution.version != source.version:
        raise UserError(
            f"{where} is installed as {distribution.version}, and the model's file says {source.version}; "
            f"run: pip install {source.package}=={source.version}"
        )
    folder = Path(str(distribution.locate_file(source.folder)))
    if not folder.is_dir():
        raise UserError(f"{where} has no folder {source.folder!r} at {folder}")
    return folder


def _verified(folder: Path, source: PackageModel, config: ModelConfig) -> dict[str, str]:
    found = {}
    for name, expected in source.sha256.items():
        path = folder / name
        if not path.is_file():
            raise UserError(f"model {config.name}: package {source.package} has no file {name!r} in {folder}")
        found[name] = sha256(path)
        if found[name] != expected:
            raise UserError(
                f"model {config.name}: {path} has SHA-256 {found[name]}, and the model's file says {expected}; "
                f"reinstall {source.package}=={source.version}"
            )
    return found


def _local(source: FolderModel, config: ModelConfig) -> Path:
    folder = Path(source.path).expanduser()
    if not folder.is_dir():
        raise UserError(f"model {config.name}: source: path: {folder} is not a folder")
    return folder


def content_hash(folder: Path) -> str:
    """SHA-256 over names and content of all files of a folder that are not hidden."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if not any(part.startswith(".") or part == "__pycache__" for part in name.split("/")):
            digest.update(f"{sha256(path)} {name}\n".encode())
    return digest.hexdigest()


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
