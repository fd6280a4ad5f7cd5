"""What the trainer has to know of the inside of tf-keras; `keras_three` has the same functions."""

from __future__ import annotations

import importlib
from typing import Any

import numpy
import tensorflow
from tf_keras import optimizers
from tf_keras.optimizers import legacy as legacy_optimizers
from tf_keras.src import backend
from tf_keras.src.engine import data_adapter
from tf_keras.src.metrics.base_metric import Metric

from pushtrain_trainer.patches import Patches
from pushtrain_trainer.tensorflow_states import unreadable_states
from pushtrain_trainer.unlisted_states import (
    COUNTERS,
    batch_size_of,
    optimizers_of,
    places_of,
    unlisted_variables,
    unsaved_states,
)

OPERATIONS: Any = numpy  # such as the `less` of EarlyStopping
FILE_UTILS = "tf_keras.src.utils.data_utils"
IMAGES = "tf_keras.src.preprocessing.image"
VIS_UTILS = "tf_keras.src.utils.vis_utils"


def has_global_seed() -> bool:
    """Return False: the generator of seeds is no variable here (see `seeds_of_layers`)."""
    return False


def variables_of(model: Any, *, with_global_seed: bool) -> list[Any]:
    """Return the variables of the model, its random generators and its optimizers."""
    found = list(model.weights)
    layers = [layer for layer in model._flatten_layers() if not isinstance(layer, Metric)]
    for layer in layers:
        generator = getattr(layer, "_random_generator", None)
        if isinstance(generator, backend.RandomGenerator):
            generator._maybe_init()
            if generator._generator is not None:
                found.append(generator._generator.state)
    optimizers = [part for o in _optimizers_of(model) if o is not None for part in _parts_of(o)]
    for optimizer in optimizers:
        known = getattr(optimizer, "variables", ())
        found += list(known() if callable(known) else known)
    # the learning rate, and what an optimizer multiplies up from step to step, is in no list
    return found + unlisted_variables([*layers, *optimizers])


def _optimizers_of(model: Any) -> list[Any]:
    return optimizers_of(model, (optimizers.Optimizer, legacy_optimizers.Optimizer))


def _parts_of(optimizer: Any) -> list[Any]:
    """Return an optimizer, and the one that it scales the loss for with the scale's own state."""
    inner = (getattr(optimizer, name, None) for name in ("_optimizer", "_loss_scale"))
    return [optimizer, *(part for part in inner if hasattr(part, "__dict__"))]


def value_of(variable: Any) -> Any:
    """Return a variable's value, which may change with the variable: copy it."""
    # what lies in the main memory is not copied here, as `numpy()` would
    return numpy.asarray(tensorflow.convert_to_tensor(variable))


def build(model: Any, element_spec: Any) -> None:
    """Create the variables of a model that no batch has created yet.

    Raises:
        ValueError: The shapes of a batch are not known, so only a batch can create them.
    """
    layers = list(model._flatten_layers(include_self=False))
    if model.built or (layers and all(layer.built for layer in layers)):
        return
    if element_spec is None:
        raise ValueError("the model gets its variables from its first batch only")
    x, *_ = element_spec if isinstance(element_spec, tuple) else (element_spec,)
    try:
        model(tensorflow.nest.map_structure(_zeros, x), training=False)
    except NotImplementedError as error:  # it is trained, but never called
        raise ValueError("the model gets its variables from its first batch only") from error


def built_optimizers(model: Any) -> list[list[int] | None]:
    """Return what each optimizer is built on, as places among the variables of the model."""
    weights = list(model.weights)
    return [places_of(_trained_by(o, weights), weights) for o in _optimizers_of(model)]


def build_optimizers(model: Any, built: list[list[int] | None]) -> None:
    """Build the optimizers as `built_optimizers` returned it.

    Raises:
        ValueError: The model has other variables.
    """
    weights = list(model.weights)
    for optimizer, places in zip(_optimizers_of(model), built, strict=True):
        if places is None or _trained_by(optimizer, weights) is not None:
            continue
        if any(place >= len(weights) for place in places):
            raise ValueError("the model has other variables than the checkpoint")
        trained = [weights[place] for place in places]
        if hasattr(optimizer, "_create_all_weights"):
            with tensorflow.init_scope():
                optimizer._create_all_weights(trained)
        else:
            optimizer.build(trained)


def _trained_by(optimizer: Any, weights: list[Any]) -> list[Any] | None:
    """Return the variables that an optimizer is built on, None where it is not built."""
    if optimizer is None:
        return None
    inner = getattr(optimizer, "_optimizer", optimizer)
    if hasattr(inner, "_create_all_weights"):
        keys = {v._unique_id: v for v in weights}
        is_built = inner._hypers_created
        found = [keys[key] for key in inner._slots if key in keys]
        # one without slots is built on anything
        return (found or [v for v in weights if v.trainable]) if is_built else None
    if not getattr(inner, "_built", False):
        return None
    keys = {inner._var_key(v): v for v in weights}
    return [keys[key] for key in inner._index_dict if key in keys]


def _zeros(spec: Any, size: int = 1) -> Any:
    return tensorflow.zeros([size, *spec.shape[1:]], spec.dtype)


def build_metrics(model: Any, element_spec: Any) -> None:
    """Create the variables of metrics that no batch has created yet, if that is possible."""
    if element_spec is None or model.compiled_loss is None:
        return
    size = batch_size_of(model) or 1
    batch = tensorflow.nest.map_structure(lambda spec: _zeros(spec, size), element_spec)
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


def uncertain(model: Any, saved: list[Any]) -> list[str]:
    """Return why a fit that goes on with what is `saved` may differ, beside its data's order."""
    function = getattr(model, "train_tf_function", None) or getattr(model, "train_function", None)
    known = [*saved, *metric_variables_of(model), *(getattr(model, n, None) for n in COUNTERS)]
    known = [v for v in known if hasattr(v, "handle")]
    return [*unreadable_states([function]), *unsaved_states([function], known)]


def wrap_logs(patches: Patches, make: Any) -> None:
    """Let `make` wrap the function whose result callbacks get as logs."""
    callbacks = importlib.import_module("tf_keras.src.callbacks")
    patches.wrap(callbacks.CallbackList, "_process_logs", make)


def seed_layers(generator: Any) -> None:
    """Let layers that draw random numbers keep their state in variables, seeded by `generator`."""
    backend.enable_tf_random_generator()
    backend._SEED_GENERATOR.generator = generator
