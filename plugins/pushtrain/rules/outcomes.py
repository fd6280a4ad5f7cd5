"""How a round's training ended for good, told from its attempts."""

from __future__ import annotations

from collections.abc import Sequence

from pushtrain.contract import Attempt, Cause, ExitCode


def deciding_attempt(round_number: int, attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the attempt that ended a round's training for good.

    It was trained to its end, stopped early, ran out of memory, or is a failed trial. None: the
    round is under way, or has to be started again. Later attempts of such a round train nothing.
    """
    return next((a for a in attempts if _decides(round_number, a)), None)


def failure_of(round_number: int, attempts: Sequence[Attempt]) -> str:
    """Return why a round could not be trained, empty if it could, or may yet be."""
    last = deciding_attempt(round_number, attempts)
    if last is None or last.cause in (Cause.FINISHED, Cause.HOPELESS):
        return ""
    return told(last)


def is_out_of_memory(round_number: int, attempts: Sequence[Attempt]) -> bool:
    """Tell whether a round's training ended for want of memory."""
    last = deciding_attempt(round_number, attempts)
    return last is not None and last.cause is Cause.OUT_OF_MEMORY


def is_hopeless(round_number: int, attempts: Sequence[Attempt]) -> bool:
    """Tell whether a round was stopped early."""
    last = deciding_attempt(round_number, attempts)
    return last is not None and last.cause is Cause.HOPELESS


def told(attempt: Attempt) -> str:
    """Return how an attempt ended, in one line for people."""
    cause = str(attempt.cause or "under way")
    return f"{cause}: {attempt.message}" if attempt.message else cause


def _decides(round_number: int, attempt: Attempt) -> bool:
    if attempt.ended_at is None:
        return False
    if attempt.cause is Cause.FINISHED:
        return True
    if attempt.forgiven:  # a person had it started again
        return False
    # what ran out of memory is not repeated as it is: the next version has smaller batches
    if attempt.cause in (Cause.LEFT_OUT, Cause.OUT_OF_MEMORY):
        return True
    # round 0 is what was pushed: nothing was tried with it that could be avoided from now on
    return round_number > 0 and (attempt.cause is Cause.HOPELESS or _is_failed_trial(attempt))


def _is_failed_trial(attempt: Attempt) -> bool:
    """Tell whether the tweak is to blame: the same training would end the same way."""
    if attempt.cause is Cause.NO_METRIC:
        return True
    if attempt.cause is not Cause.SCRIPT_ERROR or attempt.exit_code == ExitCode.USAGE:
        return False
    return attempt.epochs == 0
