"""Finds variables of a model that Keras does not list among the model's or the optimizer's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow

# tf-keras counts with these; they begin anew with each fit
COUNTERS = frozenset({
    "_train_counter", "_test_counter", "_predict_counter", "_steps_per_execution",
})  # fmt: skip


def batch_size_of(model: Any) -> int | None:
    """Return the only batch size that a model takes, such as one that keeps states of its rows."""
    inputs = getattr(model, "inputs", None)
    size = inputs[0].shape[0] if inputs else None
    return None if size is None else int(size)


def optimizers_of(model: Any, kind: Any) -> list[Any]:
    """Return the optimizer that the model was compiled with, which may be None, and its others.

    Args:
        model: The model; one that trains in its own way may have an optimizer for each part.
        kind: The class of optimizers.
    """
    others = [v for v in _held_by(model) if isinstance(v, kind) and v is not model.optimizer]
    return [model.optimizer, *{id(other): other for other in others}.values()]


def unlisted_variables(owners: Iterable[Any], kind: Any = tensorflow.Variable) -> list[Any]:
    """Return bare variables, and states of TensorFlow's generators, that are attributes.

    Args:
        owners: Layers and optimizers.
        kind: The classes of variables.
    """
    found = []
    for owner in owners:
        for value in _held_by(owner):
            if isinstance(value, tensorflow.random.Generator):
                found.append(value.state)
            elif isinstance(value, kind):
                found.append(value)
    return found


def places_of(variables: list[Any] | None, among: list[Any]) -> list[int] | None:
    """Return where variables stand in a list, None where an optimizer is not built on any.

    Raises:
        ValueError: One is not in the list.
    """
    if variables is None:
        return None
    places = {id(variable): place for place, variable in enumerate(among)}
    try:
        return [places[id(variable)] for variable in variables]
    except KeyError:
        raise ValueError("an optimizer trains variables that are not the model's") from None


def unsaved_states(functions: list[Any], saved: list[Any]) -> list[str]:
    """Return a sentence for each variable that traced functions use and that is not `saved`."""
    handles = {id(variable.handle) for variable in saved}
    reasons: set[str] = set()
    for function in functions:
        for concrete in getattr(function, "_list_all_concrete_functions", list)():
            try:
                names = _unsaved_names(concrete, handles)
            except Exception as error:  # the inside of TensorFlow; a checkpoint is worth more
                names = [f"of the training step: {type(error).__name__}: {error}"]
            reasons.update(f"the variable {name} can not be kept" for name in names)
    return sorted(reasons)


def _unsaved_names(concrete: Any, handles: set[int]) -> list[str]:
    names = {id(variable.handle): variable.name for variable in concrete.graph.variables}
    resources = [
        captured
        for captured in concrete.captured_inputs
        # iterators and tables are resources, too, but without the type of a value
        if getattr(getattr(captured, "_handle_data", None), "is_set", False)
    ]
    return [names.get(id(r), "of a random generator") for r in resources if id(r) not in handles]


def _held_by(owner: Any) -> Iterator[Any]:
    for name, value in list(vars(owner).items()):
        if name in COUNTERS:
            continue
        values = value.values() if isinstance(value, dict) else value
        if isinstance(values, (list, tuple)) or isinstance(value, dict):
            yield from values
        else:
            yield value
