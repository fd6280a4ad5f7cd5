"""A real SMTP server on this machine that keeps each mail as a file."""

from __future__ import annotations

import argparse
import email
import email.policy
import errno
import os
import re
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pushtrain.errors import OutsideError
from pushtrain.local.detached import Detached
from pushtrain.local.free_port import LOCALHOST
from pushtrain.local.paths import CHECKOUT, Home, current_home
from pushtrain.local.state_file import read_state, write_state

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

FIRST_PORT = 8025
TRIES = 200
START_SECONDS = 30.0
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


def serve(folder: Path, host: str, port: int, ready: Path | None = None) -> None:
    """Keep mails until SIGINT or SIGTERM.

    Args:
        folder: Where the mails go; made if missing.
        host: Address to listen on.
        port: Port to listen on; with `ready`, the first to be tried.
        ready: File that is given the port once mails are taken.

    Raises:
        OSError: The port is in use.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    controller, taken = _listen(folder, host, port, tries=1 if ready is None else TRIES)
    if ready is not None:
        write_state(ready, {"port": taken})
    ended.wait()
    controller.stop()


def _listen(folder: Path, host: str, port: int, tries: int) -> tuple[Any, int]:
    """Return a started server and its port: only who listens can tell a port from a taken one."""
    # inside: `down` stops a mailbox without the virtual environment
    from aiosmtpd.controller import Controller

    for candidate in range(port, port + tries):
        controller: Any = Controller(FileHandler(folder), hostname=host, port=candidate)
        try:
            controller.start()
        except OSError as err:
            if err.errno != errno.EADDRINUSE:
                raise
        else:
            return controller, candidate
    raise OSError(errno.EADDRINUSE, f"no free port from {port} on")


def _process(home: Home) -> Detached:
    return Detached("mailbox", home.state / "mailbox.json")


def start_mailbox(home: Home) -> int:
    """Make sure that the mailbox runs and return its port.

    Raises:
        OutsideError: It did not start; names its log.
    """
    process = _process(home)
    if (running := mailbox_port(home)) is not None:
        return running
    process.stop(STOP_SECONDS)
    ready = _ready_file(home)
    ready.unlink(missing_ok=True)
    log = home.logs / "mailbox.log"
    command = [str(CHECKOUT / ".venv" / "bin" / "python"), "-m", "pushtrain.local.mail_catcher"]
    command += ["--folder", str(home.mail), "--ready", str(ready)]
    process.start(command, {**os.environ, "PYTHONPATH": str(CHECKOUT / "plugins")}, log)
    deadline = time.monotonic() + START_SECONDS
    while (port := mailbox_port(home)) is None:
        if time.monotonic() > deadline or not process.is_running():
            raise OutsideError(f"the mailbox did not start: see {log}")
        time.sleep(0.05)
    return port


def stop_mailbox(home: Home) -> bool:
    """Stop the mailbox; False if it did not run. Its mails stay."""
    return _process(home).stop(STOP_SECONDS)


def mailbox_port(home: Home) -> int | None:
    """Return the port of the running mailbox, None if it does not run."""
    port = read_state(_ready_file(home)).get("port") if _process(home).is_running() else None
    return None if port is None else int(port)


def _ready_file(home: Home) -> Path:
    return home.state / "mailbox-port.json"


def main() -> int:
    """Serve in the foreground."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=current_home().mail)
    parser.add_argument("--host", default=LOCALHOST)
    parser.add_argument("--port", type=int, default=FIRST_PORT)
    parser.add_argument("--ready", type=Path, help="take the next free port and write it here")
    given = parser.parse_args()
    serve(given.folder, given.host, given.port, given.ready)
    return 0


if __name__ == "__main__":
    sys.exit(main())
