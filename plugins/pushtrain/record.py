"""The base of all stored records: to JSON and back, with a check of what came back."""

from __future__ import annotations

import dataclasses
import functools
import sys
import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

SCHEMA = 1


class Record:
    """Base of the frozen dataclasses that are stored as JSON objects."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields with the schema number, ready for JSON."""
        return {"schema": SCHEMA, **dataclasses.asdict(self)}  # type: ignore[call-overload]  # subclasses are dataclasses

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Build the record, ignoring fields of later schemas.

        Values are checked against the annotations: some records are written by user code, and a
        text in the place of a number would fail far from here, in a task that serves everybody.

        Raises:
            TypeError: A field without a default is missing, or a value is not of its type.
            ValueError: A value is not in the range or the closed set of its field.
        """
        hints = _hints(cls)  # type: ignore[arg-type]  # every class has a hash
        known = {name: value for name, value in data.items() if name in hints}
        for name, value in known.items():
            if not _fits(value, hints[name]):
                raise TypeError(f"{name} = {repr(value)[:80]} is of the wrong type")
        return cls(**known)


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {f.name: hints[f.name] for f in dataclasses.fields(kind)}


def _fits(value: object, hint: Any) -> bool:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or origin is typing.Literal:
        return hint is Any or value in inner
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, part) for part in inner)
    if origin is tuple:
        return isinstance(value, list | tuple) and all(_fits(v, inner[0]) for v in value)
    if origin is not None:
        return isinstance(value, Mapping) and all(_fits(v, inner[1]) for v in value.values())
    if issubclass(hint, Record):
        return isinstance(value, Mapping | hint)
    if issubclass(hint, StrEnum):
        return isinstance(value, str)  # its constructor names the value that it does not know
    if hint in (int, float):  # JSON writes 1.0 as it likes; a bool is no number
        if isinstance(value, bool) or not isinstance(value, int | hint):
            return False
        # every number here meets a float, and a larger one would overflow there
        return isinstance(value, float) or abs(value) <= sys.float_info.max
    return isinstance(value, hint)
