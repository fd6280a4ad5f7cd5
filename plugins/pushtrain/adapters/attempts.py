"""Writes down how attempts end; shared by the training tasks and the monitor."""

from __future__ import annotations

import dataclasses
import logging
import re
import signal
import time

from pushtrain.adapters.container_ends import ContainerEnd
from pushtrain.adapters.late_results import put_aside
from pushtrain.adapters.records import write_json, write_text
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
from pushtrain.rules.plain_text import whole_characters

log = logging.getLogger(__name__)

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST_MESSAGE = 2000  # characters; user code chooses the text of its exceptions
_ABORTED = 128 + signal.SIGABRT
# The share of its limit from which a killed training is taken for one that ran out of memory: what
# it held is told once a second, so the last of it is missing.
_AT_LIMIT = 0.9


def close_attempt(store: Store, step: Step, end: ContainerEnd, tail: list[str]) -> Attempt:
    """Record how an attempt ended and return the record; an end that is on record stays.

    A cause that was set before by `mark` (hung, stopped) stays: what the engine saw is only
    its effect. The last lines of the container and the attempt's own result are kept beside the
    record; a late result of an older attempt is put aside.

    Raises:
        StoreError: The attempt has no record.
    """
    attempt = store.attempt(step.experiment, step.round, step.attempt)
    if attempt is None:
        store.require()
        raise StoreError(f"{step.run_id}: has no attempt record")
    if attempt.ended_at is not None:
        return attempt
    result, damage = _own_result(store, step)
    beat = store.heartbeat(step.experiment, step.round)
    reached = beat if beat and beat.attempt == step.attempt else None
    allowed = store.experiment(step.experiment).settings.memory
    held = reached.memory_mib if reached else 0
    end = _with_memory(_possible(end, step), tail, allowed, held)
    cause, message = _judged(attempt, end, result, damage)
    if cause is Cause.OUT_OF_MEMORY:
        message = with_figures(message, allowed, held)
    closed = dataclasses.replace(
        attempt,
        ended_at=time.time(),
        cause=cause,
        exit_code=end.exit_code,
        message=whole_characters(message),
        epochs=max(attempt.epochs, store.finished_work(step.experiment, step.round)),
        work=max(attempt.work, store.saved_work(step.experiment, step.round)),
        reached=reached,
    )
    if tail:
        log = store.attempt_log(step.experiment, step.round, step.attempt)
        write_text(log, "\n".join(tail) + "\n")
    if result:
        kept = store.kept_result(step.experiment, step.round, step.attempt)
        write_json(kept, result.to_dict())
    return store.put_attempt(step.experiment, step.round, closed)


def mark(store: Store, step: Step, cause: Cause | None, message: str) -> None:
    """Set the cause of an attempt that is, or may be, ended from outside; None takes `HUNG` back.

    That a person stopped it is the strongest of them, and stays. That its engine is away is the
    weakest: it hides no other.
    """
    # whoever says that it hangs has looked for half a minute, in which others mark it, too
    with store.locked(step.experiment):
        attempt = store.attempt(step.experiment, step.round, step.attempt)
        if attempt and attempt.ended_at is None and _gives_way(attempt.cause, cause):
            marked = dataclasses.replace(attempt, cause=cause, message=message)
            store.save_attempt(step.experiment, step.round, marked)


def _gives_way(known: Cause | None, cause: Cause | None) -> bool:
    if cause is None:
        return known is Cause.HUNG
    if cause is Cause.HOST_LOST:
        return known is None
    return known is not Cause.STOPPED


def error_line(error: ScriptFailure) -> str:
    """Return an exception of a script on one line, with its place."""
    where = f"{error.file}:{error.line}: " if error.line else ""
    # Keras writes in bold, over many lines
    message = " ".join(_COLOURS.sub("", error.message).split())
    return f"{where}{error.type}: {message}"[:_LONGEST_MESSAGE]


def _own_result(store: Store, step: Step) -> tuple[Result | None, str]:
    """Return the result if this attempt wrote it, and what is wrong with the file."""
    try:
        result = store.left_result(step.experiment, step.round)
        if result is None or result.attempt == step.attempt:
            return result, ""
        if isinstance(result.attempt, int) and 0 <= result.attempt < step.attempt:
            log.warning("%s: a late result of attempt %d", step.run_id, result.attempt)
            put_aside(store.output_dir(step.experiment, step.round), result.attempt)
    except StoreError as err:
        log.warning("%s", err)
        return None, "its result is damaged"
    return None, ""


def _possible(end: ContainerEnd, step: Step) -> ContainerEnd:
    if end.cause is Cause.HOPELESS and step.round == 0:
        # only user code that leaves with this code itself: there is nothing to be hopeless beside
        return dataclasses.replace(end, cause=Cause.SCRIPT_ERROR)
    return end


def _with_memory(end: ContainerEnd, tail: list[str], allowed: int, held: int) -> ContainerEnd:
    """Return the end as one for want of memory where the engine could not tell."""
    if end.cause is not Cause.KILLED:
        return end
    is_at_limit = not end.tells_memory and held >= _AT_LIMIT * allowed
    # C++ code gives up with an abort, which no Python code can catch
    if is_at_limit or (end.exit_code == _ABORTED and any("std::bad_alloc" in t for t in tail)):
        return dataclasses.replace(end, cause=Cause.OUT_OF_MEMORY)
    return end


def _judged(
    attempt: Attempt, end: ContainerEnd, result: Result | None, damage: str
) -> tuple[Cause, str]:
    is_done = end.cause is Cause.FINISHED and result is not None
    if attempt.cause is not None and not _is_refuted(attempt.cause, end, is_done):
        return attempt.cause, attempt.message
    if is_done:
        return end.cause, end.message
    if end.cause is Cause.FINISHED:
        what = f"but {damage}" if damage else "but without a result"
        return Cause.SCRIPT_ERROR, f"it ended with exit code 0 {what}"
    if result is None:
        return end.cause, f"{end.message}; {damage}" if damage else end.message
    if result.error:
        return _of_error(end, result.error)
    return end.cause, " ".join(result.notes)[:_LONGEST_MESSAGE] or end.message


def _is_refuted(marked: Cause, end: ContainerEnd, is_done: bool) -> bool:
    """Tell whether an attempt ended otherwise than its mark expected."""
    if marked is Cause.HUNG:
        return is_done  # it was only slow
    # a training may outlive its engine, and then end by itself
    return marked is Cause.HOST_LOST and end.cause not in (Cause.KILLED, Cause.LOST)


def _of_error(end: ContainerEnd, error: ScriptFailure) -> tuple[Cause, str]:
    line = error_line(error)
    if end.cause is Cause.OUT_OF_MEMORY:  # such as a helper process that is gone
        return end.cause, f"{end.message}; {line}"
    if end.cause is Cause.SCRIPT_ERROR and error.type in OUT_OF_MEMORY_TYPES:
        return Cause.OUT_OF_MEMORY, line
    return end.cause, line
