"""The callbacks that restore a fit, keep its checkpoints and report its progress."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

from pushtrain_trainer import keras_state
from pushtrain_trainer.checkpoints import Checkpoint
from pushtrain_trainer.history_table import logged, row_of
from pushtrain_trainer.hopeless import HopelessStop
from pushtrain_trainer.legacy_logs import Logs
from pushtrain_trainer.run_state import Run, remember_inexact, say
from pushtrain_trainer.stored_values import decode, encode
from pushtrain_trainer.used_keras import dialect, keras
from pushtrain_trainer.warm_start import warm_start

if TYPE_CHECKING:
    from pushtrain_trainer.keras_fits import Fit


def harmless(method: Any) -> Any:
    """Wrap a callback's method: if it fails, the training goes on without the trainer."""

    @functools.wraps(method)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> None:
        if not self.run.trusted:
            return
        try:
            method(self, *args, **kwargs)
        except OSError as error:
            # a full disk may pass, and the epochs so far are still there
            self.run.note(f"a checkpoint or a record could not be written: {error}")
        except Exception as error:  # models and callbacks of any kind
            self.run.give_up("keeping checkpoints", error)

    return guarded


def restore(fit: Fit, model: Any) -> None:
    """Put the state of the fit's checkpoint into the model, the generators and the callbacks.

    Raises:
        ValueError: The checkpoint does not fit the model, which is as it was.
    """
    assert fit.found is not None
    data, arrays = fit.found.data, fit.found.arrays
    dialect.build(model, fit.element_spec)
    variables = keras_state.variables_of(model, with_global_seed=data["global_seed"])
    keras_state.assign_all(variables, arrays[: data["variables"]])
    keras_state.restore_callbacks(fit.stateful, data["callbacks"], arrays)
    fit.history.history = Logs(decode(data["history"], arrays))
    fit.history.epoch = list(data["epochs"])
    model.stop_training = data["stop"]
    keras_state.restore_random_state(data["random"], arrays)


class Keeper(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is not typed here
    """Comes last among the callbacks: the others have had their say when it saves."""

    # called in Keras' own threads after each batch, so that the training need not wait
    async_safe = True
    _supports_tf_logs = True  # the same for tf-keras: figures are fetched when they are shown

    def __init__(self, run: Run, fit: Fit) -> None:
        super().__init__()
        self.run = run
        self._fit = fit
        self._started = time.monotonic()
        self._row: dict[str, str] = fit.found.data["row"] if fit.found else {}
        self._hopeless = HopelessStop(run, fit.number, fit.epochs)

    @harmless
    def on_train_begin(self, logs: Any = None) -> None:
        """Restore the checkpoint; without one the first fit may inherit weights."""
        fit = self._fit
        if fit.found is None:
            if fit.number == 1:
                warm_start(self.run, self.model, fit.element_spec)
            return
        data = fit.found.data
        try:
            restore(fit, self.model)
        except ValueError as error:
            self.run.note(f"fit {fit.number} is trained anew: {error}")
            self.run.history.drop_after(fit.number, 0)
            return
        fit.epoch = fit.epochs if data["stop"] else data["epoch"]
        dialect.start_at(self.model, fit.epoch)
        self.model.stop_training = False
        self.run.resumed = True
        for reason in filter(None, (fit.uncontrolled, *data["partial"])):
            self.run.note_inexact(reason)
        remember_inexact(self.run)
        self.run.note(
            f"fit {fit.number} goes on after epoch {data['epoch']}/{fit.epochs}, "
            f"which attempt {data['attempt']} finished"
        )
        # the attempt before may have been killed between this epoch and its judgement
        self._hopeless.judge(fit.history.history, len(fit.history.epoch))

    @harmless
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the epoch that the order of the data is drawn for."""
        self._fit.epoch = epoch
        self._started = time.monotonic()
        dialect.started(self.model)
        self.run.beat.phase("fit", epoch=epoch + 1, batch=0)

    @harmless
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note one batch."""
        logs = logs or {}
        self.run.beat.progress(
            batch=batch + 1, loss=logged(logs, "loss"), accuracy=logged(logs, "accuracy")
        )

    @harmless
    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note one batch of the validation."""
        self.run.beat.progress()

    @harmless
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write down the epoch and save a checkpoint."""
        run, fit = self.run, self._fit
        run.fence.check()
        seconds = time.monotonic() - self._started
        # the checkpoint first: a row without one would be an epoch that has to be trained again
        self._row = row_of(fit.number, epoch + 1, run.attempt, logs or {}, seconds)
        try:
            self._save(epoch + 1, done=False)
        finally:
            # also where the disk is full: a resume drops the rows behind its checkpoint
            run.history.append(self._row)
        figures = {name: logged(logs or {}, name) for name in FIGURES}
        run.beat.progress(loss=figures["loss"], accuracy=figures["accuracy"])
        shown = "".join(
            f" {name} {value:.4f}" for name, value in figures.items() if value is not None
        )
        say(f"epoch {epoch + 1}/{fit.epochs}{shown}")
        self._hopeless.judge(fit.history.history, len(fit.history.epoch))

    @harmless
    def finish(self) -> None:
        """Keep the outcome of the whole fit, so that a later attempt can skip it."""
        dialect.started(self.model)
        if self._fit.history.epoch:
            self._save(self._fit.history.epoch[-1] + 1, done=True)

    def _save(self, epoch: int, *, done: bool) -> None:
        fit = self._fit
        with_global_seed = dialect.has_global_seed()
        variables = keras_state.variables_of(self.model, with_global_seed=with_global_seed)
        arrays = keras_state.values_of(variables)
        random = keras_state.random_state(arrays)
        callbacks, partial = keras_state.callback_states(fit.stateful, arrays)
        data = {
            "signature": fit.signature,
            "attempt": self.run.attempt,
            "epoch": epoch,
            "epochs": list(fit.history.epoch),
            "row": self._row,
            "done": done,
            "stop": bool(self.model.stop_training),
            "order_seed": fit.order_seed,
            "variables": len(variables),
            "global_seed": with_global_seed,
            "history": encode(dict(fit.history.history), arrays),
            "random": random,
            "callbacks": callbacks,
            "partial": [
                *(f"the callback state {name} can not be kept" for name in partial),
                *dialect.uncertain(self.model),
            ],
        }
        fit.checkpoints.save(Checkpoint(data, arrays), last=done)


FIGURES = ("loss", "accuracy", "val_loss", "val_accuracy")


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
