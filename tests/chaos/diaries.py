"""What containers said of their training while they lived; no checkpoint has a part in it."""

from __future__ import annotations

import re
from collections.abc import Iterable

# the trainer's line for each epoch that ended, saved or not; the number of epochs tells one fit
# from another. A script whose fits have no epochs says by itself what it has done.
_ENDED = re.compile(r"pushtrain: epoch (\d+/\d+)|diary: done (.+)")
_BEGUN = "diary: epoch "
_FIRST_BATCH = "diary: first batch at "


def finished(log: Iterable[str]) -> list[str]:
    """Return the epochs (`3/12`) and fits that a process finished, in order."""
    found = filter(None, (_ENDED.match(line) for line in log))
    return [match[1] or match[2] for match in found]


def trained_twice(logs: Iterable[Iterable[str]]) -> int:
    """Return how often something was finished that had been finished before.

    Args:
        logs: What each attempt of a training printed.
    """
    done = [what for log in logs for what in finished(log)]
    return len(done) - len(set(done))


def begun_epochs(log: Iterable[str]) -> list[int]:
    """Return the epochs that a process began, as its script said."""
    return [int(line.split()[-1]) for line in log if line.startswith(_BEGUN)]


def first_batch(log: Iterable[str]) -> float | None:
    """Return when (Unix time) a process trained its first batch, as its script said."""
    said = (line for line in log if line.startswith(_FIRST_BATCH))
    return next((float(line.split()[-1]) for line in said), None)
