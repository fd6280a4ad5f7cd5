"""Turns what a fit did into bytes, and does it again to the objects of a later attempt.

The bytes are pickled, as joblib's files are: they are written and read only in the container
that trains, where the script's own code runs anyway.
"""

from __future__ import annotations

import io
import pickle
import random
from typing import Any

import numpy

from pushtrain_trainer.sklearn_signatures import RANDOM

Parts = dict[str, Any]
# an estimator that keeps the generator it draws from has to keep drawing from this very one
SHARED: Parts = {"numpy.random": numpy.random.mtrand._rand}


class TooLarge(Exception):
    """A record would cost more than it saves."""


class _Limited(io.BytesIO):
    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def write(self, data: Any) -> int:
        if self.tell() + memoryview(data).nbytes > self._most:
            raise TooLarge
        return super().write(data)


def parts_of(estimator: Any, arguments: Parts) -> Parts:
    """Return the script's own objects that a fit works on, by name.

    A record refers to them instead of holding copies, so that a pipeline's steps stay the
    objects that the script knows.
    """
    parts: Parts = {"": estimator}
    given = {f"({name})": value for name, value in arguments.items()}
    for name, value in (*sorted(estimator.get_params(deep=True).items()), *given.items()):
        if isinstance(value, type):
            continue
        is_input = name in given and isinstance(value, (numpy.ndarray, list))
        if is_input or isinstance(value, RANDOM) or hasattr(value, "get_params"):
            parts[name] = value
        drawn_by = getattr(value, "random_state", None)  # a way to split with its own generator
        if isinstance(drawn_by, RANDOM):
            parts[f"{name}.random_state"] = drawn_by
    return parts


def names_of(parts: Parts) -> dict[str, str]:
    """Return the kinds of the parts, which have to be the same for a record to fit."""
    return {name: type(part).__qualname__ for name, part in parts.items()}


def capture(parts: Parts, returned: Any, most: int) -> bytes:
    """Return the state of all parts, of the global generators, and what the call returned.

    Args:
        parts: The objects that were worked on.
        returned: What the call returned.
        most: The number of bytes that are worth it.

    Raises:
        TooLarge: The record is larger than that.
        Exception: Something can not be pickled; any error is possible.
    """
    drawn = {n: generator_state(p) for n, p in parts.items() if isinstance(p, RANDOM)}
    generators = (random.getstate(), numpy.random.get_state(legacy=False))
    return dump(parts, (states_of(parts), drawn, returned, *generators), most)


def states_of(parts: Parts) -> dict[str, dict[str, Any]]:
    """Return what each of the estimators among the parts holds."""
    names = _names(parts)
    return {n: p.__dict__ for n, p in parts.items() if _has_state(p) and names[id(p)] == n}


def take_states(parts: Parts, states: dict[str, dict[str, Any]]) -> None:
    """Let the estimators among the parts hold what `states_of` returned."""
    for name, state in states.items():
        own: dict[str, Any] = parts[name].__dict__
        own.clear()
        own.update(state)


def dump(parts: Parts, content: Any, most: int) -> bytes:
    """Return `content` as bytes, in which parts are only referred to.

    Raises:
        TooLarge: They are more than `most`.
        Exception: Something can not be pickled; any error is possible.
    """
    names = _names({**parts, **SHARED})

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing: Any) -> str | None:
            return names.get(id(thing))

    file = _Limited(most)
    Pickler(file, protocol=5).dump(content)
    return file.getvalue()


def load(parts: Parts, raw: bytes) -> Any:
    """Return the content that `dump` was given, with these parts in it."""

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, name: str) -> Any:
            return SHARED[name] if name in SHARED else parts[name]

    return Unpickler(io.BytesIO(raw)).load()


def _names(parts: Parts) -> dict[int, str]:
    names: dict[int, str] = {}
    for name, part in parts.items():
        names.setdefault(id(part), name)
    return names


def put_back(parts: Parts, record: bytes) -> Any:
    """Give the parts and the global generators the recorded state; return what was returned.

    Nothing is changed unless the whole record can be read.
    """
    states, drawn, returned, python, numpys = load(parts, record)
    take_states(parts, states)
    for name, state in drawn.items():
        set_generator_state(parts[name], state)
    random.setstate(python)
    numpy.random.set_state(numpys)
    return returned


def _has_state(part: Any) -> bool:
    return hasattr(part, "get_params") and hasattr(part, "__dict__")


def generator_state(generator: Any) -> Any:
    """Return how far a generator has been drawn from."""
    if isinstance(generator, numpy.random.Generator):
        return generator.bit_generator.state
    return generator.get_state(legacy=False)


def set_generator_state(generator: Any, state: Any) -> None:
    """Put a generator where `generator_state` found it."""
    if isinstance(generator, numpy.random.Generator):
        generator.bit_generator.state = state
    else:
        generator.set_state(state)
