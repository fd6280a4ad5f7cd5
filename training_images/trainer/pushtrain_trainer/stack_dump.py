"""Writes where every thread stands when the process is told to, so that a hang can be explained.

The handler is C code: it works while Python code waits for a lock or hangs inside a library. It
needs a file that is open already. That file is empty as long as no stack was asked for; it is
taken away at the end, and by the next attempt where the process was killed.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import signal
from pathlib import Path
from typing import IO

from pushtrain_trainer.contract import STACK_FILE, STACK_SIGNAL

SIGNAL = signal.Signals[STACK_SIGNAL]
_open: dict[Path, IO[bytes]] = {}


def install(output: Path) -> None:
    """Let `STACK_SIGNAL` write the stacks; without the right to, the script runs all the same.

    A script that handles the signal itself does so in place of this.

    Args:
        output: The output folder; the stack of an older attempt is removed from it.
    """
    path = output / STACK_FILE
    try:
        # a new file: an older attempt that still lives must not write into this one's
        path.unlink(missing_ok=True)
        file = path.open("xb", buffering=0)
        faulthandler.register(SIGNAL, file=file, all_threads=True)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"pushtrain: a hang could not be explained: {error}", flush=True)
        return
    _open[path] = file
    atexit.register(remove_if_empty)
    os.register_at_fork(after_in_child=_forget)


def remove_if_empty() -> None:
    """Take the file away if nobody asked for a stack; it is that of this process only."""
    for path, file in _open.items():
        try:
            own, there = os.fstat(file.fileno()), path.stat()
            if own.st_size == 0 and (own.st_dev, own.st_ino) == (there.st_dev, there.st_ino):
                path.unlink()
        except OSError:
            continue  # the script may have closed or removed it


def _forget() -> None:
    """Leave the file, and the signal, to the process that the output folder belongs to."""
    _open.clear()
    # Python's own record of handlers knows nothing of ours: another entry is the script's
    if signal.getsignal(SIGNAL) == signal.SIG_DFL:
        faulthandler.unregister(SIGNAL)
