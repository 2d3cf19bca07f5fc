"""The folder of an unpacked bundle: whether it is what was packed, and the environment in which it alone is read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import embedmark
from embedmark.runner.bundle.archive import MANIFEST
from embedmark.runner.bundle.contents import NAME, local_folders, refuse_services
from embedmark.runner.bundle.manifest import LARGEST, Manifest, parse_manifest
from embedmark.runner.common import folder as folders
from embedmark.runner.common.errors import UserError
from embedmark.runner.common.files import read_bounded
from embedmark.runner.common.text import counted
from embedmark.runner.config.compose import settings_from
from embedmark.runner.config.members import all_of
from embedmark.runner.pins import default_pins
from embedmark.runner.plan import make_plan

OVERRIDES = (f"model={NAME}", f"benchmark={NAME}")
"""What is run of a bundle."""

CONFIGS = Path("configs")
_GROUPS = ("configs", "folders")
"""Folders in which nothing but what was packed may lie: all of it is read."""


def read(folder: Path) -> Manifest:
    """Read the manifest of an unpacked bundle, and compare every file with it. Raises UserError naming what differs."""
    path = folder / MANIFEST
    content = read_bounded(path, LARGEST, where=f"{folder} is no unpacked bundle: {path}")
    manifest = parse_manifest(content, str(path))
    for name, expected in manifest.files.items():
        file = folder / name
        if not file.is_file():
            raise UserError(f"{file}: missing; unpack the bundle again")
        if folders.digest(file) != expected.sha256:
            raise UserError(f"{file}: is not what was packed; unpack the bundle again")
    for group in _GROUPS:
        if not (folder / group).exists():
            continue
        for name in folders.files(folder / group, hidden=True):
            if f"{group}/{name}" not in manifest.files:
                raise UserError(f"{folder / group / name}: is not of the bundle; remove it")
    return manifest


def environment_of(folder: Path) -> dict[str, str]:
    """Return the environment of a process that reads nothing of the hub but what the folder holds, and asks nobody."""
    ours = str(Path(embedmark.__file__).resolve().parents[1])
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    own = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    python_path = os.pathsep.join([ours, *(str(Path(path).absolute()) for path in paths)])
    return own | _offline(folder) | {"PYTHONPATH": python_path, "HF_HUB_DISABLE_TELEMETRY": "1"}


def _offline(folder: Path) -> dict[str, str]:
    return {
        "HF_HOME": str(folder / "home"),
        "HF_HUB_CACHE": str(folder / "hub"),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }


_ELSEWHERE = {
    "HF_ENDPOINT",
    "HF_DATASETS_CACHE",
    "HF_MODULES_CACHE",
    "HF_ASSETS_CACHE",
    "HF_XET_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "TRANSFORMERS_CACHE",
}
"""Variables that name other places to read from."""


def has_begun_in(folder: Path) -> bool:
    """Whether this process has the environment of the folder, and runs in it."""
    given = all(os.environ.get(name) == value for name, value in _offline(folder).items())
    return given and Path.cwd() == folder


def check_plan(manifest: Manifest, overrides: Sequence[str]) -> None:
    """Plan what the unpacked bundle in the current folder is for, and compare it with what was promised.

    Raises UserError where the configs lead out of the bundle, need a service, or make other jobs.
    """
    settings, catalogue = settings_from([*OVERRIDES, *overrides], [CONFIGS])
    configs = CONFIGS.resolve()
    own = [name for name, entry in catalogue.tasks.items() if entry.path.is_relative_to(configs)]
    for what, path in local_folders(settings.model, map(catalogue.task, own)):
        folders.refuse_leaving(path, f"{what}: its folder")
        if not path.startswith("folders/"):
            raise UserError(f"{what}: its folder {path[:100]!r} is not of the bundle")
    if not manifest.code and any(part.trust_remote_code for part in all_of(settings.model)):
        raise UserError(f"model {settings.model.name}: runs code of its own, and the manifest does not say so")
    plan = make_plan(settings, catalogue, default_pins())
    refuse_services(plan.model)
    promised = {job.fingerprint: job for job in manifest.jobs}
    found = {job.fingerprint: job for job in plan.jobs}
    if promised.keys() == found.keys():
        return
    others = [f"{job.task} {job.subset} {job.split}" for job in manifest.jobs if job.fingerprint not in found]
    others = others or [job.name for job in plan.jobs if job.fingerprint not in promised]
    raise UserError(
        f"{counted(len(others), 'job')} would not be the bundle's, such as {others[0]}: it was made by embedmark "
        f"{manifest.embedmark} with {', '.join(manifest.needs) or 'no other packages'}, and this is embedmark "
        f"{version('embedmark')}. Install what made it, or make the bundle anew."
    )
