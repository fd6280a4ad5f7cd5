"""One knob, one step: which values lie next to a value, in its own kind of steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from pushtrain.history import Knob, Value

UP, DOWN = 1, -1
WIDTHS = ("filters", "units")
DEPTH = "depth"
BATCH_SIZE = "batch_size"

# Where less is usually more: what makes a small estimator larger, or a stiff one softer.
_DOWN_FIRST = frozenset(
    {"n_neighbors", "min_samples_leaf", "min_samples_split", "ccp_alpha", "alpha", "tol"}
)
# By how much one step changes; a knob of a span of ten thousand is turned by tens.
_FACTORS = {"learning_rate": 3.0, "C": 10.0}
_STEPS = {"dropout": 0.2, "kernel_size": 2, DEPTH: 1}
_WIDE_SPAN = 1e4
# A layer narrower than this is a bottleneck, whatever the curves say.
_NARROWEST = 4
_PARTS = 5


def promising(knob: Knob) -> int:
    """Return the direction that is tried first."""
    return DOWN if knob.kind in _DOWN_FIRST else UP


def adds_copies(knob: Knob) -> bool:
    """Tell whether a knob writes like layers into the source, and changes no number in it."""
    return knob.kind == DEPTH and knob.value == knob.low


def is_batch_size(knob: Knob) -> bool:
    """Tell whether a knob is a batch size, also where the script lists the ones it allows."""
    return knob.kind == BATCH_SIZE or (knob.kind == "hp" and BATCH_SIZE in knob.label)


def factor_of(knob: Knob) -> float:
    """Return the factor of one step of a knob whose steps are factors."""
    if knob.kind in _FACTORS:
        return _FACTORS[knob.kind]
    low = knob.low or 0
    return 10.0 if low > 0 and (knob.high or low) / low > _WIDE_SPAN else 2.0


def step(knob: Knob, value: Value, way: int, times: float = 1.0) -> Value | None:
    """Return the value after some steps up or down, at the limit if it lies before that.

    Returns:
        None where there is no other value that way.
    """
    if knob.choices:
        return _chosen(knob, value, way)
    if isinstance(value, str | bool) or (knob.kind == DEPTH and way == DOWN):
        return None  # a layer can be added, not removed
    if knob.kind in WIDTHS and way == DOWN and value <= _NARROWEST:
        return None
    if not _in_factors(knob, value):
        wide = _STEPS.get(knob.kind, _linear_step(knob))
        return _other(knob, value, value + way * wide * times)
    return _other(knob, value, value * factor_of(knob) ** (way * times))


def between(knob: Knob, one: Value, other: Value) -> Value | None:
    """Return a value in the middle of two, None where nothing lies between them."""
    if knob.choices or isinstance(one, str | bool) or isinstance(other, str | bool):
        return None
    geometric = knob.log and one > 0 and other > 0
    middle = fitted(knob, math.sqrt(one * other) if geometric else (one + other) / 2)
    return None if middle in (one, other) else middle


def fitted(knob: Knob, value: float) -> Value:
    """Return the value of the knob's own type and range that is nearest; short in the source."""
    low = value if knob.low is None else knob.low
    high = value if knob.high is None else knob.high
    value = min(max(value, low), high)
    return int(value) if is_whole(knob) else float(f"{value:.3g}")


def is_whole(knob: Knob) -> bool:
    """Tell whether only whole numbers are allowed; C is a real number even where it says 1."""
    return isinstance(knob.value, int) and not isinstance(knob.low, float)


def is_low(knob: Knob) -> bool:
    """Tell whether a number stands in the poorer part of its range, seen in factors."""
    if knob.choices or isinstance(knob.value, str | bool) or knob.high is None:
        return False
    lowest = max(knob.low or 0, 1 if is_whole(knob) else 1e-6)
    middle = math.sqrt(lowest * knob.high)
    return knob.value > middle if promising(knob) == DOWN else knob.value < middle


def numbers(values: Iterable[Value]) -> list[int | float]:
    """Return the numbers among some values, in order, each once."""
    return sorted({v for v in values if not isinstance(v, str | bool)})


def others(knob: Knob, value: Value) -> Iterator[Value]:
    """Yield the other choices of a knob, the next ones first."""
    here = knob.choices.index(value) if value in knob.choices else 0
    yield from (c for c in (*knob.choices[here:], *knob.choices[:here][::-1]) if c != value)


def _chosen(knob: Knob, value: Value, way: int) -> Value | None:
    if value not in knob.choices:
        return knob.choices[0]
    place = knob.choices.index(value) + way
    return knob.choices[place] if 0 <= place < len(knob.choices) else None


def _other(knob: Knob, value: int | float, goal: float) -> Value | None:
    if is_whole(knob) and goal != value:  # a small step still leads to another number
        goal = max(goal, value + 1) if goal > value else min(goal, value - 1)
    new = fitted(knob, goal)
    return None if new == value else new


def _in_factors(knob: Knob, value: int | float) -> bool:
    if knob.kind in _STEPS or value <= 0:
        return False
    return knob.log or is_whole(knob) or knob.kind in _FACTORS


def _linear_step(knob: Knob) -> float:
    if knob.low is None or knob.high is None:
        return 1.0
    return (knob.high - knob.low) / _PARTS
