"""Whether an error says that the device is lost to this process."""

from __future__ import annotations

from collections.abc import Iterator

from embedmark.runner.common.errors import message_of

_SIGNS = ("CUDA error:", "CUDA failure", "HIP error:")


def is_lost(error: BaseException) -> bool:
    """Whether CUDA's context is broken, as after a device-side assert: no later call of this process can succeed.

    An exhausted memory breaks nothing.
    """
    return any(tells_of_loss(type(link).__name__, message_of(link)) for link in _chain(error))


def tells_of_loss(error_class: str, message: str) -> bool:
    """The same, of an error that was written down."""
    named = error_class.rpartition(".")[2] == "AcceleratorError" or any(sign in message for sign in _SIGNS)
    return named and "out of memory" not in message


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
