"""Old argument and method names of Keras: `lr=`, `nb_epoch=`, `fit_generator`, `history['acc']`."""

from __future__ import annotations

import functools
import importlib
import inspect
from typing import Any

from pushtrain_trainer.patches import Patches
from pushtrain_trainer.run_state import Run

OPTIMIZERS = ("Adam", "SGD", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam")
OLD_LOGS = {
    "acc": "accuracy", "val_acc": "val_accuracy", "accuracy": "acc", "val_accuracy": "val_acc",
}  # fmt: skip
QUEUE_ARGUMENTS = ("max_q_size", "max_queue_size", "workers", "use_multiprocessing", "nb_worker")


class Logs(dict[str, Any]):
    """A history that answers to the old names of accuracy as well."""

    def __missing__(self, key: str) -> Any:
        other = OLD_LOGS.get(key, "")
        if other in self:
            return self[other]
        raise KeyError(key)


def renamed(run: Run, what: str, kwargs: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return `kwargs` with old names replaced, noting each."""
    found = {}
    for key, value in kwargs.items():
        if key in names:
            run.note(f"the old argument {what}({key}=) was read as {names[key]}=")
        found[names.get(key, key)] = value
    return found


def add_old_names(run: Run, keras: Any, patches: Patches) -> None:
    """Let Keras take the old names too."""
    for name in OPTIMIZERS:
        _rename_learning_rate(run, getattr(keras.optimizers, name), patches)
    history = keras.callbacks.History
    start = history.__init__

    def init(self: Any) -> None:
        start(self)
        self.history = Logs()

    patches.set(history, "__init__", functools.wraps(start)(init))
    _add_old_methods(run, keras, patches)
    images = importlib.import_module("keras.src.legacy.preprocessing.image")
    patches.add(keras.preprocessing.image, "ImageDataGenerator", images.ImageDataGenerator)


def _rename_learning_rate(run: Run, optimizer: Any, patches: Patches) -> None:
    start = optimizer.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        start(self, *args, **renamed(run, optimizer.__name__, kwargs, {"lr": "learning_rate"}))

    wrapped: Any = functools.wraps(start)(init)
    wrapped.__signature__ = inspect.signature(start)
    patches.set(optimizer, "__init__", wrapped)


def _add_old_methods(run: Run, keras: Any, patches: Patches) -> None:
    def fit_generator(self: Any, generator: Any, *args: Any, **kwargs: Any) -> Any:
        run.note("the old method fit_generator was served by fit")
        names = ("steps_per_epoch", "epochs", "verbose", "callbacks", "validation_data")
        kwargs = {k: v for k, v in kwargs.items() if k not in QUEUE_ARGUMENTS}
        return self.fit(generator, **dict(zip(names, args, strict=False)), **kwargs)

    def predict_classes(self: Any, x: Any, batch_size: int = 32, verbose: int = 0) -> Any:
        run.note("the old method predict_classes was served by predict")
        likely = self.predict(x, batch_size=batch_size, verbose=verbose)
        return likely.argmax(-1) if likely.shape[-1] > 1 else (likely > 0.5).astype("int32")

    patches.add(keras.Model, "fit_generator", fit_generator)
    patches.add(keras.Sequential, "predict_classes", predict_classes)
    patches.add(keras.utils, "np_utils", keras.utils)
