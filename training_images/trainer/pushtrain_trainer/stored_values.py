"""Turns plain values and arrays into JSON plus a list of arrays, and back; nothing is pickled."""

from __future__ import annotations

from typing import Any

import numpy

SCALARS = "biuf"  # kinds of NumPy's numbers that JSON can hold


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
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, numpy.ndarray) and value.dtype.kind not in "OV":
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [encode(item, arrays) for item in value]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: encode(item, arrays) for key, item in value.items()}}
    raise Unstorable(type(value).__name__)


def decode(data: Any, arrays: list[Any]) -> Any:
    """Return what `encode` was given."""
    if not isinstance(data, dict):
        return data
    ((kind, content),) = data.items()
    if kind == "array":
        return arrays[content]
    if kind == "scalar":
        name, plain = content
        return numpy.dtype(name).type(plain)
    if kind == "dict":
        return {key: decode(item, arrays) for key, item in content.items()}
    items = [decode(item, arrays) for item in content]
    return tuple(items) if kind == "tuple" else items
