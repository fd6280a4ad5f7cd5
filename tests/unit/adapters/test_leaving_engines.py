from __future__ import annotations

from typing import Any

import pytest
import requests

from pushtrain.adapters import container_lines
from pushtrain.adapters.container_lines import Line, follow


class Engine:
    """Runs one container, which ends when its lines were read; it answers some more questions."""

    def __init__(self, code: int, answers: int) -> None:
        self.code, self.answers = code, answers
        self.runs = True

    def inspect_container(self, _: str) -> dict[str, Any]:
        return {"State": {"Running": self.runs, "ExitCode": 0 if self.runs else self.code}}

    def logs(self, *_: object, **__: object) -> list[bytes]:
        self.runs = False
        return []

    def ping(self) -> bool:
        self.answers -= 1
        if self.answers < 0:
            raise requests.ConnectionError
        return True


@pytest.mark.parametrize(
    ("code", "answers", "line"),
    [(143, 2, Line.BROKEN), (143, 10**9, Line.HELD), (137, 0, Line.HELD), (0, 0, Line.HELD)],
    ids=["engine stops", "docker stop", "docker kill", "finished"],
)
def test_a_container_that_its_engine_takes_along_is_told_from_one_that_is_stopped(
    monkeypatch: pytest.MonkeyPatch, code: int, answers: int, line: Line
) -> None:
    monkeypatch.setattr(container_lines, "_LEAVING_SECONDS", 0.05)
    monkeypatch.setattr(container_lines, "_SHORTEST_PAUSE", 0.001)
    api: Any = Engine(code, answers)
    assert follow(api, "a", lambda _: None) is line
