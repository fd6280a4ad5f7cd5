from __future__ import annotations

import base64
import dataclasses
import socket
import stat
from pathlib import Path

import pytest

from pushtrain.errors import ConfigurationError
from pushtrain.local import compose_env
from pushtrain.local.compose_stack import COMPOSE_FILE
from pushtrain.settings import Settings


@pytest.fixture
def engine(tmp_path: Path) -> str:
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    return f"unix://{path}"


def test_makes_every_secret_and_tells_it_to_the_owner_only(tmp_path: Path, engine: str) -> None:
    made = compose_env.ensure(tmp_path / ".env", engine)

    assert made.keys() == {*compose_env.SECRETS, "DOCKER_GID", "DOCKER_SOCKET"}
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_fernet_key_is_what_the_cipher_takes(tmp_path: Path, engine: str) -> None:
    made = compose_env.ensure(tmp_path / ".env", engine)

    assert len(base64.urlsafe_b64decode(made["FERNET_KEY"])) == 32


def test_two_files_get_different_secrets(tmp_path: Path, engine: str) -> None:
    one = compose_env.ensure(tmp_path / "one.env", engine)
    other = compose_env.ensure(tmp_path / "other.env", engine)

    assert not {one[name] for name in compose_env.SECRETS} & {
        other[name] for name in compose_env.SECRETS
    }


def test_second_run_changes_nothing(tmp_path: Path, engine: str) -> None:
    path = tmp_path / ".env"
    compose_env.ensure(path, engine)
    before = path.read_text()

    compose_env.ensure(path, engine)

    assert path.read_text() == before


def test_keeps_what_stands_in_the_file_and_adds_what_is_missing(
    tmp_path: Path, engine: str
) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nPOSTGRES_PASSWORD=kept\nWEB_PORT=9090\nJWT_SECRET=\n")
    path.chmod(0o644)

    made = compose_env.ensure(path, engine)

    assert path.read_text().startswith("# mine\nPOSTGRES_PASSWORD=kept\nWEB_PORT=9090\nJWT_SECRET=")
    assert (made["POSTGRES_PASSWORD"], made["WEB_PORT"]) == ("kept", "9090")
    assert made["JWT_SECRET"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_group_follows_the_socket(tmp_path: Path, engine: str) -> None:
    path = tmp_path / ".env"
    path.write_text("DOCKER_GID=424242\n")

    made = compose_env.ensure(path, engine)

    assert made["DOCKER_GID"] == str((tmp_path / "engine.sock").stat().st_gid)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        pytest.param("", {"A": "1"}, "A=1\n", id="new"),
        pytest.param("A=1\nB=2\n", {"A": "3"}, "A=3\nB=2\n", id="in its place"),
        pytest.param("A=1\nA=2\n", {"A": "3"}, "A=3\n", id="twice in the file"),
        pytest.param("#A=1\n", {"A": "3"}, "#A=1\nA=3\n", id="comment"),
        pytest.param("AB=1\n", {"A": "3"}, "AB=1\nA=3\n", id="longer name"),
        pytest.param("A=1", {}, "A=1\n", id="no newline at the end"),
    ],
)
def test_with_values(text: str, values: dict[str, str], expected: str) -> None:
    assert compose_env.with_values(text, values) == expected


def test_parse_takes_quotes_off_and_skips_comments_and_empty_values() -> None:
    text = "# A=1\nB='x y'\nC=\nD=a=b\nnot a pair\n"

    assert compose_env.parse(text) == {"B": "x y", "D": "a=b"}


def test_remote_engine_is_refused_with_its_address(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"tcp://engine\.example\.com:2376"):
        compose_env.ensure(tmp_path / ".env", "tcp://engine.example.com:2376")


def test_missing_socket_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.sock"

    with pytest.raises(ConfigurationError, match=str(missing)):
        compose_env.ensure(tmp_path / ".env", f"unix://{missing}")


@pytest.mark.parametrize(
    "name",
    # the workers' engine is always behind the socket that is mounted
    [f.name for f in dataclasses.fields(Settings) if f.name != "docker_url"],
)
def test_compose_file_hands_every_setting_on(name: str) -> None:
    lines = COMPOSE_FILE.read_text().splitlines()

    assert any(line.startswith(f"    AIRFLOW__PUSHTRAIN__{name.upper()}:") for line in lines)
