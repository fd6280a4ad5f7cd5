"""The errors that this package raises, sorted by what the reader of the message has to do."""

from __future__ import annotations


class PushtrainError(Exception):
    """Base of all errors of this package."""


class ScriptError(PushtrainError):
    """The user's script can not be used as it is: its author changes it.

    Attributes:
        file: Path in the model repo, empty if no file is concerned.
        line: 1-based, 0 where unknown.
        column: 1-based, 0 where unknown.
    """

    def __init__(self, message: str, *, file: str = "", line: int = 0, column: int = 0) -> None:
        where = ":".join(str(part) for part in (file, line, column) if part)
        super().__init__(f"{where}: {message}" if where else message)
        self.file = file
        self.line = line
        self.column = column


class ConfigurationError(PushtrainError):
    """A setting, a param or a `[tool.pushtrain]` table is wrong: whoever set it changes it."""


class OutsideError(PushtrainError):
    """Something outside failed (engine, git server, disk): the same may work later."""


class EngineUnreachableError(OutsideError):
    """The container engine does not answer: what it ran may have gone down with it."""


class StoreError(PushtrainError):
    """A record in the store is missing or damaged; the message names the file."""
