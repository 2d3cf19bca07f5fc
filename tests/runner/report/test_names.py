"""`--model` of report, forget and store means a model on record by any name that a run takes."""

from __future__ import annotations

import pytest

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.report.names import model_on_record

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
KNOWN = {MINILM, "step-9000", "org/a", "other/a"}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (MINILM, MINILM),
        ("all-minilm-l6-v2", MINILM),
        ("minilm", MINILM),
        ("STEP-9000", "step-9000"),
        ("/checkpoints/step-9000", "step-9000"),
        ("./step-9000/", "step-9000"),
        ("~/runs/step-9000", "step-9000"),
        ("/checkpoints/step-1", None),
        ("org/a", "org/a"),
        ("a", None),
        ("e5", None),
        ("nobody", None),
    ],
)
def test_a_model_on_record_is_found_by_what_a_run_calls_it(wanted: str, found: str | None) -> None:
    assert model_on_record(wanted, KNOWN, Catalogue.of(())) == found
