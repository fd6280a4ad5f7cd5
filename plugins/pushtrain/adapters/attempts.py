"""Writes down how attempts end; shared by the training tasks and the monitor."""

from __future__ import annotations

import dataclasses
import re
import time

from pushtrain.adapters.engine import ContainerEnd
from pushtrain.adapters.records import write_text
from pushtrain.adapters.store import Store
from pushtrain.contract import (
    OUT_OF_MEMORY_TYPES,
    Attempt,
    Cause,
    Result,
    ScriptFailure,
    Step,
)
from pushtrain.errors import StoreError
from pushtrain.rules.memory import with_figures

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST_MESSAGE = 2000  # characters; user code chooses the text of its exceptions


def close_attempt(store: Store, step: Step, end: ContainerEnd, tail: list[str]) -> Attempt:
    """Record how an attempt ended and return the record.

    A cause that was set before by `mark` (hung, stopped) stays: what the engine saw is only
    its effect. The last lines of the container are kept beside the record.

    Raises:
        StoreError: The attempt has no record.
    """
    attempt = store.attempt(step.experiment, step.round, step.attempt)
    if attempt is None:
        store.require()
        raise StoreError(f"{step.run_id}: has no attempt record")
    result = _own_result(store, step)
    if end.cause is Cause.HOPELESS and step.round == 0:
        # only user code that leaves with this code itself: there is nothing to be hopeless beside
        end = dataclasses.replace(end, cause=Cause.SCRIPT_ERROR)
    cause, message = _judged(attempt, end, result)
    beat = store.heartbeat(step.experiment, step.round)
    reached = beat if beat and beat.attempt == step.attempt else None
    if cause is Cause.OUT_OF_MEMORY:
        allowed = store.experiment(step.experiment).settings.memory
        message = with_figures(message, allowed, reached.memory_mib if reached else 0)
    message = message.encode("utf-8", "replace").decode()  # JSON may hold half a character
    closed = dataclasses.replace(
        attempt,
        ended_at=time.time(),
        cause=cause,
        exit_code=end.exit_code,
        message=message,
        epochs=max(attempt.epochs, store.finished_work(step.experiment, step.round)),
        work=max(attempt.work, store.saved_work(step.experiment, step.round)),
        reached=reached,
    )
    if tail:
        log = store.attempt_log(step.experiment, step.round, step.attempt)
        write_text(log, "\n".join(tail) + "\n")
    store.save_attempt(step.experiment, step.round, closed)
    return closed


def mark(store: Store, step: Step, cause: Cause, message: str) -> None:
    """Set the cause of an attempt that is about to be ended from outside."""
    attempt = store.attempt(step.experiment, step.round, step.attempt)
    if attempt and attempt.ended_at is None:
        marked = dataclasses.replace(attempt, cause=cause, message=message)
        store.save_attempt(step.experiment, step.round, marked)


def error_line(error: ScriptFailure) -> str:
    """Return an exception of a script on one line, with its place."""
    where = f"{error.file}:{error.line}: " if error.line else ""
    # Keras writes in bold, over many lines
    message = " ".join(_COLOURS.sub("", error.message).split())
    return f"{where}{error.type}: {message}"[:_LONGEST_MESSAGE]


def _own_result(store: Store, step: Step) -> Result | None:
    """Return the result if this attempt wrote it: a late one of an older attempt is ignored."""
    try:
        result = store.result(step.experiment, step.round)
    except StoreError:
        return None
    return result if result and result.attempt == step.attempt else None


def _judged(attempt: Attempt, end: ContainerEnd, result: Result | None) -> tuple[Cause, str]:
    if attempt.cause is not None:
        return attempt.cause, attempt.message
    if end.cause is Cause.FINISHED and result is None:
        return Cause.SCRIPT_ERROR, "it ended with exit code 0 but without a result"
    if end.cause is Cause.FINISHED or result is None:
        return end.cause, end.message
    if result.error:
        cause = end.cause
        if cause is Cause.SCRIPT_ERROR and result.error.type in OUT_OF_MEMORY_TYPES:
            cause = Cause.OUT_OF_MEMORY
        return cause, error_line(result.error)
    return end.cause, " ".join(result.notes)[:_LONGEST_MESSAGE] or end.message
