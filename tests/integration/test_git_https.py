"""A model repo behind https that wants a token: the credentials of an Airflow connection count."""

from __future__ import annotations

import asyncio
import base64
import http.server
import json
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from tests.unit.model_repos import ModelRepo

from pushtrain.adapters.store import Store
from pushtrain.errors import OutsideError
from pushtrain.operators.model_repo import opened
from pushtrain.settings import Settings
from pushtrain.triggers.push import PushTrigger

TOKEN = "s3cret-token"
WANTED = "Basic " + base64.b64encode(f"bot:{TOKEN}".encode()).decode()


class TokenHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder (git's dumb protocol) to those who know the token."""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != WANTED:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="models"')
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Served:
    url: str
    head: str
    config: Settings


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    repo = ModelRepo(tmp_path / "model-repo")
    head = repo.commit({"model_src/a.py": "print(1)\n"})
    bare = tmp_path / "web" / "models.git"
    subprocess.run(["git", "clone", "-q", "--bare", repo.folder, bare], check=True)
    subprocess.run(["git", "--git-dir", bare, "update-server-info"], check=True)
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    handler = partial(TokenHandler, directory=str(tmp_path / "web"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
    monkeypatch.setenv("no_proxy", "localhost")
    url = f"https://localhost:{server.server_port}/models.git"
    Store(tmp_path / "store").begin()
    config = Settings(store=str(tmp_path / "store"), repo_url=url, git_conn_id="models")
    yield Served(url, head, config)
    server.shutdown()


def connection(monkeypatch: pytest.MonkeyPatch, url: str, token: str) -> None:
    record = {"conn_type": "git", "host": url, "login": "bot", "password": token}
    monkeypatch.setenv("AIRFLOW_CONN_MODELS", json.dumps(record))


def heads(served: Served) -> list[str | None]:
    """Return what a trigger fires that asks once."""
    trigger = PushTrigger(
        repo_url=served.url, branch="main", known="", deadline=time.time() - 1, poll_seconds=1,
        git_conn_id="models", allow_files=False,
    )  # fmt: skip

    async def fire() -> list[str | None]:
        return [event.payload["commit"] async for event in trigger.run()]

    return asyncio.run(fire())


def test_the_token_of_the_connection_opens_the_repo(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection(monkeypatch, served.url, TOKEN)
    assert heads(served) == [served.head]
    with opened(served.config, served.url) as mirror:
        assert mirror.fetch("main") == served.head
        assert mirror.sources(served.head) == {"model_src/a.py": "print(1)\n"}


def test_a_wrong_token_is_refused_and_shown_nowhere(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection(monkeypatch, served.url, "wr0ng-token")
    assert heads(served) == [None]
    with opened(served.config, served.url) as mirror, pytest.raises(OutsideError) as caught:
        mirror.fetch("main")
    assert "wr0ng-token" not in str(caught.value)


def test_another_repo_does_not_get_the_token(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection(monkeypatch, served.url, TOKEN)
    other = served.url.replace("models.git", "./models.git")
    with opened(served.config, other) as mirror, pytest.raises(OutsideError):
        mirror.fetch("main")
