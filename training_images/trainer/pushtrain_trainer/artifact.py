"""Saves the model that was trained last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pushtrain_trainer.contract import KERAS_MODEL_FILE, SKLEARN_MODEL_FILE
from pushtrain_trainer.durable_files import sync_folder
from pushtrain_trainer.full_disk import written
from pushtrain_trainer.run_state import Run


@dataclass(frozen=True)
class Artifact:
    """A saved model: its file's name in the output folder, empty if there is none."""

    name: str = ""
    size: int = 0
    parameters: int | None = None


def save_artifact(run: Run) -> Artifact:
    """Save the Keras model trained last, else the estimator fitted last.

    A model that can not be saved is noted; the accuracy counts all the same.
    """
    if run.model is None and run.estimator is None:
        return Artifact()
    name = SKLEARN_MODEL_FILE if run.model is None else KERAS_MODEL_FILE
    aside = run.output / _aside(run.attempt, name)
    parameters: int | None = None
    try:
        for older in range(1, run.attempt):
            (run.output / _aside(older, name)).unlink(missing_ok=True)  # it was killed there
        if run.model is not None:
            parameters = int(run.model.count_params())
        size = written("the model", run.output, run.beat.waits, lambda: _saved(run, aside))
        # saving takes long: a newer attempt may have come, and saved its own
        run.fence.check(aside)
        aside.replace(run.output / name)
        sync_folder(run.output)
    except Exception as error:  # models hold code of the script: anything can be raised
        aside.unlink(missing_ok=True)
        run.note(f"the model could not be saved: {type(error).__name__}: {error}")
        return Artifact(parameters=parameters)
    return Artifact(name, size, parameters)


def _aside(attempt: int, name: str) -> str:
    # Keras reads the format from the suffix, so the name aside ends like the final one
    return f".aside-{attempt}-{name}"


def _saved(run: Run, aside: Path) -> int:
    """Write the model to a file and return its size in bytes."""
    if run.model is not None:
        run.model.save(aside)
    else:
        import joblib  # here: only scikit-learn scripts need it

        joblib.dump(run.estimator, aside)
    return aside.stat().st_size
