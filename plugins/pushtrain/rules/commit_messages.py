"""What the commits of an experiment say: the story of a model, for `git log`.

The trailers are git's own: `git log --format='%(trailers:key=Accuracy,valueonly)'` reads them.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence

from pushtrain.contract import Experiment
from pushtrain.history import Change, RoundOutcome, Tweak, Value

_LONGEST_SUBJECT = 72
_WIDTH = 88


def tweak_message(experiment: Experiment, tweak: Tweak, base: RoundOutcome | None) -> str:
    """Return the message of a round's commit: what was changed, why, and the accuracy before.

    Args:
        experiment: With its target.
        tweak: What was changed.
        base: The round that it was changed from, None where nothing is known of it.
    """
    before = _accuracy(base)
    target = f"{experiment.settings.target_accuracy:.4f}"
    reached = f" reached {before}" if before else " has no accuracy"
    if base and base.out_of_memory:
        reached = " ran out of memory"
    trailers = [("Round", str(tweak.round))]
    if before:
        trailers.append(("Accuracy", before))
    return _message(
        _subject(f"Round {tweak.round}", tweak.changes),
        [
            tweak.reason,
            f"Round {base.round}, which this starts from,{reached}; the target is {target}."
            if base
            else "",
            _listed(tweak.changes),
        ],
        [*trailers, *_knobs(tweak.changes), ("Experiment", experiment.id)],
    )


def go_back_message(base: RoundOutcome, last: Sequence[RoundOutcome]) -> str:
    """Return the message of a commit that takes back what did not help.

    Args:
        base: The round whose files it brings back: the best one, or one that ran out of memory and
            is tried with smaller batches next.
        last: The rounds since, whose changes it takes back.
    """
    kept = f"Round {base.round}: accuracy {_accuracy(base) or 'unknown'}, the best so far."
    if base.out_of_memory:
        kept = f"Round {base.round} ran out of memory; it is tried with smaller batches."
    return _message(f"Go back to round {base.round}", [kept, *map(_since, last)], [])


def winner_message(
    experiment: Experiment, best: RoundOutcome, changes: Sequence[Change], steps: Sequence[Tweak]
) -> str:
    """Return the message of the commit that is pushed: all that led to the best round, at once.

    Nothing in it depends on how the experiment goes on: the same winner is the same commit.

    Args:
        experiment: What it is about.
        best: The round whose files it has.
        changes: The knobs that differ from what was pushed.
        steps: The tweaks that led there, in order.
    """
    accuracy = _accuracy(best) or "unknown"
    name = experiment.script.rpartition("/")[2]
    story = [f"Round {t.round}: {t.summary}. {t.reason}" for t in steps]
    return _message(
        _shortened(f"Tune {name}: accuracy {accuracy}"),
        [
            f"Measured on the {best.split} data. The commit holds all changes at once:",
            *story,
        ],
        [
            ("Round", str(best.round)), ("Accuracy", accuracy), *_knobs(changes),
            ("Experiment", experiment.id),
        ],
    )  # fmt: skip


def _message(subject: str, paragraphs: Sequence[str], trailers: Sequence[tuple[str, str]]) -> str:
    parts = [subject, *(_wrapped(p) for p in paragraphs if p.strip())]
    if trailers:
        parts.append("\n".join(f"{key}: {value}" for key, value in trailers))
    return "\n\n".join(parts) + "\n"


def _subject(lead: str, changes: Sequence[Change]) -> str:
    return _shortened(f"{lead}: {', '.join(_one_line(c.label) for c in changes)}")


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_SUBJECT:
        return text
    return text[: _LONGEST_SUBJECT - 3].rstrip(" ,") + "..."


def _listed(changes: Sequence[Change]) -> str:
    """Return all changes, where the subject may have had no room for them."""
    return "\n".join(f"* {_one_line(c.label)}" for c in changes) if len(changes) > 1 else ""


def _knobs(changes: Sequence[Change]) -> list[tuple[str, str]]:
    return [("Knobs", f"{_one_line(c.knob)} {_value(c.old)} -> {_value(c.new)}") for c in changes]


def _value(value: Value) -> str:
    # the source's own text could hold line breaks, which would start trailers of their own
    return json.dumps(value, ensure_ascii=False)


def _since(outcome: RoundOutcome) -> str:
    what = f"Round {outcome.round}: {_one_line(outcome.tweak)}"
    if outcome.failure:
        return f"{what}: could not be trained ({_one_line(outcome.failure)[:200]})"
    if outcome.hopeless:
        return f"{what}: was stopped early, far below the rounds before it"
    accuracy = _accuracy(outcome)
    return f"{what}: accuracy {accuracy}" if accuracy else f"{what}: trains side by side with this"


def _accuracy(outcome: RoundOutcome | None) -> str:
    return "" if outcome is None or outcome.accuracy is None else f"{outcome.accuracy:.4f}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _wrapped(text: str) -> str:
    """Return a paragraph in lines that a terminal shows whole; lists stay as they are."""
    if text.startswith("* "):
        return text
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
