"""Ends the process in the middle of a script, with its result written down."""

from __future__ import annotations

import os
import sys
import time
from typing import NoReturn

from pushtrain_trainer.contract import RESULT_FILE, ExitCode, Result, ScriptFailure
from pushtrain_trainer.durable_files import write_json
from pushtrain_trainer.run_state import Run
from pushtrain_trainer.stack_dump import remove_if_empty


def write_result(run: Run, error: ScriptFailure | None = None) -> None:
    """Write down a result without an accuracy."""
    result = Result(
        attempt=run.attempt,
        epochs=len(run.history.rows()),
        seconds=round(time.monotonic() - run.started, 3),
        exact=run.exact,
        notes=tuple(run.notes),
        error=error,
        api=run.api,
        built=run.built,
    )
    write_json(run.output / RESULT_FILE, result.to_dict())


def leave(run: Run, code: ExitCode) -> NoReturn:
    """End the process with `code`; a newer attempt's folder is left alone."""
    run.fence.check()
    run.beat.phase("stopped")
    remove_if_empty()
    sys.stdout.flush()
    sys.stderr.flush()
    # not SystemExit: a script that catches everything must not go on
    os._exit(code)
