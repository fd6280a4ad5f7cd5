from __future__ import annotations

import json
import shlex

import pytest
from tests.unit.pages.builders import attempt, details_of, experiment, story_of

from pushtrain.contract import (
    Cause,
    Experiment,
    Heartbeat,
    Result,
    ScriptSettings,
    Split,
    State,
)
from pushtrain.details import RoundDetails
from pushtrain.pages import story


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (details_of(accuracy=0.5), "0.5000 on the test data"),
        (details_of(accuracy=None, failure="ValueError: shapes"), "ValueError: shapes"),
        (details_of(accuracy=None, hopeless=True), "stopped early"),
        (details_of(accuracy=None, heartbeat=Heartbeat(1, 0.0, epoch=3, epochs=9)), "3 of 9"),
        (details_of(accuracy=None, attempts=()), "waiting for its container"),
    ],
)
def test_a_round_says_what_became_of_it(one: RoundDetails, said: str) -> None:
    assert said in story.verdict_of(one)


def test_bad_ends_are_told_and_counted_apart_and_good_ones_are_not() -> None:
    killed = attempt(1, cause=Cause.KILLED, message="exit code 137")
    lost = attempt(2, cause=Cause.LOST)
    details = story_of(details_of(attempts=(killed, lost, attempt(3))))
    assert story.incidents(details.rounds[0]) == (
        "attempt 1: killed, exit code 137; went on 0 s later as attempt 2",
        "attempt 2: lost; went on 0 s later as attempt 3",
    )
    assert story.causes(details) == {"killed": 1, "lost": 1}


def test_a_knob_is_marked_in_the_rounds_that_changed_it() -> None:
    same = details_of(2, values={"m.dense0.units": 16})
    (row,) = story.knob_table(story_of(details_of(0), details_of(1), same))
    assert row.values == (8, 16, 16)
    assert row.changed == (False, True, False)


def test_a_round_is_compared_with_the_one_it_was_made_from() -> None:
    back = details_of(2, base=0, values={"m.dense0.units": 8})
    (row,) = story.knob_table(story_of(details_of(0), details_of(1), back))
    assert row.changed == (False, True, False)


def test_why_a_restart_was_not_exact_is_told_apart_from_other_notes() -> None:
    notes = ("not exact: the data is drawn anew", "lr= was read as learning_rate=")
    result = Result(2, 0.5, Split.TEST, exact=False, notes=notes)
    details = details_of(result=result)
    assert story.why_not_exact(details) == ("the data is drawn anew",)
    assert story.notes(details) == ("lr= was read as learning_rate=",)
    assert story.why_not_exact(details_of(result=Result(1, 0.5, Split.TEST))) == ()
    silent = Result(2, 0.5, Split.TEST, exact=False)
    assert story.why_not_exact(details_of(result=silent)) == ("the training does not say why",)


def test_a_round_without_memory_says_so_and_not_that_a_tweak_is_to_blame() -> None:
    one = details_of(0, None, failure="out of memory: 64 MiB were allowed", out_of_memory=True)
    assert story.verdict_of(one) == "ran out of memory: 64 MiB were allowed"


@pytest.mark.parametrize(("starved", "more"), [(True, {"memory": 4096}), (False, {})])
def test_what_lacked_memory_is_resumed_with_more(starved: bool, more: dict[str, int]) -> None:
    one = details_of(0, None, failure="out of memory: x", out_of_memory=starved)
    details = story_of(one, state=State.FAILED)
    assert story.more_conf(details) == {"resume": details.experiment.id, **more}


def conf_of(ended: Experiment) -> dict[str, object]:
    """Return the conf of the command that a person is given."""
    words = shlex.split(story.more_rounds_command(ended))
    assert words[:5] == ["airflow", "dags", "trigger", "mlops_train", "--conf"]
    assert len(words) == 6
    found: dict[str, object] = json.loads(words[5])
    return found


def test_what_was_given_up_is_resumed_by_its_id() -> None:
    ended = experiment(state=State.FAILED, best_accuracy=0.5)
    assert conf_of(ended) == {"resume": ended.id}


@pytest.mark.parametrize(
    ("state", "asked"),
    [
        (State.ROUNDS_USED_UP, {"max_rounds": 8}),
        (State.PATIENCE_USED_UP, {"patience": 6}),
        (State.HOURS_USED_UP, {"max_hours": 4.0}),
        (State.REACHED, {"target_accuracy": 0.95}),
    ],
)
def test_going_on_asks_for_more_of_what_was_used_up(state: State, asked: dict[str, float]) -> None:
    settings = ScriptSettings(target_accuracy=0.9, max_rounds=4, patience=3, max_hours=2.0)
    ended = experiment(state=state, settings=settings, best_accuracy=0.9)
    assert conf_of(ended) == {"ref": ended.commit, "script": ended.script, **asked}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"round": 2, "best_accuracy": 0.5}, "Round 2 is under way; best so far 0.5000 of 0.9."),
        ({"round": 0}, "Round 0 is under way; target 0.9."),
        ({"state": State.FAILED, "reason": "it broke"}, "Failed: it broke."),
        ({"state": State.REACHED, "best_accuracy": 0.95}, "best accuracy 0.9500, target 0.9."),
    ],
)
def test_the_headline_says_where_it_stands(changes: dict[str, object], said: str) -> None:
    assert said in story.headline(story_of(**changes))
