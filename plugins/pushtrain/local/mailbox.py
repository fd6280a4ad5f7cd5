"""A real SMTP server on this machine that keeps each mail as a file."""

from __future__ import annotations

import argparse
import email
import email.policy
import os
import re
import signal
import socket
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pushtrain.errors import OutsideError
from pushtrain.local.detached import Detached
from pushtrain.local.free_port import LOCALHOST, next_free_port
from pushtrain.local.paths import CHECKOUT, Home, current_home

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

FIRST_PORT = 8025
START_SECONDS = 15.0
STOP_SECONDS = 5.0
ACCEPTED = "250 Message accepted for delivery"


class FileHandler:
    """Takes mails from aiosmtpd and writes each to a folder, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    async def handle_DATA(  # the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep a mail as `<UTC time>-<count>-<subject>.eml`, its recipients in a header."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        subject = str(email.message_from_bytes(raw, policy=email.policy.default)["subject"] or "")
        slug = re.sub(r"[^A-Za-z0-9]+", "-", subject).strip("-")[:60] or "no-subject"
        self._count += 1
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{self._count:04d}-{slug}.eml"
        header = f"X-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n".encode()
        aside = self._folder / f".{name}.tmp"
        aside.write_bytes(header + raw)
        aside.rename(self._folder / name)
        return ACCEPTED


def serve(folder: Path, host: str, port: int) -> None:
    """Keep mails until SIGINT or SIGTERM."""
    # inside: `down` stops a mailbox without the virtual environment
    from aiosmtpd.controller import Controller

    folder.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    controller: Any = Controller(FileHandler(folder), hostname=host, port=port)
    controller.start()
    ended.wait()
    controller.stop()


def _process(home: Home) -> Detached:
    return Detached("mailbox", home.state / "mailbox.json")


def start_mailbox(home: Home) -> int:
    """Make sure that the mailbox runs and return its port.

    Raises:
        OutsideError: It did not start; names its log.
    """
    process = _process(home)
    if process.is_running():
        return int(process.state["port"])
    process.stop(STOP_SECONDS)
    port = next_free_port(FIRST_PORT)
    log = home.logs / "mailbox.log"
    command = [str(CHECKOUT / ".venv" / "bin" / "python"), "-m", "pushtrain.local.mailbox"]
    command += ["--folder", str(home.mail), "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "plugins")}
    process.start(command, environment, log, port=port)
    deadline = time.monotonic() + START_SECONDS
    while not _is_listening(port):
        if time.monotonic() > deadline or not process.is_running():
            raise OutsideError(f"the mailbox does not answer on port {port}: see {log}")
        time.sleep(0.05)
    return port


def stop_mailbox(home: Home) -> bool:
    """Stop the mailbox; False if it did not run. Its mails stay."""
    return _process(home).stop(STOP_SECONDS)


def mailbox_port(home: Home) -> int | None:
    """Return the port of the running mailbox, None if it does not run."""
    process = _process(home)
    return int(process.state["port"]) if process.is_running() else None


def _is_listening(port: int) -> bool:
    try:
        with socket.create_connection((LOCALHOST, port), timeout=1) as link:
            return link.recv(3) == b"220"
    except OSError:
        return False


def main() -> int:
    """Serve in the foreground."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=current_home().mail)
    parser.add_argument("--host", default=LOCALHOST)
    parser.add_argument("--port", type=int, default=FIRST_PORT)
    given = parser.parse_args()
    serve(given.folder, given.host, given.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
