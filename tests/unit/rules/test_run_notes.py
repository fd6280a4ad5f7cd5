from __future__ import annotations

from typing import Any

from tests.unit import records

from pushtrain.contract import Cause, ScriptSettings, Step
from pushtrain.history import Change, Tweak
from pushtrain.rules.run_notes import run_note

STEP = Step("cnn_digits-0123abcd", 3, 1)


def tweak(number: int, label: str = "Dense 32 -> 64") -> Tweak:
    return Tweak(number, (Change("k", label, 32, 64),))


def experiment(**fields: Any) -> Any:
    return records.experiment(settings=ScriptSettings(target_accuracy=0.9), **fields)


def test_the_first_round_is_the_script_as_pushed() -> None:
    step = Step(STEP.experiment, 0, 1)
    assert run_note(experiment(), step, ()) == "round 0: the script as pushed"


def test_a_later_round_tells_its_tweak_and_the_accuracy_so_far() -> None:
    note = run_note(experiment(best_accuracy=0.87), STEP, [tweak(3)])
    assert note == "round 3: Dense 32 -> 64, accuracy 0.87 of 0.9 so far"


def test_rounds_side_by_side_are_told_together() -> None:
    note = run_note(experiment(best_accuracy=0.87), STEP, [tweak(3), tweak(4, "Dropout 0.2")])
    assert note.startswith("rounds 3 to 4: Dense 32 -> 64; Dropout 0.2, accuracy")


def test_a_restart_tells_why_it_is_one() -> None:
    before = records.attempt(1, cause=Cause.KILLED, exit_code=137, ended_at=1001.0)
    note = run_note(experiment(), Step(STEP.experiment, 3, 2), [tweak(3)], [before])
    assert note == (
        "attempt 2: starts anew; attempt 1 ended: killed (exit code 137). Round 3: Dense 32 -> 64"
    )


def test_a_restart_tells_from_where_it_goes_on() -> None:
    before = records.attempt(
        2, cause=Cause.HUNG, message="no progress for 130 s", ended_at=1001.0, epochs=7, work=7.0,
        reached=records.heartbeat(attempt=2, fit=1, epoch=8, epochs=10),
    )  # fmt: skip
    note = run_note(experiment(), Step(STEP.experiment, 0, 3), (), [before])
    assert note == (
        "attempt 3: goes on after 7 of 10 epochs; attempt 2 ended: hung (no progress for 130 s). "
        "Round 0: the script as pushed"
    )


def test_a_resume_by_hand_is_told_as_such() -> None:
    before = records.attempt(1, cause=Cause.LOST, ended_at=1001.0, forgiven=True)
    note = run_note(experiment(), Step(STEP.experiment, 0, 2), (), [before])
    assert note == (
        "attempt 2: resumed by hand, starts anew; attempt 1 ended: lost. "
        "Round 0: the script as pushed"
    )


def test_a_long_cause_leaves_room_for_what_is_trained() -> None:
    before = records.attempt(1, cause=Cause.SCRIPT_ERROR, ended_at=1001.0, message="x" * 2000)
    note = run_note(experiment(), Step(STEP.experiment, 0, 2), (), [before])
    assert note.endswith("Round 0: the script as pushed")


def test_an_experiment_that_is_gone_on_with_had_no_trouble() -> None:
    before = records.attempt(1, cause=Cause.FINISHED, exit_code=0, ended_at=1001.0)
    note = run_note(experiment(), Step(STEP.experiment, 3, 2), [tweak(3)], [before])
    assert note == "attempt 2. Round 3: Dense 32 -> 64"


def test_a_note_is_one_line_that_airflow_takes() -> None:
    note = run_note(experiment(), STEP, [tweak(3, "a\nb" * 1000)])
    assert "\n" not in note
    assert len(note) <= 1000
    assert note.endswith("...")


def test_a_note_holds_nothing_that_a_database_refuses() -> None:
    before = records.attempt(1, cause=Cause.KILLED, message="a\0b\n\ud800\u2028c", ended_at=1001.0)
    note = run_note(experiment(), Step(STEP.experiment, 0, 2), (), [before])
    assert "killed (a?b ? c). Round 0" in note
