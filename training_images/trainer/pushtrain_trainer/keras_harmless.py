"""Keeps a failure of the trainer's own from touching the training."""

from __future__ import annotations

import functools
from typing import Any


def harmless(method: Any) -> Any:
    """Wrap a method of something with a `run`: if it fails, the training goes on without it."""

    @functools.wraps(method)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> None:
        if not self.run.trusted:
            return
        try:
            method(self, *args, **kwargs)
        except OSError as error:
            # a full disk may pass, and the epochs so far are still there
            why = error.strerror or error
            self.run.note(f"a checkpoint or a record could not be written: {why}")
        except Exception as error:  # models and callbacks of any kind
            self.run.give_up("keeping checkpoints", error)

    return guarded
