"""From one round to the next: what the DAG's task asks for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from pushtrain.analysis.batch_sizes import batch_sites
from pushtrain.analysis.knob_sites import KnobSite
from pushtrain.analysis.knobs import find_knobs
from pushtrain.contract import Strategy
from pushtrain.history import Change, Knob, Refusal, RoundOutcome, Tweak, Value
from pushtrain.tuning.memory import is_without_result, lighter, nothing_lighter, to_lighten
from pushtrain.tuning.moves import is_batch_size
from pushtrain.tuning.oracle import Oracle
from pushtrain.tuning.proposals import NothingLeft, Proposal
from pushtrain.tuning.rewriting import RewriteError, rewrite, rewrite_sites
from pushtrain.tuning.strategies import propose
from pushtrain.tuning.trials import Situation, values_of

log = logging.getLogger(__name__)

# Proposals in a row that can not be written, before the script is left as it is.
_MOST_UNWRITTEN = 20


@dataclass(frozen=True)
class NextVersion:
    """The next version of a script.

    Attributes:
        tweak: What changes in the round `tweak.base`: the best one so far, or one that ran out of
            memory.
        sources: New text of the files that differ from the base's.
    """

    tweak: Tweak
    sources: dict[str, str]


def next_tweak(
    script: str,
    sources_of: Callable[[int], Mapping[str, str]],
    history: Sequence[RoundOutcome],
    round_number: int,
    *,
    strategy: str = Strategy.AUTO,
    ask: Oracle | None = None,
    refused: Sequence[Refusal] = (),
    allowed_kinds: Collection[str] | None = None,
) -> NextVersion | NothingLeft:
    """Return the version that the given round trains.

    What ran out of memory is tried with smaller batches first; see `tuning.memory`.

    Args:
        script: Path of the script in the repo.
        sources_of: Returns the repo's Python files as a round had them, text by posix path.
        history: The rounds so far, in order: measured, failed, hopeless, and those under way.
        round_number: The round that the tweak makes.
        strategy: One of `Strategy`.
        ask: Carries questions to an oracle; without one there is only the growth rule.
        refused: Tweaks that could not be built.
        allowed_kinds: Only knobs of these kinds are changed; None: all.

    Raises:
        ScriptError: The script or one of its modules is not Python 3.
    """
    smaller = _with_smaller_batches(script, sources_of, history, round_number, allowed_kinds)
    if smaller is not None:
        return smaller
    if is_without_result(history):
        return nothing_lighter(script, sources_of(history[-1].round), history)
    situation = Situation((), tuple(history), tuple(refused))
    number = situation.base.round if situation.base is not None else 0
    sources = sources_of(number)
    knobs = find_knobs(script, sources)
    turned = _allowed(knobs, allowed_kinds)
    unwritten: list[Refusal] = []
    while len(unwritten) <= _MOST_UNWRITTEN:
        avoided = (*refused, *unwritten)
        proposal = propose(Situation(turned, tuple(history), avoided), strategy, ask)
        if isinstance(proposal, NothingLeft):
            return proposal
        changes = proposal.changes
        try:
            written = rewrite(sources, script, knobs, changes)
        except RewriteError as err:
            # its own check found that the text would not say it: as good as a refused build
            point = values_of(knobs) | {c.knob: c.new for c in changes}
            unwritten.append(Refusal(round_number, changes, point, str(err)))
        else:
            return NextVersion(_tweak(round_number, number, proposal), written)
    return NothingLeft(f"{unwritten[-1].why}, after {_MOST_UNWRITTEN} others like that")


def _with_smaller_batches(
    script: str,
    sources_of: Callable[[int], Mapping[str, str]],
    history: Sequence[RoundOutcome],
    round_number: int,
    allowed_kinds: Collection[str] | None,
) -> NextVersion | None:
    """Return the version of a round that ran out of memory with half its batch size."""
    starved = to_lighten(history)
    if starved is None:
        return None
    sources = sources_of(starved.round)
    knobs = find_knobs(script, sources)
    proposal = lighter(_allowed(knobs, allowed_kinds), starved, history)
    places = batch_sites(script, sources) if proposal is None else ()
    if proposal is None and not any(is_batch_size(k) for k in knobs):
        proposal = lighter([site.knob for site in places], starved, history)
    if proposal is None:
        return None
    try:
        written = _rewritten(script, sources, knobs, places, proposal.changes)
    except RewriteError as err:
        log.warning("round %d keeps its batch size: %s", starved.round, err)
        return None
    return NextVersion(_tweak(round_number, starved.round, proposal), written)


def _rewritten(
    script: str,
    sources: Mapping[str, str],
    knobs: Sequence[Knob],
    places: Sequence[KnobSite],
    changes: Sequence[Change],
) -> dict[str, str]:
    """Return the new text where changes are of knobs, or of places that are none."""
    if not places:
        return rewrite(sources, script, knobs, changes)
    by_id = {site.knob.id: site for site in places}
    return rewrite_sites(sources, [(by_id[c.knob], c) for c in changes])


def _tweak(round_number: int, base: int, proposal: Proposal) -> Tweak:
    why, chosen_by = proposal.reason, proposal.strategy
    return Tweak(round_number, proposal.changes, why, base=base, strategy=chosen_by)


def _allowed(knobs: Sequence[Knob], kinds: Collection[str] | None) -> tuple[Knob, ...]:
    return tuple(k for k in knobs if kinds is None or k.kind in kinds)


def values(knobs: Sequence[Knob]) -> dict[str, Value]:
    """Return the value of each knob by its id, for `RoundOutcome.values`."""
    return values_of(knobs)
