from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pushtrain.local import compose_health
from pushtrain.local.compose_health import HEALTHY, Unknown, is_stuck, status_of


def looks(*seen: tuple[int, str, float]) -> list[bool]:
    """Return the verdicts of looks at a scheduler: start of the container, status, time."""
    state: dict[str, Any] = {}
    return [is_stuck(state, "scheduler", *look) for look in seen]


def test_a_part_that_hangs_is_stuck_after_its_patience():
    assert looks((1, "healthy", 0), (1, "unhealthy", 10), (1, "unhealthy", 99)) == [False] * 3
    assert looks((1, "healthy", 0), (1, "unhealthy", 10), (1, "unhealthy", 100))[-1]


def test_a_part_that_was_healthy_in_between_is_not():
    seen = [(1, "healthy", 0), (1, "unhealthy", 10), (1, "healthy", 50), (1, "unhealthy", 60)]
    assert looks(*seen, (1, "unhealthy", 140)) == [False] * 5


@pytest.mark.parametrize(("now", "is_it"), [(250, False), (400, True)])
def test_a_container_that_starts_is_given_more_time(now, is_it):
    # what the last container saw does not count: its files outlive it
    seen = [(1, "healthy", 0), (1, "unhealthy", 10), (2, "unhealthy", 100)]
    assert looks(*seen, (2, "unhealthy", now))[-1] is is_it


class Health(BaseHTTPRequestHandler):
    """Answers as Airflow's api-server does."""

    database = HEALTHY

    def do_GET(self) -> None:
        parts = {"metadatabase": self.database, "triggerer": "unhealthy", "scheduler": HEALTHY}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({p: {"status": s} for p, s in parts.items()}).encode())

    def log_message(self, *about: object) -> None:
        """Say nothing."""


@pytest.fixture
def api_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Health]]:
    handler = type("Handler", (Health,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(compose_health, "URL", url)
        monkeypatch.setattr(compose_health, "OWN_URLS", (url, f"{url}execution"))
        threading.Thread(target=server.serve_forever).start()
        yield handler
        server.shutdown()


@pytest.mark.usefixtures("api_server")
def test_each_part_has_a_status_of_its_own() -> None:
    told = {part: status_of(part) for part in ("api-server", "scheduler", "triggerer")}
    assert told == {"api-server": HEALTHY, "scheduler": HEALTHY, "triggerer": "unhealthy"}


def test_api_server_that_takes_calls_and_does_not_answer_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        for name, value in {"OWN_URLS": (url,), "URL": url}.items():
            monkeypatch.setattr(compose_health, name, value)
        for name in ("OWN_TIMEOUT_SECONDS", "TIMEOUT_SECONDS"):
            monkeypatch.setattr(compose_health, name, 0.1)
        assert "timed out" in status_of("api-server")
        with pytest.raises(Unknown, match="api-server"):  # not the scheduler's fault
            status_of("scheduler")


def test_without_the_database_nothing_is_said_of_a_part(api_server: type[Health]) -> None:
    api_server.database = "unhealthy"
    with pytest.raises(Unknown, match="database"):
        status_of("scheduler")
