"""How often a training ended which way: what page, mails and terminal tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pushtrain.contract import Attempt, Cause

# An attempt that ended so was cut off, or went wrong; the others came to the end that was meant.
CUT_SHORT = frozenset(
    {
        Cause.SCRIPT_ERROR,
        Cause.NO_METRIC,
        Cause.OUT_OF_MEMORY,
        Cause.KILLED,
        Cause.HUNG,
        Cause.LOST,
        Cause.HOST_LOST,
    }
)

# It was trained to its end, or stopped because others are far better.
MEANT = frozenset({Cause.FINISHED, Cause.HOPELESS})

# Not the training's fault: never charged to the limit of starts, but still slowed down.
NOT_CHARGED = frozenset({Cause.HOST_LOST})


def counts(attempts: Iterable[Attempt]) -> dict[Cause, int]:
    """Return how many of the attempts ended in each way, in the order of `Cause`.

    An attempt that is under way, and a cause that did not occur, are not in it.
    """
    ended = [a.cause or Cause.LOST for a in attempts if a.ended_at is not None]
    return {cause: ended.count(cause) for cause in Cause if cause in ended}


def cut_short(attempts: Iterable[Attempt]) -> dict[Cause, int]:
    """Return those of `counts` that people want to hear of: all but the ends that were meant."""
    return {c: n for c, n in counts(attempts).items() if c not in MEANT}


def charged(counted: Mapping[Cause, int]) -> dict[Cause, int]:
    """Return those of `counts` that are charged to the limit of starts without progress."""
    return {c: n for c, n in counted.items() if c in CUT_SHORT - NOT_CHARGED}


def not_charged(counted: Mapping[Cause, int]) -> dict[Cause, int]:
    """Return those of `counts` that were cut short, but not by the training's fault."""
    return {c: n for c, n in counted.items() if c in NOT_CHARGED}
