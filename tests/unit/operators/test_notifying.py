from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from tests.unit.records import experiment

from pushtrain.adapters.experiment_reading import ExperimentReader
from pushtrain.adapters.outbox import outbox_of
from pushtrain.adapters.store import Store
from pushtrain.contract import ScriptSettings, State
from pushtrain.operators.delivering import deliver
from pushtrain.operators.notifying import notify_given_up, notify_outcome, page_of, post, recipients
from pushtrain.pages.mailing import Letter
from pushtrain.settings import Settings

LETTER = Letter("x.outcome", "best model created: a.py", "It lies in ä.")
NAME = "cnn_digits-0123abcd"


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


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    store.begin()
    store.create_experiment(
        experiment(
            id=NAME,
            state=State.FAILED,
            settings=ScriptSettings(notify=("team@example.com", "ann@example.com")),
        )
    )
    return store


def send(store: Store, config: Settings | None = None, letter: Letter = LETTER) -> None:
    post(config or Settings(), store, ExperimentReader(store).details(NAME), letter)


def test_a_mail_reaches_the_author_and_all_who_asked_once(inbox: Inbox, store: Store) -> None:
    send(store, Settings(mail_to=("ops@example.com",)))
    assert inbox.to == [["ann@example.com", "ops@example.com", "team@example.com"]]
    (mail,) = inbox.mails
    assert mail["Subject"] == "[pushtrain] best model created: a.py"
    assert mail["From"] == "pushtrain@example.com"
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert "It lies in ä." in body.get_content()


def test_an_incident_that_is_seen_twice_is_one_mail(inbox: Inbox, store: Store) -> None:
    send(store)
    send(store)
    assert len(inbox.mails) == 1


def test_giving_up_is_one_mail_and_leaves_a_report(inbox: Inbox, store: Store) -> None:
    step = store.experiment(NAME).step
    notify_given_up(Settings(), store, step)
    notify_given_up(Settings(), store, step)
    assert [m["Subject"] for m in inbox.mails] == [
        "[pushtrain] training given up: model_src/cnn_digits.py"
    ]
    assert "cnn_digits.py" in (store.experiment_dir(NAME) / "report.html").read_text()


@pytest.mark.parametrize("goes_on", [False, True], ids=["ended", "goes on"])
def test_a_loop_that_has_ended_is_settled_unless_it_goes_on_by_now(
    monkeypatch: pytest.MonkeyPatch, store: Store, goes_on: bool
) -> None:
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__STORE", str(store.root))
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__SMTP_CONN_ID", "no_such_connection")
    step = store.update_experiment(NAME, state=State.REACHED).step
    if goes_on:  # a person asked for more rounds before this task's turn came
        store.update_experiment(NAME, state=State.RUNNING, attempt=step.attempt + 1)
    notify_outcome(step)
    assert store.experiment(NAME).settled is not goes_on


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b.c\nBcc: all@example.com", "a@b.c\r\nX: y", "a@b.c, d@e.f"]
)
def test_what_is_no_address_gets_no_mail(address: str) -> None:
    assert recipients(Settings(), experiment(author_email=address)) == []


def test_a_mail_waits_for_a_server_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, store: Store
) -> None:
    port = free_port()
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", connection(port))
    send(store)
    assert "mail not sent, it waits" in caplog.text
    assert len(outbox_of(store).waiting()) == 1
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        assert deliver(Settings(), store) == 1
        assert deliver(Settings(), store) == 0
    finally:
        server.stop()
    assert [m["Subject"] for m in inbox.mails] == ["[pushtrain] best model created: a.py"]


def test_without_a_connection_no_mail_piles_up(
    monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SMTP_DEFAULT", raising=False)
    send(store, Settings(smtp_conn_id="no_such_connection"))
    assert outbox_of(store).waiting() == []


def test_the_link_leads_to_the_page_if_the_ui_is_known() -> None:
    made = experiment()
    assert page_of(Settings(), made) == ""
    config = Settings(page_url="https://airflow.example.com/")
    assert page_of(config, made) == (
        "https://airflow.example.com/plugin/training/pushtrain/experiments/cnn_digits-0123abcd"
    )
