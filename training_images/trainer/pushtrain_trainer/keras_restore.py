"""Puts the state of a checkpoint back into a model, its callbacks and the generators."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pushtrain_trainer import keras_state
from pushtrain_trainer.callback_states import restore_callbacks
from pushtrain_trainer.keras_harmless import harmless
from pushtrain_trainer.legacy_logs import Logs
from pushtrain_trainer.run_state import Run, remember_inexact
from pushtrain_trainer.stored_values import decode
from pushtrain_trainer.used_keras import dialect, keras

if TYPE_CHECKING:
    from pushtrain_trainer.keras_fit import Fit


def restore(fit: Fit, model: Any) -> None:
    """Put the state of the fit's checkpoint into the model, the generators and the callbacks.

    Raises:
        ValueError: The checkpoint does not fit the model, which is as it was.
    """
    assert fit.found is not None
    data, arrays = fit.found.data, fit.found.arrays
    dialect.build(model, fit.element_spec)
    dialect.build_optimizers(model, data["optimizers"])
    variables = keras_state.variables_of(model, with_global_seed=data["global_seed"])
    keras_state.assign_all(variables, arrays[: data["variables"]])
    restore_callbacks(fit.stateful, data["callbacks"], arrays)
    fit.history.history = Logs(decode(data["history"], arrays))
    fit.history.epoch = list(data["epochs"])
    model.stop_training = data["stop"]
    keras_state.restore_random_state(data["random"], fit.stateful, arrays)


def note_resumed(run: Run, fit: Fit, *reasons: str) -> None:
    """Note that this attempt has not trained the whole fit, and what may differ for that.

    Args:
        run: The run.
        fit: The fit.
        reasons: Why something may differ, beside what the fit knows.
    """
    run.resumed = True
    for reason in (*fit.inexact, *reasons):
        run.note_inexact(reason)
    remember_inexact(run)


def restore_inside(fit: Fit, model: Any) -> str:
    """Put the state back in the middle of an epoch that has just begun once more.

    The callbacks have been told of its begin a second time: what they did to the model, to
    themselves and to the generators is undone by this, so a learning rate is not lowered twice.
    What they did elsewhere (a file, a printed line, a list of the script's) is done twice.

    Returns:
        Why the figures of the epoch may differ from an uninterrupted run's, empty if they do not.
    """
    assert fit.found is not None
    data, arrays = fit.found.data, fit.found.arrays
    start = data["variables"]
    try:
        # calls the model, which may change states of it
        dialect.build_metrics(model, fit.element_spec)
        metrics = dialect.metric_variables_of(model)
        keras_state.assign_all(metrics, arrays[start : start + data["metrics"]])
    except Exception as error:  # metrics of any kind, made by the first batch in ways of their own
        return (f"loss and metrics of epoch {data['epoch'] + 1} of fit {fit.number} are those of "
                f"its last part: {type(error).__name__}: {error}")  # fmt: skip
    finally:
        restore(fit, model)
    return ""


def go_on_with_logs(fit: Fit) -> None:
    """Let CSV logs of a fit that goes on keep what earlier attempts wrote up to the checkpoint."""
    sizes = iter(fit.found.data["csv"] if fit.found else ())
    for callback in fit.callbacks if fit.found else ():
        if isinstance(callback, keras.callbacks.CSVLogger):
            callback.append = True
            _cut(str(callback.filename), next(sizes, None))


def sizes_of_logs(fit: Fit) -> list[int | None]:
    """Return how long the files of the CSV logs are, None where there is none."""
    loggers = [c for c in fit.callbacks if isinstance(c, keras.callbacks.CSVLogger)]
    return [_size(str(callback.filename)) for callback in loggers]


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def _cut(path: str, size: int | None) -> None:
    there = _size(path)
    if size is not None and there is not None and there > size:
        os.truncate(path, size)  # rows of epochs that are trained again


class PutBack(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is not typed here
    """Restores a finished fit inside a fit of no epochs, which builds what is not yet built."""

    def __init__(self, run: Run, fit: Fit) -> None:
        super().__init__()
        self.run = run
        self._fit = fit
        self.done = False

    @harmless
    def on_train_begin(self, logs: Any = None) -> None:
        """Restore."""
        for callback in self._fit.callbacks:
            callback.set_model(self.model)
        try:
            restore(self._fit, self.model)
        except ValueError as error:
            self.run.note(f"fit {self._fit.number} is trained anew: {error}")
            return
        self.done = True

    @harmless
    def after(self) -> None:
        """Set what the end of fit has set since."""
        restore(self._fit, self.model)
        self.model.history = self._fit.history
        note_resumed(self.run, self._fit)
