"""What a fit's next epoch depends on beside its callbacks: variables and random generators."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy

from pushtrain_trainer.own_generators import own_generators, restore_own, states_of
from pushtrain_trainer.stored_values import decode, encode
from pushtrain_trainer.used_keras import dialect

KERAS_MODULES = ("keras.", "tf_keras.")


def variables_of(model: Any, *, with_global_seed: bool) -> list[Any]:
    """Return the variables of the model, its seed generators and its optimizer, each once."""
    found = dialect.variables_of(model, with_global_seed=with_global_seed)
    return list({id(variable): variable for variable in found}.values())


def values_of(variables: list[Any]) -> list[Any]:
    """Return copies of the values of variables."""
    return copies_of([dialect.value_of(variable) for variable in variables], [])


def bytes_of(variable: Any) -> int:
    """Return about how many bytes a variable takes."""
    return 4 * math.prod(int(n) for n in variable.shape)


def copies_of(values: list[Any], spare: list[Any]) -> list[Any]:
    """Return copies of arrays, made in the memory of earlier copies where that has their shapes.

    Args:
        values: What to copy.
        spare: Arrays that nobody needs any more.
    """
    copies = []
    for i, value in enumerate(values):
        known = spare[i] if i < len(spare) else None
        if known is None or known.shape != value.shape or known.dtype != value.dtype:
            known = numpy.empty_like(value, order="C")
        numpy.copyto(known, value)
        copies.append(known)
    return copies


def assign_all(variables: list[Any], values: list[Any]) -> None:
    """Put all values into the variables, or none.

    Raises:
        ValueError: Number or shapes differ; the variables are as they were.
    """
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [tuple(value.shape) for value in values]:
        raise ValueError(f"the checkpoint has other variables than the model: {len(values)} "
                         f"instead of {len(shapes)}, or other shapes")  # fmt: skip
    before = values_of(variables)
    try:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
    except BaseException:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        raise


def random_state(callbacks: list[Any], arrays: list[Any]) -> Any:
    """Return the states of Python's, NumPy's, TensorFlow's and the script's generators, encoded."""
    operations = getattr(_context(), "_rng", None)
    return encode(
        {
            "python": random.getstate(),
            "numpy": numpy.random.get_state(legacy=False),
            "tensorflow": operations.getstate() if operations is not None else None,
            "layers": dialect.seeds_of_layers(),
            "own": states_of(own_generators(callbacks)),
        },
        arrays,
    )


def restore_random_state(data: Any, callbacks: list[Any], arrays: list[Any]) -> None:
    """Set the generators to the states that `random_state` returned."""
    states = decode(data, arrays)
    random.setstate(states["python"])
    numpy.random.set_state(states["numpy"])
    operations = getattr(_context(), "_rng", None)
    if operations is not None and states["tensorflow"] is not None:
        operations.setstate(states["tensorflow"])
    dialect.restore_seeds_of_layers(states["layers"])
    restore_own(own_generators(callbacks), states["own"])


def _context() -> Any:
    # TensorFlow draws the seeds of unseeded operations from a generator in here
    from tensorflow.python.eager import context

    return context.context()
