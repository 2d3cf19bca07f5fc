"""The languages that are taken without a look into all there are."""

from __future__ import annotations

from pathlib import Path

from embedmark.runner.config import languages


def test_they_are_valid_and_sorted() -> None:
    listed = Path(languages.__file__).with_name("languages.txt").read_text(encoding="ascii").split()
    assert listed == sorted(set(listed))
    assert all(languages.is_valid(code) for code in listed)
