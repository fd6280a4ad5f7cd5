"""Finds the random generators that a script made for itself, and keeps their states."""

from __future__ import annotations

import hashlib
import random
import sys
import types
from pathlib import Path
from typing import Any

import numpy

KINDS = (numpy.random.Generator, numpy.random.RandomState, random.Random)
DEPTH = 4  # of what lies in something that lies in a global name or a callback
MOST_ITEMS = 100  # of a container: data is not searched
# What Keras sets on callbacks leads into its models.
NOT_SEARCHED = frozenset({"model", "_model", "params"})


def is_generator(value: Any) -> bool:
    """Return whether `value` is a generator whose state can be read and set."""
    kind = type(value)
    return issubclass(kind, KINDS) and not issubclass(kind, random.SystemRandom)


def own_generators(callbacks: list[Any]) -> dict[str, Any]:
    """Return the generators in the script's names, functions, objects and callbacks, by path.

    The path is the same in each attempt. Objects of libraries are not searched.
    """
    search = _Search()
    for name, value in list(vars(sys.modules["__main__"]).items()):
        search.look(name, value, DEPTH)
    for number, callback in enumerate(callbacks):
        search.look_into(f"{type(callback).__name__} {number}", callback, DEPTH)
    return search.found


def states_of(generators: dict[str, Any]) -> dict[str, Any]:
    """Return the states of generators by path, as plain values and arrays."""
    return {path: _state(generator) for path, generator in generators.items()}


def prints_of(generators: dict[str, Any]) -> dict[str, str]:
    """Return a print of the state of each generator."""
    states = states_of(generators)
    return {
        path: hashlib.blake2b(repr(_plain(state)).encode(), digest_size=8).hexdigest()
        for path, state in states.items()
    }


def _plain(state: Any) -> Any:
    if isinstance(state, dict):
        return {name: _plain(value) for name, value in state.items()}
    return state.tolist() if isinstance(state, numpy.ndarray) else state


def restore_own(generators: dict[str, Any], states: dict[str, Any]) -> None:
    """Set generators to states that `states_of` returned; others are left alone."""
    for path, state in states.items():
        generator = generators.get(path)
        if isinstance(generator, random.Random):
            generator.setstate(state)
        elif isinstance(generator, numpy.random.RandomState):
            generator.set_state(state)
        elif generator is not None:
            generator.bit_generator.state = state


def _state(generator: Any) -> Any:
    if isinstance(generator, random.Random):
        return generator.getstate()
    if isinstance(generator, numpy.random.RandomState):
        return generator.get_state(legacy=False)
    return generator.bit_generator.state


class _Search:
    """Looks at each thing once."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        # kept, so that no address is used again for something that is made in the meantime
        self._seen: dict[int, Any] = {}
        file = getattr(sys.modules["__main__"], "__file__", None)
        self._folder = Path(file).parent if file else None

    def look(self, path: str, value: Any, depth: int) -> None:
        """Keep `value` if it is a generator, look into it if it is the script's."""
        if id(value) in self._seen or depth == 0:
            return
        if is_generator(value):
            self._seen[id(value)] = value
            self.found[path] = value
        elif isinstance(value, types.FunctionType):
            self._look_into_function(path, value, depth)
        elif isinstance(value, types.MethodType):
            self.look(path, value.__func__, depth)
            self.look(path, value.__self__, depth)
        elif type(value) in (list, tuple, dict) and len(value) <= MOST_ITEMS:
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for name, item in list(items):
                self.look(f"{path}[{name!r}]", item, depth - 1)
        elif self._is_own(_file_of(value)):
            self.look_into(path, value, depth)

    def look_into(self, path: str, value: Any, depth: int) -> None:
        """Look at the attributes of an object."""
        if id(value) in self._seen:
            return
        self._seen[id(value)] = value
        for name, attribute in list(getattr(value, "__dict__", {}).items()):
            if name not in NOT_SEARCHED:
                self.look(f"{path}.{name}", attribute, depth - 1)

    def _look_into_function(self, path: str, function: Any, depth: int) -> None:
        if not self._is_own(function.__code__.co_filename):
            return
        self._seen[id(function)] = function
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            try:
                self.look(f"{path}.{name}", cell.cell_contents, depth - 1)
            except ValueError:
                continue  # the name has no value yet
        for name in function.__code__.co_names:
            if name in function.__globals__:
                self.look(f"{path}.{name}", function.__globals__[name], depth - 1)

    def _is_own(self, file: str | None) -> bool:
        return bool(file and self._folder and Path(file).is_relative_to(self._folder))


def _file_of(value: Any) -> str | None:
    """Return where a module, or the class of an object, is written down."""
    is_module = isinstance(value, types.ModuleType)
    module = value if is_module else sys.modules.get(type(value).__module__)
    return getattr(module, "__file__", None)
