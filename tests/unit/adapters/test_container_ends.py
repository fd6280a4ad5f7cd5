from __future__ import annotations

import pytest

from pushtrain.adapters.container_ends import ContainerEnd, seen
from pushtrain.adapters.container_lines import Line
from pushtrain.contract import Cause


@pytest.mark.parametrize(
    ("code", "cause", "line", "judged"),
    [
        (255, Cause.HOST_LOST, Line.LATE, Cause.HOST_LOST),
        (255, Cause.HOST_LOST, Line.BROKEN, Cause.HOST_LOST),
        (255, Cause.HOST_LOST, Line.HELD, Cause.KILLED),  # it left so by itself
        (137, Cause.KILLED, Line.HELD, Cause.KILLED),
        (137, Cause.KILLED, Line.LATE, Cause.KILLED),
        (137, Cause.KILLED, Line.BROKEN, Cause.HOST_LOST),
        (143, Cause.KILLED, Line.BROKEN, Cause.HOST_LOST),
        (139, Cause.KILLED, Line.BROKEN, Cause.KILLED),  # no engine ends a training so
        (10, Cause.SCRIPT_ERROR, Line.BROKEN, Cause.SCRIPT_ERROR),
        (137, Cause.OUT_OF_MEMORY, Line.BROKEN, Cause.OUT_OF_MEMORY),
        (0, Cause.FINISHED, Line.BROKEN, Cause.FINISHED),
    ],
)
def test_an_engine_that_went_away_is_to_blame(
    code: int, cause: Cause, line: Line, judged: Cause
) -> None:
    assert seen(ContainerEnd(code, cause, "so"), line).cause is judged


def test_the_message_says_that_the_engine_went_away() -> None:
    end = seen(ContainerEnd(143, Cause.KILLED, "so"), Line.BROKEN)
    assert end.message == "the container engine went away and ended it, by SIGTERM, exit code 143"
