"""Seeds TensorFlow's operations, has custom loops watched, serves the names of TensorFlow 1."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from pushtrain_trainer.custom_loops import watch_tensorflow
from pushtrain_trainer.keras_choice import is_legacy
from pushtrain_trainer.patches import Patches
from pushtrain_trainer.run_state import Run

_patches = Patches()


def install(run: Run, tensorflow: Any) -> None:
    """Seed the operations that the script gives no seed, and add what an old script needs."""
    tensorflow.random.set_seed(run.seed)
    if not run.dry:
        watch_tensorflow(run, tensorflow, _patches)
    if is_legacy():
        _forget_old_keras(tensorflow)
        _patches.set(tensorflow, "keras", importlib.import_module("tf_keras"))
        for name, value in list(vars(tensorflow.compat.v1).items()):
            if not name.startswith("_"):
                _patches.add(tensorflow, name, value)


def _forget_old_keras(tensorflow: Any) -> None:
    """Let `tensorflow.python.keras`, which TensorFlow keeps for itself, be imported anew."""
    for name in list(sys.modules):
        if name == "tensorflow.python.keras" or name.startswith("tensorflow.python.keras."):
            del sys.modules[name]
    holder = sys.modules.get("tensorflow.python")
    if holder is not None:
        vars(holder).pop("keras", None)


def uninstall() -> None:
    """Take the names away; leave the seed: a seeded run is one of those that could have been."""
    _patches.undo()
