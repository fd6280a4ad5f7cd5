"""Waits for something to become true; says what was seen instead if it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.3


def wait_for(
    what: str,
    look: Callable[[], T | None],
    seconds: float,
    evidence: Callable[[], str] = lambda: "",
) -> T:
    """Return the first true value of `look`.

    Args:
        what: Named if it does not come.
        look: Called until it returns something true.
        seconds: Then it is given up; generous, for the machine may be busy.
        evidence: What is told beside `what` then.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s for {what}\n{evidence()}")
        time.sleep(POLL_SECONDS)
