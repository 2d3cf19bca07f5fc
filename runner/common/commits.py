"""Commits of git: revisions that can never mean something else, as branches and tags can."""

from __future__ import annotations

import re

COMMIT = re.compile("[0-9a-f]{40}")
"""A whole commit of git, which hashes by SHA-1."""


def is_commit(revision: str | None) -> bool:
    """Tell whether a revision is a whole commit."""
    return COMMIT.fullmatch(revision or "") is not None
