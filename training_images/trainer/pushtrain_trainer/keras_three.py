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
from pushtrain_trainer.unlisted_states import (
    batch_size_of,
    optimizers_of,
    places_of,
    unlisted_variables,
    unsaved_states,
)

OPERATIONS: Any = keras.ops  # such as the `less` of EarlyStopping
FILE_UTILS = "keras.src.utils.file_utils"
IMAGES = "keras.src.legacy.preprocessing.image"
VIS_UTILS = "keras.src.utils.model_visualization"


def has_global_seed() -> bool:
    """Return whether Keras' global seed generator has been used."""
    return global_state.get_global_attribute(seed_generator.GLOBAL_SEED_GENERATOR) is not None


def variables_of(model: Any, *, with_global_seed: bool) -> list[Any]:
    """Return the variables of the model, its seed generators and its optimizers."""
    found = list(model.variables)
    optimizers = [o for o in _optimizers_of(model) if o is not None]
    for optimizer in optimizers:
        found += list(optimizer.variables)
    # what a stateful layer remembers of its rows is a variable of Keras', but in no list
    kinds = (keras.Variable, tensorflow.Variable)
    found += unlisted_variables([*model._flatten_layers(), *optimizers], kinds)
    if with_global_seed:
        found.append(seed_generator.global_seed_generator().state)
    return found


def value_of(variable: Any) -> Any:
    """Return a variable's value, which may change with the variable: copy it."""
    # what lies in the main memory is not copied here, as `numpy()` would
    return numpy.asarray(keras.ops.convert_to_tensor(variable))


def build(model: Any, element_spec: Any) -> None:
    """Create the variables of a model that no batch has created yet.

    Raises:
        ValueError: The shapes of a batch are not known, so only a batch can create them.
    """
    if model.built or _is_made_of_built(model):
        return
    if element_spec is None:
        raise ValueError("the model gets its variables from its first batch only")
    try:
        model._symbolic_build(data_batch=_any_batch(element_spec))
    except RuntimeError as error:
        raise ValueError("the model gets its variables from its first batch only") from error


def _is_made_of_built(model: Any) -> bool:
    """Return whether a model that is never called itself has all its variables already."""
    layers = list(model._flatten_layers(include_self=False))
    return bool(layers) and all(layer.built for layer in layers)


def built_optimizers(model: Any) -> list[list[int] | None]:
    """Return what each optimizer is built on, as places among the variables of the model."""
    return [
        places_of(_trained_by(optimizer), list(model.variables))
        for optimizer in _optimizers_of(model)
    ]


def build_optimizers(model: Any, built: list[list[int] | None]) -> None:
    """Build the optimizers as `built_optimizers` returned it.

    Raises:
        ValueError: The model has other variables.
    """
    variables = list(model.variables)
    for optimizer, places in zip(_optimizers_of(model), built, strict=True):
        if places is not None and not optimizer.built:
            if any(place >= len(variables) for place in places):
                raise ValueError("the model has other variables than the checkpoint")
            optimizer.build([variables[place] for place in places])


def _optimizers_of(model: Any) -> list[Any]:
    return optimizers_of(model, keras.optimizers.Optimizer)


def _trained_by(optimizer: Any) -> list[Any] | None:
    if optimizer is None or not optimizer.built:
        return None
    return list(getattr(optimizer, "inner_optimizer", optimizer)._trainable_variables)


def build_metrics(model: Any, element_spec: Any) -> None:
    """Create the variables of metrics that no batch has created yet, if that is possible."""
    is_called = model.built or not _is_made_of_built(model)
    if element_spec is not None and is_called:
        model._symbolic_build(data_batch=_any_batch(element_spec, batch_size_of(model)))


def _any_batch(element_spec: Any, size: int | None = None) -> Any:
    return tensorflow.nest.map_structure(
        lambda s: tensorflow.TensorSpec([size, *s.shape[1:]], s.dtype), element_spec
    )


def metric_variables_of(model: Any) -> list[Any]:
    """Return the variables of the loss and metrics of the epoch under way."""
    return list(model.metrics_variables)


def seeds_of_layers() -> Any:
    """Return the state of generators that are no variables: there are none."""
    return None


def restore_seeds_of_layers(state: Any) -> None:
    """Put back what `seeds_of_layers` returned: nothing."""


def uncertain(model: Any, saved: list[Any]) -> list[str]:
    """Return why a fit that goes on with what is `saved` may differ, beside its data's order."""
    # a plain function around what TensorFlow traced; Keras' own layers draw without hidden states
    cells = getattr(getattr(model, "train_function", None), "__closure__", None) or ()
    functions = [cell.cell_contents for cell in cells]
    listed = [*saved, *model.metrics_variables]
    known = [v if isinstance(v, tensorflow.Variable) else v.value for v in listed]
    return [*unreadable_states(functions), *unsaved_states(functions, known)]


def wrap_logs(patches: Patches, make: Any) -> None:
    """Let `make` wrap the function whose result callbacks get as logs."""
    patches.wrap(importlib.import_module("keras.src.utils.python_utils"), "pythonify_logs", make)
