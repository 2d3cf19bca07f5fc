"""What goes wrong with the hub: tried again where that may help, and said in words that tell whose mistake it is."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from embedmark.runner.common.errors import CorruptFileError, JobError, UserError

Kind = Literal["dataset", "model"]
T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """What is asked of the hub: of which repository, and what for, as in `a.json of model org/name`."""

    what: str
    repo: str
    kind: Kind
    revision: str


@dataclass(frozen=True)
class Patience:
    """How often the hub at an address is asked, and what its errors mean.

    Args:
        endpoint: its address, None for the hub itself.
        cache: where its files are kept.
        attempts: how often a request or a file is tried.
        wait: seconds between the first two tries; it grows.
        seconds: after so many, a hub that does not answer is given up.
    """

    endpoint: str | None
    cache: Path
    attempts: int
    wait: float
    seconds: float

    def require_connection(self, what: str) -> None:
        """Raises JobError when nobody answers at the hub's address at all, after a few seconds.

        The hub's own client would wait half a minute for each file before it says so.
        """
        import httpx2
        from huggingface_hub import constants, get_session

        place = self.endpoint or constants.ENDPOINT
        for wait in (self.wait, 2 * self.wait, 4 * self.wait, None):
            try:
                get_session().head(place, timeout=10)
            except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
                if wait is None:
                    raise self._unreachable(what, error) from error
                time.sleep(wait)
            except Exception:
                return  # somebody answers; what else is wrong is left to the request itself
            else:
                return

    def ask(self, action: Callable[[], T], question: Question) -> T:
        """Try, and on trouble that may pass try again with growing waits. Raises UserError and JobError."""
        from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential, wait_random

        def gives_up(state: RetryCallState) -> bool:
            # A hub that does not answer was already asked several times by its client; large files may take their time.
            late = (state.seconds_since_start or 0) > self.seconds and not isinstance(_error(state), CorruptFileError)
            return late or state.attempt_number >= self.attempts

        def warn(state: RetryCallState) -> None:
            error = _error(state)
            cause = f"{type(error).__name__}: {error}".splitlines()[0]
            _log.warning("%s: try %d of %d failed: %s", question.what, state.attempt_number, self.attempts, cause)

        def _error(state: RetryCallState) -> BaseException | None:
            return None if state.outcome is None else state.outcome.exception()

        retrying = Retrying(
            stop=gives_up,
            wait=wait_exponential(multiplier=self.wait, max=16 * self.wait) + wait_random(0, self.wait),
            retry=retry_if_exception(is_transient),
            before_sleep=warn,
            reraise=True,
        )
        try:
            return retrying(action)
        except Exception as error:
            raise self._explained(error, question) from error

    def _unreachable(self, what: str, error: Exception) -> JobError:
        why = re.sub(r"\[Errno -?\d+\] *", "", str(error))
        return JobError(
            f"{what} could not be fetched from {self.endpoint or 'the hub'}: {why}. "
            "Check the network (HF_ENDPOINT, proxies), then run again; what is done stays done."
        )

    def _explained(self, error: Exception, question: Question) -> Exception:
        from huggingface_hub import errors

        place = self.endpoint or "the hub"
        what, repo, kind = question.what, question.repo, question.kind
        if isinstance(error, UserError | JobError):
            return error
        if is_transient(error):
            return self._unreachable(what, error)
        # From the special to the general: each error is also an instance of those after it.
        mended = [
            (
                errors.OfflineModeIsEnabled,
                f"{what} is not in the cache ({self.cache}), and HF_HUB_OFFLINE is set. Unset it once.",
            ),
            (
                errors.GatedRepoError,
                f"{kind} {repo} asks for consent: accept its terms on the hub, then `hf auth login`.",
            ),
            (
                errors.RevisionNotFoundError,
                f"{kind} {repo} has no revision {question.revision!r} on {place}. Give a commit of its history.",
            ),
            (
                errors.RepositoryNotFoundError,
                f"{place} has no {kind} {repo!r}, or it is private (`hf auth login`). Check the name.",
            ),
            (errors.HFValidationError, f"{repo!r} is not a name of the hub (expected ORGANISATION/NAME): {error}"),
            (errors.HfHubHTTPError, f"{place} refused {what}: {error}"),
            (OSError, f"{what} could not be stored in {self.cache}: {error}. Set HF_HOME to a folder with room."),
        ]
        return next((UserError(text) for kind_of, text in mended if isinstance(error, kind_of)), error)


def is_transient(error: BaseException) -> bool:
    """Whether trying again may help: 5xx, 408, 429, dropped or timed-out connections, short or corrupt downloads."""
    import httpx2
    from huggingface_hub import errors

    if isinstance(error, errors.OfflineModeIsEnabled):
        return False
    if isinstance(error, CorruptFileError | errors.LocalEntryNotFoundError | errors.FileMetadataError):
        return True
    if isinstance(error, errors.HfHubHTTPError):
        status = getattr(error.response, "status_code", None)
        return status is None or status in {408, 425, 429} or status >= 500
    if isinstance(error, httpx2.HTTPError | ConnectionError | TimeoutError):
        return True
    return isinstance(error, OSError) and "Consistency check failed" in str(error)
