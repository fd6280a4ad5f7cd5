from __future__ import annotations

import dataclasses
import json
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.adapters.outputs import ID, put
from tests.unit.records import attempt, experiment

from pushtrain.adapters.records import write_json
from pushtrain.adapters.store import (
    TRAINING_GID,
    TRAINING_UID,
    Store,
    give_to_training,
    is_open,
    training_user,
)
from pushtrain.contract import Cause, Experiment, Result, ScriptSettings, Split, State, Step
from pushtrain.errors import OutsideError, StoreError
from pushtrain.history import Change, Curves, Knob, Refusal, Tweak


def test_an_experiment_comes_back(store: Store) -> None:
    made = experiment(settings=ScriptSettings(data=("/d",)), state=State.REACHED)
    assert store.create_experiment(made)
    assert store.experiment(ID) == made


def test_an_experiment_is_created_once(store: Store) -> None:
    assert store.create_experiment(experiment(subject="first"))
    assert not store.create_experiment(experiment(subject="second"))
    assert store.experiment(ID).subject == "first"


def test_only_one_of_many_at_once_creates_it(store: Store) -> None:
    made: list[bool] = []
    threads = [
        threading.Thread(target=lambda: made.append(store.create_experiment(experiment())))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False] * 7 + [True]


def test_no_change_is_lost_when_many_change_at_once(store: Store) -> None:
    store.create_experiment(experiment())
    fields = ["round", "attempt", "restarts", "best_round"]

    def change(name: str) -> None:
        for value in range(1, 11):
            store.update_experiment(ID, **{name: value})

    threads = [threading.Thread(target=change, args=(name,)) for name in fields]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = store.experiment(ID)
    assert [getattr(after, name) for name in fields] == [10] * 4


def test_an_update_changes_what_it_names_and_the_time(store: Store) -> None:
    store.create_experiment(experiment())
    after = store.update_experiment(ID, state=State.FAILED, reason="no")
    assert after == store.experiment(ID)
    assert (after.state, after.reason, after.subject) == (State.FAILED, "no", "Start")
    assert after.updated_at > experiment().updated_at


def test_nothing_is_made_in_the_empty_place_of_a_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.root.mkdir()
    acts: list[Callable[[], object]] = [
        lambda: store.create_experiment(experiment()),
        lambda: store.update_experiment(ID, round=1),
        lambda: store.experiment(ID),
        lambda: store.batch(Step(ID, 0, 1)),
        lambda: store.save_attempt(ID, 0, attempt(1)),
        lambda: store.prepare_output(ID, 0),
        lambda: store.save_knobs(ID, 0, []),
    ]
    for act in acts:
        with pytest.raises(OutsideError, match="mount it"):
            act()
    assert not store.is_there()
    assert list(store.root.iterdir()) == []


def test_an_experiment_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(StoreError, match="no such experiment: 'nothing-1'"):
        store.experiment("nothing-1")
    with pytest.raises(StoreError, match="nothing-1"):
        store.update_experiment("nothing-1", round=1)


def test_experiments_are_listed_oldest_first(store: Store) -> None:
    assert store.experiments() == []
    for number, at in ((1, 30.0), (2, 10.0), (3, 20.0)):
        store.create_experiment(experiment(id=f"a-{number}", created_at=at))
    assert [e.id for e in store.experiments()] == ["a-2", "a-3", "a-1"]


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"id": 5}'], ids=["cut off", "list", "empty", "wrong type"]
)
def test_a_damaged_experiment_is_left_out_and_logged(
    store: Store, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    store.create_experiment(experiment(id="good-1"))
    store.create_experiment(experiment(id="bad-1"))
    path = store.experiment_dir("bad-1") / "experiment.json"
    path.write_text(text)
    with caplog.at_level(logging.WARNING):
        assert [e.id for e in store.experiments()] == ["good-1"]
    assert str(path) in caplog.text
    with pytest.raises(StoreError, match="experiment"):
        store.experiment("bad-1")


def test_attempts_come_in_order_of_their_numbers(store: Store) -> None:
    for number in (10, 2, 1):
        store.save_attempt(ID, 0, attempt(number))
    store.attempt_log(ID, 0, 2).write_text("a line\n")
    assert [a.number for a in store.attempts(ID, 0)] == [1, 2, 10]
    assert store.attempt(ID, 0, 10) == attempt(10)
    assert store.attempt(ID, 0, 3) is None
    assert store.attempts(ID, 1) == []


def test_the_lease_names_the_one_attempt_that_may_train(store: Store) -> None:
    store.create_experiment(experiment(id=ID, attempt=2))
    store.lease(Step(ID, 0, 2), 1)
    path = store.output_dir(ID, 1) / "attempt.json"
    assert json.loads(path.read_text()) == {"attempt": 2}


@pytest.mark.parametrize("late", [Step(ID, 0, 1), Step(ID, 0, 3), Step(ID, 1, 2)], ids=str)
def test_the_lease_is_refused_to_all_steps_but_one(store: Store, late: Step) -> None:
    store.create_experiment(experiment(id=ID, attempt=2))
    with pytest.raises(StoreError, match="is past"):
        store.lease(late, 0)
    assert not (store.output_dir(ID, 0) / "attempt.json").exists()


def test_of_all_who_move_an_experiment_on_one_does(store: Store) -> None:
    store.create_experiment(experiment(id=ID))
    moved = store.move_on(Step(ID, 0, 1), attempt=2)
    assert moved is not None
    assert store.move_on(Step(ID, 0, 1), attempt=2) is None
    assert store.experiment(ID) == moved
    assert moved.attempt == 2


def test_an_experiment_that_is_settled_moves_no_more(store: Store) -> None:
    store.create_experiment(experiment(id=ID, settled=True))
    assert store.move_on(Step(ID, 0, 1), attempt=2) is None


def test_an_end_that_is_on_record_stays(store: Store) -> None:
    first = attempt(1, cause=Cause.OUT_OF_MEMORY, ended_at=2.0)
    assert store.put_attempt(ID, 0, attempt(1)) == attempt(1)
    assert store.put_attempt(ID, 0, first) == first
    for late in (attempt(1), attempt(1, cause=Cause.KILLED, ended_at=3.0)):
        assert store.put_attempt(ID, 0, late) == first
    assert store.attempts(ID, 0) == [first]


def test_the_result_of_a_finished_attempt_is_out_of_reach(store: Store) -> None:
    store.save_attempt(ID, 0, attempt(1, cause=Cause.KILLED, ended_at=2.0))
    write_json(store.kept_result(ID, 0, 1), Result(1, 0.1).to_dict())
    put(store, "result.json", '{"attempt": 2, "accuracy": 0.2}')
    assert store.result(ID, 0) == Result(2, 0.2)
    store.save_attempt(ID, 0, attempt(2, cause=Cause.FINISHED, ended_at=2.0))
    assert store.result(ID, 0) == Result(2, 0.2)
    write_json(store.kept_result(ID, 0, 2), Result(2, 0.3).to_dict())
    assert store.result(ID, 0) == Result(2, 0.3)


def test_knobs_and_tweaks_come_back(store: Store) -> None:
    knobs = [Knob("d.units", "units", "Dense(16) units", 16, 1, 512, "a.py", 3, 7)]
    tweak = Tweak(1, (Change("d.units", "units 16 -> 32", 16, 32),), "grow", "c0ffee")
    assert store.knobs(ID, 0) == []
    assert store.tweak(ID, 1) is None
    store.save_knobs(ID, 0, knobs)
    store.save_tweak(ID, tweak)
    assert store.knobs(ID, 0) == knobs
    assert store.tweak(ID, 1) == tweak


def test_rounds_tell_what_every_round_brought(store: Store) -> None:
    assert store.rounds(ID) == []
    for number in (0, 1, 10):
        store.prepare_output(ID, number)
    put(store, "result.json", '{"attempt": 2, "accuracy": 0.5, "split": "test", "parameters": 9}')
    store.save_attempt(ID, 0, attempt(1, ended_at=1002.0))
    store.save_attempt(ID, 0, attempt(2, started_at=1010.0, ended_at=1013.0))
    store.save_knobs(ID, 0, [Knob("d", "units", "u", 16, 1, 512, "a.py", 3, 7)])
    store.save_tweak(ID, Tweak(1, (Change("d", "units 16 -> 32", 16, 32),)))
    put(store, "result.json", "{", 10)
    first, second, third = store.rounds(ID)
    assert [r.round for r in (first, second, third)] == [0, 1, 10]
    assert (first.accuracy, first.split, first.parameters) == (0.5, Split.TEST, 9)
    assert (first.attempts, first.seconds, first.values) == (2, 5.0, {"d": 16})
    assert (second.accuracy, second.tweak) == (None, "units 16 -> 32")
    assert third.accuracy is None


def change(number: int, *, base: int | None = None, batch: int | None = None) -> Tweak:
    return Tweak(number, (Change("d", f"units {number}", 1, 2),), "why", base=base, batch=batch)


def test_a_batch_is_all_that_trains_side_by_side(store: Store) -> None:
    for tweak in (change(1), change(2, batch=2), change(3, batch=2), change(4, batch=4)):
        store.save_tweak(ID, tweak)
    found = {n: [s.round for s in store.batch(Step(ID, n, 7))] for n in range(5)}
    assert found == {0: [0], 1: [1], 2: [2, 3], 3: [3], 4: [4]}
    assert {s.attempt for s in store.batch(Step(ID, 2, 7))} == {7}


def test_refusals_are_kept_by_round_and_are_no_rounds(store: Store) -> None:
    store.prepare_output(ID, 0)
    first, second, third = (
        Refusal(n, (Change("d", "units 1 -> 2", 1, 2),), {"d": n}, f"why {n}") for n in (1, 1, 2)
    )
    for refusal in (first, third, second):
        store.add_refusal(ID, refusal)
    assert store.refusals(ID, 1) == [first, second]
    assert store.refusals(ID, 5) == []
    assert store.all_refusals(ID) == [first, second, third]
    store.dry_dir(ID, 3, 1).mkdir(parents=True)
    assert [r.round for r in store.rounds(ID)] == [0]
    store.save_tweak(ID, change(1))
    assert [r.round for r in store.rounds(ID)] == [0, 1]


def test_a_round_tells_its_base_its_batch_and_why(store: Store) -> None:
    store.prepare_output(ID, 0)
    for tweak in (change(1), change(2, base=0, batch=2)):
        store.save_tweak(ID, tweak)
    pushed, first, second = store.rounds(ID)
    assert (pushed.base, pushed.batch, pushed.reason) == (None, None, "")
    assert (first.base, first.batch, first.reason) == (0, None, "why")
    assert (second.base, second.batch) == (0, 2)


@pytest.mark.parametrize(
    ("cause", "number", "accuracy", "failure", "hopeless"),
    [
        (Cause.OUT_OF_MEMORY, 1, None, "out of memory: why", False),
        (Cause.HOPELESS, 1, None, "", True),
        (Cause.FINISHED, 1, 0.5, "", False),
        (Cause.OUT_OF_MEMORY, 0, None, "out of memory: why", False),
        (Cause.NO_METRIC, 0, 0.5, "", False),  # the pushed round is no trial
        (Cause.KILLED, 1, 0.5, "", False),  # to be started again
    ],
)
def test_what_was_measured_on_the_way_to_a_failure_is_no_result(
    store: Store, cause: Cause, number: int, accuracy: float | None, failure: str, hopeless: bool
) -> None:
    put(store, "result.json", '{"attempt": 1, "accuracy": 0.5, "split": "test"}', number)
    ended = attempt(1, ended_at=2.0, cause=cause, message="why")
    store.save_attempt(ID, number, ended)
    found = store.rounds(ID)[-1]
    assert (found.accuracy, found.failure, found.hopeless) == (accuracy, failure, hopeless)
    assert found.out_of_memory is failure.startswith("out of memory")


def test_the_curves_of_a_round_come_with_the_epochs_that_were_planned(store: Store) -> None:
    put(store, "history.csv", "fit,epoch,loss,accuracy\n1,1,0.5,0.25\n")
    put(store, "heartbeat.json", '{"attempt": 1, "at": 1.0, "fit": 1, "epochs": 10}')
    (found,) = store.rounds(ID)
    assert found.curves == Curves(planned=10, fit=1, loss=(0.5,), accuracy=(0.25,))
    put(store, "heartbeat.json", '{"attempt": 1, "at": 1.0, "fit": 2, "epochs": 20}')
    assert store.curves(ID, 0).planned == 0


def test_curves_that_user_code_put_elsewhere_are_not_read(store: Store) -> None:
    put(store, "other", "").with_name("history.csv").symlink_to("/etc/passwd")
    assert store.curves(ID, 0) == Curves()


def test_a_round_s_commit_is_its_tweak_s_or_the_pushed_one(store: Store) -> None:
    store.save_tweak(ID, dataclasses.replace(change(1), commit="c0ffee"))
    assert store.commit_of(experiment(), 0) == experiment().commit
    assert store.commit_of(experiment(), 1) == "c0ffee"


def test_what_user_code_can_write_lies_apart_from_our_records(store: Store) -> None:
    writable = (store.source_dir(ID, 0), store.output_dir(ID, 0))
    ours = (store.attempt_log(ID, 0, 1), store.experiment_dir(ID) / "experiment.json")
    assert not any(path.is_relative_to(folder) for path in ours for folder in writable)


def test_a_training_runs_as_the_owner_of_its_folders(store: Store) -> None:
    store.prepare_output(ID, 0)
    user = training_user(store.output_dir(ID, 0))
    owner = (TRAINING_UID, TRAINING_GID) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    assert user == f"{owner[0]}:{owner[1]}"
    assert not user.startswith("0:")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands folders over")
def test_folders_are_handed_over_with_all_that_is_in_them(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "file").mkdir(parents=True)
    folder = tmp_path / "folder"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "a.py").write_text("")
    (folder / "link").symlink_to(outside)
    give_to_training(folder)
    inside = [folder, *folder.rglob("*")]
    assert {p.lstat().st_uid for p in inside} == {TRAINING_UID}
    assert {p.stat().st_uid for p in (outside, outside / "file")} == {0}


def test_only_a_running_experiment_is_open() -> None:
    states: list[Experiment] = [experiment(state=s) for s in State]
    assert [e.state for e in states if is_open(e)] == [State.RUNNING]
