"""What one experiment left behind stops neither its own restart nor that of the others."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.records import attempt, experiment

from pushtrain.adapters.outbox import outbox_of
from pushtrain.adapters.store import Store
from pushtrain.contract import Cause, ScriptSettings, State, Step
from pushtrain.operators import restarting
from pushtrain.operators.notifying import notify_outcome
from pushtrain.operators.restarting import plan_restarts
from pushtrain.rules.watch import Finding, Trouble

# Every text that JSON may hold: half characters, and what no header takes.
TEXT = "caf\udce9 \ud800 \x0b \u2028 \x00"


@pytest.fixture(autouse=True)
def mail_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is known, so that mails are written; nobody answers there."""
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", "smtp://127.0.0.1:9")


def put(store: Store, name: str, **fields: Any) -> Step:
    """Make an experiment whose first attempt died; the second was decided, but not started."""
    made = experiment(id=name, **{"attempt": 2, "restarts": 1} | fields)
    store.create_experiment(made)
    for number in range(made.round + 1):
        died = attempt(1, cause=Cause.SCRIPT_ERROR, ended_at=time.time() - 900, epochs=1)
        store.save_attempt(name, number, died)
        store.prepare_output(name, number)
    return made.step


def lost(*steps: Step) -> list[str]:
    """Return the runs that a monitor starts which finds these steps without one."""
    runs = plan_restarts([Finding(s, Trouble.LOST, "so").to_dict() for s in steps])
    return [run["trigger_run_id"] for run in runs]


def mails(store: Store) -> list[str]:
    return sorted(path.name for path in outbox_of(store).waiting())


def write(store: Store, step: Step, name: str, record: object) -> None:
    path = store.round_dir(step.experiment, 0) / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record))


def bad_traceback(store: Store) -> Step:
    step = put(store, "bad-1")
    error = {"type": "OSError", "message": TEXT, "traceback": TEXT, "file": "a.py", "line": 3}
    write(store, step, "results/1.json", {"attempt": 1, "error": error})
    return step


def bad_script(store: Store) -> Step:
    return put(store, "bad-1", script=f"{TEXT}.py", subject=TEXT, author_name=TEXT)


def bad_address(store: Store) -> Step:
    wrong = ("a\x0b@b.c", "a@b.c\u2028", "\x7f@", "@", "a@", "a b@c", "_@[", "\udce9@b.c")
    return put(store, "bad-1", author_email="x@", settings=ScriptSettings(notify=("d@e.f", *wrong)))


@pytest.mark.parametrize("make", [bad_traceback, bad_script, bad_address])
@pytest.mark.usefixtures("config")
def test_no_text_of_a_user_stops_a_restart_or_its_mail(
    store: Store, make: Callable[[Store], Step]
) -> None:
    bad, good = make(store), put(store, "good-1")
    assert lost(bad, good) == [bad.run_id, good.run_id]
    assert mails(store) == ["bad-1.r0.a2.restart.eml", "good-1.r0.a2.restart.eml"]


@pytest.mark.parametrize(
    ("name", "record"),
    [("attempts/1.json", {}), ("knobs.json", {"knobs": [5]}), ("tweak.json", [])],
)
@pytest.mark.usefixtures("config")
def test_a_damaged_record_of_an_old_round_stops_no_restart(
    store: Store, name: str, record: object
) -> None:
    bad, good = put(store, "bad-1", round=1), put(store, "good-1")
    write(store, bad, name, record)
    assert lost(bad, good) == [bad.run_id, good.run_id]
    assert lost(bad) == [bad.run_id]  # and at no further look


@pytest.mark.usefixtures("config")
def test_what_nobody_thought_of_stops_the_others_neither(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good, plan = put(store, "bad-1"), put(store, "good-1"), restarting._plan

    def planned(config: Any, store: Store, finding: Finding) -> Step | None:
        if finding.step == bad:
            raise RecursionError("so")
        return plan(config, store, finding)

    monkeypatch.setattr(restarting, "_plan", planned)
    assert lost(bad, good) == [good.run_id]
    assert "RecursionError: so" in caplog.text


@pytest.mark.parametrize("name", ["output/result.json", "attempts/1.json"])
@pytest.mark.usefixtures("config")
def test_who_is_given_up_is_told_and_done_with(store: Store, name: str) -> None:
    step = put(store, "bad-1", state=State.FAILED, reason=f"killed {TEXT}")
    write(store, step, name, {"attempt": 1, "notes": [TEXT]})
    died = Finding(step, Trouble.DIED, "so").to_dict()
    assert plan_restarts([died]) == []
    assert store.experiment("bad-1").settled
    assert mails(store) == ["bad-1.r0.a2.given-up.eml"]
    assert "killed caf? ?" in (store.experiment_dir("bad-1") / "report.html").read_text()


@pytest.mark.usefixtures("config")
def test_an_outcome_is_told_though_the_records_of_a_round_are_damaged(store: Store) -> None:
    step = put(store, "a-1", state=State.REACHED)
    write(store, step, "knobs.json", {"knobs": 5})
    write(store, step, "attempts/1.json", {})
    notify_outcome(step)
    assert store.experiment("a-1").settled
    assert mails(store) == ["a-1.r0.a2.outcome.eml"]


@pytest.mark.usefixtures("config")
def test_a_person_who_resumes_a_training_gets_no_mail_of_a_restart(store: Store) -> None:
    step = put(store, "a-1")
    by_hand = attempt(1, cause=Cause.KILLED, ended_at=time.time() - 900, forgiven=True)
    store.save_attempt("a-1", 0, by_hand)
    assert lost(step) == [step.run_id]
    assert mails(store) == []
