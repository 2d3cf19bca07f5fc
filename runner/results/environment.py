"""What a job ran on: the packages that compute, and the machine."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

from embedmark.runner.common.checkout import commit_of, is_changed

COMPUTING = ("numpy", "scipy", "scikit-learn", "torch", "transformers", "sentence-transformers", "datasets")
"""The packages whose version can change a score, named in every record."""

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TOKENIZERS_PARALLELISM")


def versions() -> dict[str, str]:
    """List the versions of embedmark, Python and each installed package of `COMPUTING`; nothing is imported for it."""
    return dict(_versions())


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = {"python": platform.python_version()}
    for name in ("embedmark", *COMPUTING):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return tuple(found.items())


def peak_memory() -> int | None:
    """Return the most bytes that this process has had in memory; None where the system does not tell.

    Linux tells it in /proc: its `ru_maxrss` begins with what the parent had when it started this process.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
        return None if found is None else int(found[1]) * 1024
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@cache
def code() -> tuple[str, bool | None] | None:
    """Return the commit of the checkout that runs, and whether it was changed; None where it is no checkout."""
    root = Path(__file__).resolve().parents[2]
    commit = commit_of(root)
    return None if commit is None else (commit, is_changed(root))


def platform_summary() -> str:
    """Describe the machine in one line, as in "Linux-6.1 x86_64, 2 cores"."""
    cores = os.cpu_count() or 1
    return f"{platform.system()}-{platform.release()} {platform.machine()}, {cores} {'core' if cores == 1 else 'cores'}"


def environment(told: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """Gather all that may help to explain a difference: every installed package, platform, hardware, threads.

    Args:
        told: What torch told of these surroundings (`told_by_torch`) when it was loaded last; taken where it is not.
    """
    found, by_torch = surroundings(), told_by_torch() or told or {}
    return found | {part: found[part] | values for part, values in by_torch.items()}


def told_by_torch() -> dict[str, dict[str, Any]]:
    """Gather the part of the environment that only torch knows: accelerators and its threads; {} where it isn't loaded.

    It is never imported for that.
    """
    torch = sys.modules.get("torch")
    return {} if torch is None else {"hardware": _accelerators(torch), "threads": _torch_threads(torch)}


def surroundings() -> dict[str, Any]:
    """Gather the part of the environment that is the same whether torch is loaded or not."""
    return {
        "packages": dict(_packages()),
        "platform": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "python": sys.version,
            "implementation": platform.python_implementation(),
        },
        "hardware": {"processor": _processor(), "cores": os.cpu_count(), "memory_bytes": _memory()},
        "threads": {name: os.environ[name] for name in _THREADS if name in os.environ},
    }


@cache
def _packages() -> tuple[tuple[str, str], ...]:
    """Name and version of each installed package. Of their metadata only these lines are read: there are hundreds."""
    named = (_named(found) for found in distributions())
    return tuple(sorted(dict(named).items(), key=lambda item: item[0].casefold()))


def _named(package: Distribution) -> tuple[str, str]:
    head = (package.read_text("METADATA") or package.read_text("PKG-INFO") or "").partition("\n\n")[0]
    found = dict(_HEADER.findall(head))
    if len(found) < 2:
        return package.metadata["Name"], package.version
    return found["Name"], found["Version"]


_HEADER = re.compile(r"^(Name|Version): *(\S+) *$", re.MULTILINE)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _torch_threads(torch: Any) -> dict[str, str]:
    return {"torch": str(torch.get_num_threads())}


def _accelerators(torch: Any) -> dict[str, Any]:
    if not torch.cuda.is_available():
        return {}
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {"accelerators": names, "cuda": torch.version.cuda}
