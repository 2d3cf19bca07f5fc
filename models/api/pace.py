"""How fast a service may be asked: no faster than its limits of requests and tokens a minute."""

from __future__ import annotations

import time
from collections.abc import Callable

CHARACTERS_PER_TOKEN = 4
"""An estimate for services, whose tokenizers are not here: right for English; most other scripts take more tokens."""

MINUTE = 60.0


class Pace:
    """Spaces requests evenly. A limit that is None does not hold.

    clock and sleep: seconds that never go back, and how they are waited for.
    """

    def __init__(
        self,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._request_seconds = MINUTE / requests_per_minute if requests_per_minute else 0.0
        self._token_seconds = MINUTE / tokens_per_minute if tokens_per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._free = clock()

    def wait(self, characters: int) -> None:
        """Return when a request with that many characters may be sent."""
        early = self._free - self._clock()
        if early > 0:
            self._sleep(early)
        tokens = characters / CHARACTERS_PER_TOKEN
        self._free = max(self._free, self._clock()) + max(self._request_seconds, tokens * self._token_seconds)
