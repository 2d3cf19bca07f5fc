"""A model's weights on disk, and what they are.

`resolve` says which weights a config means, without loading anything and, for a pinned revision, without any network.
`fetch` puts them into a folder, and accepts nothing that is not what its source says it is.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from embedmark.models.loaders import Loader
from embedmark.runner.common import folder as folders
from embedmark.runner.common.commits import is_commit
from embedmark.runner.common.errors import ModelError, UserError
from embedmark.runner.common.packages import require_package
from embedmark.runner.config.identity import Pin
from embedmark.runner.config.schema import FolderModel, HubModel, ModelConfig, PackageModel
from embedmark.runner.hub.files import Hub

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Weights:
    """Where a model's files are, all of them checked.

    Args:
        source: where they are from, in a few words.
        folder: None for a model without files.
        revision: the commit, or what the config says in its place.
        content: the hash of a local folder's files.
        files: name → SHA-256 of each file that is loaded.
    """

    source: str
    folder: Path | None
    revision: str | None
    content: str | None
    files: Mapping[str, str] = field(default_factory=dict)


def resolve(config: ModelConfig, loader: Loader) -> Pin:
    """Find which weights a config means: the hub's commit, or the hash of a local folder's content.

    A hub revision that is no commit is looked up, with a warning. Weights of a package are pinned by the config itself.

    Raises UserError when the folder or the revision does not exist, JobError when the hub cannot be reached.
    """
    source = config.weights
    if not _has_weights(config, loader):
        return _code_pin(config, loader)
    if isinstance(source, FolderModel):
        return Pin(content=_content(source, config))
    if isinstance(source, PackageModel) or is_commit(config.revision):
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


def fetch(config: ModelConfig, loader: Loader) -> Weights:
    """Put the weights into a folder: downloaded if they are not there yet, and verified.

    Raises UserError when files are missing or are not what was promised, JobError when the hub cannot be reached.
    """
    source = config.weights
    if not _has_weights(config, loader):
        return Weights("none", None, config.revision, None)
    if isinstance(source, HubModel):
        return _from_hub(source, config, loader)
    if isinstance(source, PackageModel):
        folder = _package_folder(source, config)
        _verified(folder, source, config)
        what = f"package {source.package}=={source.version}"
        return Weights(what, folder, config.revision, None, _digests(folder, config))
    # Behind its links: one that is given another target meanwhile leads to other weights than were hashed.
    folder = _local(source, config).resolve()
    return Weights("folder", folder, config.revision, _content_of(folder, config), _digests(folder, config))


def verify(config: ModelConfig, loader: Loader, content: str | None) -> None:
    """Compare the files of a local folder or a package with what was planned. content: the folder's hash in the plan.

    To be asked whenever something made with the weights is to be kept: loaded weights are often a view of their files,
    and change with them. Cheap where nothing has changed. Raises ModelError.
    """
    source = config.weights
    try:
        if not _has_weights(config, loader) or isinstance(source, HubModel):
            return
        if isinstance(source, PackageModel):
            _verified(_package_folder(source, config), source, config)
            return
        found = _content(source, config)
    except UserError as error:
        raise ModelError(f"the weights have changed since this job was planned: {error}") from error
    refuse_others(source, found, content)


def refuse_others(source: FolderModel, found: str | None, planned: str | None) -> None:
    """Raises ModelError where a folder's content is not the planned one."""
    if planned is not None and found != planned:
        raise ModelError(
            f"the weights in {source.path} have changed since this job was planned: their content is "
            f"{str(found)[:12]} now, and was {planned[:12]}. Nothing was kept of it. Run again: a new job is planned "
            "for the new weights."
        )


def _content(source: FolderModel, config: ModelConfig) -> str:
    return _content_of(_local(source, config), config)


def _content_of(folder: Path, config: ModelConfig) -> str:
    try:
        return content_hash(folder)
    except UserError as error:
        raise UserError(f"model {config.name}: source: path: {error}") from error


def _has_weights(config: ModelConfig, loader: Loader) -> bool:
    """Whether there are files: not for lexical search and services, nor for installed code that names no source."""
    return config.source is not None or (loader.needs_weights and loader.kind != "any")


def _code_pin(config: ModelConfig, loader: Loader) -> Pin:
    if loader.kind == "any" and config.revision is None:
        raise UserError(
            f"model {config.name}: nothing says which code {config.loader} is; give its folder as "
            "`source: {path: ...}`, or a `revision` that you raise when the code changes"
        )
    return Pin(revision=config.revision)


def _from_hub(source: HubModel, config: ModelConfig, loader: Loader) -> Weights:
    revision = resolve(config, loader).revision
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
    files = {name: commit.file(name).sha256 or folders.digest(path) for name, path in local.items()}
    return Weights(f"hub {source.hub}", path.parents[name.count("/")], revision, None, files)


def _digests(folder: Path, config: ModelConfig) -> dict[str, str]:
    """The SHA-256 of each file of a folder that is loaded; of all, where none has the name of weights."""
    found = checkpoint_files(folder)
    names = needed(list(found), trust_remote_code=config.trust_remote_code)
    if any(name.endswith(WEIGHTS) for name in names):
        asked = config.parameters.get("file")
        found = {name: path for name, path in found.items() if name in names or name == asked}
    return folders.digests(found, {})


# -- which files ------------------------------------------------------------------------------------------------------

WEIGHTS = (".safetensors", ".bin", ".pt")
OTHERS = (".json", ".txt", ".model", ".jinja", ".tiktoken", ".vocab", ".bpe", ".spm", ".npz", ".npy", ".metadata")
ELSEWHERE = re.compile(r"(onnx|openvino|coreml|tflite|gguf|runs|assets|images?|eval\w*|checkpoint-\d+|\..*)$")
TRAINING = re.compile(r"(training_args|optimizer|scheduler|rng_state.*|consolidated.*|trainer_state)\.\w+$")


def needed(names: Sequence[str], *, trust_remote_code: bool = False) -> list[str]:
    """Select the files of a model that its loader reads, sorted.

    Of several formats of the weights in one folder, safetensors, and so of open_clip's weights, whose names tell that
    they are not the others' in another format; no exports for other runtimes, nothing of the training, no
    documentation. Python code only where the config trusts it.
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
    has_safetensors = {_weights_of(path) for path in kept if path.suffix == ".safetensors"}
    return [
        str(path)
        for path in kept
        if _weights_of(path) not in has_safetensors
        or (path.suffix not in (".bin", ".pt") and not path.name.endswith(".bin.index.json"))
    ]


def _weights_of(path: PurePosixPath) -> tuple[PurePosixPath, bool]:
    """What tells the weights of one library in a folder from those of another."""
    return path.parent, path.name.startswith("open_clip_")


def asked_for(config: ModelConfig, names: Sequence[str]) -> list[str]:
    """Find the export that a config names in `parameters: file`, with what belongs to it. Raises UserError without it.

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
    distribution = require_package(source.package, source.version, f"model {config.name}: source")
    where = f"model {config.name}: package {source.package}"
    if source.folder != ".":
        folders.refuse_leaving(source.folder, f"{where}: folder")
    folder = Path(str(distribution.locate_file(source.folder)))
    if not folder.is_dir():
        raise UserError(f"{where} has no folder {source.folder!r} at {folder}")
    return folder


def _verified(folder: Path, source: PackageModel, config: ModelConfig) -> None:
    """Raises UserError where a file of a package is not what the model's file says."""
    _refuse_leaving_file(config)
    for name, expected in source.sha256.items():
        folders.refuse_leaving(name, f"model {config.name}: source: sha256")
        path = folder / name
        if not path.is_file():
            raise UserError(f"model {config.name}: package {source.package} has no file {name!r} in {folder}")
        found = folders.digest(path)
        if found != expected:
            raise UserError(
                f"model {config.name}: {path} has SHA-256 {found}, and the model's file says {expected}; "
                f"reinstall {source.package}=={source.version}"
            )


def _local(source: FolderModel, config: ModelConfig) -> Path:
    """A local folder of which nothing outside it is read."""
    folder = folders.expand(source.path, f"model {config.name}: source: path")
    _refuse_leaving_file(config)
    refuse_references(folder, config)
    return folder


def _refuse_leaving_file(config: ModelConfig) -> None:
    file = config.parameters.get("file")
    if isinstance(file, str):
        folders.refuse_leaving(file, f"model {config.name}: parameters: file")
        _refuse_ignored(file, f"model {config.name}: parameters: file")


IGNORED = frozenset(
    {".git", ".gitattributes", ".gitignore", ".cache", ".DS_Store", ".ipynb_checkpoints", "__pycache__"}
)
"""What lies in folders of checkpoints without being of them."""


def checkpoint_files(folder: Path) -> dict[str, Path]:
    """All files of a checkpoint in a local folder, name → path: those that `content_hash` covers. Raises UserError."""
    return folders.files(folder, IGNORED, hidden=True)


def content_hash(folder: Path) -> str:
    """Hash names and content of all files of a folder but IGNORED by SHA-256. Links are followed.

    Raises UserError when there are no files, or when one cannot be read.
    """
    digest = hashlib.sha256()
    found = checkpoint_files(folder)
    if not found:
        raise UserError(f"folder {folder} holds no files; expected a checkpoint")
    for name, sha256 in folders.digests(found, {}).items():
        if "\n" in name:
            raise UserError(f"folder {folder}: the name {name!r} has a line break; give the file another name")
        digest.update(os.fsencode(f"{sha256} {name}\n"))
    return digest.hexdigest()


def refuse_references(folder: Path, config: ModelConfig) -> None:
    """Raises UserError for a checkpoint that leads its loader to files outside its folder."""
    where = f"model {config.name}: {folder}"
    modules = _json(folder / "modules.json")
    # model2vec calls the folder itself ".", others write "./1_Pooling".
    named = [str(entry.get("path") or "") for entry in modules or () if isinstance(entry, dict)]
    paths = ["" if path == "." else path.removeprefix("./") for path in named]
    for path in (path for path in paths if path):
        folders.refuse_leaving(path.removesuffix("/"), f"{where}: modules.json")
        _refuse_ignored(path, f"{where}: modules.json")
    for inside in ("", *paths):
        adapter = _json(folder / inside / "adapter_config.json")
        if isinstance(adapter, dict):
            raise UserError(
                f"{where}: {PurePosixPath(inside) / 'adapter_config.json'} says that this is an adapter of "
                f"{str(adapter.get('base_model_name_or_path'))[:100]!r}, whose weights are not in the folder. Merge "
                "the two (merge_and_unload of the package peft) and save the result."
            )
    for name in ("config.json", "tokenizer_config.json") if config.trust_remote_code else ():
        settings = _json(folder / name)
        code = settings.get("auto_map") if isinstance(settings, dict) else None
        for reference in code.values() if isinstance(code, dict) else ():
            if "--" in str(reference):
                raise UserError(
                    f"{where}: {name}: auto_map runs code of another repository, {str(reference)[:100]!r}; copy that "
                    "code into the folder and name it without the repository"
                )


def _refuse_ignored(name: str, where: str) -> None:
    if IGNORED & set(name.split("/")):
        raise UserError(f"{where}: {name!r} is in a folder that does not count as part of a checkpoint; move it")


def _json(path: Path) -> Any:
    """A JSON file's value; None where the file is missing. Invalid JSON is left to the loader."""
    if not path.is_file():
        return None
    try:
        return json.loads(folders.read(path)[0])
    except (ValueError, RecursionError):
        return None
