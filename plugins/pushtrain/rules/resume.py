"""What a person sets aside who has a training resumed that was given up."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from pushtrain.contract import Attempt, Cause
from pushtrain.rules.outcomes import deciding_attempt


def forgiven(trainings: Mapping[int, Sequence[Attempt]]) -> dict[int, list[Attempt]]:
    """Return the attempts that count no more, marked so, by round; those that were not yet.

    Attempts that brought a training to its end stay. So does a failed trial beside rounds that
    are to go on or have ended well; where none did, it is what is tried once more.

    Args:
        trainings: The attempts of each round of the step that was given up.
    """
    decided = {n: deciding_attempt(n, attempts) for n, attempts in trainings.items()}
    nothing_else = all(d and d.cause not in _ENDED_WELL for d in decided.values())
    marked: dict[int, list[Attempt]] = {}
    for number, attempts in trainings.items():
        kept = None if nothing_else else decided[number]
        for attempt in attempts:
            if attempt.forgiven or attempt.cause in _ENDED_WELL or attempt == kept:
                continue
            made = dataclasses.replace(attempt, forgiven=True)
            marked.setdefault(number, []).append(made)
    return marked


_ENDED_WELL = frozenset({Cause.FINISHED, Cause.HOPELESS})
