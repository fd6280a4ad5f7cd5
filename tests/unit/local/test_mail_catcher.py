from __future__ import annotations

import email
import smtplib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

import pytest

from pushtrain.local.free_port import LOCALHOST
from pushtrain.local.mail_catcher import mailbox_port, start_mailbox, stop_mailbox
from pushtrain.local.paths import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    stop_mailbox(made)


def send(port: int, subject: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.com", "b@example.com", subject
    mail.set_content("Grüße")
    with smtplib.SMTP(LOCALHOST, port) as client:
        client.send_message(mail, to_addrs=["b@example.com", "c@example.com"])


def test_each_mail_becomes_a_file_with_its_recipients(home):
    port = start_mailbox(home)
    send(port, "Best model: ann_digits 0.93 / done")
    send(port, "Best model: ann_digits 0.93 / done")
    first, second = sorted(home.mail.glob("*.eml"))
    assert first.name.endswith("-0001-Best-model-ann-digits-0-93-done.eml")
    mail = email.message_from_bytes(second.read_bytes())
    assert mail["X-Envelope-To"] == "b@example.com, c@example.com"


def test_a_second_start_finds_the_running_mailbox(home):
    assert start_mailbox(home) == start_mailbox(home) == mailbox_port(home)


def test_a_stopped_mailbox_has_no_port_and_keeps_its_mails(home):
    send(start_mailbox(home), "kept")
    assert stop_mailbox(home) is True
    assert mailbox_port(home) is None
    assert len(list(home.mail.glob("*kept.eml"))) == 1


def test_two_mailboxes_started_at_once_get_ports_of_their_own(tmp_path):
    homes = [Home(tmp_path / name) for name in ("one", "two", "three")]
    try:
        with ThreadPoolExecutor() as pool:
            ports = list(pool.map(start_mailbox, homes))
        for port, home in zip(ports, homes, strict=True):
            send(port, home.root.name)
        kept = [[p.stem.rsplit("-")[-1] for p in home.mail.iterdir()] for home in homes]
    finally:
        for home in homes:
            stop_mailbox(home)
    assert kept == [["one"], ["two"], ["three"]]
