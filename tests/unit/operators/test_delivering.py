from __future__ import annotations

import dataclasses
import json
import time
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from pushtrain.adapters.outbox import PAUSE_SECONDS, outbox_of
from pushtrain.adapters.store import Store
from pushtrain.local.free_port import next_free_port
from pushtrain.operators.delivering import BriefSmtpHook, deliver
from pushtrain.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


class Picky:
    """Refuses one address, with the code that it is given."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.taken: list[list[str]] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return f"{self.code} no such user"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.taken.append(envelope.rcpt_tos)
        return "250 taken"


def connection(port: int, **extra: object) -> str:
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "a@example.com", **extra}
    return json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra})


def post(store: Store, *addresses: str) -> None:
    for address in addresses:
        mail = EmailMessage()
        mail["To"], mail["Subject"] = address, address
        mail.set_content("x")
        outbox_of(store).post(address, mail)


@pytest.mark.parametrize(("code", "left"), [(550, 0), (450, 1)], ids=["for good", "for now"])
def test_a_refused_address_holds_no_other_mail_back(
    config: Settings, store: Store, monkeypatch: pytest.MonkeyPatch, code: int, left: int
) -> None:
    server = Picky(code)
    port = next_free_port(18025, [])
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", connection(port))
        post(store, "nobody@example.com", "dana@example.com")
        assert deliver(config, store) == 1
    finally:
        controller.stop()
    assert server.taken == [["dana@example.com"]]
    assert len(outbox_of(store).waiting()) == left


@pytest.mark.parametrize("known", [True, False], ids=["refused", "connection deleted"])
def test_a_server_that_can_not_be_reached_is_tried_again_a_while_later(
    config: Settings, store: Store, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """Else the monitor, which fires for mails that are due, would run without a pause."""
    port, outbox = next_free_port(18025, []), outbox_of(store)
    post(store, "dana@example.com")
    if known:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", connection(port))
        down = config
    else:
        down = dataclasses.replace(config, smtp_conn_id="no_such_connection")
    assert outbox.is_due(time.time())
    assert deliver(down, store) == 0
    assert not outbox.is_due(time.time())
    assert outbox.is_due(time.time() + PAUSE_SECONDS + 1)
    server = Picky(450)
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", connection(port))
        assert deliver(config, store) == 1
    finally:
        controller.stop()
    assert server.taken == [["dana@example.com"]]
    post(store, "eva@example.com")
    assert outbox.is_due(time.time())


@pytest.mark.parametrize(("given", "allowed"), [(30, 10), (3, 3)])
def test_a_server_that_does_not_answer_gets_seconds(
    monkeypatch: pytest.MonkeyPatch, given: int, allowed: int
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", connection(1, timeout=given))
    hook = BriefSmtpHook("smtp_default")
    hook.smtp_connection = hook.get_connection("smtp_default")
    assert (hook.timeout, hook.smtp_retry_limit) == (allowed, 0)
