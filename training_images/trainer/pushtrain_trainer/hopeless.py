"""Stops a round early that lies clearly below the rounds before it at the same epoch.

The median rule of Golovin et al. 2017 (Vizier), made careful: a round stopped wrongly costs
more than the epochs that a hopeless one goes on for.
"""

from __future__ import annotations

import contextlib
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pushtrain_trainer.contract import REFERENCES_FILE, ExitCode
from pushtrain_trainer.durable_files import read_json
from pushtrain_trainer.early_end import leave, write_result
from pushtrain_trainer.history_table import series_of
from pushtrain_trainer.run_state import Run, say

GRACE_EPOCHS = 3
GRACE_SHARE = 0.2  # of the planned epochs
LATE_SHARE = 0.9  # what is left after that costs less than a wrong stop
# How far below counts as clear, by the metric that is compared; dropout and augmentation lower
# the accuracy on training data and may be what a tweak is for.
MARGINS = {"val_accuracy": 0.05, "accuracy": 0.15}

Series = tuple[float, ...]


@dataclass(frozen=True)
class Reference:
    """The curves of an earlier round.

    Attributes:
        fit: Number of the fit in the script, from 1; 0 where unknown.
        curves: Figures by epoch, by metric, only those without a gap.
    """

    fit: int
    curves: Mapping[str, Series]


def references_in(data: Any) -> tuple[Reference, ...]:
    """Return the curves in the content of `references.json`; none if it is something else."""
    listed = data.get("curves") if isinstance(data, dict) else None
    found = (item for item in listed or () if isinstance(item, dict))
    return tuple(
        Reference(
            fit=item["fit"] if isinstance(item.get("fit"), int) else 0,
            curves={name: whole for name in MARGINS if (whole := whole_series(item.get(name)))},
        )
        for item in found
    )


def whole_series(values: Any) -> Series:
    """Return the values as numbers, an empty tuple if one is missing or no finite number."""
    if not isinstance(values, list | tuple):
        return ()
    numbers = [float(v) for v in values if isinstance(v, int | float) and math.isfinite(v)]
    return tuple(numbers) if len(numbers) == len(values) else ()


def verdict(
    fit: int, planned: int, own: Mapping[str, Series], references: Sequence[Reference]
) -> str:
    """Return why a round is hopeless, in one sentence; empty if it is not.

    Args:
        fit: Number of the fit that is under way, from 1.
        planned: Epochs that it is to have.
        own: Its figures by epoch so far, by metric.
        references: The rounds before it.
    """
    if not references or any(reference.fit != fit for reference in references):
        return ""  # of other fits, so the numbers of fits differ: nothing can be compared
    for metric, margin in MARGINS.items():
        others = [r.curves[metric] for r in references if metric in r.curves]
        if own.get(metric) and others:
            return _below(metric, margin, planned, own[metric], others)
    return ""


def _below(metric: str, margin: float, planned: int, own: Series, others: list[Series]) -> str:
    epoch = len(own)
    reaching = [curve for curve in others if len(curve) >= epoch]
    if not reaching or not is_time_to_judge(epoch, planned):
        return ""
    best = max(own)
    median = statistics.median(statistics.fmean(curve[:epoch]) for curve in reaching)
    goal = statistics.median(max(curve[:planned]) for curve in reaching)
    if best >= median - margin or projected(own, planned) >= goal:
        return ""
    rounds = "the round before" if len(reaching) == 1 else f"{len(reaching)} rounds before"
    return (
        f"stopped early after epoch {epoch} of {planned}: {metric} {best:.3f} at best, "
        f"while {rounds} had {median:.3f} on average up to there and came to {goal:.3f}"
    )


def is_time_to_judge(epoch: int, planned: int) -> bool:
    """Return whether enough epochs have been seen and enough are left."""
    return max(GRACE_EPOCHS, GRACE_SHARE * planned) < epoch <= LATE_SHARE * planned


def projected(own: Series, planned: int) -> float:
    """Return where the pace of the last third would lead: more than it will, as curves flatten."""
    epoch = len(own)
    window = max(2, epoch // 3)
    gained = max(own) - max(own[:-window], default=own[0])
    return max(own) + gained / window * (planned - epoch)


class HopelessStop:
    """Judges a fit after each epoch and ends the process if its round is hopeless.

    Args:
        run: The run.
        fit: Number of the fit, from 1.
        planned: Epochs that it is to have.
        settle: Called before the end, so that the epochs so far are written down.
    """

    def __init__(self, run: Run, fit: int, planned: int, settle: Callable[[], None]) -> None:
        self._run = run
        self._fit = fit
        self._planned = planned
        self._settle = settle
        self._references = references_in(read_json(run.output / REFERENCES_FILE))

    def judge(self, history: Mapping[str, Sequence[float]], epochs: int) -> None:
        """End the process if the fit is hopeless.

        Args:
            history: What Keras logged for each epoch so far.
            epochs: How many those are; a figure that some lack is not compared.
        """
        if not self._references:
            return
        own = {name: whole_series(series_of(history, name)) for name in MARGINS}
        own = {name: values for name, values in own.items() if len(values) == epochs}
        why = verdict(self._fit, self._planned, own, self._references)
        if why:
            with contextlib.suppress(OSError):
                self._settle()
            self._run.notes.append(why)
            write_result(self._run)
            say(why)
            leave(self._run, ExitCode.HOPELESS)
