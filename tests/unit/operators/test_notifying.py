from __future__ import annotations

import json
import shlex
import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from tests.unit.records import experiment

from pushtrain.contract import ScriptSettings, Step
from pushtrain.operators.notifying import link_to, resume_command, send
from pushtrain.rules.mails import Mail
from pushtrain.settings import Settings

MAIL = Mail("[pushtrain] best model created: a.py", "<p>It lies in ä.</p>")


class Inbox:
    """A mail server's handler that keeps what it was given."""

    def __init__(self) -> None:
        self.to: list[list[str]] = []
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.to.append(list(envelope.rcpt_tos))
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


def connection(port: int) -> str:
    extra = {
        "disable_ssl": True, "disable_tls": True, "from_email": "pushtrain@example.com",
        "timeout": 5, "retry_limit": 1,
    }  # fmt: skip
    return json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    handler = Inbox()
    server = Controller(handler, hostname="127.0.0.1", port=free_port())
    server.start()
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", connection(server.port))
    yield handler
    server.stop()


def test_a_mail_reaches_the_author_and_all_who_asked_once(inbox: Inbox) -> None:
    made = experiment(settings=ScriptSettings(notify=("team@example.com", "ann@example.com")))
    send(Settings(mail_to=("ops@example.com",)), made, MAIL)
    assert inbox.to == [["ann@example.com", "ops@example.com", "team@example.com"]]
    assert inbox.mails[0]["Subject"] == MAIL.subject
    body = inbox.mails[0].get_body()
    assert body is not None
    assert body.get_content_type() == "text/html"
    assert "It lies in ä." in body.get_content()


@pytest.mark.parametrize("address", ["", "nobody", "a@b.c\nBcc: all@example.com", "a@b.c\r\nX: y"])
def test_what_is_no_address_gets_no_mail(inbox: Inbox, address: str) -> None:
    send(Settings(), experiment(author_email=address), MAIL)
    assert inbox.to == []


def test_a_server_that_does_not_answer_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", connection(free_port()))
    send(Settings(), experiment(), MAIL)
    assert "mail not sent" in caplog.text
    assert MAIL.subject in caplog.text


def test_the_link_leads_to_the_run_if_the_page_is_known() -> None:
    step = Step("a-1", 0, 1)
    assert link_to(Settings(), step) == ""
    config = Settings(page_url="https://airflow.example.com/")
    assert link_to(config, step) == ("https://airflow.example.com/dags/mlops_train/runs/a-1.r0.a1")


def test_the_command_to_go_on_can_be_pasted_into_a_shell() -> None:
    made = experiment(script="model_src/it's.py")
    *words, conf = shlex.split(resume_command(made))
    assert words == ["airflow", "dags", "trigger", "mlops_train", "--conf"]
    assert json.loads(conf) == {"ref": made.commit, "script": "model_src/it's.py"}
