"""Keeps what the callbacks of a fit know, and gives it back to the very objects of the script."""

from __future__ import annotations

import enum
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy

from pushtrain_trainer.keras_state import KERAS_MODULES
from pushtrain_trainer.legacy_logs import Logs
from pushtrain_trainer.own_generators import is_generator
from pushtrain_trainer.stored_values import (
    DICTS,
    PLAIN,
    Unstorable,
    decode,
    encode,
    replace_content,
)
from pushtrain_trainer.used_keras import dialect

# What Keras itself sets on callbacks; the rest of their plain attributes is their state.
NOT_STATE = frozenset({"model", "_model", "params", "validation_data"})
CHANGELESS = (enum.Enum, PurePath, bytes, complex)
HEAVY = 2**16  # bytes from which a value is kept only if it has changed
MOST_BYTES = 2**28  # of one attribute of a callback of the script's
PIECE_BYTES = 2**20
ITEM_BYTES = 8  # about what one number of a list takes

DICTS["logs"] = Logs


@dataclass(frozen=True)
class _Begun:
    """An attribute as it was before the fit; `check` is the sum of a heavy one."""

    value: Any
    check: int | None


class CallbackStates:
    """The states of the callbacks of a fit that is about to begin."""

    def __init__(self, callbacks: list[Any]) -> None:
        self._callbacks = callbacks
        self._begun = [
            {
                name: _Begun(value, _sum_if_heavy(value))
                for name, value in _attributes(callback)
                if type(value) not in PLAIN
            }
            for callback in callbacks
        ]

    def encoded(self, arrays: list[Any]) -> tuple[list[Any], list[str]]:
        """Return the encoded states and the names of attributes that are not in them.

        An attribute that is still the object that the script gave is marked as held, so that the
        script finds the state in it again.
        """
        states, partial = [], []
        for callback, begun in zip(self._callbacks, self._begun, strict=True):
            stored: dict[str, Any] = {
                "type": type(callback).__name__, "state": {}, "operations": {}, "held": [],
            }  # fmt: skip
            own = not type(callback).__module__.startswith(KERAS_MODULES)
            for name, value in _attributes(callback):
                before = begun.get(name)
                if before is not None and before.value is not value:
                    del begun[name]  # it may hold as much as a model
                    before = None
                if before is not None and _is_unchanged(before, value):
                    continue
                mark = len(arrays)
                try:
                    if own and _bytes_in(value) > MOST_BYTES:
                        raise Unstorable(name)
                    stored["state"][name] = encode(value, arrays)
                except (Unstorable, RecursionError):
                    del arrays[mark:]
                    if is_operation(value):
                        stored["operations"][name] = value.__name__
                    elif own and not callable(value):
                        partial.append(f"{type(callback).__name__}.{name}")
                else:
                    stored["held"] += [name] if before is not None else []
            states.append(stored)
        return states, partial


def restore_callbacks(callbacks: list[Any], states: list[Any], arrays: list[Any]) -> None:
    """Give callbacks their states back; those of another kind are left alone."""
    for callback, stored in zip(callbacks, states, strict=False):
        if type(callback).__name__ == stored["type"]:
            for name, value in stored["state"].items():
                new = decode(value, arrays)
                held = vars(callback).get(name) if name in stored["held"] else None
                setattr(callback, name, replace_content(held, new))
            for name, operation in stored["operations"].items():
                setattr(callback, name, getattr(dialect.OPERATIONS, operation))


def is_operation(value: Any) -> bool:
    """Return whether `value` is one of Keras' operations, such as the `less` of EarlyStopping."""
    return getattr(dialect.OPERATIONS, getattr(value, "__name__", ""), None) is value


def _attributes(callback: Any) -> Iterator[tuple[str, Any]]:
    for name, value in list(getattr(callback, "__dict__", {}).items()):
        # no plain string is a pattern of ours (legacy_logs); generators are kept by themselves
        is_pattern = isinstance(value, str) and type(value) is not str
        if name not in NOT_STATE and not is_pattern and not is_generator(value):
            yield name, value


def _is_unchanged(before: _Begun, value: Any) -> bool:
    if isinstance(value, CHANGELESS):
        return True
    return before.check is not None and _sum_if_heavy(value) == before.check


def _sum_if_heavy(value: Any) -> int | None:
    if isinstance(value, numpy.ndarray) and not value.flags.writeable:
        return 0  # a file that is mapped into the memory need not be read
    try:
        return _sum(value, 0) if _bytes_in(value) >= HEAVY else None
    except Exception:  # called before the training, which must begin whatever is in here
        return None


def _sum(value: Any, start: int) -> int:
    if isinstance(value, numpy.ndarray):
        if value.dtype.kind in "OV":
            raise Unstorable(value.dtype.name)
        for piece in _pieces(value):
            start = zlib.crc32(piece, start)
        return zlib.crc32(f"{value.shape}{value.dtype.str}".encode(), start)
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, (list, tuple)):
        for item in value:
            start = _sum(item, start)
        return zlib.crc32(f"{len(value)}".encode(), start)
    if value is None or isinstance(value, (bool, int, float, str, numpy.generic)):
        return zlib.crc32(f"{value!r}".encode(), start)
    raise Unstorable(type(value).__name__)


def _pieces(array: Any) -> Iterator[Any]:
    """Return the bytes of an array without ever copying it all."""
    if array.flags.f_contiguous:
        array = array.T
    if array.flags.c_contiguous:
        if array.nbytes:
            yield array.reshape(-1).view("u1").data
        return
    rows = max(1, PIECE_BYTES * len(array) // max(1, array.nbytes))
    for start in range(0, len(array), rows):
        yield array[start : start + rows].tobytes()


def _bytes_in(value: Any) -> int:
    """Return about how many bytes a state has; a list within a list counts, an object does not."""
    if isinstance(value, numpy.ndarray):
        return int(value.nbytes)
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple, set, frozenset)):
        return len(value) if isinstance(value, str) else ITEM_BYTES
    return sum(_bytes_in(item) for item in value)
