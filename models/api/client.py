"""Questions to a service over HTTP: asked again while that may help, as slowly as it wants, its key never shown.

What is raised says what came: a status with the beginning of its answer, a connection that failed, something other
than JSON.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from embedmark.models.api.answers import excerpt
from embedmark.models.api.key import Key
from embedmark.models.api.pace import Pace
from embedmark.runner.common.errors import ModelError

log = logging.getLogger(__name__)

RETRIES = 6
TIMEOUT = 120.0
LONGEST_WAIT = 900.0
"""Seconds that a service may ask for between two attempts. Whoever asks for more means another day."""

_PASSING = {408, 409, 425, 429}
_UNAUTHORISED = {401, 403}
_backoff = wait_exponential_jitter(initial=1, max=60)


class _PassingError(Exception):
    """What may be over when the service is asked again. seconds: when it wants to be, if it says so."""

    def __init__(self, message: str, seconds: float | None = None, *, reached: bool = True) -> None:
        super().__init__(message)
        self.seconds, self.reached = seconds, reached


class Client:
    """One service. headers: those of every request, made of its key."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        key: Key,
        pace: Pace,
        *,
        retries: int = RETRIES,
        timeout: float = TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx2.Client(base_url=url, headers=dict(headers), timeout=timeout)
        self._url, self._key, self._pace, self._timeout, self._sleep = url, key, pace, timeout, sleep
        self._attempts = self._patience = retries + 1

    def post(self, path: str, body: Any, characters: int) -> Any:
        """The answer to that body, as JSON. characters: the size of its texts. Raises ModelError."""
        attempts = Retrying(
            retry=retry_if_exception_type(_PassingError),
            stop=stop_after_attempt(self._patience),
            wait=_pause,
            sleep=self._sleep,
            before_sleep=self._tell,
            reraise=True,
        )
        try:
            answer = attempts(self._once, path, body, characters)
        except _PassingError as error:
            tried = f" (asked {self._patience} times)" if self._patience > 1 else ""
            if not error.reached:
                # A service that is gone is not waited for again by each job that is left.
                self._patience = 1
            raise ModelError(f"{error}{tried}") from None
        self._patience = self._attempts
        return answer

    def _once(self, path: str, body: Any, characters: int) -> Any:
        self._pace.wait(characters)
        try:
            response = self._http.post(path, json=body)
        except httpx2.TimeoutException:
            raise _PassingError(f"no answer within {self._timeout:g} s", reached=False) from None
        except httpx2.TransportError as error:
            raise _PassingError(f"{type(error).__name__}: {self._shown(str(error))}", reached=False) from None
        if not response.is_success:
            raise self._refused(response)
        try:
            # The key is taken out before anything is read, so that no error further on can show it.
            return json.loads(self._key.hidden(response.text))
        except ValueError:
            raise _PassingError(
                f"answered {response.status_code} with something other than JSON: {self._shown(response.text)!r}"
            ) from None

    def _refused(self, response: httpx2.Response) -> Exception:
        status = response.status_code
        message = f"answered {status}: {self._shown(response.text)}"
        if status in _PASSING or status >= 500:
            seconds = _asked_for(response)
            if seconds is not None and seconds > LONGEST_WAIT:
                return ModelError(f"{message}; it wants to be asked again in {seconds:.0f} s: run this again then")
            return _PassingError(message, seconds)
        if status in _UNAUTHORISED:
            where = f"the key in {self._key.variable}" if self._key.variable else "`parameters.key`"
            return ModelError(f"{message}; is {where} right?")
        return ModelError(message)

    def _shown(self, text: str) -> str:
        return excerpt(self._key.hidden(text))

    def _tell(self, state: RetryCallState) -> None:
        pause = state.next_action.sleep if state.next_action else 0.0
        log.info("%s: %s; asked again in %.1f s", self._url, _error(state), pause)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _pause(state: RetryCallState) -> float:
    """As long as the service says; where it says nothing, twice as long each time."""
    asked = getattr(_error(state), "seconds", None)
    return float(asked) if asked is not None else _backoff(state)


def _asked_for(response: httpx2.Response) -> float | None:
    """The seconds of Retry-After, a number or a date, or of what Google's services put into the body instead."""
    said = response.headers.get("retry-after")
    return _google_delay(response) if said is None else _seconds(said)


def _seconds(said: str) -> float | None:
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(said)
    except ValueError:
        return None
    # A date without a zone is one in UTC.
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def _google_delay(response: httpx2.Response) -> float | None:
    try:
        details = response.json()["error"]["details"]
        return _seconds(next(detail["retryDelay"] for detail in details if "retryDelay" in detail).removesuffix("s"))
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return None
