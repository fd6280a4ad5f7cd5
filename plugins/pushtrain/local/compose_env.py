"""The `.env` of docker-compose.airflow.yml: secrets made once, and what the host's engine is like.

Run as `python -m pushtrain.local.compose_env` (`make env`). Values that stand in the file are kept.
"""

from __future__ import annotations

import base64
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from pushtrain.errors import ConfigurationError
from pushtrain.local import engine
from pushtrain.local.paths import CHECKOUT

HEADER = (
    "# Secrets and settings of docker-compose.airflow.yml, made by `make env`; not for git.\n"
    "# Lines may be changed and added: see .env.example for what there is.\n"
)

# hex: `$`, `#` and quotes mean something else to each version of compose
SECRETS: Mapping[str, Callable[[], str]] = {
    "FERNET_KEY": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "API_SECRET_KEY": lambda: secrets.token_hex(32),
    "JWT_SECRET": lambda: secrets.token_hex(32),
    "POSTGRES_PASSWORD": lambda: secrets.token_hex(16),
    "ADMIN_PASSWORD": lambda: secrets.token_hex(8),
}


def parse(text: str) -> dict[str, str]:
    """Return the variables of an env file; a later line wins, empty values count as missing."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    found = {name.strip(): value.strip().strip("'\"") for name, equals, value in pairs if equals}
    return {name: value for name, value in found.items() if value}


def with_values(text: str, values: Mapping[str, str]) -> str:
    """Return an env file with `values` set, keeping the place and all other lines."""
    left = dict(values)
    lines = []
    for line in text.splitlines():
        name = line.partition("=")[0].strip()
        if name in values and not line.startswith("#"):
            if name not in left:
                continue
            line = f"{name}={left.pop(name)}"
        lines.append(line)
    return "\n".join([*lines, *(f"{name}={value}" for name, value in left.items())]) + "\n"


def missing_secrets(text: str) -> dict[str, str]:
    """Make a secret for each that an env file lacks."""
    present = parse(text)
    return {name: make() for name, make in SECRETS.items() if name not in present}


def engine_values(engine_url: str) -> dict[str, str]:
    """Return what the workers need to reach the engine: its socket and the group that may use it.

    Raises:
        ConfigurationError: The engine is not reached through a socket, or it is not there.
    """
    if not engine_url.startswith("unix://"):
        raise ConfigurationError(
            f"the engine is at {engine_url!r}: the workers of docker-compose.airflow.yml reach it "
            "through its socket; run this on the engine's host, with DOCKER_HOST unset or unix://"
        )
    socket = Path(engine_url.removeprefix("unix://"))
    try:
        group = socket.stat().st_gid
    except OSError as err:
        raise ConfigurationError(
            f"no engine's socket at {socket} ({err.strerror}): start the engine (`make engine`)"
        ) from err
    return {"DOCKER_SOCKET": str(socket), "DOCKER_GID": str(group)}


def update(path: Path, values: Mapping[str, str]) -> None:
    """Set `values` in the env file, which only its owner may read; written aside and renamed."""
    old = path.read_text() if path.exists() else HEADER
    aside = path.with_name(f"{path.name}.new")
    aside.touch(mode=0o600)
    aside.chmod(0o600)  # touch leaves the mode of a file that a killed run left behind
    aside.write_text(with_values(old, values))
    aside.replace(path)


def ensure(path: Path, engine_url: str) -> dict[str, str]:
    """Make the env file complete and return its variables.

    Secrets that stand there are kept; the engine's socket and group are read anew.

    Raises:
        ConfigurationError: The engine has no socket on this host.
    """
    text = path.read_text() if path.exists() else ""
    update(path, {**missing_secrets(text), **engine_values(engine_url)})
    return parse(path.read_text())


def main() -> int:
    """Write the `.env` beside docker-compose.airflow.yml."""
    path = CHECKOUT / ".env"
    known = parse(path.read_text()) if path.exists() else {}
    try:
        names = ensure(path, engine.engine_url())
    except ConfigurationError as err:
        print(err, file=sys.stderr)
        return 2
    made = [name for name in names if name not in known]
    print(f"{path}: {'made ' + ', '.join(made) if made else 'complete, nothing changed'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
