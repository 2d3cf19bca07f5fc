"""A record checked: whole, true to itself, and what its identity claims, stage by stage and by running it again.

Every hash may have been edited along with the number that it is of, so nothing of the first two steps is called a
match: only what is made anew from the claim counts. The first stage that parts is named; those after it part as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import EmbedmarkError, JobError, OutputError, UserError, message_of
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import Execution
from embedmark.runner.encode.engine import Request
from embedmark.runner.execute.evidence import encode_rows, evidence, probes_of, sides_of_rows
from embedmark.runner.execute.jobs import Prepared, prepare, requests
from embedmark.runner.execute.model import OpenModel, open_model
from embedmark.runner.pins import default_pins
from embedmark.runner.plan import Job
from embedmark.runner.report.older import is_old
from embedmark.runner.results.collect import Kept
from embedmark.runner.results.evidence import Evidence, Side, read_evidence
from embedmark.runner.results.inspection import Inspected
from embedmark.runner.results.record import Record
from embedmark.runner.verify import causes, stages
from embedmark.runner.verify.claim import UnclearClaimError, claimed_job
from embedmark.runner.verify.itself import contradiction
from embedmark.runner.verify.scores import cause_of_scores, one_item, run_again
from embedmark.runner.verify.verdict import SCORE, SKETCH, Verdict, tolerances

_MATCH, _DIFFERS, _UNKNOWN = "match", "differs because", "cannot tell, because"
_LIBRARIES = ("torch", "transformers", "sentence-transformers", "scikit-learn", "scipy", "numpy")
_FLIPS = {"classification", "multilabel_classification", "zeroshot_classification"}
"""Types whose scores move by whole items, where a vector moves by its last digit."""

_CLEARLY = 0.25
"""Another number format is told by vectors that are so much nearer to it: it does not give the same ones every time."""


def check(found: Inspected, catalogue: Catalogue, *, whole: bool = True, execution: Execution | None = None) -> Verdict:
    """Check one record.

    Args:
        found: The record, read and compared with its sums.
        catalogue: Gives what no identity says.
        whole: Whether to run the whole job again; else a few rows of it alone, which never ends in a match.
        execution: How to run; nothing is taken from a store, or written to one.

    Returns:
        What can be said of it.
    """
    if not isinstance(found.facts, Record):
        return Verdict("differs because", f"damaged: {found.problem or 'it holds a failure and no score'}")
    kept = Kept(found.facts, found.found.path, found.identity)
    try:
        return _Check(kept, catalogue, (execution or Execution()).model_copy(update={"store": False})).verdict(whole)
    except _PartedError as parted:
        return Verdict("differs because", parted.cause)
    except _UnknownError as unknown:
        return Verdict("cannot tell, because", unknown.cause)


class _PartedError(Exception):
    """The record is not what it claims."""

    def __init__(self, cause: str) -> None:
        self.cause = cause


class _UnknownError(Exception):
    """Nothing can be said."""

    def __init__(self, cause: str) -> None:
        self.cause = cause


class _Check:
    def __init__(self, kept: Kept, catalogue: Catalogue, execution: Execution) -> None:
        assert isinstance(kept.facts, Record)
        self.kept, self.record = kept, kept.facts
        self.catalogue, self.execution = catalogue, execution
        self.noise, self.sketch, self.score = 0.0, SKETCH, SCORE
        self.raw: Mapping[str, NDArray[np.float32]] = {}

    def verdict(self, whole: bool) -> Verdict:
        """Raises _PartedError and _UnknownError."""
        if (cause := contradiction(self.kept, self.record)) is not None:
            raise _PartedError(cause)
        known = self._evidence()
        job = self._claim()
        with TemporaryDirectory(prefix="embedmark-verify-") as folder:
            self.folder = Path(folder)
            prepared = self._prepared(job)
            model = self._model(job)
            self.sketch, self.score = tolerances(model.facts.dtype)
            asked: tuple[Request, ...] = ()
            if model.encoder is not None:
                asked = requests(prepared, model.encoder)
            checked = self._stages(known, prepared, model, asked) if known is not None else "no evidence (schema 1)"
            if not whole:
                return Verdict("cannot tell, because", f"the job was not run again; so far equal: {checked}")
            rerun = run_again(prepared, model, asked, self.record)
            self._after(known, rerun.sides, model)
            allowed = max(self.score, one_item(self.kept, self.record)) if self.noise else SCORE
            cause = cause_of_scores(self.kept, self.record, rerun, allowed, self._libraries())
        if cause is not None:
            raise _PartedError(cause)
        how = "" if self.noise == 0 else " (other kernel or batches)"
        return Verdict("match", f"{checked}, {len(rerun.scores.values)} scores equal{how}", ran=True)

    def _after(self, known: Evidence | None, sides: Mapping[str, Side], model: OpenModel) -> None:
        """Look at the vectors of a whole run: what depends on all rows is known by now."""
        if known is None or not known.sides:
            return
        again = Evidence(sides=sides)
        self.noise = stages.raw_apart(known, again)
        if model.postprocess.needs_all_rows and stages.used_apart(known, again) > self.sketch:
            cause = causes.of_vectors(known.sides, self.raw, model.postprocess)
            raise _PartedError(cause or "quantize: the numbers on record are not those of the claim")

    def _evidence(self) -> Evidence | None:
        try:
            return read_evidence(self.kept.folder)
        except UserError as error:
            raise _PartedError(f"damaged: {error}") from None

    # -- the claim ----------------------------------------------------------------------------------------------------

    def _claim(self) -> Job:
        if (service := self.record.service) is not None:
            named = f" as {', '.join(service.models)}" if service.models else ""
            raise _UnknownError(
                f"a service made the vectors, on {service.asked_on}{named}; what it runs now may be another model"
            )
        if is_old(self.kept):
            raise _UnknownError(
                "it was made with another version of a protocol, loader or package; see `report --older`"
            )
        try:
            return claimed_job(self.kept.identity, self.catalogue, default_pins())
        except (UnclearClaimError, JobError) as error:
            raise _UnknownError(message_of(error)) from error

    def _prepared(self, job: Job) -> Prepared:
        try:
            return prepare(job, self.folder / "data", warn=False)
        except OutputError:
            raise
        except (EmbedmarkError, ValueError) as error:
            raise _UnknownError(f"its data cannot be had: {' '.join(message_of(error).split())}") from error

    def _model(self, job: Job) -> OpenModel:
        try:
            model = open_model(job.model, self.execution, self.folder)
            refuse_unaccepted_here(job, model)
        except OutputError:
            raise
        except (EmbedmarkError, ValueError) as error:
            raise _UnknownError(f"its model cannot be opened: {' '.join(message_of(error).split())}") from error
        return model

    # -- stages -------------------------------------------------------------------------------------------------------

    def _stages(self, known: Evidence, prepared: Prepared, model: OpenModel, asked: tuple[Request, ...]) -> str:
        """Compare a few rows; return what is equal, in words."""
        encoder = model.encoder
        if (cause := stages.files_apart(known, Evidence(files=model.files))) is not None:
            raise _PartedError(cause)
        if encoder is None or not known.sides:
            again = evidence(prepared, model.files, {}, None)
            if (cause := stages.rows_apart(known, again)) is not None:
                raise _PartedError(self._which_rows(known, prepared, cause))
            return f"{len(known.columns)} splits and {len(known.files)} files equal"
        raw = self.raw = encode_rows(prepared, asked, encoder)
        sides = sides_of_rows(prepared, asked, raw, model.postprocess, encoder)
        again = evidence(prepared, model.files, sides, probes_of(encoder))
        if (cause := stages.rows_apart(known, again)) is not None:
            raise _PartedError(self._which_rows(known, prepared, cause))
        if (cause := stages.given_apart(known, again)) is not None:
            raise _PartedError(causes.of_prompts(cause, known, again, model.config))
        self._tokens(known, again)
        self._vectors(known, again, prepared, model, asked)
        if not model.postprocess.needs_all_rows:
            self._used(known, again, raw, model)
        n_rows = sum(len(side.rows) for side in known.sides.values())
        return (
            f"{len(known.columns)} splits and {len(known.files)} files equal, vectors of {n_rows} rows within "
            f"{stages.raw_apart(known, again):.0e}"
        )

    def _which_rows(self, known: Evidence, prepared: Prepared, cause: str) -> str:
        """Name what the rows on record are of, where something near the claim has just these."""
        job = prepared.job
        theirs = {frozenset(columns.items()) for columns in known.columns.values()}
        for words, other in causes.other_data(job, self.catalogue):
            try:
                found = prepare(other, self.folder, warn=False)
            except (EmbedmarkError, ValueError):
                continue
            if {frozenset(columns.items()) for columns in found.loaded.columns.values()} == theirs:
                return f"{words}: the rows on record are of it ({cause})"
        return cause

    def _tokens(self, known: Evidence, again: Evidence) -> None:
        names = list(stages.tokens_apart(known, again))
        if not names:
            return
        cut = stages.cut_at(known, again)
        if cut is not None:
            raise _PartedError(f"max_tokens: texts on record were cut {cut} tokens, and not as claimed")
        raise _PartedError(f"tokens: the same {', '.join(names)} have other token ids (max_tokens or tokenizer)")

    def _vectors(
        self, known: Evidence, again: Evidence, prepared: Prepared, model: OpenModel, asked: tuple[Request, ...]
    ) -> None:
        apart = stages.raw_apart(known, again)
        probes = stages.probes_apart(known, again)
        if apart <= self.sketch:
            if probes is not None:
                raise _PartedError(
                    f"max_tokens or model: {probes} differ, and those of this job's rows do not: it could not have "
                    "mattered here"
                )
            return
        best: list[tuple[float, str]] = []
        for words, config in causes.other_models(model.config):
            try:
                resolved = replace(prepared.job.model, config=config)
                tried = open_model(resolved, self.execution, self.folder)
                assert tried.encoder is not None
                raw = encode_rows(prepared, asked, tried.encoder)
                sides = sides_of_rows(prepared, asked, raw, model.postprocess, None)
            except (EmbedmarkError, ValueError, RuntimeError, TypeError, AssertionError):
                continue
            best.append((stages.raw_apart(known, Evidence(sides=sides)), words))
        if best and min(best)[0] <= max(SKETCH, apart * _CLEARLY):
            raise _PartedError(f"{min(best)[1]}: vectors are {apart:.1e} from the claim, {min(best)[0]:.0e} from that")
        raise _PartedError(
            f"loader or library: equal files and tokens give vectors that are {apart:.1e} apart{self._libraries()}"
        )

    def _used(self, known: Evidence, again: Evidence, raw: Mapping[str, NDArray[np.float32]], model: OpenModel) -> None:
        apart = stages.used_apart(known, again)
        if apart <= self.sketch:
            return
        cause = causes.of_vectors(known.sides, raw, model.postprocess)
        raise _PartedError(cause or f"what was done to vectors (normalize, truncate_dim, quantize): {apart:.1e} apart")

    def _libraries(self) -> str:
        from embedmark.runner.results.environment import versions

        now = versions()
        told = [
            f"{name} {self.record.versions[name]} there, {now[name]} here"
            for name in _LIBRARIES
            if name in self.record.versions and name in now and self.record.versions[name] != now[name]
        ]
        return f" ({'; '.join(told)})" if told else ""


def refuse_unaccepted_here(job: Job, model: OpenModel) -> None:
    """Raises UserError where the claim's task cannot evaluate such a model."""
    if model.kind not in job.task.type.accepts:
        raise UserError(f"task type {job.task.type.name} does not evaluate a {model.kind}")
