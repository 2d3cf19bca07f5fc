"""What a job ran on: the packages that compute, and the machine."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

COMPUTING = ("numpy", "scipy", "scikit-learn", "torch", "transformers", "sentence-transformers", "datasets")
"""The packages whose version can change a score, named in every record."""

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TOKENIZERS_PARALLELISM")


def versions() -> dict[str, str]:
    """embedmark, Python and each installed package of `COMPUTING`; nothing is imported for it."""
    found = {"python": platform.python_version()}
    for name in ("embedmark", *COMPUTING):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def platform_summary() -> str:
    """The machine in one line, as in "Linux-6.1 x86_64, 2 cores"."""
    cores = os.cpu_count() or 1
    return f"{platform.system()}-{platform.release()} {platform.machine()}, {cores} {'core' if cores == 1 else 'cores'}"


def environment() -> dict[str, Any]:
    """All that may help to explain a difference: every installed package, platform, hardware, threads."""
    packages = {found.metadata["Name"]: found.version for found in distributions()}
    return {
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].casefold())),
        "platform": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "python": sys.version,
            "implementation": platform.python_implementation(),
        },
        "hardware": {"processor": _processor(), "cores": os.cpu_count(), "memory_bytes": _memory(), **_accelerators()},
        "threads": {name: os.environ[name] for name in _THREADS if name in os.environ} | _torch_threads(),
    }


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


def _torch_threads() -> dict[str, str]:
    """Torch is asked only where a model has loaded it already."""
    torch = sys.modules.get("torch")
    return {} if torch is None else {"torch": str(torch.get_num_threads())}


def _accelerators() -> dict[str, Any]:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return {}
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {"accelerators": names, "cuda": torch.version.cuda}
