"""What is said of trainings that ran out of memory: always with the figures."""

from __future__ import annotations

from collections.abc import Sequence

from pushtrain.contract import Experiment
from pushtrain.history import RoundOutcome


def with_figures(message: str, allowed_mib: int, held_mib: int) -> str:
    """Return how a training ran out of memory, with what it was allowed and what it held.

    Args:
        message: What the engine or the script's own exception said.
        allowed_mib: The limit of its container.
        held_mib: The most that its process held when it said something last; 0 where unknown.
    """
    held = f"{held_mib} MiB were held" if held_mib else ""
    if f"{allowed_mib} MiB" in message:
        return f"{message}, {held}" if held else message
    allowed = f"{allowed_mib} MiB were allowed"
    return f"{message} ({', '.join(part for part in (allowed, held) if part)})"


def needs_more(experiment: Experiment, rounds: Sequence[RoundOutcome], why: str) -> str:
    """Return why an experiment without a single result is given up, and what helps.

    Args:
        experiment: With the memory that it is allowed.
        rounds: All rounds, in order; the last one that ran out of memory is told of.
        why: Why it is not tried with smaller batches; empty for no reason beside the figures.
    """
    starved = [r for r in rounds if r.out_of_memory]
    said = f"round {starved[-1].round} ended: {starved[-1].failure}" if starved else ""
    return (
        f"it needs more than the {experiment.settings.memory} MiB that it is allowed "
        f"({'; '.join(part for part in (said, why) if part)}): raise `memory` in [tool.pushtrain], "
        "or make the model or the data that it holds at once smaller"
    )
