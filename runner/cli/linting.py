"""`lint`: what looks wrong with scores."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from embedmark.runner.cli.importing import main_metrics
from embedmark.runner.common.errors import FAILED, OK, UserError
from embedmark.runner.common.text import counted, say
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange import snapshot, store
from embedmark.runner.lint.finding import SEVERITIES, Finding
from embedmark.runner.lint.lint import lint_scores, ranked
from embedmark.runner.lint.over_files import lint_files
from embedmark.runner.lint.over_records import lint_records
from embedmark.runner.results.collect import collect
from embedmark.runner.results.record import Record

_NOUNS = {"error": "error", "warning": "warning", "look": "to look at", "info": "note"}


def lint(
    what: str | None, outputs: Path, folders: Sequence[Path], *, everything: bool, strict: bool, as_json: bool
) -> int:
    """Print what looks wrong.

    Args:
        what: "imported" (the import store), "snapshot" (the published scores that ship), a path of result files, or
            None for one's own records.
        outputs: The folder of results.
        folders: The user's own config folders.
        everything: Show notes as well.
        strict: End with 1 for warnings, too.
        as_json: Print one JSON object a finding.

    Returns:
        1 where there are errors; with `strict` warnings as well.

    Raises:
        UserError: There is nothing to look at.
    """
    started = time.monotonic()
    findings = _findings(what, outputs, folders)
    for finding in findings:
        if as_json:
            say(json.dumps(asdict(finding)))
        elif everything or finding.severity != "info":
            say(f"{finding.severity:<8} {finding.rule:<13} {finding.where}: {finding.evidence}")
    if not as_json:
        say(_summary(findings, everything=everything, seconds=time.monotonic() - started))
    bad = {"error", "warning"} if strict else {"error"}
    return FAILED if any(finding.severity in bad for finding in findings) else OK


def _findings(what: str | None, outputs: Path, folders: Sequence[Path]) -> list[Finding]:
    if what == "imported":
        with store.reading(outputs):
            scores = store.load(outputs).collect()
        return lint_scores(scores)
    if what == "snapshot":
        return lint_scores(snapshot.scores().collect())
    if what is not None:
        return ranked(lint_files(Path(what), main_metrics(Catalogue.of(folders))))
    collected = collect(outputs)
    records = [kept.facts for kept in collected.records if isinstance(kept.facts, Record)]
    told = (problem.partition(": ") for problem in collected.problems)
    damaged = [Finding("error", "file", where, what) for where, _, what in told]
    if not records and not damaged:
        raise UserError(f"{outputs / 'jobs'}: no records; run a model first, or give a path, `imported` or `snapshot`")
    return ranked([*damaged, *lint_records(records)])


def _summary(findings: Sequence[Finding], *, everything: bool, seconds: float) -> str:
    counts = Counter(finding.severity for finding in findings)
    words = [
        f"{counts[severity]} {_NOUNS[severity]}" if severity == "look" else counted(counts[severity], _NOUNS[severity])
        for severity in SEVERITIES
    ]
    hidden = " hidden (--all)" if counts["info"] and not everything else ""
    return f"{', '.join(words)}{hidden}, in {seconds:.0f} s"
