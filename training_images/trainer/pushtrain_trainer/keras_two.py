"""What the trainer has to know of the inside of tf-keras; `keras_three` has the same functions."""

from __future__ import annotations

import importlib
from typing import Any

import numpy
import tensorflow
from tf_keras.src import backend
from tf_keras.src.engine import data_adapter

from pushtrain_trainer.patches import Patches
from pushtrain_trainer.tensorflow_states import unreadable_states

OPERATIONS: Any = numpy  # such as the `less` of EarlyStopping
FILE_UTILS = "tf_keras.src.utils.data_utils"
IMAGES = "tf_keras.src.preprocessing.image"
VIS_UTILS = "tf_keras.src.utils.vis_utils"


def has_global_seed() -> bool:
    """Return False: the generator of seeds is no variable here (see `seeds_of_layers`)."""
    return False


def variables_of(model: Any, *, with_global_seed: bool) -> list[Any]:
    """Return the variables of the model, its random generators and its optimizer."""
    found = list(model.weights)
    for layer in model._flatten_layers():
        generator = getattr(layer, "_random_generator", None)
        if isinstance(generator, backend.RandomGenerator):
            generator._maybe_init()
            if generator._generator is not None:
                found.append(generator._generator.state)
    return found + _optimizer_variables(model.optimizer)


def _optimizer_variables(optimizer: Any) -> list[Any]:
    if optimizer is None:
        return []
    known = optimizer.variables
    found = list(known() if callable(known) else known)
    rate = getattr(optimizer, "_learning_rate", None)
    # the optimizers of Keras 2 keep the learning rate and the like apart
    others = [rate, *getattr(optimizer, "_hyper", {}).values()]
    return found + [v for v in others if isinstance(v, tensorflow.Variable)]


def value_of(variable: Any) -> Any:
    """Return a variable's value, which may change with the variable: copy it."""
    # what lies in the main memory is not copied here, as `numpy()` would
    return numpy.asarray(tensorflow.convert_to_tensor(variable))


def build(model: Any, element_spec: Any) -> None:
    """Create the variables of a model and of its optimizer that no batch has created yet.

    Raises:
        ValueError: The shapes of a batch are not known, so only a batch can create them.
    """
    if not model.built:
        if element_spec is None:
            raise ValueError("the model gets its variables from its first batch only")
        x, *_ = element_spec if isinstance(element_spec, tuple) else (element_spec,)
        model(tensorflow.nest.map_structure(_zeros, x), training=False)
    optimizer = model.optimizer
    if optimizer is None or not model.trainable_variables:
        return
    if hasattr(optimizer, "_create_all_weights"):
        with tensorflow.init_scope():
            optimizer._create_all_weights(model.trainable_variables)
    elif not getattr(optimizer, "_built", False):
        optimizer.build(model.trainable_variables)


def _zeros(spec: Any) -> Any:
    return tensorflow.zeros([1, *spec.shape[1:]], spec.dtype)


def build_metrics(model: Any, element_spec: Any) -> None:
    """Create the variables of metrics that no batch has created yet, if that is possible."""
    if element_spec is None or model.compiled_loss is None:
        return
    batch = tensorflow.nest.map_structure(_zeros, element_spec)
    x, y, _ = data_adapter.unpack_x_y_sample_weight(batch)
    predicted = model(x, training=False)
    if not model.compiled_loss.built:
        model.compiled_loss.build(predicted)
    if model.compiled_metrics is not None and not model.compiled_metrics.built:
        model.compiled_metrics.build(predicted, y)


def metric_variables_of(model: Any) -> list[Any]:
    """Return the variables of the loss and metrics of the epoch under way."""
    found = [variable for metric in model.metrics for variable in metric.variables]
    return [*found, model._train_counter]


def seeds_of_layers() -> Any:
    """Return the state of the generator that seeds layers, None where there is none."""
    generator = getattr(backend._SEED_GENERATOR, "generator", None)
    return None if generator is None else generator.getstate()


def restore_seeds_of_layers(state: Any) -> None:
    """Put back what `seeds_of_layers` returned."""
    generator = getattr(backend._SEED_GENERATOR, "generator", None)
    if generator is not None and state is not None:
        generator.setstate(state)


def uncertain(model: Any) -> list[str]:
    """Return why a fit that goes on may differ, beside the order of its data."""
    function = getattr(model, "train_tf_function", None) or getattr(model, "train_function", None)
    return unreadable_states([function])


def wrap_logs(patches: Patches, make: Any) -> None:
    """Let `make` wrap the function whose result callbacks get as logs."""
    callbacks = importlib.import_module("tf_keras.src.callbacks")
    patches.wrap(callbacks.CallbackList, "_process_logs", make)


def seed_layers(generator: Any) -> None:
    """Let layers that draw random numbers keep their state in variables, seeded by `generator`."""
    backend.enable_tf_random_generator()
    backend._SEED_GENERATOR.generator = generator
