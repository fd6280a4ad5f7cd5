"""Installs all that the trainer changes in Keras, once the script has imported it."""

from __future__ import annotations

import random
from typing import Any

from pushtrain_trainer import keras_datasets, legacy_arguments, legacy_functions
from pushtrain_trainer.keras_building import build_only
from pushtrain_trainer.keras_choice import api_of, is_legacy
from pushtrain_trainer.keras_evaluations import watch_evaluate
from pushtrain_trainer.keras_fits import Fits
from pushtrain_trainer.legacy_logs import add_old_logs
from pushtrain_trainer.legacy_modules import serve_attributes
from pushtrain_trainer.patches import Patches
from pushtrain_trainer.run_state import Run
from pushtrain_trainer.used_keras import dialect, loading

_patches = Patches()


def install(run: Run, keras: Any) -> None:
    """Patch Keras; a second call changes nothing.

    Raises:
        AttributeError: This Keras lacks something that is patched; call `uninstall`.
    """
    uninstall()
    run.api = api_of(keras)
    _add_old_names(run, keras)
    keras_datasets.explain_missing_files(_patches)
    if run.dry:
        build_only(run, keras, _patches)
        return
    fits = Fits(run)
    loading.control_order(fits, _patches)
    _patches.wrap(keras.Model, "fit", fits.watched)
    _patches.wrap(keras.Model, "evaluate", lambda original: watch_evaluate(run, original))


def _add_old_names(run: Run, keras: Any) -> None:
    if is_legacy():
        dialect.seed_layers(random.Random(run.seed))
        legacy_functions.add_old_functions(_patches)
        legacy_arguments.add_old_arguments(run, keras, _patches)
    else:
        legacy_arguments.add_learning_rate(run, keras, _patches)
    legacy_functions.add_old_methods(run, _patches)
    legacy_functions.add_same_names(_patches)
    add_old_logs(keras, _patches)
    serve_attributes(keras, _patches)


def uninstall() -> None:
    """Put Keras' own functions back."""
    _patches.undo()
