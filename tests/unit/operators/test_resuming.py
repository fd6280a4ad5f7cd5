"""A person has an experiment resumed that was given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.unit.model_repos import ModelRepo
from tests.unit.records import attempt

from pushtrain.adapters.mirror import Mirror
from pushtrain.adapters.store import Store
from pushtrain.contract import Cause, State, Step
from pushtrain.errors import OutsideError
from pushtrain.operators import opening
from pushtrain.operators.fetching import fetch_code
from pushtrain.operators.opening import open_pushed
from pushtrain.rules.request import Request
from pushtrain.settings import Settings

CODE = "from sklearn.neighbors import KNeighborsClassifier\nmodel = KNeighborsClassifier(1)\n"
Failed = Callable[..., Step]


@pytest.fixture
def failed(repo: ModelRepo, config: Settings, store: Store, mirror: Mirror) -> Failed:
    def make(**fields: Any) -> Step:
        repo.commit({"model_src/a.py": CODE})
        (step,) = open_pushed(config, store, mirror)
        for number in (1, 2, 3):
            ended = attempt(number, cause=Cause.KILLED, ended_at=2.0, work=1.0)
            store.save_attempt(step.experiment, 0, ended)
        plain = {"state": State.FAILED, "reason": "so", "settled": True, "attempt": 3}
        return store.update_experiment(step.experiment, **plain | fields).step

    return make


def resume(name: str, **overrides: Any) -> list[Any]:
    return fetch_code(Request("resume", resume=name, overrides=overrides).to_dict())


def test_the_next_attempt_of_the_same_round_is_started(store: Store, failed: Failed) -> None:
    step = failed()
    (run,) = resume(step.experiment)
    assert run["trigger_run_id"] == f"{step.experiment}.r0.a4"
    assert run["conf"] == {"experiment": step.experiment, "round": 0, "attempt": 4}
    experiment = store.experiment(step.experiment)
    assert (experiment.state, experiment.settled, experiment.reason) == (State.RUNNING, False, "")
    assert all(a.forgiven for a in store.attempts(step.experiment, 0))


def test_two_resumes_lead_to_one_run(failed: Failed) -> None:
    step = failed()
    assert resume(step.experiment) == resume(step.experiment)


def test_slow_resume_takes_nothing_from_one_that_was_faster(
    store: Store, failed: Failed, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, plain = failed(), opening.set_aside
    runs: list[Any] = []

    def held_up(store: Store, step: Step) -> None:
        monkeypatch.setattr(opening, "set_aside", plain)
        runs.extend(resume(step.experiment))
        store.save_attempt(step.experiment, 0, attempt(4))
        store.update_experiment(step.experiment, attempt=5)  # it was killed and started again
        plain(store, step)

    monkeypatch.setattr(opening, "set_aside", held_up)
    assert resume(step.experiment)[0]["trigger_run_id"] == f"{step.experiment}.r0.a5"
    assert [run["trigger_run_id"] for run in runs] == [f"{step.experiment}.r0.a4"]
    assert store.attempt(step.experiment, 0, 4) == attempt(4)


def test_it_may_be_given_more_of_what_it_lacked(store: Store, failed: Failed) -> None:
    step = failed()
    resume(step.experiment, memory=4096)
    assert store.experiment(step.experiment).settings.memory == 4096


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"state": State.REACHED}, "did not fail, it has ended: target reached. To go on with "
                                   "more: airflow dags trigger mlops_train --conf "),
        ({"refused": True}, "can not be resumed, its script was refused: so. Change it and push"),
    ],
    ids=["reached", "refused"],
)  # fmt: skip
def test_what_can_not_be_resumed_is_told(
    store: Store, failed: Failed, fields: dict[str, Any], says: str
) -> None:
    step = failed(**fields)
    before = store.experiment(step.experiment)
    with pytest.raises(AirflowFailException, match=says):
        resume(step.experiment)
    assert store.experiment(step.experiment) == before


def test_an_experiment_that_is_not_there_is_told_with_those_that_are(failed: Failed) -> None:
    step = failed()
    says = f"no such experiment; there are: {step.experiment}"
    with pytest.raises(AirflowFailException, match=says):
        resume("b-0123abcd")


def test_what_is_being_given_up_just_now_is_resumed_by_the_retry(
    store: Store, failed: Failed
) -> None:
    step = failed(settled=False)
    with pytest.raises(OutsideError, match="the retry resumes it"):
        resume(step.experiment)
    store.update_experiment(step.experiment, settled=True)
    assert resume(step.experiment)[0]["conf"]["attempt"] == 4


def test_more_than_the_operator_allows_is_refused_and_changes_nothing(
    store: Store, failed: Failed
) -> None:
    step = failed()
    with pytest.raises(AirflowFailException, match="the operator allows 16384"):
        resume(step.experiment, memory=10**6)
    assert store.experiment(step.experiment).state is State.FAILED
    assert not any(a.forgiven for a in store.attempts(step.experiment, 0))
