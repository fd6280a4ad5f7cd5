"""Reads the mails that the local SMTP server has kept as files."""

from __future__ import annotations

import email
import email.policy
import html
import re
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path


@dataclass(frozen=True)
class Received:
    """A mail as its readers see it; `text` is the HTML without tags."""

    subject: str
    to: str
    html: str

    @property
    def text(self) -> str:
        """What a person reads."""
        return html.unescape(re.sub(r"<[^>]+>", " ", self.html))


def read_mails(folder: Path) -> list[Received]:
    """Return all mails, oldest first."""
    return [_read(path) for path in sorted(folder.glob("*.eml"))]


def _read(path: Path) -> Received:
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("html",))
    return Received(
        subject=str(mail["Subject"]),
        to=str(mail["X-Envelope-To"]),
        html=body.get_content() if body else "",
    )
