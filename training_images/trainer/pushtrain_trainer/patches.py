"""Replaced attributes that can be put back, so that a training can always go on plain."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


class Patches:
    """A list of replaced attributes; `undo` puts all of them back, latest first."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def wrap(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace the function `owner.name` by `make(original)`, keeping its name and doc."""
        original = getattr(owner, name)
        self.set(owner, name, functools.wraps(original)(make(original)))

    def set(self, owner: Any, name: str, value: Any) -> None:
        """Replace, or add, the attribute `owner.name`."""
        own = vars(owner)
        if name in own:
            before = own[name]
            self._undo.append(lambda: setattr(owner, name, before))
        else:
            self._undo.append(lambda: delattr(owner, name))
        setattr(owner, name, value)

    def add(self, owner: Any, name: str, value: Any) -> None:
        """Set `owner.name` unless it exists."""
        if not hasattr(owner, name):
            self.set(owner, name, value)

    def undo(self) -> None:
        """Put everything back. Called a second time it does nothing."""
        while self._undo:
            self._undo.pop()()
