from __future__ import annotations

import threading
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from pushtrain.adapters.outbox import PAUSE_SECONDS, MailRefusedError, Outbox
from pushtrain.errors import OutsideError


def mail(subject: str) -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["Message-ID"] = subject, f"<{subject}@x>"
    made.set_content("Grüße")
    made.add_alternative("<p>Grüße</p>", subtype="html")
    return made


def refuse(_: EmailMessage) -> None:
    raise ConnectionRefusedError("no server")


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


def test_a_mail_waits_until_a_server_takes_it(outbox: Outbox) -> None:
    assert outbox.post("a", mail("one"))
    with pytest.raises(ConnectionRefusedError):
        outbox.flush(refuse)
    assert len(outbox.waiting()) == 1
    sent: list[EmailMessage] = []
    assert outbox.flush(sent.append) == 1
    assert sent[0]["Subject"] == "one"
    body = sent[0].get_body(("html",))
    assert body is not None
    assert body.get_content() == "<p>Grüße</p>\n"
    assert outbox.waiting() == []


def test_the_same_incident_is_one_mail_before_and_after_it_was_sent(outbox: Outbox) -> None:
    assert outbox.post("a.r1", mail("one"))
    assert not outbox.post("a.r1", mail("one again"))
    sent: list[EmailMessage] = []
    outbox.flush(sent.append)
    assert not outbox.post("a.r1", mail("and again"))
    outbox.flush(sent.append)
    assert [m["Subject"] for m in sent] == ["one"]


def test_mails_go_out_in_their_order_and_those_that_went_stay_out(outbox: Outbox) -> None:
    for subject in ("b", "a", "c"):
        outbox.post(subject, mail(subject))
    sent: list[str] = []

    def send(one: EmailMessage) -> None:
        if one["Subject"] == "c":
            raise OSError("the line broke")
        sent.append(str(one["Subject"]))

    with pytest.raises(OSError, match="line broke"):
        outbox.flush(send)
    assert sent == ["b", "a"]
    assert [p.name for p in outbox.waiting()] == ["c.eml"]


def test_a_key_can_not_leave_the_folder(outbox: Outbox, tmp_path: Path) -> None:
    outbox.post("../../x/y", mail("one"))
    assert [p.parent for p in outbox.waiting()] == [tmp_path / "outbox" / "waiting"]


def test_an_empty_box_sends_nothing(outbox: Outbox) -> None:
    outbox.post("a", mail("one"))
    outbox.flush(lambda _: None)
    assert outbox.flush(refuse) == 0


def test_a_mail_is_due_at_once_and_after_a_failed_try_a_while_later(outbox: Outbox) -> None:
    assert not outbox.is_due(time.time())
    outbox.post("a", mail("one"))
    assert outbox.is_due(time.time())
    with pytest.raises(ConnectionRefusedError):
        outbox.flush(refuse)
    assert not outbox.is_due(time.time())
    assert outbox.is_due(time.time() + PAUSE_SECONDS + 1)
    assert outbox.is_due(time.time() - 3600), "the clock was set back"


def test_a_server_that_took_all_is_asked_again_at_once(outbox: Outbox) -> None:
    outbox.post("a", mail("one"))
    outbox.flush(lambda _: None)
    outbox.post("b", mail("two"))
    assert outbox.is_due(time.time())


@pytest.mark.parametrize(("for_good", "left"), [(True, []), (False, ["a.eml"])])
def test_a_mail_that_is_refused_holds_no_other_back(
    outbox: Outbox, for_good: bool, left: list[str]
) -> None:
    sent: list[str] = []

    def send(one: EmailMessage) -> None:
        if one["Subject"] == "a":
            raise MailRefusedError("550 no such user", for_good=for_good)
        sent.append(str(one["Subject"]))

    for subject in ("a", "b"):
        outbox.post(subject, mail(subject))
    assert outbox.flush(send) == 1
    assert sent == ["b"]
    assert [p.name for p in outbox.waiting()] == left
    assert not outbox.post("a", mail("a")), "the same incident is one mail"


def test_who_posts_does_not_wait_for_a_slow_server(outbox: Outbox) -> None:
    """A server that is slow is asked until the other mail is in the box."""
    outbox.post("a", mail("one"))
    posted: list[bool] = []

    def send(_: EmailMessage) -> None:
        # a daemon: one that waits must not hold the tests
        other = threading.Thread(target=post, daemon=True)
        other.start()
        other.join(20)

    def post() -> None:
        posted.extend(outbox.post(key, mail(key)) for key in ("b", "a"))

    assert outbox.flush(send) == 1
    assert posted == [True, False], "the other one is on its way"
    assert [p.name for p in outbox.waiting()] == ["b.eml"]
    assert outbox.is_due(time.time()), "the server took all that it was given"


def test_a_mail_that_is_sent_while_the_box_is_read_is_passed_over(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("a", "b"):
        outbox.post(key, mail(key))
    (gone, left), glob = outbox.waiting(), Path.glob

    def listed(folder: Path, pattern: str) -> list[Path]:
        found = list(glob(folder, pattern))
        gone.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(Path, "glob", listed)
    assert outbox.waiting() == [left]


def test_of_a_mail_that_was_sent_only_the_name_is_kept(outbox: Outbox) -> None:
    outbox.post("a", mail("one"))
    outbox.flush(lambda _: None)
    (kept,) = (outbox.root / "sent").iterdir()
    assert (kept.name, kept.stat().st_size) == ("a.eml", 0)


def test_a_mail_that_can_not_be_put_away_is_not_sent(outbox: Outbox) -> None:
    outbox.post("a", mail("one"))
    (outbox.root / "sent").write_text("a file in the folder's place")
    sent: list[EmailMessage] = []
    for _ in range(2):
        with pytest.raises(FileExistsError):
            outbox.flush(sent.append)
    assert not sent, "it would have been sent again and again"


def test_nothing_is_made_where_the_store_is_not_mounted(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="mount it"):
        Outbox(tmp_path / "store" / "outbox").post("a", mail("one"))
    assert list(tmp_path.iterdir()) == []
