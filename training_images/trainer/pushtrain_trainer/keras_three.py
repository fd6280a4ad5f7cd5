"""What the trainer has to know of the inside of Keras 3; `keras_two` has the same functions."""

from __future__ import annotations

import importlib
from typing import Any

import keras
import numpy
import tensorflow
from keras.src.backend.common import global_state
from keras.src.random import seed_generator

from pushtrain_trainer.patches import Patches
from pushtrain_trainer.tensorflow_states import unreadable_states

OPERATIONS: Any = keras.ops  # such as the `less` of EarlyStopping
FILE_UTILS = "keras.src.utils.file_utils"
IMAGES = "keras.src.legacy.preprocessing.image"
VIS_UTILS = "keras.src.utils.model_visualization"


def has_global_seed() -> bool:
    """Return whether Keras' global seed generator has been used."""
    return global_state.get_global_attribute(seed_generator.GLOBAL_SEED_GENERATOR) is not None


def variables_of(model: Any, *, with_global_seed: bool) -> list[Any]:
    """Return the variables of the model, its seed generators and its optimizer."""
    found = list(model.variables)
    if model.optimizer is not None:
        found += list(model.optimizer.variables)
    if with_global_seed:
        found.append(seed_generator.global_seed_generator().state)
    return found


def value_of(variable: Any) -> Any:
    """Return a variable's value, which may change with the variable: copy it."""
    # what lies in the main memory is not copied here, as `numpy()` would
    return numpy.asarray(keras.ops.convert_to_tensor(variable))


def build(model: Any, element_spec: Any) -> None:
    """Create the variables of a model and of its optimizer that no batch has created yet.

    Raises:
        ValueError: The shapes of a batch are not known, so only a batch can create them.
    """
    if not model.built:
        if element_spec is None:
            raise ValueError("the model gets its variables from its first batch only")
        model._symbolic_build(data_batch=_any_batch(element_spec))
    # an optimizer that is built on no variables refuses those that come later
    if model.optimizer is not None and not model.optimizer.built and model.trainable_variables:
        model.optimizer.build(model.trainable_variables)


def build_metrics(model: Any, element_spec: Any) -> None:
    """Create the variables of metrics that no batch has created yet, if that is possible."""
    if element_spec is not None:
        model._symbolic_build(data_batch=_any_batch(element_spec))


def _any_batch(element_spec: Any) -> Any:
    return tensorflow.nest.map_structure(
        lambda s: tensorflow.TensorSpec([None, *s.shape[1:]], s.dtype), element_spec
    )


def metric_variables_of(model: Any) -> list[Any]:
    """Return the variables of the loss and metrics of the epoch under way."""
    return list(model.metrics_variables)


def seeds_of_layers() -> Any:
    """Return the state of generators that are no variables: there are none."""
    return None


def restore_seeds_of_layers(state: Any) -> None:
    """Put back what `seeds_of_layers` returned: nothing."""


def uncertain(model: Any) -> list[str]:
    """Return why a fit that goes on may differ, beside the order of its data."""
    # a plain function around what TensorFlow traced; Keras' own layers draw without hidden states
    cells = getattr(getattr(model, "train_function", None), "__closure__", None) or ()
    return unreadable_states([cell.cell_contents for cell in cells])


def wrap_logs(patches: Patches, make: Any) -> None:
    """Let `make` wrap the function whose result callbacks get as logs."""
    patches.wrap(importlib.import_module("keras.src.utils.python_utils"), "pythonify_logs", make)
