"""What the rounds so far tell: what was tried, what brought no gain, what must be avoided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pushtrain.history import Knob, Refusal, RoundOutcome, Value, best
from pushtrain.tuning.moves import BATCH_SIZE, DEPTH, WIDTHS, is_batch_size

# What a training's memory grows with, and what is nothing to it.
_HEAVY = frozenset({*WIDTHS, DEPTH, BATCH_SIZE})
_WEIGHTLESS = frozenset({"learning_rate", "dropout", "epochs"})

Point = Mapping[str, Value]


@dataclass(frozen=True)
class Situation:
    """All that a strategy may look at.

    Attributes:
        knobs: As they stand in the base's source.
        history: All rounds so far: measured, failed, hopeless, and those under way.
        refused: What a dry build could not build.
    """

    knobs: tuple[Knob, ...]
    history: tuple[RoundOutcome, ...] = ()
    refused: tuple[Refusal, ...] = ()

    @property
    def base(self) -> RoundOutcome | None:
        """The best measured round: what the next tweak changes."""
        return best(self.history)

    @property
    def start(self) -> dict[str, Value]:
        """The base's values."""
        return values_of(self.knobs)

    def of_kind(self, *kinds: str) -> list[Knob]:
        """Return the knobs of some kinds in the order of the text."""
        return [knob for knob in self.knobs if knob.kind in kinds]

    def completed(self, values: Point) -> dict[str, Value]:
        """Return a round's values of the knobs that exist now; the base's where it has none.

        An older version of a script has fewer knobs: layers that were added add theirs.
        """
        return {knob.id: values.get(knob.id, knob.value) for knob in self.knobs}

    @property
    def parent(self) -> RoundOutcome | None:
        """The measured round that the base was made from, None where there is none."""
        return self._origin(self.base) if self.base is not None else None

    def steps_of_base(self) -> dict[str, int]:
        """Return the directions of the step that made the base."""
        parent, base = self.parent, self.base
        if parent is None or base is None:
            return {}
        return directions(self.completed(parent.values), self.completed(base.values))

    def was_tried(self, values: Point) -> bool:
        """Tell whether a round had these values, is about to, or could not be built with them."""
        goal = {**self.start, **values}
        return any(self.completed(tried) == goal for tried in self._points())

    def is_bad(self, values: Point) -> bool:
        """Tell whether a change goes at least as far as one that failed, in all that it changed.

        What could not be trained (out of memory, a shape that does not fit) or was hopeless will
        hardly do better further along the same way.
        """
        goal = {**self.start, **values}
        return any(self._goes_as_far(goal, old, new) for old, new in self._failures()) or any(
            self._is_as_heavy(goal, outcome) for outcome in self.history if outcome.out_of_memory
        )

    def fruitless(self) -> list[dict[str, int]]:
        """Return the directions in which steps from the base were taken that brought no gain."""
        base = self.base
        return [
            directions(self.start, self.completed(r.values))
            for r in self.history
            if base is not None and self._origin(r) == base and not is_under_way(r)
        ]

    def _points(self) -> Iterator[Point]:
        for outcome in self.history:
            yield outcome.values
        for refusal in self.refused:
            yield refusal.values

    def _failures(self) -> Iterator[tuple[Point, Point]]:
        for outcome in self.history:
            if (outcome.failure or outcome.hopeless) and not outcome.out_of_memory:
                origin = self._origin(outcome)
                if origin is not None:
                    yield self.completed(origin.values), self.completed(outcome.values)
        for refusal in self.refused:
            changed = {c.knob: c.old for c in refusal.changes}
            new = self.completed(refusal.values)
            yield {**new, **{k: v for k, v in changed.items() if k in new}}, new

    def _origin(self, outcome: RoundOutcome) -> RoundOutcome | None:
        """Return the nearest measured round that a round goes back to.

        What ran out of memory may lie between them: it is no step that could have paid.
        """
        by_number = {r.round: r for r in self.history}
        found: RoundOutcome | None = by_number.get(parent_of(outcome))
        while found is not None and found.accuracy is None:
            found = by_number.get(parent_of(found))
        return found

    def _is_as_heavy(self, goal: Point, outcome: RoundOutcome) -> bool:
        """Tell whether a point needs the memory that a round did not have.

        It does if it goes as far in what that round changed, with batches no smaller.
        """
        new = self.completed(outcome.values)
        kinds = {k.id: BATCH_SIZE if is_batch_size(k) else k.kind for k in self.knobs}
        origin = self._origin(outcome)
        if origin is None:
            heavy = [name for name in new if kinds[name] in _HEAVY]
            return bool(heavy) and all(_is_at_least(goal[name], new[name]) for name in heavy)
        old = self.completed(origin.values)
        changed = [name for name in new if new[name] != old[name] and kinds[name] != BATCH_SIZE]
        telling = [name for name in changed if kinds[name] not in _WEIGHTLESS] or changed
        batches = [name for name in new if kinds[name] == BATCH_SIZE]
        return bool(telling or batches) and (
            all(_is_beyond(goal[name], old[name], new[name]) for name in telling)
            and all(_is_at_least(goal[name], new[name]) for name in batches)
        )

    def _goes_as_far(self, goal: Point, old: Point, new: Point) -> bool:
        changed = [name for name in new if new[name] != old[name]]
        return bool(changed) and all(
            _is_beyond(goal[name], old[name], new[name]) for name in changed
        )


def parent_of(outcome: RoundOutcome) -> int:
    """Return the number of the round whose script was changed to make a round."""
    return outcome.round - 1 if outcome.base is None else outcome.base


def values_of(knobs: Sequence[Knob]) -> dict[str, Value]:
    """Return the value of each knob by its id."""
    return {knob.id: knob.value for knob in knobs}


def directions(old: Point, new: Point) -> dict[str, int]:
    """Return what differs, by id: 1 for more, -1 for less, 0 for another choice."""
    return {name: _direction(old[name], new[name]) for name in old if old[name] != new[name]}


def _direction(old: Value, new: Value) -> int:
    if isinstance(old, int | float) and isinstance(new, int | float):
        return 1 if new > old else -1
    return 0


def _is_beyond(value: Value, old: Value, new: Value) -> bool:
    way = _direction(old, new)
    if way == 0 or isinstance(value, str) or isinstance(new, str):
        return value == new
    return value >= new if way > 0 else value <= new


def _is_at_least(value: Value, least: Value) -> bool:
    if isinstance(value, str) or isinstance(least, str):
        return value == least
    return value >= least


def is_under_way(outcome: RoundOutcome) -> bool:
    """Tell whether a round has neither brought a result nor failed to."""
    return outcome.accuracy is None and not outcome.failure and not outcome.hopeless


def steps_without_gain(history: Sequence[RoundOutcome]) -> int:
    """Return how many of the last steps in a row brought no better accuracy than before.

    Rounds that train side by side are one step. Those under way do not count, nor do those that
    ran out of memory: nothing was measured that a step could be judged by.
    """
    top, idle, batch = -1.0, 0, None
    for outcome in history:
        if is_under_way(outcome) or outcome.out_of_memory:
            continue
        same = outcome.batch is not None and outcome.batch == batch
        batch = outcome.batch
        if outcome.accuracy is not None and outcome.accuracy > top:
            top, idle = outcome.accuracy, 0
        elif not same:
            idle += 1
    return idle
