from __future__ import annotations

import time
from collections.abc import Iterable

import pytest
import requests
from docker.errors import APIError, DockerException

from pushtrain.adapters import engine
from pushtrain.adapters.container_lines import lines_in
from pushtrain.errors import ConfigurationError, OutsideError


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([], []),
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a", b"b\nc"], ["ab", "c"]),
        ([b"\n\n"], ["", ""]),
        ([b"a\r\nb\r\n"], ["a", "b"]),
        ([b"a\r", b"\nb"], ["a", "b"]),
        ([b" 1/9\r 2/9\r", b" 9/9\n"], [" 9/9"]),
        ([b" 1/9\r 2/9\r 3/9"], [" 3/9"]),
        ([b"caf\xc3", b"\xa9\n"], ["café"]),
        ([b"\xff\n"], ["\ufffd"]),
    ],
    ids=repr,
)
def test_chunks_become_lines(chunks: Iterable[bytes], lines: list[str]) -> None:
    assert list(lines_in(chunks)) == lines


def test_a_long_progress_bar_takes_no_time_and_no_memory() -> None:
    bar = (b"\r%d/200000 loss: 0.5 accuracy: 0.5" % n for n in range(200_000))
    start = time.process_time()
    assert list(lines_in(bar)) == ["199999/200000 loss: 0.5 accuracy: 0.5"]
    assert time.process_time() - start < 5


def test_a_line_without_end_is_cut_into_parts() -> None:
    parts = list(lines_in(b"x" * 1000 for _ in range(1000)))
    assert "".join(parts) == "x" * 10**6
    assert max(len(part) for part in parts) < 10**5


@pytest.mark.parametrize(
    ("raised", "expected", "says"),
    [
        (requests.ConnectionError("refused"), OutsideError, "make engine"),
        (requests.Timeout("slow"), OutsideError, "does not answer"),
        (DockerException("bad url"), OutsideError, r"can not be used: .*\(bad url\)"),
        (APIError("x", None, "name is taken"), OutsideError, "refused: name is taken"),
    ],
    ids=["down", "slow", "sdk", "refused"],
)
def test_errors_of_the_sdk_become_ours(
    raised: Exception, expected: type[Exception], says: str
) -> None:
    with pytest.raises(expected, match=says), engine.clear_errors("unix://x"):
        raise raised


def test_a_wish_that_the_engine_can_not_meet_is_a_wrong_setting() -> None:
    response = requests.Response()
    response.status_code = 400
    error = APIError("x", response, "range of CPUs is from 0.01 to 2.00")
    with pytest.raises(ConfigurationError, match="range of CPUs"), engine.clear_errors("unix://x"):
        raise error
