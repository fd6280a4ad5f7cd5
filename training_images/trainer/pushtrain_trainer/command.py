"""The trainer from start to end: prepare, run the script, write down what it brought."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from pushtrain_trainer import (
    dry_build,
    late_results,
    legacy_modules,
    notebook_shims,
    sklearn_hooks,
    stack_dump,
)
from pushtrain_trainer.accuracy_files import AccuracyFiles, parse_accuracy
from pushtrain_trainer.artifact import save_artifact
from pushtrain_trainer.beat import Beat
from pushtrain_trainer.contract import (
    BUILD_FILE,
    ENV_ATTEMPT,
    ENV_DRY,
    ENV_SEED,
    KERAS_MODEL_FILE,
    RESULT_FILE,
    SKLEARN_MODEL_FILE,
    ExitCode,
    Result,
    ScriptFailure,
)
from pushtrain_trainer.durable_files import write_json
from pushtrain_trainer.fencing import Fence
from pushtrain_trainer.full_disk import written
from pushtrain_trainer.history_table import HistoryTable
from pushtrain_trainer.import_hooks import after_import
from pushtrain_trainer.keras_choice import library
from pushtrain_trainer.measurements import WOULD_HAVE_BEEN_TAKEN, Origin
from pushtrain_trainer.run_state import Run, claim_checkpoints, say
from pushtrain_trainer.script_run import run_script
from pushtrain_trainer.surroundings import (
    drop_privileges,
    output_folder,
    prepare_environment,
    prepare_keras_home,
)

USAGE = "python -m pushtrain_trainer SCRIPT [ARGUMENTS]"
DEFAULT_SEED = 1


class UsageError(Exception):
    """The trainer was called wrongly; the message says what to change."""


def main(arguments: list[str]) -> int:
    """Train a script and return the exit code."""
    started = time.monotonic()
    try:
        run = prepare(arguments, started)
    except (UsageError, OSError, ValueError) as error:
        print(f"pushtrain: {error}", file=sys.stderr, flush=True)
        return ExitCode.USAGE
    files = AccuracyFiles(run.root)
    install_hooks(run)
    run.beat.phase("script")
    failure = run_script(run.script, arguments[1:], run.root)
    run.fence.check()
    if run.dry:
        return dry_build.finish(run, failure)
    return finish(run, files, failure)


def prepare(arguments: list[str], started: float) -> Run:
    """Set up the process and the folder of records.

    Args:
        arguments: The script and what it is given.
        started: When the trainer started, on the monotonic clock.

    Raises:
        UsageError: There is no such script, or a variable is wrong.
        OSError: The output folder can not be written.
    """
    os.umask(0o002)
    root = Path.cwd().resolve()
    script = find_script(arguments, root)
    drop_privileges(root)
    prepare_environment()
    prepare_keras_home()
    output, kept = output_folder()
    if not os.access(output, os.W_OK):
        raise UsageError(f"the output folder {output} can not be written: mount it writable")
    attempt = whole_number(ENV_ATTEMPT, 1)
    fence = Fence(output, attempt)
    fence.check()
    dry = os.environ.get(ENV_DRY) == "1"
    models = () if dry else (KERAS_MODEL_FILE, SKLEARN_MODEL_FILE)
    if not dry:
        late_results.put_aside(output, attempt)
    for stale in (RESULT_FILE, BUILD_FILE, *models):
        (output / stale).unlink(missing_ok=True)
    run = Run(
        output=output,
        root=root,
        script=script,
        attempt=attempt,
        seed=whole_number(ENV_SEED, DEFAULT_SEED),
        history=HistoryTable(output),
        beat=Beat(output, attempt, fence.check),
        fence=fence,
        dry=dry,
        started=started,
    )
    if not dry:
        written("checkpoints", output, fence.check, lambda: claim_checkpoints(run))
        run.leave_forks_alone()
    if not kept and not dry:
        say("no output folder: the model is gone with the container (mount one at /output)")
    if os.getpid() == 1:
        # the first process of a container ignores SIGTERM unless it handles it
        signal.signal(signal.SIGTERM, _leave_terminated)
    return run


def _leave_terminated(*_: object) -> NoReturn:
    os._exit(128 + signal.SIGTERM)


def find_script(arguments: list[str], root: Path) -> Path:
    """Return the script's absolute path.

    Raises:
        UsageError: None was named, or it is not there.
    """
    if not arguments:
        raise UsageError(f"no script was named: {USAGE}")
    script = (root / arguments[0]).resolve()
    if not script.is_relative_to(root):
        raise UsageError(f"{arguments[0]!r} is outside of {root}: name a script inside it")
    if not script.is_file():
        found = [path for suffix in (".py", ".ipynb") for path in root.glob(f"**/*{suffix}")]
        there = sorted(str(path.relative_to(root)) for path in found)[:10]
        raise UsageError(f"no script {arguments[0]!r} in {root}; there are: {there}")
    return script


def whole_number(variable: str, default: int) -> int:
    """Return an environment variable as a number.

    Raises:
        UsageError: It is set to something else.
    """
    text = os.environ.get(variable) or str(default)
    if not text.isdecimal():
        raise UsageError(f"{variable} is {text!r}: it has to be a whole number")
    return int(text)


def install_hooks(run: Run) -> None:
    """Arrange what happens when the script imports a library; nothing is imported here."""
    random.seed(run.seed)
    stack_dump.install(run.output)
    legacy_modules.install(run)
    notebook_shims.install(run)
    sklearn_hooks.install(run)
    after_import(run, "numpy", "pushtrain_trainer.numpy_hooks")
    after_import(run, "matplotlib", "pushtrain_trainer.matplotlib_hooks")
    after_import(run, "tensorflow", "pushtrain_trainer.tensorflow_hooks")
    after_import(run, library(), "pushtrain_trainer.keras_hooks")
    after_import(run, library(), "pushtrain_trainer.custom_loops")


def finish(run: Run, files: AccuracyFiles, failure: ScriptFailure | None) -> int:
    """Write the result, say it, and return the exit code."""
    seconds = round(time.monotonic() - run.started, 3)
    result = Result(
        attempt=run.attempt, seconds=seconds, error=failure, built=run.built, api=api_used(run)
    )
    if failure is None:
        result = measured(run, files, result)
        artifact = save_artifact(run)
        result = replace(
            result,
            artifact=artifact.name,
            artifact_bytes=artifact.size,
            parameters=artifact.parameters,
        )
    if run.resumed:
        run.notes.extend(f"not exact: {reason}" for reason in run.inexact)
    written("the last epochs", run.output, run.beat.waits, run.history.complete)
    result = replace(
        result, epochs=len(run.history.rows()), exact=run.exact, notes=tuple(run.notes)
    )
    run.fence.check()
    keep_result(run, result)
    run.beat.phase("finished" if failure is None else "failed")
    return conclude(result)


def keep_result(run: Run, result: Result) -> None:
    """Write the result down, also if the disk has to be made room on first."""
    record = result.to_dict()

    def write() -> None:
        write_json(run.output / RESULT_FILE, record)

    written("the result", run.output, run.beat.waits, write)


def api_used(run: Run) -> str:
    """Return name and version of the library whose model was trained."""
    if run.model is None and run.estimator is not None:
        return f"scikit-learn {sys.modules['sklearn'].__version__}"
    return run.api


def measured(run: Run, files: AccuracyFiles, result: Result) -> Result:
    """Return `result` with the accuracy that counts."""
    for path, text in files.written():
        value = parse_accuracy(text)
        if value is None:
            run.note(f"{path} states no accuracy that can be read: {text[:40]!r}")
        else:
            run.measured.add(value, None, path, Origin.WRITTEN)
    best = run.measured.best()
    if best is None:
        run.notes.append(WOULD_HAVE_BEEN_TAKEN)
        return result
    if run.measured.is_taken_on_trust(best):
        run.notes.append(f"that {best.source} is about test data is the script's word alone")
    return replace(result, accuracy=round(best.value, 6), split=best.split, source=best.source)


def conclude(result: Result) -> ExitCode:
    """Print the outcome as the last line and return the exit code for it."""
    if result.error is not None:
        error = result.error
        sys.stderr.write(error.traceback.rstrip() + "\n")
        where = f" at {error.file}:{error.line}" if error.file else ""
        say(f"script error{where}: {error.type}: {error.message}")
        return ExitCode.SCRIPT_ERROR
    if result.accuracy is None:
        say(f"no metric: {WOULD_HAVE_BEEN_TAKEN}")
        return ExitCode.NO_METRIC
    print(f"accuracy {result.accuracy:.4f} ({result.split}, {result.source})", flush=True)
    return ExitCode.FINISHED
