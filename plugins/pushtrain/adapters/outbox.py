"""Mails that wait in the store until a server takes them: none is lost, none is sent twice."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from pushtrain.adapters.disk_errors import clear_disk_errors
from pushtrain.adapters.records import write_text
from pushtrain.adapters.store import Store
from pushtrain.errors import OutsideError

log = logging.getLogger(__name__)

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
PAUSE_SECONDS = 60.0  # between two tries at a server that took no mail

_TRIED = "tried"  # its time is that of the last try; gone once all mails are
_ASCII = policy.default.clone(cte_type="7bit", max_line_length=None)


class MailRefusedError(OutsideError):
    """The server does not take this mail; others it may.

    Attributes:
        for_good: Whether it never will.
    """

    def __init__(self, message: str, *, for_good: bool) -> None:
        super().__init__(message)
        self.for_good = for_good


@dataclass(frozen=True)
class Outbox:
    """One folder a state: a mail is written to `waiting` and leaves it for `sent` or `refused`.

    The name of a mail is made from what it is about, so that the same incident seen twice is one
    mail; of one that was sent only the name is kept. The known gap: a process that dies between
    the server's answer and that sends that one mail again, under the same Message-ID.
    """

    root: Path

    def post(self, key: str, mail: EmailMessage) -> bool:
        """Put a mail into the box; False if there was one of this key before."""
        name = _NOT_IN_NAMES.sub("-", key) + ".eml"
        with clear_disk_errors(self.root):
            # the store itself is not made: its disk may not be mounted
            self.root.mkdir(exist_ok=True)
        with self._locked(".lock"):
            # waiting first: a mail under way is in the next folder before it leaves this one
            if any((f / name).exists() for f in (self._waiting, self._sent, self._refused)):
                return False
            write_text(self._waiting / name, mail.as_string(policy=_ASCII))
            return True

    def is_due(self, now: float) -> bool:
        """Tell whether something waits, and no server failed to take it a moment ago.

        Nothing is due from a disk that is read-only: there a try can not be noted.

        Args:
            now: Unix time.
        """
        if not self.waiting() or os.statvfs(self.root).f_flag & os.ST_RDONLY:
            return False
        try:
            since = now - (self.root / _TRIED).stat().st_mtime
        except OSError:
            return True
        # a clock that was set back must not hold mails back
        return not 0 <= since < PAUSE_SECONDS

    def waiting(self) -> list[Path]:
        """Return the mails that no server has taken yet, oldest first."""
        aged = []
        for path in self._waiting.glob("*.eml"):
            with contextlib.suppress(FileNotFoundError):  # somebody sent it in this moment
                aged.append((path.stat().st_mtime_ns, path))
        return [path for _, path in sorted(aged)]

    def flush(self, send: Callable[[EmailMessage], None]) -> int:
        """Send what waits, oldest first, and return how many mails went out.

        Nobody who posts waits for it, nor for a server that is slow; such a mail is due after it.

        Args:
            send: Raises `MailRefusedError` if one mail was refused: those behind it are sent all
                the same. Whatever else it raises, that mail and those behind it wait on.
        """
        done = 0
        with self._locked(".sending"):
            (self.root / _TRIED).touch()
            waiting = self.waiting()
            for path in waiting:
                done += self._hand_over(path, send)
            if not any(path.exists() for path in waiting):
                (self.root / _TRIED).unlink(missing_ok=True)
        return done

    def _hand_over(self, path: Path, send: Callable[[EmailMessage], None]) -> bool:
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        place = self._sent / path.name
        self._sent.mkdir(exist_ok=True)
        # before it is sent: where the disk is full or read-only it would be sent again and again
        place.touch()
        try:
            send(mail)
        except MailRefusedError as err:
            place.unlink()
            log.warning("%s: refused: %s", path.name, err)
            if err.for_good:
                self._refused.mkdir(exist_ok=True)
                os.replace(path, self._refused / path.name)
            return False
        except BaseException:
            place.unlink()
            raise
        path.unlink()
        return True

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with clear_disk_errors(self.root):
            file = (self.root / name).open("w")
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @property
    def _waiting(self) -> Path:
        return self.root / "waiting"

    @property
    def _sent(self) -> Path:
        return self.root / "sent"

    @property
    def _refused(self) -> Path:
        return self.root / "refused"


def outbox_of(store: Store) -> Outbox:
    """Return the box of a store."""
    return Outbox(store.root / "outbox")
