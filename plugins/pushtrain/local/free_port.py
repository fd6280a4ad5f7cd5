"""Finds ports of this machine that nobody listens on."""

from __future__ import annotations

import socket
from collections.abc import Collection

LOCALHOST = "127.0.0.1"
TRIES = 200


def is_free(port: int) -> bool:
    """Say whether a server could listen on the port, on this machine's address and on all."""
    for address in (LOCALHOST, ""):
        with socket.socket() as probe:
            # servers set it too: a port whose connections are just closing is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def next_free_port(first: int, taken: Collection[int] = ()) -> int:
    """Return `first` or the next higher port that is free and not in `taken`.

    Raises:
        OSError: None of the next `TRIES` ports is free.
    """
    for port in range(first, first + TRIES):
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port between {first} and {first + TRIES - 1}")
