"""What one's own records say of themselves, as pages show it: job, day, versions, prompts, number format, signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embedmark.runner.exchange.task_scores import SCALE
from embedmark.runner.export.chosen import record_of
from embedmark.runner.provenance import signing
from embedmark.runner.provenance.ssh import Signers
from embedmark.runner.results.collect import Kept
from embedmark.runner.results.inspection import SIGNATURE, as_job_folder, inspect

UNCHECKED = "signed; by whom was not checked: no list of signers was given"


@dataclass(frozen=True)
class Vouched:
    """Who vouches for a record.

    Args:
        signer: The name in the list of signers; None where no signature holds, or none was checked.
        words: The same in words, and why none holds.
    """

    signer: str | None
    words: str


@dataclass(frozen=True)
class OwnRecords:
    """What is known of one's own records beyond their scores.

    Args:
        vouched: Who vouches for each, by its fingerprint; those that nobody signed are left out.
    """

    vouched: Mapping[str, Vouched]

    @classmethod
    def of(cls, records: Sequence[Kept], signers: Signers | None = None) -> OwnRecords:
        """Look at the signatures of records.

        Args:
            records: All that pages may show.
            signers: Who may sign; None where nobody asked for signatures to be checked.

        Raises:
            UserError: There is no ssh-keygen, or the lists of signers cannot be used.
        """
        signed = [kept for kept in records if (kept.folder / SIGNATURE).is_file()]
        return cls({kept.facts.fingerprint: _vouched(kept, signers) for kept in signed})

    def signed(self, kept: Kept) -> bool:
        """Whether a signature of somebody in the list of signers holds."""
        found = self.vouched.get(kept.facts.fingerprint)
        return found is not None and found.signer is not None

    def details(self, kept: Kept) -> dict[str, Any]:
        """Say of one record what its page shows, as JSON takes it. None is what the record does not state."""
        record = record_of(kept)
        vouched = self.vouched.get(record.fingerprint)
        score = record.main_score
        return {
            "job": record.fingerprint,
            "folder": kept.folder.name,
            "task": record.job.task,
            "split": record.job.split,
            "subset": record.job.subset,
            "score": round(score * SCALE) if score == score else None,
            "metric": record.main_metric,
            "date": record.finished_at.date().isoformat(),
            "embedmark": record.versions.get("embedmark"),
            "commit": record.code.commit if record.code else None,
            "changed": record.code.changed if record.code else None,
            "model": record.job.model_revision,
            "content": record.model.content_hash,
            "data": record.dataset.revision,
            "dtype": record.model.dtype,
            "prompts": prompts(kept.model),
            "signed": vouched.words if vouched else None,
            "service": record.service is not None,
        }


def prompts(model: Mapping[str, Any]) -> list[str]:
    """Say in words what a model's identity puts before texts; empty where it puts nothing."""
    found = [f"{kind}: {text}" for kind, text in sorted(model.get("prompts", {}).items())]
    instructions = model.get("instructions")
    if instructions is not None:
        template = instructions.get("template", "{instruction}")
        parts = template.items() if isinstance(template, Mapping) else [("instructions", template)]
        found += [f"{kind}: {text}" for kind, text in sorted(parts)]
    return found


def _vouched(kept: Kept, signers: Signers | None) -> Vouched:
    if signers is None:
        return Vouched(None, UNCHECKED)
    folder = as_job_folder(kept.folder)
    assert folder is not None
    answer = signing.check(inspect(folder), signers)
    if answer.signer is None:
        return Vouched(None, f"the signature does not hold: {answer.problem}")
    return Vouched(answer.signer, f"signed by {answer.signer}")
