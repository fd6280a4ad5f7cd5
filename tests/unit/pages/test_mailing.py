from __future__ import annotations

import dataclasses
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from tests.unit.pages.builders import attempt, details_of, story_of
from tests.unit.records import heartbeat

from pushtrain.contract import Cause, Family, KerasApi, State, Step
from pushtrain.history import Change, Refusal
from pushtrain.pages.mailing import (
    Letter,
    given_up_letter,
    outcome_letter,
    restart_letter,
    write_mail,
)
from pushtrain.pages.picture import accuracy_picture

REACHED = story_of(
    details_of(0), details_of(1, 0.95),
    state=State.REACHED, best_accuracy=0.95, best_round=1, round=1, published="/models/x",
)  # fmt: skip
LETTER = Letter("x.outcome", "a subject", "The lead.", ("Do this.",), (("Log", "last <line>"),))


def parsed(**fields: object) -> EmailMessage:
    given = {"to": ["a@example.com", "b@example.com"]} | fields
    mail = write_mail(LETTER, REACHED, **given)
    return message_from_bytes(mail.as_bytes(), policy=policy.default)


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_a_mail_has_a_text_the_same_in_html_and_a_picture() -> None:
    mail = parsed(picture=b"\x89PNG", winning_diff="-a = 1\n+a = 2\n", link="https://example.com/x")
    for kind in ("plain", "html"):
        text = part(mail, kind)
        for said in ("The lead.", "Do this.", "cnn_digits.py", "0.9500", "a = 2", "example.com/x"):
            assert said in text
    (image,) = (p for p in mail.walk() if p.get_content_type() == "image/png")
    assert image["Content-ID"].strip("<>") in part(mail, "html")
    assert image.get_content() == b"\x89PNG"


def test_without_a_picture_none_is_asked_for() -> None:
    mail = parsed()
    assert "<img" not in part(mail, "html")
    assert [p.get_content_type() for p in mail.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip


def test_mails_of_an_experiment_make_one_thread() -> None:
    first, second = (
        parsed(),
        write_mail(dataclasses.replace(LETTER, key="x.restart"), REACHED, to=["a@x"]),
    )
    assert first["References"] == second["References"] == first["In-Reply-To"]
    assert first["Message-ID"] == "<x.outcome@pushtrain>"
    assert first["Message-ID"] != second["Message-ID"]


def test_what_others_wrote_is_escaped_in_html_and_plain_in_text() -> None:
    mail = parsed()
    assert "last &lt;line&gt;" in part(mail, "html")
    assert "last <line>" in part(mail, "plain")


def test_a_line_break_in_a_subject_starts_no_header() -> None:
    letter = dataclasses.replace(LETTER, subject="x\r\nBcc: evil@example.com")
    mail = write_mail(letter, REACHED, to=["a@x"])
    assert mail["Bcc"] is None
    assert mail["Subject"] == "[pushtrain] x Bcc: evil@example.com"


@pytest.mark.parametrize(
    ("state", "subject"),
    [(State.REACHED, "best model created"), (State.ROUNDS_USED_UP, "target missed")],
)
def test_the_outcome_says_what_came_of_it_and_what_next(state: State, subject: str) -> None:
    experiment = dataclasses.replace(REACHED.experiment, state=state)
    letter = outcome_letter(dataclasses.replace(REACHED, experiment=experiment))
    assert subject in letter.subject
    assert "0.9500" in letter.subject
    assert "/models/x" in letter.lead
    assert "airflow dags trigger" in letter.next_steps[-1]


def test_the_outcome_tells_of_every_restart_on_the_way() -> None:
    ended = (attempt(1, cause=Cause.KILLED, epochs=2), attempt(2, started_at=1052.0))
    letter = outcome_letter(story_of(details_of(0, attempts=ended), restarts=1))
    assert letter.facts == (
        "Restarts so far: 1; ended early: 1 killed.",
        "Round 0, attempt 1: killed; saved: 2 steps; went on 12 s later as attempt 2.",
    )
    many = tuple(attempt(n, cause=Cause.KILLED) for n in range(1, 13))
    facts = outcome_letter(story_of(details_of(0, attempts=many))).facts
    assert len(facts) == 12
    assert facts[-1] == "2 more are on the page."
    assert outcome_letter(story_of(details_of(0))).facts == ()


@pytest.mark.parametrize("state", [s for s in State if s not in (State.RUNNING, State.REACHED)])
def test_every_other_end_is_a_missed_target(state: State) -> None:
    experiment = dataclasses.replace(REACHED.experiment, state=state, best_accuracy=None)
    letter = outcome_letter(dataclasses.replace(REACHED, experiment=experiment))
    assert letter.subject == "target missed: model_src/cnn_digits.py, accuracy -"
    assert str(state) in letter.lead


@pytest.mark.parametrize(
    ("rounds", "epochs", "says"),
    [
        ([3], 1, "Round 3 is trained on from its last checkpoint, as attempt 2. killed."),
        ([3, 5], 1,
         "Rounds 3, 5 are trained on from their last checkpoints, as attempt 2. killed."),
        ([3], 0, "Round 3 is trained anew, nothing was saved, as attempt 2. killed."),
        ([], 0, "Round 3 is trained; what follows it is started again, as attempt 2. killed."),
    ],
)  # fmt: skip
def test_a_restart_names_what_is_trained_on(rounds: list[int], epochs: int, says: str) -> None:
    ended = (attempt(1, cause=Cause.KILLED, epochs=epochs),)
    details = story_of(details_of(3, last_lines="one\ntwo\n", attempts=ended))
    letter = restart_letter(details, Step("a-1", 3, 2), rounds, "killed")
    assert letter.lead == says
    assert letter.details == (("Last lines of attempt 1", "one\ntwo"),)


def test_a_restart_tells_where_it_stood_what_was_lost_and_how_often_before() -> None:
    beat = heartbeat(fit=1, epoch=3, epochs=10, batch=50, batches=100)
    ended = (
        attempt(1, cause=Cause.HUNG),
        attempt(2, cause=Cause.KILLED, epochs=2, work=2.0, reached=beat),
    )
    details = story_of(details_of(0, attempts=ended, stacks={2: "stack"}), restarts=2)
    letter = restart_letter(details, Step("a-1", 0, 3), [0], "killed")
    assert letter.facts == (
        "Round 0: it stood in epoch 3 of 10, batch 50 of 100; saved: 2 of 10 epochs; "
        "0.5 epochs are trained again.",
        "Restarts so far: 2; ended early: 1 killed, 1 hung.",
    )
    assert letter.details == (("Where attempt 2 stood when it hung", "stack"),)
    mail = write_mail(letter, details, to=["a@example.com"])
    for kind in ("plain", "html"):
        assert all(fact in part(mail, kind) for fact in letter.facts)


def test_giving_up_brings_the_traceback_the_counts_and_one_command() -> None:
    ended = (attempt(1, cause=Cause.KILLED), attempt(2, cause=Cause.SCRIPT_ERROR))
    one = details_of(0, None, attempts=ended, tracebacks={2: "Traceback\nKeyError: 'x'"},
                     last_lines="the end\n")  # fmt: skip
    letter = given_up_letter(story_of(one, state=State.FAILED, reason="it raised", restarts=1))
    assert letter.facts[-1] == "Restarts so far: 1; ended early: 1 script error, 1 killed."
    assert [title for title, _ in letter.details] == [
        "Traceback of attempt 2", "Last lines of attempt 2",
    ]  # fmt: skip
    commands = [step for step in letter.next_steps if "airflow" in step]
    assert len(commands) == 1
    assert commands[0].endswith(
        """airflow dags trigger mlops_train --conf '{"resume": "cnn_digits-0123abcd"}'"""
    )


def test_what_lacked_memory_is_to_be_given_more() -> None:
    ended = (attempt(1, cause=Cause.OUT_OF_MEMORY, message="2040 MiB were held"),)
    one = details_of(0, None, attempts=ended, failure="out of memory", out_of_memory=True)
    letter = given_up_letter(story_of(one, state=State.FAILED, reason="it needs more"))
    assert "2040 MiB were held" in letter.facts[0]
    assert '"memory": 4096' in letter.next_steps[-1]


def test_a_training_that_was_given_up_says_how_to_go_on() -> None:
    letter = given_up_letter(story_of(details_of(0), state=State.FAILED, reason="it was killed"))
    assert letter.lead == "The training was given up in round 0: it was killed"
    assert "airflow dags trigger" in letter.next_steps[-1]


def test_a_script_that_was_never_trained_can_only_be_changed() -> None:
    letter = given_up_letter(story_of(state=State.FAILED, reason="no model", refused=True))
    assert letter.lead == "The script can not be trained: no model"
    assert not any("airflow" in step for step in letter.next_steps)


def test_a_mail_tells_what_became_of_each_tweak() -> None:
    refused = Refusal(2, (Change("d", "kernel_size 3 -> 5", 3, 5),), {"d": 5}, "ValueError: shape")
    details = story_of(
        details_of(0),
        details_of(1, None, failure="out of memory: the limit of 64 MiB was hit"),
        details_of(2, None, hopeless=True, refusals=(refused,)),
        family=Family.ANN, api=KerasApi.LEGACY, notes=("m.h5 is removed before each round",),
    )  # fmt: skip
    mail = write_mail(LETTER, details, to=["a@example.com"])
    for kind in ("plain", "html"):
        text = part(mail, kind).replace("&gt;", ">")
        for said in ("failed", "limit of 64 MiB", "stopped early", "kernel_size 3 -> 5",
                     "ValueError: shape", "ann, keras 2", "m.h5 is removed"):  # fmt: skip
            assert said in text


def test_an_outcome_after_more_rounds_is_another_mail() -> None:
    again = dataclasses.replace(REACHED.experiment, attempt=2)
    assert (
        outcome_letter(REACHED).key
        != outcome_letter(dataclasses.replace(REACHED, experiment=again)).key
    )


def test_the_picture_is_a_png_where_there_is_something_to_show() -> None:
    assert accuracy_picture(REACHED.rounds, 0.9).startswith(b"\x89PNG\r\n")
    assert accuracy_picture([details_of(0, None)], 0.9) == b""
