"""Against running out of memory: the version that did is tried once more with half the batch size.

Where nothing was measured yet it is halved again and again, down to the least that its knob allows
(4, or what the script declares). Once there is a best round, a tweak is given one halving: after
that the search goes back to the best round, which costs no further round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pushtrain.analysis.batch_sizes import batch_sites
from pushtrain.analysis.knobs import read_knobs
from pushtrain.history import Change, Knob, RoundOutcome, Value, best
from pushtrain.tuning.moves import BATCH_SIZE, is_batch_size
from pushtrain.tuning.proposals import NothingLeft, Proposal
from pushtrain.tuning.trials import Situation, is_under_way, parent_of

STRATEGY = "memory"
_KEPT = "# pushtrain: keep"


def to_lighten(history: Sequence[RoundOutcome]) -> RoundOutcome | None:
    """Return the round whose version is to be tried with smaller batches next.

    It is one of the last step's, out of memory, and not answered yet by a round under way.
    """
    done = [r for r in history if not is_under_way(r)]
    answered = {parent_of(r) for r in history}
    starved = {r.round for r in history if r.out_of_memory}
    has_best = best(history) is not None
    for outcome in done:
        if _batch_of(outcome) != _batch_of(done[-1]) or not outcome.out_of_memory:
            continue
        was_halved = parent_of(outcome) in starved
        if outcome.round not in answered and not (has_best and was_halved):
            return outcome
    return None


def lighter(
    knobs: Sequence[Knob], outcome: RoundOutcome, history: Sequence[RoundOutcome]
) -> Proposal | None:
    """Return the change that halves the batch size of a round that ran out of memory.

    Args:
        knobs: As they stand in the round's source.
        outcome: The round.
        history: All rounds; what they tried already is not proposed again.

    Returns:
        None where it has no batch size, or none that is smaller.
    """
    halves = {k.id: half for k in knobs if (half := _halved(k)) is not None}
    if not halves or Situation(tuple(knobs), tuple(history)).was_tried(halves):
        return None
    changed = [k for k in knobs if k.id in halves]
    changes = tuple(
        Change(k.id, f"{k.label} {k.value} -> {halves[k.id]}", k.value, halves[k.id])
        for k in changed
    )
    at = " and ".join(str(k.value) for k in changed)
    figures = outcome.failure.partition(": ")[2]
    said = f"round {outcome.round} ran out of memory at batch size {at}"
    return Proposal(changes, f"{said} ({figures}): the same with half of it", STRATEGY)


def is_without_result(history: Sequence[RoundOutcome]) -> bool:
    """Tell whether all that was trained so far came to nothing because memory ran out."""
    return best(history) is None and any(r.out_of_memory for r in history)


def nothing_lighter(
    script: str, sources: Mapping[str, str], history: Sequence[RoundOutcome]
) -> NothingLeft:
    """Return why there is nothing to go on from, where no round brought a result.

    Args:
        script: Path of the script in the repo.
        sources: The repo's Python files as the last round had them.
        history: All rounds.
    """
    if any(is_under_way(r) for r in history):
        return NothingLeft("whether the smaller batches fit is seen first")
    last = history[-1]
    if not last.out_of_memory:
        return NothingLeft(f"round {last.round}, with smaller batches, ended: {last.failure}")
    found = read_knobs(script, sources)
    sites = (*found.sites, *batch_sites(script, sources))
    smallest = [str(s.knob.value) for s in sites if is_batch_size(s.knob)]
    if smallest:
        return NothingLeft(f"no batch size smaller than {' and '.join(smallest)} is tried")
    left = [one for one in found.left_alone if BATCH_SIZE in one.what or one.what == _KEPT]
    told = "; ".join(f"{one.file}:{one.line}: {one.what}: {one.why}" for one in left)
    return NothingLeft(f"no batch size in it can be halved{f' ({told})' if told else ''}")


def _halved(knob: Knob) -> Value | None:
    if not is_batch_size(knob) or isinstance(knob.value, str | bool):
        return None
    half = int(knob.value // 2)
    if knob.choices:
        smaller = [c for c in knob.choices if not isinstance(c, str | bool) and c < knob.value]
        return max((c for c in smaller if c <= half), default=min(smaller, default=None))
    least = max(1, int(knob.low or 1))
    return max(half, least) if knob.value > least else None


def _batch_of(outcome: RoundOutcome) -> int:
    return outcome.round if outcome.batch is None else outcome.batch
