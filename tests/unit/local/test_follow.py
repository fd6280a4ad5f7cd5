from __future__ import annotations

import io
import time
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from pushtrain.adapters.store import Store
from pushtrain.contract import (
    Attempt,
    Cause,
    Experiment,
    Family,
    Heartbeat,
    Result,
    ScriptSettings,
    Split,
    State,
)
from pushtrain.history import Change, Tweak
from pushtrain.local.follow import follow, progress_line
from pushtrain.local.progress import Progress, read_progress
from pushtrain.local.report import print_results, print_times

EXPERIMENT = Experiment(
    id="ann-12345678",
    repo="models",
    repo_url="file:///models.git",
    branch="main",
    commit="1" * 40,
    script="model_src/ann.py",
    author_name="Dana",
    author_email="dana@example.com",
    subject="Add ann",
    settings=ScriptSettings(target_accuracy=0.9),
    created_at=1000.0,
    updated_at=1060.0,
    family=Family.ANN,
)
ATTEMPT = Attempt(1, "r", "c", "image", "unix:///engine", started_at=1001.0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path)
    made.begin()
    made.create_experiment(EXPERIMENT)
    made.prepare_output(EXPERIMENT.id, 0)
    return made


def write(store: Store, record: Heartbeat | Result, round_number: int = 0) -> None:
    import json

    name = "heartbeat.json" if isinstance(record, Heartbeat) else "result.json"
    path = store.output_dir(EXPERIMENT.id, round_number) / name
    path.write_text(json.dumps(record.to_dict()))


def only(store: Store) -> Progress:
    (progress,) = read_progress(store)
    return progress


def shown(progress: list[Progress], deadline: float = 60) -> str:
    console = Console(file=io.StringIO(), width=140)
    follow(lambda: progress, 1, time.monotonic() + deadline, console)
    return console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO


def test_a_round_without_an_attempt_waits_for_its_container(store):
    assert only(store).doing == "waiting for a container"


def test_a_heartbeat_tells_phase_epoch_and_accuracy(store):
    store.save_attempt(EXPERIMENT.id, 0, ATTEMPT)
    write(store, Heartbeat(attempt=1, at=1.0, phase="fit", epoch=3, epochs=10, accuracy=0.5))
    progress = only(store)
    assert (progress.doing, progress.epoch) == ("training, fit", "3/10")
    assert progress.live_accuracy == 0.5


def test_a_heartbeat_of_an_earlier_attempt_is_not_taken_for_this_one(store):
    store.save_attempt(EXPERIMENT.id, 0, replace(ATTEMPT, ended_at=2.0, cause=Cause.KILLED))
    store.save_attempt(EXPERIMENT.id, 0, replace(ATTEMPT, number=2))
    write(store, Heartbeat(attempt=1, at=1.0, phase="fit", epoch=3))
    assert only(store).doing == "starting"


def test_an_ended_attempt_is_being_compared(store):
    store.save_attempt(EXPERIMENT.id, 0, replace(ATTEMPT, ended_at=2.0, cause=Cause.FINISHED))
    assert only(store).doing == "comparing (finished)"


def test_a_reached_target_settles_only_when_it_is_published(store):
    changes = {"state": State.REACHED, "best_round": 0, "best_accuracy": 0.95}
    store.update_experiment(EXPERIMENT.id, **changes)
    before = only(store)
    store.update_experiment(EXPERIMENT.id, published="models/ann/1")
    after = only(store)
    assert (before.is_reached, before.is_settled) == (True, False)
    assert (after.is_reached, after.is_settled) == (True, True)


def test_a_failure_without_a_result_is_settled_but_not_reached(store):
    store.update_experiment(EXPERIMENT.id, state=State.FAILED)
    progress = only(store)
    assert (progress.is_settled, progress.is_reached) == (True, False)


def test_following_ends_when_all_have_settled(store):
    store.update_experiment(EXPERIMENT.id, state=State.FAILED)
    assert "ended: failed" in shown([only(store)])


def test_following_ends_at_the_deadline_with_what_is_open(store):
    assert "waiting for a container" in shown([only(store)], deadline=-1)


def test_a_terminal_shows_a_table_that_is_redrawn(store):
    states = iter([State.RUNNING, State.RUNNING, State.FAILED, State.FAILED])

    def look() -> list[Progress]:
        store.update_experiment(EXPERIMENT.id, state=next(states))
        return [only(store)]

    console = Console(file=io.StringIO(), width=140, force_terminal=True)
    found = follow(look, 1, time.monotonic() + 60, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert [p.experiment.state for p in found] == [State.FAILED]
    assert text.count("1 of 1 experiments") > 1
    assert text.rindex("failed") > text.rindex("waiting for a container")


def test_a_line_does_not_change_with_every_epoch(store):
    store.save_attempt(EXPERIMENT.id, 0, ATTEMPT)
    write(store, Heartbeat(attempt=1, at=1.0, phase="fit", epoch=3))
    first = progress_line(only(store))
    write(store, Heartbeat(attempt=1, at=2.0, phase="evaluate", epoch=4))
    assert progress_line(only(store)) == first


def test_the_report_names_rounds_model_and_reason(store, tmp_path):
    write(store, Result(attempt=1, accuracy=0.6123, split=Split.TEST))
    store.prepare_output(EXPERIMENT.id, 1)
    store.update_experiment(
        EXPERIMENT.id,
        state=State.PATIENCE_USED_UP,
        reason="3 rounds without a gain",
        best_round=0,
        best_accuracy=0.6123,
        published="models/ann/1",
    )
    console = Console(file=io.StringIO(), width=140)
    print_results([only(store)], tmp_path, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert "0.612 -" in text
    assert f"ann.py: {tmp_path}/models/ann/1" in text
    assert "patience used up: 3 rounds without a gain" in text


def test_the_report_tells_the_story_of_each_round(store, tmp_path):
    write(store, Result(attempt=1, accuracy=0.6123, split=Split.TEST))
    causes = {1: Cause.HOPELESS, 2: Cause.OUT_OF_MEMORY}
    for number, cause in causes.items():
        store.prepare_output(EXPERIMENT.id, number)
        change = Change("d", f"units {number} -> {number + 1}", number, number + 1)
        store.save_tweak(EXPERIMENT.id, Tweak(number, (change,), "training 0.61: wider"))
        ended = replace(ATTEMPT, ended_at=2.0, cause=cause, message="64 MiB")
        store.save_attempt(EXPERIMENT.id, number, ended)
    console = Console(file=io.StringIO(), width=140)
    print_results([only(store)], tmp_path, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert "0.612 stopped failed" in text
    assert "round 0  0.612   as pushed\n" in text
    assert "round 1  stopped units 1 -> 2 (training 0.61: wider)\n" in text
    assert "round 2  failed  units 2 -> 3 (out of memory: 64 MiB)\n" in text


def test_rounds_side_by_side_are_shown_as_such(store):
    for number in (1, 2):
        store.prepare_output(EXPERIMENT.id, number)
        change = Change("d", f"units {number} -> {number + 1}", number, number + 1)
        store.save_tweak(EXPERIMENT.id, Tweak(number, (change,), batch=1))
    store.update_experiment(EXPERIMENT.id, round=1)
    store.save_attempt(EXPERIMENT.id, 1, replace(ATTEMPT, ended_at=2.0, cause=Cause.FINISHED))
    store.save_attempt(EXPERIMENT.id, 2, ATTEMPT)
    write(store, Heartbeat(attempt=1, at=1.0, phase="fit", epoch=3, epochs=10), 2)
    progress = only(store)
    assert (progress.doing, progress.epoch) == ("training 2 side by side, fit", "3/10")


def test_times_are_listed_with_their_total():
    console = Console(file=io.StringIO(), width=140)
    print_times([("engine", 1.25), ("airflow", 20.0)], 22.0, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert [word in text for word in ("engine", "20.0", "total", "22.0")] == [True] * 4
