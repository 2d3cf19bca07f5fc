"""Installed packages of exactly one version, which data or weights rest on."""

from __future__ import annotations

from importlib.metadata import Distribution, PackageNotFoundError, distribution

from embedmark.runner.common.errors import UserError


def require_package(package: str, version: str, where: str) -> Distribution:
    """Find an installed package.

    Args:
        where: what names it, to begin messages with, as in `task X: dataset`.

    Raises:
        UserError: when it is missing or is installed in another version.
    """
    way_out = f"run: pip install {package}=={version}"
    try:
        found = distribution(package)
    except PackageNotFoundError:
        raise UserError(f"{where}: package {package} is not installed; {way_out}") from None
    if found.version != version:
        raise UserError(
            f"{where}: package {package} is installed in version {found.version}, expected {version}; {way_out}"
        )
    return found
