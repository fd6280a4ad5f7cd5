"""Takes the snapshots of a fit, at the ends of its epochs and between two batches."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pushtrain_trainer import keras_state
from pushtrain_trainer.callback_states import CallbackStates
from pushtrain_trainer.checkpoint_writer import CheckpointWriter, Job
from pushtrain_trainer.checkpoints import Checkpoint
from pushtrain_trainer.keras_restore import sizes_of_logs
from pushtrain_trainer.own_generators import own_generators, prints_of
from pushtrain_trainer.run_state import Run
from pushtrain_trainer.saving_budget import SavingBudget, checkpoint_seconds
from pushtrain_trainer.stored_values import encode
from pushtrain_trainer.used_keras import dialect, loading

if TYPE_CHECKING:
    from pushtrain_trainer.keras_fit import Fit


class Saver:
    """Copies the state of a fit and has the copies written while the training goes on.

    There is one copy of the state at most beside the training's own: while it is being written
    no other is made, and its memory is used again for the next.

    Attributes:
        generators: Prints of the script's own random generators as they were before the fit.
    """

    def __init__(self, run: Run, fit: Fit) -> None:
        self._run = run
        self._fit = fit
        self._callbacks = CallbackStates(fit.stateful)
        self.generators = prints_of(own_generators(fit.stateful))
        self._writer = CheckpointWriter(run, fit.checkpoints, self._written)
        self._budget = SavingBudget(checkpoint_seconds(), time.monotonic())
        self._rows: list[dict[str, str]] = []  # finished epochs that are in no checkpoint yet
        self._spare: list[Any] = []
        self._size = 0
        self._copying = 0.0

    def add_epoch(self, model: Any, row: dict[str, str]) -> None:
        """Note a finished epoch and save, unless the epochs are too short for their saves."""
        self._rows.append(row)
        now = time.monotonic()
        if self._writer.is_busy or not self._is_due(model, now):
            return
        self._hand_over(model, self._fit.order.epoch + 1)
        patience = self._budget.patience(now)
        self._writer.wait(patience)
        self._budget.note_wait(time.monotonic() - now)

    def between(self, model: Any, batch: int) -> None:
        """Save in the middle of an epoch if it is time.

        Args:
            model: The model.
            batch: How many batches of the epoch are done.
        """
        now = time.monotonic()
        if not self._budget.is_overdue(now) and not (self._rows and self._is_due(model, now)):
            return
        # before the first batch the callbacks have had their say on the begin of the epoch, and
        # going on there would tell them once more
        if batch == 0 or self._writer.is_busy:
            return
        loading.wait_for_callbacks(self._fit)
        self._hand_over(model, self._fit.order.epoch, batch)

    def finish(self, model: Any) -> None:
        """Save the outcome of the whole fit and wait until it is on disk."""
        self._writer.wait()
        self._hand_over(model, self._fit.history.epoch[-1] + 1, done=True)
        self._writer.wait()

    def settle(self) -> None:
        """Wait until what was copied is on disk; the copy is no longer needed."""
        self._writer.wait()
        self._spare = []

    def write_rows(self) -> None:
        """Write down the epochs that are in no checkpoint, as no attempt will go on from one.

        Raises:
            OSError: They could not be written yet; the end of the run tries again.
        """
        self._writer.wait()
        self._run.history.ensure(self._rows)

    def _is_due(self, model: Any, now: float) -> bool:
        if not self._size:
            variables = keras_state.variables_of(model, with_global_seed=False)
            self._size = sum(keras_state.bytes_of(variable) for variable in variables)
        return self._budget.is_overdue(now) or self._budget.is_affordable(now, self._size)

    def _hand_over(self, model: Any, epoch: int, batch: int = 0, *, done: bool = False) -> None:
        started = time.thread_time()
        checkpoint = self._snapshot(model, epoch, batch, done=done)
        self._copying = time.thread_time() - started
        self._budget.note_save(time.monotonic())
        batches = loading.batches_of_epoch(self._fit) or batch + 1
        self._writer.hand_over(Job(checkpoint, tuple(self._rows), batch / batches, done))

    def _written(self, job: Job, written: bool, seconds: float) -> None:
        self._budget.note_cost(self._copying + seconds)
        if written:
            del self._rows[: len(job.rows)]

    def _snapshot(self, model: Any, epoch: int, batch: int, *, done: bool) -> Checkpoint:
        fit = self._fit
        with_global_seed = dialect.has_global_seed()
        variables = keras_state.variables_of(model, with_global_seed=with_global_seed)
        metrics = dialect.metric_variables_of(model) if batch else []
        arrays = [dialect.value_of(variable) for variable in (*variables, *metrics)]
        random = keras_state.random_state(fit.stateful, arrays)
        callbacks, partial = self._callbacks.encoded(arrays)
        data = {
            "signature": fit.signature,
            "attempt": self._run.attempt,
            "epoch": epoch,
            "batch": batch,
            **loading.place_of_data(fit, batch),
            "epochs": list(fit.history.epoch),
            "rows": list(self._rows),
            "done": done,
            "stop": bool(model.stop_training),
            "order_seed": fit.order.seed,
            "variables": len(variables),
            "optimizers": dialect.built_optimizers(model),
            "metrics": len(metrics),
            "global_seed": with_global_seed,
            "csv": sizes_of_logs(fit),
            "history": encode(dict(fit.history.history), arrays),
            "random": random,
            "generators": self.generators,
            "callbacks": callbacks,
            "partial": [
                *(f"the callback state {name} can not be kept" for name in partial),
                *dialect.uncertain(model, variables),
            ],
        }
        self._spare = keras_state.copies_of(arrays, self._spare)
        return Checkpoint(data, self._spare)
