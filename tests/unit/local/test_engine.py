from __future__ import annotations

import http.server
import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pushtrain.local import engine
from pushtrain.local.engine import EXIT_CODES, EngineReport, EngineState, check_engine, engine_url
from pushtrain.local.engine_install import bring_up


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sock"


class _Answer(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b'{"Version": "99.1"}')

    def log_message(self, *args: object) -> None:
        pass


class _Refusal(_Answer):
    status = 500


@pytest.fixture
def serve(socket_path: Path) -> Iterator[type]:
    servers = []

    def start(handler: type[_Answer]) -> None:
        server = socketserver.UnixStreamServer(str(socket_path), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    yield start  # type: ignore[misc]  # a function that starts a server
    for server in servers:
        server.shutdown()
        server.server_close()


def path_with(folder: Path, *commands: str) -> str:
    folder.mkdir(exist_ok=True)
    for name in commands:
        (folder / name).write_text("#!/bin/sh\nexit 1\n")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH on which nothing of the machine's own engine is found."""
    monkeypatch.setattr(engine, "SBIN", "")
    monkeypatch.setenv("PATH", path_with(tmp_path / "bin"))
    return tmp_path / "bin"


def test_an_engine_that_answers_is_up(serve, socket_path, bare_path):
    path_with(bare_path, "docker")
    serve(_Answer)
    report = check_engine(f"unix://{socket_path}")
    assert report.state is EngineState.UP
    assert "99.1" in report.line


def test_an_engine_without_a_command_is_not_up(serve, socket_path, bare_path):
    serve(_Answer)
    assert check_engine(f"unix://{socket_path}").state is EngineState.NO_CLI


def test_an_engine_that_answers_with_an_error_is_not_up(serve, socket_path, bare_path):
    serve(_Refusal)
    report = check_engine(f"unix://{socket_path}")
    assert report.state is EngineState.ABSENT
    assert "HTTP 500" in report.text


def test_an_engine_that_accepts_and_keeps_silent_hangs(socket_path, monkeypatch):
    monkeypatch.setattr(engine, "ANSWER_SECONDS", 0.2)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(socket_path))
        server.listen()
        assert check_engine(f"unix://{socket_path}").state is EngineState.HUNG


@pytest.mark.parametrize(
    ("commands", "state"),
    [
        pytest.param((), EngineState.ABSENT, id="nothing"),
        pytest.param(("docker",), EngineState.CLI_ONLY, id="only the command"),
        pytest.param(("docker", "dockerd"), EngineState.DOWN, id="both"),
    ],
)
def test_without_a_socket_what_is_installed_decides(socket_path, bare_path, commands, state):
    path_with(bare_path, *commands)
    report = check_engine(f"unix://{socket_path}")
    assert report.state is state
    assert "no socket" in report.text


def test_a_socket_that_nobody_listens_on_is_called_left_over(socket_path, bare_path):
    path_with(bare_path, "docker", "dockerd")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(socket_path))
    report = check_engine(f"unix://{socket_path}")
    assert (report.state, "left over" in report.text) == (EngineState.DOWN, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every socket; integration covers it")
def test_a_socket_without_permission_is_denied(socket_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(socket_path))
        socket_path.chmod(0)
        report = check_engine(f"unix://{socket_path}")
    assert report.state is EngineState.DENIED
    assert "usermod -aG docker" in report.text


def test_a_remote_engine_that_does_not_answer_is_named(bare_path):
    path_with(bare_path, "docker")
    report = check_engine("tcp://engine.example.com:2376")
    assert report.state is EngineState.REMOTE
    assert "tcp://engine.example.com:2376 does not answer" in report.text


def test_docker_host_wins(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "ssh://me@example.com")
    assert engine_url() == "ssh://me@example.com"


def test_every_state_is_one_line_with_its_own_exit_code():
    assert set(EXIT_CODES) == set(EngineState)
    assert len(set(EXIT_CODES.values())) == len(EngineState)


@pytest.mark.parametrize("state", [EngineState.ABSENT, EngineState.DOWN, EngineState.CLI_ONLY])
def test_installing_and_starting_can_be_forbidden(state, tmp_path, monkeypatch, bare_path):
    monkeypatch.setenv("PUSHTRAIN_INSTALL_ENGINE", "0")
    report = bring_up(EngineReport(state, "unix:///none", "it is not there"), tmp_path)
    assert report.state is state
    assert "PUSHTRAIN_INSTALL_ENGINE=0" in report.text
    assert list(tmp_path.glob("*.log")) == []


@pytest.mark.parametrize("state", [EngineState.HUNG, EngineState.DENIED, EngineState.REMOTE])
def test_what_installing_can_not_cure_is_reported_as_it_is(state, tmp_path):
    report = EngineReport(state, "unix:///none", "text")
    assert bring_up(report, tmp_path) is report
