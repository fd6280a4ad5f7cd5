from __future__ import annotations

import asyncio
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from tests.unit.records import attempt, experiment

from pushtrain.adapters.outbox import outbox_of
from pushtrain.adapters.store import Store
from pushtrain.contract import Cause, State, Step
from pushtrain.history import Change, Tweak
from pushtrain.rules.watch import Finding, RunState, Trouble, examine
from pushtrain.triggers import trainings
from pushtrain.triggers.trainings import TrainingsTrigger

LIMITS = {"startup_seconds": 1, "hang_factor": 2, "quiet_seconds": 5, "lost_seconds": 60}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.begin()
    return store


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> dict[str, RunState]:
    """What Airflow says of a step's run, by its id; only the API server could tell it for real."""
    states: dict[str, RunState] = {}

    async def run_state(step: Step) -> RunState:
        return states.get(step.run_id, RunState.LIVE)

    monkeypatch.setattr(trainings, "run_state", run_state)
    return states


def fired(store: Store, seconds: float = -1.0, poll_seconds: float = 0.05) -> dict[str, Any]:
    """Return what a trigger fires that looks once, or until its window ends."""
    trigger = TrainingsTrigger(
        store=str(store.root), deadline=time.time() + seconds, poll_seconds=poll_seconds,
        watch_seconds=0.02, limits=LIMITS, restart_limit=3,
    )  # fmt: skip

    async def fire() -> list[Any]:
        return [event.payload async for event in trigger.run()]

    (payload,) = asyncio.run(fire())
    made: dict[str, Any] = payload
    return made


def look(store: Store, seconds: float = -1.0) -> list[Finding]:
    """Return what such a trigger finds."""
    return [Finding.from_dict(record) for record in fired(store, seconds)["findings"]]


def put(store: Store, name: str = "a-1", **fields: Any) -> Step:
    now = time.time()
    made = experiment(id=name, **{"created_at": now, "updated_at": now} | fields)
    store.create_experiment(made)
    return made.step


def test_an_empty_store_is_well(store: Store, runs: dict[str, RunState]) -> None:
    assert look(store, seconds=0.2) == []


def test_a_mail_that_waits_is_told_once_a_minute(store: Store, runs: dict[str, RunState]) -> None:
    assert not fired(store, seconds=0.2)["mails"]
    mail = EmailMessage()
    mail.set_content("x")
    outbox_of(store).post("x", mail)
    assert fired(store, seconds=60)["mails"]
    with pytest.raises(OSError, match="no server"):
        outbox_of(store).flush(refuse)
    assert not fired(store, seconds=0.2)["mails"]


def refuse(_: EmailMessage) -> None:
    raise OSError("no server")


def test_a_training_that_runs_is_well(store: Store, runs: dict[str, RunState]) -> None:
    put(store)
    assert look(store) == []


def test_a_run_that_ended_is_found(store: Store, runs: dict[str, RunState]) -> None:
    step = put(store)
    runs[step.run_id] = RunState.ENDED
    (finding,) = look(store, seconds=10)
    assert (finding.step, finding.trouble) == (step, Trouble.DIED)


@pytest.mark.parametrize("state", [State.REACHED, State.FAILED, State.NO_KNOB_LEFT])
def test_an_experiment_that_is_settled_is_not_looked_at(
    store: Store, runs: dict[str, RunState], state: State
) -> None:
    runs[put(store, state=state, settled=True).run_id] = RunState.ENDED
    assert look(store) == []


def test_an_end_that_was_not_published_or_mailed_is_found(
    store: Store, runs: dict[str, RunState]
) -> None:
    step = put(store, state=State.REACHED)
    assert look(store) == []  # its run is still at it
    runs[step.run_id] = RunState.ENDED
    assert [f.step for f in look(store)] == [step]


def test_a_step_without_a_run_is_lost_after_its_time(
    store: Store, runs: dict[str, RunState]
) -> None:
    fresh, old = put(store, "fresh-1"), put(store, "old-1", updated_at=time.time() - 61)
    runs[fresh.run_id] = runs[old.run_id] = RunState.MISSING
    assert [(f.step, f.trouble) for f in look(store)] == [(old, Trouble.LOST)]


def test_a_training_without_progress_hangs(store: Store, runs: dict[str, RunState]) -> None:
    step = put(store)
    store.save_attempt(step.experiment, 0, attempt(1, started_at=time.time() - 6))
    assert [f.trouble for f in look(store)] == [Trouble.HUNG]


def test_a_restart_waits_for_its_backoff(store: Store, runs: dict[str, RunState]) -> None:
    step, now = put(store), time.time()
    runs[step.run_id] = RunState.ENDED
    ended = attempt(1, cause=Cause.KILLED, ended_at=now)
    store.save_attempt(step.experiment, 0, ended)
    assert look(store) == []
    store.save_attempt(step.experiment, 0, attempt(1, cause=Cause.KILLED, ended_at=now - 11))
    assert [f.step for f in look(store)] == [step]


def candidates(store: Store, step: Step) -> None:
    """Let rounds 1 and 2 train side by side in the step's experiment."""
    for number in (1, 2):
        change = Change("d", f"units {number}", 1, 2)
        store.save_tweak(step.experiment, Tweak(number, (change,), base=0, batch=1))


def test_each_candidate_is_watched(store: Store, runs: dict[str, RunState]) -> None:
    step, now = put(store, round=1), time.time()
    candidates(store, step)
    store.save_attempt(step.experiment, 1, attempt(1, started_at=now))
    store.save_attempt(step.experiment, 2, attempt(1, started_at=now - 6))
    (finding,) = look(store)
    assert (finding.step, finding.trouble, finding.rounds) == (step, Trouble.HUNG, (2,))


def test_a_candidate_that_was_killed_waits_for_its_backoff(
    store: Store, runs: dict[str, RunState]
) -> None:
    step, now = put(store, round=1), time.time()
    candidates(store, step)
    runs[step.run_id] = RunState.ENDED
    done = attempt(1, cause=Cause.FINISHED, ended_at=now - 100)
    store.save_attempt(step.experiment, 1, done)
    store.save_attempt(step.experiment, 2, attempt(1, cause=Cause.KILLED, ended_at=now))
    assert look(store) == []
    store.save_attempt(step.experiment, 2, attempt(1, cause=Cause.KILLED, ended_at=now - 11))
    assert [f.step for f in look(store)] == [step]


def test_what_is_given_up_does_not_wait(store: Store, runs: dict[str, RunState]) -> None:
    step = put(store)
    runs[step.run_id] = RunState.ENDED
    ended = attempt(1, cause=Cause.NO_METRIC, ended_at=time.time())
    store.save_attempt(step.experiment, 0, ended)
    assert [f.step for f in look(store)] == [step]


@pytest.mark.parametrize(
    "name", ["experiment.json", "rounds/0/output/heartbeat.json", "rounds/0/attempts/1.json"]
)
@pytest.mark.parametrize(
    "text",
    [
        "{", '{"attempt": 1, "at": "x"}', '{"number": "x"}', '{"attempt": 1, "at": NaN}',
        f'{{"attempt": 1, "at": {10**400}}}', '{"attempt": 1, "at": 1, "pace": 1e999}',
        f'{{"attempt": 1, "at": 1, "epoch": 2, "phase": "fit", "pace": {10**400}}}',
    ],
)  # fmt: skip
def test_a_damaged_record_does_not_hide_the_others(
    store: Store, runs: dict[str, RunState], name: str, text: str
) -> None:
    bad, good = put(store, "bad-1"), put(store, "good-1")
    path = store.experiment_dir(bad.experiment) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if not name.endswith("attempts/1.json"):
        store.save_attempt(bad.experiment, 0, attempt(1, started_at=time.time()))
    runs[good.run_id] = RunState.ENDED
    assert [f.step for f in look(store)] == [good]


def test_what_nobody_thought_of_hides_the_others_neither(
    store: Store, runs: dict[str, RunState], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = put(store, "bad-1"), put(store, "good-1")
    runs[bad.run_id] = runs[good.run_id] = RunState.ENDED

    def judged(step: Step, *args: Any) -> Finding | None:
        if step == bad:
            raise OverflowError("so")
        return examine(step, *args)

    monkeypatch.setattr(trainings, "examine", judged)
    assert [f.step for f in look(store)] == [good]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([None, None], RunState.MISSING),
        ([None, "queued"], RunState.LIVE),  # made between two questions
        (["queued", "running"], RunState.LIVE),
        (["running", "failed"], RunState.LIVE),
        (["failed", "failed"], RunState.ENDED),
        (["success", "success"], RunState.ENDED),
    ],
)
def test_a_run_has_ended_when_its_own_state_says_so(
    monkeypatch: pytest.MonkeyPatch, told: list[str | None], said: RunState
) -> None:
    answers = iter(told)

    def count(*, states: list[str] | None = None, **_: Any) -> int:
        state = next(answers)
        return int(state is not None and (states is None or state in states))

    monkeypatch.setattr(trainings.RuntimeTaskInstance, "get_dr_count", staticmethod(count))
    assert asyncio.run(trainings.run_state(Step("a-1", 0, 2))) is said


def test_several_are_found_at_once(store: Store, runs: dict[str, RunState]) -> None:
    steps = [put(store, f"a-{n}") for n in range(3)]
    for step in steps:
        runs[step.run_id] = RunState.ENDED
    assert [f.step for f in look(store)] == steps


@pytest.fixture
def asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the runs that Airflow was asked for; it says that all of them live."""
    calls: list[str] = []

    async def run_state(step: Step) -> RunState:
        calls.append(step.run_id)
        return RunState.LIVE

    monkeypatch.setattr(trainings, "run_state", run_state)
    return calls


def test_a_training_that_just_ended_is_found_before_its_run_ends(
    store: Store, asked: list[str]
) -> None:
    step, ended_at = put(store), time.time() - 11
    store.save_attempt(step.experiment, 0, attempt(1, cause=Cause.KILLED, ended_at=ended_at))
    started = time.monotonic()
    payload = fired(store, seconds=120, poll_seconds=60)
    assert [f["step"] for f in payload["findings"]] == [step.to_dict()]
    assert payload["findings"][0]["trouble"] == Trouble.DIED
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    ("cause", "age"),
    [(None, None), (Cause.FINISHED, 1), (Cause.KILLED, 0), (Cause.KILLED, 3600)],
    ids=["runs", "ended well", "waits for its backoff", "ended long ago"],
)
def test_other_trainings_wait_for_the_next_look(
    store: Store, asked: list[str], cause: Cause | None, age: float | None
) -> None:
    step, now = put(store), time.time()
    ended_at = None if age is None else now - age
    store.save_attempt(
        step.experiment, 0, attempt(1, cause=cause, started_at=now, ended_at=ended_at)
    )
    assert fired(store, seconds=0.4, poll_seconds=0.3)["findings"] == []
    assert len(asked) == 2


def test_a_step_with_a_training_under_way_waits_for_it(store: Store, asked: list[str]) -> None:
    step, now = put(store, round=1), time.time()
    candidates(store, step)
    store.save_attempt(step.experiment, 1, attempt(1, cause=Cause.KILLED, ended_at=now - 11))
    store.save_attempt(step.experiment, 2, attempt(1, started_at=now))
    assert fired(store, seconds=0.4, poll_seconds=0.3)["findings"] == []
    done = attempt(1, cause=Cause.FINISHED, ended_at=now)
    store.save_attempt(step.experiment, 2, done)
    assert fired(store, seconds=120, poll_seconds=60)["findings"]
