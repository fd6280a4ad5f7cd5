"""Follows what a training container prints until it has ended."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum, auto
from typing import Any

import requests
from docker import APIClient
from docker.errors import APIError, NotFound

from pushtrain.errors import EngineUnreachableError

# How long a broken line to the engine is tried again before the task gives up; its retry goes on.
# As long as that only: a run that fails ends a container that may go on without its engine.
_PATIENCE_SECONDS = 600.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds

_TERMINATED = 128 + signal.SIGTERM
_LEAVING_SECONDS = 2.0  # an engine 20.10 was gone 0.8 s after its last container

_LONGEST_LINE = 2**14  # bytes; the engine cuts its own records there, too


class Line(Enum):
    """How the line to the engine was when a container ended."""

    HELD = auto()  # it was seen to end
    BROKEN = auto()  # the engine did not answer in that moment
    LATE = auto()  # it had ended before anyone followed it


def follow(api: APIClient, container: str, on_line: Callable[[str], None]) -> Line:
    """Hand over every line that a container prints until it has ended.

    A stream that ends while the container lives (the engine was restarted) is taken up again.
    The known gap: engine 20.10 often drops a last line that ends without a line break.

    Raises:
        EngineUnreachableError: The engine did not answer for ten minutes.
        NotFound: The container is gone.
    """
    line, since, broken_at, pause = Line.LATE, None, None, _SHORTEST_PAUSE
    while True:
        try:
            if api.inspect_container(container)["State"]["Running"]:
                line = Line.HELD
            stream = api.logs(container, stream=True, follow=True, since=since)
            since = time.time()
            for text in lines_in(stream):
                on_line(text)
                since, pause = time.time(), _SHORTEST_PAUSE
            state = api.inspect_container(container)["State"]
            if not state["Running"]:
                if line is not Line.HELD or not _goes_with_its_engine(api, state):
                    return line
                line = Line.BROKEN
            broken_at = None
        except NotFound:
            raise
        except (requests.RequestException, APIError) as err:
            line = Line.BROKEN if line is Line.HELD else line
            broken_at = broken_at or time.monotonic()
            if time.monotonic() - broken_at > _PATIENCE_SECONDS:
                raise EngineUnreachableError(
                    f"the container engine did not answer for {_PATIENCE_SECONDS:.0f} s"
                ) from err
        # the stream of one that has just ended ends a moment before the engine says so
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _goes_with_its_engine(api: APIClient, state: Mapping[str, Any]) -> bool:
    """Tell whether a container was ended by an engine that is being stopped itself.

    Such an engine answers for a moment yet.
    """
    if state["ExitCode"] != _TERMINATED:
        return False
    deadline = time.monotonic() + _LEAVING_SECONDS
    while time.monotonic() < deadline:
        try:
            api.ping()
        except (requests.RequestException, APIError):
            return True
        time.sleep(_SHORTEST_PAUSE)
    return False


def last_lines(api: APIClient, container: str, count: int) -> list[str]:
    """Return the last lines that a container printed, none if it is gone."""
    try:
        raw = api.logs(container, tail=count)
    except NotFound:
        return []
    return list(lines_in([raw]))


def lines_in(chunks: Iterable[bytes]) -> Iterator[str]:
    """Return the lines that a stream of bytes holds, of each what a terminal would show last."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (_text(line) for line in whole)
        # A progress bar redraws its line with \r and ends it once an epoch, if ever: only its
        # last state is kept, and a line that never ends comes in parts. The last \r stays, it
        # may belong to a line's end.
        rest = rest[rest.rfind(b"\r", 0, -1) + 1 :]
        if len(rest) > _LONGEST_LINE:
            yield _text(rest)
            rest = b""
    if rest:
        yield _text(rest)


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").rsplit(b"\r", 1)[-1].decode("utf-8", "replace")
