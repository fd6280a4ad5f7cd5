"""Tells cheaply whether a fit is the one that was recorded: same estimator, parameters, data."""

from __future__ import annotations

import hashlib
import random
import re
import sys
from typing import Any

import numpy

MOST_BYTES = 2**18  # of each array; hashing so much takes some tenths of a millisecond
MOST_ITEMS = 4096
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
RANDOM = (numpy.random.RandomState, numpy.random.Generator)


def signature(estimator: Any, method: str, data: dict[str, Any]) -> dict[str, str]:
    """Return what a record has to agree with.

    Args:
        estimator: What is fitted, None where only `data` counts.
        method: The name of the call.
        data: Its arguments by name.
    """
    # one value that is filled in may be missed in a sample
    most = sys.maxsize if works_in_place(estimator) else MOST_BYTES
    return {
        "estimator": f"{type(estimator).__module__}.{type(estimator).__qualname__}.{method}",
        "parameters": _digest(_parameters(estimator)),
        "data": _digest({name: data_print(value, most) for name, value in data.items()}),
    }


def works_in_place(estimator: Any) -> bool:
    """Return whether an estimator is allowed to change the data that it is given."""
    if not hasattr(estimator, "get_params"):
        return False
    # `copy`, `copy_X` and others, also of what is fitted within it
    return any(
        value is False and name.rpartition("__")[2].startswith("copy")
        for name, value in estimator.get_params(deep=True).items()
    )


def data_print(data: Any, most: int = MOST_BYTES) -> Any:
    """Return a short print of data: kind, shape, type and a sample of evenly spaced rows.

    What can not be read without using it up is told by its type alone.

    Args:
        data: Anything.
        most: The number of bytes of an array that are read.
    """
    if data is None or isinstance(data, (bool, int, float, str)):
        return repr(data)
    if hasattr(data, "toarray"):
        data = data.tocsr()
        return [
            "sparse",
            *(data_print(part, most) for part in (data.data, data.indices, data.indptr)),
        ]
    if hasattr(data, "iloc"):
        rows = data.iloc[:: _step(len(data), MOST_ITEMS)]
        return ["frame", list(data.shape), [str(n) for n in getattr(data, "columns", ())],
                data_print(rows.to_numpy())]  # fmt: skip
    if isinstance(data, (list, tuple)):
        rows = data[:: _step(len(data), MOST_ITEMS)]
        return [type(data).__name__, len(data), _digest([_plain(row) for row in rows])]
    if isinstance(data, dict):
        return {str(name): data_print(value, most) for name, value in data.items()}
    return _array_print(data, most) if isinstance(data, numpy.ndarray) else _plain(data)


def random_state_print() -> str:
    """Return a print of the states of the global generators of NumPy and Python."""
    state = numpy.random.get_state(legacy=False)
    drawn = state["state"]
    # a hash of whole numbers is the same in every process
    python = hash(random.getstate()[1])
    text = f"{drawn['key'].tobytes()!r}{drawn['pos']}{state['has_gauss']}{python}"
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def generator_print(generator: Any) -> str:
    """Return a print of how far a generator has been drawn from."""
    is_new = isinstance(generator, numpy.random.Generator)
    state = generator.bit_generator.state if is_new else generator.get_state(legacy=False)
    drawn = {n: v.tobytes() if hasattr(v, "tobytes") else v for n, v in state["state"].items()}
    return _digest([drawn, *(v for n, v in state.items() if n != "state")])


def _array_print(array: Any, most: int = MOST_BYTES) -> Any:
    kind = [list(array.shape), str(array.dtype)]
    if array.ndim == 0 or array.dtype == object:
        flat = array.reshape(-1)
        return [*kind, _digest([_plain(v) for v in flat[:: _step(flat.size, MOST_ITEMS)]])]
    rows = array[:: _step(array.nbytes, most)]
    raw = numpy.ascontiguousarray(rows).tobytes()
    return [*kind, hashlib.blake2b(raw, digest_size=16).hexdigest()]


def _step(size: int, most: int) -> int:
    return max(1, -(-size // most))


def _parameters(estimator: Any) -> Any:
    if not hasattr(estimator, "get_params"):
        return []
    parameters = estimator.get_params(deep=True)
    return [(name, _plain(parameters[name])) for name in sorted(parameters)]


def _plain(value: Any) -> Any:
    """Return `value` so that its text is the same in every process."""
    if isinstance(value, numpy.ndarray):
        return _array_print(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return [(str(key), _plain(item)) for key, item in value.items()]
    if isinstance(value, RANDOM) or hasattr(value, "get_params"):
        # the parameters of estimators within come with their own names
        return type(value).__qualname__
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return ADDRESS.sub("", repr(value))


def _digest(content: Any) -> str:
    return hashlib.blake2b(repr(content).encode(), digest_size=16).hexdigest()
