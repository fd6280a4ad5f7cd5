"""The callback that lets a fit go on from its checkpoint, saves it and reports its progress."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from pushtrain_trainer.history_table import logged, row_of
from pushtrain_trainer.hopeless import HopelessStop
from pushtrain_trainer.keras_harmless import harmless
from pushtrain_trainer.keras_restore import note_resumed, restore, restore_inside
from pushtrain_trainer.keras_saver import Saver
from pushtrain_trainer.run_state import Run, remember_inexact, say
from pushtrain_trainer.used_keras import keras, loading
from pushtrain_trainer.warm_start import warm_start

if TYPE_CHECKING:
    from pushtrain_trainer.keras_fit import Fit

FIGURES = ("loss", "accuracy", "val_loss", "val_accuracy")


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
        self._saver = Saver(run, fit)
        self._hopeless = HopelessStop(run, fit.number, fit.epochs, self._saver.write_rows)
        self._goes_on_inside = False

    @harmless
    def on_train_begin(self, logs: Any = None) -> None:
        """Restore the checkpoint; without one the first fit may inherit weights."""
        fit = self._fit
        if fit.found is not None:
            self._go_on()
        elif fit.number == 1:
            warm_start(self.run, self.model, fit.element_spec)
        fit.between = self.between

    def _go_on(self) -> None:
        fit = self._fit
        assert fit.found is not None
        data = fit.found.data
        try:
            restore(fit, self.model)
        except ValueError as error:
            self.run.note(f"fit {fit.number} is trained anew: {error}")
            self.run.history.drop_after(fit.number, 0)
            return
        fit.order.epoch = fit.epochs if data["stop"] else data["epoch"]
        self._goes_on_inside = data["batch"] > 0
        loading.start_at(fit, self.model)
        self.model.stop_training = False
        otherwise = [
            f"the random generator {path} is another one in each attempt"
            for path, state in self._saver.generators.items()
            if data["generators"].get(path) != state
        ]
        note_resumed(self.run, fit, *otherwise)
        self.run.note(told(fit))
        # the attempt before may have been killed between this epoch and its judgement
        self._hopeless.judge(fit.history.history, len(fit.history.epoch))

    @harmless
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the epoch that the order of the data is drawn for."""
        fit = self._fit
        fit.order.epoch = epoch
        self._started = time.monotonic()
        loading.started(self.model)
        batch = 0
        if self._goes_on_inside:
            self._goes_on_inside = False
            assert fit.found is not None
            batch = fit.found.data["batch"]
            reason = restore_inside(fit, self.model)
            if reason:
                self.run.note_inexact(reason)
                remember_inexact(self.run)
        fit.found = None  # its arrays are no longer needed
        batches = loading.batches_of_epoch(fit)
        self.run.beat.phase("fit", epoch=epoch + 1, batch=batch, batches=batches)

    @harmless
    def between(self, batch: int) -> None:
        """Save inside the epoch if it is time; `batch` batches of it are done."""
        self._saver.between(self.model, batch)

    @harmless
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note one batch; tf-keras waits for each figure that is read, so few are."""
        figures = {}
        if self.run.beat.is_due:
            figures = {name: logged(logs or {}, name) for name in ("loss", "accuracy")}
        self.run.beat.progress(batch=batch + 1, **figures)

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
        row = row_of(fit.number, epoch + 1, run.attempt, logs or {}, seconds)
        self._saver.add_epoch(self.model, row)
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
        loading.started(self.model)
        if self._fit.history.epoch:
            self._saver.finish(self.model)

    def close(self) -> None:
        """Wait for what is being written, also after an exception of the script."""
        self._fit.between = None
        self._saver.settle()
        if not self.run.trusted:
            with contextlib.suppress(OSError):
                self._saver.write_rows()


def told(fit: Fit) -> str:
    """Return a sentence that says where a fit goes on."""
    assert fit.found is not None
    data = fit.found.data
    if not data["batch"]:
        return (f"fit {fit.number} goes on after epoch {data['epoch']}/{fit.epochs}, "
                f"which attempt {data['attempt']} finished")  # fmt: skip
    batches = loading.batches_of_epoch(fit)
    whole = f"/{batches}" if batches else ""
    return (f"fit {fit.number} goes on in epoch {data['epoch'] + 1}/{fit.epochs} after batch "
            f"{data['batch']}{whole}, which attempt {data['attempt']} saved")  # fmt: skip
