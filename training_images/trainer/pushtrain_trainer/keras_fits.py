"""Numbers the fits of a script, skips finished ones and continues the interrupted one."""

from __future__ import annotations

import inspect
import shutil
import sys
import threading
from typing import Any

import tensorflow

from pushtrain_trainer.checkpoints import Checkpoints
from pushtrain_trainer.contract import Split
from pushtrain_trainer.data_order import DataOrder, order_seed
from pushtrain_trainer.history_table import logged
from pushtrain_trainer.keras_fit import Fit
from pushtrain_trainer.keras_keeper import Keeper
from pushtrain_trainer.keras_restore import PutBack, go_on_with_logs
from pushtrain_trainer.keras_signature import signature
from pushtrain_trainer.legacy_arguments import fit_arguments
from pushtrain_trainer.measurements import Origin
from pushtrain_trainer.run_state import Run
from pushtrain_trainer.used_keras import keras


class Fits:
    """The fits of a script; fits inside a fit run plain."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.count = 0
        self.current: Fit | None = None
        self._inside = False

    def watched(self, original: Any) -> Any:
        """Return the `fit` that takes the place of Keras' own."""

        def fit(model: Any, *args: Any, **kwargs: Any) -> Any:
            kwargs = fit_arguments(self.run, kwargs, args[0] if args else kwargs.get("x"))
            main = threading.current_thread() is threading.main_thread()
            if self._inside or not self.run.trusted or not main:
                return original(model, *args, **kwargs)
            self._inside = True
            try:
                return self._track(original, model, args, kwargs)
            finally:
                self._inside = False
                ended, self.current = self.current, None
                if ended is not None:
                    ended.let_go()

        return fit

    def _track(
        self, original: Any, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        self.count += 1
        self.run.model = model
        try:
            fit = self._open(original, model, args, kwargs)
        except Exception as error:  # data and models of any kind: their fit must run all the same
            self.run.give_up("preparing the checkpoints of fit", error)
            return original(model, *args, **kwargs)
        self.current = fit
        history = self._skip(original, model, fit) if fit.is_finished else None
        if history is None:
            history = self._train(original, model, fit)
        self._measure(history)
        if self.run.built is None and model.built:
            self.run.built = int(model.count_params())
        self.run.beat.phase("script")
        return history

    def _train(self, original: Any, model: Any, fit: Fit) -> Any:
        keeper = Keeper(self.run, fit)
        go_on_with_logs(fit)
        callbacks = [*fit.callbacks, keeper]
        try:
            history = original(model, **{**fit.arguments, "callbacks": callbacks})
            keeper.finish()
        finally:
            keeper.close()
        return history

    def _open(
        self, original: Any, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Fit:
        bound = inspect.signature(original).bind(model, *args, **kwargs)
        bound.apply_defaults()
        arguments = dict(bound.arguments)
        arguments.pop("self")
        self._note_data(arguments)
        arguments["verbose"] = plain_output(arguments["verbose"])
        callbacks = tensorflow.nest.flatten(arguments["callbacks"] or [])
        known = [c for c in callbacks if isinstance(c, keras.callbacks.History)]
        history = known[0] if known else keras.callbacks.History()
        fit = Fit(
            number=self.count,
            epochs=int(arguments["epochs"]),
            signature=signature(model, arguments),
            history=history,
            callbacks=callbacks if known else [*callbacks, history],
            checkpoints=Checkpoints(self.run.checkpoints / f"fit-{self.count:04d}"),
            order=DataOrder(order_seed(self.count)),
            arguments=arguments,
        )
        self._find(fit)
        self.run.beat.phase(
            "fit", fit=fit.number, epoch=0, batch=0, epochs=fit.epochs, loss=None, accuracy=None
        )
        return fit

    def _note_data(self, arguments: dict[str, Any]) -> None:
        seen = self.run.seen
        seen.note(arguments["x"], Split.TRAIN)
        seen.note_labels(arguments["y"], Split.TRAIN)
        validation = arguments["validation_data"]
        if isinstance(validation, (tuple, list)):
            seen.note(validation[0], Split.VALIDATION)
            if len(validation) > 1:
                seen.note_labels(validation[1], Split.VALIDATION)
        else:
            seen.note(validation, Split.VALIDATION)

    def _find(self, fit: Fit) -> None:
        """Look for a checkpoint of this fit and cut the history back to it."""
        found = fit.checkpoints.latest(self.run.note)
        if found is not None and found.data["signature"] != fit.signature:
            differ = [k for k, v in fit.signature.items() if found.data["signature"].get(k) != v]
            self.run.note(
                f"fit {fit.number} is trained anew: its checkpoint is of another "
                f"{', '.join(differ) or 'model'}"
            )
            fit.checkpoints.clear()
            found = None
        fit.found = found
        if found is not None:
            fit.order.seed = int(found.data["order_seed"])
            self.run.history.ensure(found.data["rows"])
        if not fit.is_finished:
            self._forget_after(fit.number, found.data["epoch"] if found else 0)

    def _skip(self, original: Any, model: Any, fit: Fit) -> Any:
        """Put a finished fit's outcome back without training; None if that is impossible."""
        put_back = PutBack(self.run, fit)
        quiet = {
            "verbose": 0, "validation_data": None, "validation_split": 0.0,
            "initial_epoch": fit.epochs, "callbacks": [fit.history, put_back],
        }  # fmt: skip
        history = original(model, **{**fit.arguments, **quiet})
        if put_back.done:
            put_back.after()
            self.run.note(f"fit {fit.number} was finished in an earlier attempt and is skipped")
            return history
        fit.begin_again()
        fit.checkpoints.clear()
        self._forget_after(fit.number, 0)
        return None

    def _forget_after(self, number: int, epoch: int) -> None:
        """Drop what later epochs and fits left: they followed from what is trained again now."""
        self.run.history.drop_after(number, epoch)
        for folder in self.run.checkpoints.glob("fit-*"):
            if int(folder.name.removeprefix("fit-")) > number:
                shutil.rmtree(folder)

    def _measure(self, history: Any) -> None:
        for name, split in (("val_accuracy", Split.VALIDATION), ("accuracy", Split.TRAIN)):
            last = {key: values[-1] for key, values in history.history.items() if values}
            value = logged(last, name)
            if value is not None:
                self.run.measured.add(value, split, "fit", Origin.FITTED)


def plain_output(verbose: Any) -> Any:
    """Return Keras' `verbose`: a progress bar becomes a line an epoch where no terminal is."""
    return 2 if verbose in ("auto", 1, True) and not sys.stdout.isatty() else verbose
