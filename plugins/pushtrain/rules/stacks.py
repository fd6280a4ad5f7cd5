"""Where a training stood that hung, read from the stack that its process wrote."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pushtrain.contract import WORK_DIR

_FRAME = re.compile(r'^  File "([^"\n]*)", line (\d+) in (.*)$', re.MULTILINE)
_THREAD = re.compile(r"^(?=(?:Current thread|Thread) 0x)", re.MULTILINE)
_LONGEST = 200  # characters; user code chooses its names


def last_frame(stack: str) -> str:
    """Return the innermost frame of the script, such as `train.py:42 in fit`; empty if unknown.

    The thread that got the signal is the main one and counts before the others; where it is in
    none of the script's files its own innermost frame is told.

    Args:
        stack: What `faulthandler` wrote, the most recent call of each thread first.
    """
    threads = _THREAD.split(stack)
    threads.sort(key=lambda text: not text.startswith("Current thread"))
    frames = [frame for thread in threads for frame in _FRAME.findall(thread)]
    own = [f for f in frames if PurePosixPath(f[0]).is_relative_to(WORK_DIR)]
    if not frames:
        return ""
    file, line, function = (own or frames)[0]
    path = PurePosixPath(file)
    shown = path.relative_to(WORK_DIR) if own else path.name
    return f"{shown}:{line} in {function}"[:_LONGEST]
