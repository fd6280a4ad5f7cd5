"""Tells when a script looks at an estimator between two calls that grow it.

While it is watched an estimator has a class of the same name that is derived from its own; the
first look gives it its own class back. Only code that compares `type(estimator)` by `is` could
tell the difference.
"""

from __future__ import annotations

import copy
import numbers
import sys
from collections.abc import Callable
from typing import Any

Look = Callable[[bool], None]

ASKS_NO_STATE = frozenset({"get_params", "set_params", "_get_param_names"})
# What these return shares its content with the estimator.
SHARES = frozenset({"__dict__", "__getstate__", "__reduce__"})
_own: dict[type, type] = {}
_watched: dict[tuple[type, str], type] = {}
_looks: dict[int, Look] = {}


def watch(estimator: Any, method: str, look: Look) -> None:
    """Let `look` be called before the script reads or sets what the estimator has learned.

    Args:
        estimator: Anything with `get_params`.
        method: The method that may be called without looking.
        look: Is told whether the script may hold on to a part of the estimator.

    Raises:
        TypeError: Its class can not be derived from.
    """
    own = type(estimator)
    key = (own, method)
    if key not in _watched:
        _watched[key] = _derived(own, method)
    _looks[id(estimator)] = look
    estimator.__class__ = _watched[key]


def unwatch(estimator: Any) -> Look | None:
    """Give an estimator its own class back; return who was to be told, None if nobody was."""
    own = _own.get(type(estimator))
    if own is None:
        return None
    object.__setattr__(estimator, "__class__", own)
    return _looks.pop(id(estimator), None)


def _derived(own: Any, method: str) -> type:
    free = {*ASKS_NO_STATE, method, *own._get_param_names()}

    def get(self: Any, name: str) -> Any:
        if name == "__class__":
            return own
        if name in free:
            return own.__getattribute__(self, name)
        look = unwatch(self)
        if look is not None:
            look(_may_share(own, self, name))
        return getattr(self, name)

    def put(self: Any, name: str, value: Any) -> None:
        if name not in free:
            look = unwatch(self)
            if look is not None:
                look(False)
        own.__setattr__(self, name, value)

    class Meta(type(own)):  # type: ignore[misc]  # known at run time only
        def __eq__(cls, other: object) -> bool:
            return other is cls or other is own

        def __hash__(cls) -> int:
            return hash(own)

    body = {"__getattribute__": get, "__setattr__": put, "__doc__": own.__doc__,
            "__module__": own.__module__, "__qualname__": own.__qualname__}  # fmt: skip
    derived: type = Meta(own.__name__, (own,), body)
    _own[derived] = own
    return derived


def _may_share(own: type, estimator: Any, name: str) -> bool:
    if name in SHARES:
        return True
    if name == "__reduce_ex__":
        # a shallow copy shares what is inside, a pickle does not; both ask for this
        return sys._getframe(2).f_code is copy.copy.__code__
    if name not in vars(estimator):
        # a method works, a property may hand out what is inside
        return isinstance(getattr(own, name, None), property)
    value = vars(estimator)[name]
    return not (value is None or isinstance(value, (str, bool, numbers.Number)))
