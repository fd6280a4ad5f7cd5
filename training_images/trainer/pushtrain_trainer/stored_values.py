"""Turns plain values and arrays into JSON plus a list of arrays, and back; nothing is pickled."""

from __future__ import annotations

import collections
from typing import Any

import numpy

SCALARS = "biuf"  # kinds of NumPy's numbers that JSON can hold
PLAIN = (bool, int, float, str)
# Other classes of the kind, such as a named tuple, would come back as something else.
LISTS: dict[str, Any] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
DICTS: dict[str, Any] = {
    "dict": dict, "counter": collections.Counter, "ordered": collections.OrderedDict,
}  # fmt: skip
FACTORIES: dict[str, Any] = {
    kind.__name__: kind for kind in (list, dict, set, int, float, bool, str)
}


class Unstorable(TypeError):
    """A value is neither plain nor an array."""


def encode(value: Any, arrays: list[Any]) -> Any:
    """Return `value` for JSON; arrays in it are appended to `arrays`.

    Raises:
        Unstorable: Something in it is neither plain nor an array of plain values.
    """
    if isinstance(value, numpy.generic):
        if value.dtype.kind in SCALARS:
            # a script that prints its history sees whether a figure was NumPy's or Python's
            return {"scalar": [value.dtype.name, value.item()]}
        return encode(value.item(), arrays)
    if value is None or type(value) in PLAIN:
        return value
    if type(value) is numpy.ndarray and value.dtype.kind not in "OV":
        arrays.append(value)
        return {"array": len(arrays) - 1}
    return _encode_container(value, arrays)


def _encode_container(value: Any, arrays: list[Any]) -> Any:
    for name, kind in LISTS.items():
        if type(value) is kind:
            return {name: [encode(item, arrays) for item in value]}
    for name, kind in DICTS.items():
        if type(value) is kind:
            return {name: _items(value, arrays)}
    if type(value) is collections.defaultdict:
        factory = getattr(value.default_factory, "__name__", "")
        if FACTORIES.get(factory) is value.default_factory:
            return {"default": [factory, _items(value, arrays)]}
    raise Unstorable(type(value).__name__)


def _items(value: Any, arrays: list[Any]) -> list[Any]:
    return [[encode(key, arrays), encode(item, arrays)] for key, item in value.items()]


def decode(data: Any, arrays: list[Any]) -> Any:
    """Return what `encode` was given; its arrays are copies."""
    if not isinstance(data, dict):
        return data
    ((kind, content),) = data.items()
    if kind == "array":
        return arrays[content].copy()
    if kind == "scalar":
        name, plain = content
        return numpy.dtype(name).type(plain)
    if kind in LISTS:
        return LISTS[kind](decode(item, arrays) for item in content)
    if kind == "default":
        factory, content = content
        return collections.defaultdict(FACTORIES[factory], _decoded(content, arrays))
    return DICTS[kind](_decoded(content, arrays))


def _decoded(items: list[Any], arrays: list[Any]) -> dict[Any, Any]:
    return {decode(key, arrays): decode(item, arrays) for key, item in items}


def replace_content(old: Any, new: Any) -> Any:
    """Return `old` with the content of `new`, or `new` where the one can not become the other."""
    if type(old) is not type(new):
        return new
    if isinstance(old, list):
        old[:] = new
    elif isinstance(old, (dict, set)):
        old.clear()
        old.update(new)
    elif isinstance(old, numpy.ndarray) and old.flags.writeable and _is_alike(old, new):
        old[...] = new
    else:
        return new
    return old


def _is_alike(one: Any, other: Any) -> bool:
    return bool(one.shape == other.shape and one.dtype == other.dtype)
