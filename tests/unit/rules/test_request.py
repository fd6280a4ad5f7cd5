from __future__ import annotations

import json
from typing import Any

import pytest

from pushtrain.contract import Step
from pushtrain.errors import ConfigurationError
from pushtrain.rules.request import OVERRIDES, PARAMS, Request, request_of, step_of

NOTHING: dict[str, Any] = dict.fromkeys(PARAMS)


def asked(scheduled: bool = False, **params: Any) -> Request:
    return request_of(params=NOTHING | params, conf=params, scheduled=scheduled, until=9.0)


def test_a_run_on_the_schedule_watches_until_its_window_ends() -> None:
    assert asked(scheduled=True) == Request("push", until=9.0)


def test_a_run_that_follows_a_watch_has_the_rest_of_its_window() -> None:
    assert asked(watch_until=5.0) == Request("push", until=5.0)


def test_a_run_by_hand_without_params_trains_the_head() -> None:
    assert asked() == Request("manual")


def test_a_run_by_hand_carries_what_it_was_given() -> None:
    request = asked(
        script="a.py", ref="v1", repo_url="git@example.com:m", target_accuracy=0.0, network=False
    )
    assert request == Request(
        "manual", repo_url="git@example.com:m", ref="v1", script="a.py",
        overrides={"target_accuracy": 0.0, "network": False},
    )  # fmt: skip


def test_a_run_by_hand_may_resume_an_experiment() -> None:
    assert asked(resume="a-0123abcd", memory=4096) == Request(
        "resume", resume="a-0123abcd", overrides={"memory": 4096}
    )


@pytest.mark.parametrize(
    "other", [{"script": "a.py"}, {"ref": "main"}, {"round": 0}, {"experiment": "a-1"}], ids=str
)
def test_a_resume_names_nothing_else(other: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"leave out {next(iter(other))}"):
        asked(resume="a-0123abcd", **other)


@pytest.mark.parametrize("name", ["../../etc", "a b", "-x"])
def test_a_resume_of_no_id_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is no id of an experiment"):
        asked(resume=name)


def test_a_step_of_the_loop_is_its_step_and_nothing_else() -> None:
    request = asked(experiment="a-1", round=0, attempt=1, script="b.py")
    assert request == Request("step", step=Step("a-1", 0, 1))


@pytest.mark.parametrize("missing", ["round", "attempt"])
def test_a_step_without_one_of_its_parts_is_refused(missing: str) -> None:
    params = {"experiment": "a-1", "round": 0, "attempt": 1, missing: None}
    with pytest.raises(ConfigurationError, match="belong together"):
        asked(**params)


@pytest.mark.parametrize("parts", [{"round": 1}, {"attempt": 1}, {"round": 0, "attempt": 1}])
def test_parts_of_a_step_without_its_experiment_are_refused(parts: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match="belong together"):
        asked(**parts)


@pytest.mark.parametrize("name", ["../../etc", "a/b", "-x", "a b", ".."])
def test_an_experiment_that_is_no_id_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="experiment"):
        asked(experiment=name, round=0, attempt=1)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("target", "no param"),
        ("target_acuracy", "did you mean 'target_accuracy'"),
        ("x", "allowed"),
    ],
)
def test_unknown_keys_are_refused_with_the_near_match(key: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        request_of(params=NOTHING, conf={key: 1}, scheduled=False, until=0.0)


def test_the_allowed_keys_are_those_for_people() -> None:
    with pytest.raises(ConfigurationError) as caught:
        request_of(params=NOTHING, conf={"zzz": 1}, scheduled=False, until=0.0)
    said = str(caught.value)
    assert all(name in said for name in (*OVERRIDES, "script", "ref", "repo_url"))
    assert "watch_until" not in said


@pytest.mark.parametrize(
    "request_made",
    [
        Request("push", until=5.5),
        Request("step", step=Step("a-1", 2, 3)),
        Request("manual", ref="v1", script="a.py", overrides={"data": ["/d"], "cpus": 0.5}),
    ],
    ids=lambda r: r.kind,
)
def test_a_request_survives_json(request_made: Request) -> None:
    again = Request.from_dict(json.loads(json.dumps(request_made.to_dict())))
    assert again == request_made


def test_step_of_reads_the_three_params() -> None:
    assert step_of({"experiment": "a-1", "round": 2, "attempt": 3}) == Step("a-1", 2, 3)
