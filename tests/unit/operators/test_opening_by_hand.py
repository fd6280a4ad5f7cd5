from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.model_repos import ModelRepo

from pushtrain.adapters.mirror import Mirror
from pushtrain.adapters.records import write_json
from pushtrain.adapters.store import Store
from pushtrain.contract import Result, ScriptSettings, Split, State, Step
from pushtrain.errors import ConfigurationError
from pushtrain.operators.opening import check_allowed, open_named, open_pushed
from pushtrain.rules.request import Request
from pushtrain.settings import Settings

CODE = "from sklearn.neighbors import KNeighborsClassifier\nmodel = KNeighborsClassifier(1)\n"
Ask = Callable[..., list[Step]]


@pytest.fixture
def ask(config: Settings, store: Store, mirror: Mirror) -> Ask:
    def ask_once(ref: str = "", script: str = "", **overrides: Any) -> list[Step]:
        request = Request("manual", ref=ref, script=script, overrides=overrides)
        return open_named(config, store, mirror, request)

    return ask_once


def finish(store: Store, step: Step, state: State, accuracy: float) -> None:
    store.prepare_output(step.experiment, step.round)
    path = store.output_dir(step.experiment, step.round) / "result.json"
    write_json(path, Result(step.attempt, accuracy, Split.TEST).to_dict())
    store.update_experiment(
        step.experiment, state=state, reason="so", best_round=0, best_accuracy=accuracy
    )


def test_without_a_script_all_of_the_head_are_trained(repo: ModelRepo, ask: Ask) -> None:
    repo.commit({"model_src/a.py": CODE})
    commit = repo.commit({"model_src/b.py": CODE})
    assert ask() == [Step(f"a-{commit[:8]}", 0, 1), Step(f"b-{commit[:8]}", 0, 1)]


@pytest.mark.parametrize("name", ["model_src/a.py", "a.py", "./model_src/a.py"])
def test_a_script_may_be_named_from_the_root_or_the_watched_path(
    repo: ModelRepo, ask: Ask, name: str
) -> None:
    commit = repo.commit({"model_src/a.py": CODE, "model_src/b.py": CODE})
    assert ask(script=name) == [Step(f"a-{commit[:8]}", 0, 1)]


def test_a_tag_or_an_old_commit_can_be_trained(repo: ModelRepo, ask: Ask) -> None:
    old = repo.commit({"model_src/a.py": CODE})
    repo.git("tag", "v1")
    repo.commit({"model_src/a.py": CODE + "x = 1\n"})
    assert ask(ref="v1") == ask(ref=old) == ask(ref=old[:8]) == [Step(f"a-{old[:8]}", 0, 1)]


def test_what_a_person_gives_goes_before_the_settings(
    repo: ModelRepo, store: Store, ask: Ask
) -> None:
    text = "[tool.pushtrain]\npatience = 5\ntarget_accuracy = 0.9\n"
    repo.commit({"model_src/a.py": CODE, "pyproject.toml": text})
    settings = store.experiment(ask(target_accuracy=0.99)[0].experiment).settings
    assert (settings.patience, settings.target_accuracy) == (5, 0.99)


@pytest.mark.parametrize(
    ("script", "says"),
    [("c.py", "its scripts are: model_src/a.py"), ("README.md", "its scripts are")],
)
def test_a_script_that_is_not_there_is_refused(
    repo: ModelRepo, ask: Ask, script: str, says: str
) -> None:
    repo.commit({"model_src/a.py": CODE, "README.md": "x"})
    with pytest.raises(ConfigurationError, match=says):
        ask(script=script)


def test_a_ref_without_scripts_is_refused(repo: ModelRepo, ask: Ask) -> None:
    repo.commit({"README.md": "x"})
    with pytest.raises(ConfigurationError, match="has no script under 'model_src'"):
        ask()


def test_an_unknown_ref_is_refused(repo: ModelRepo, ask: Ask) -> None:
    repo.commit({"model_src/a.py": CODE})
    with pytest.raises(ConfigurationError, match="no such branch"):
        ask(ref="nowhere")


@pytest.mark.parametrize(
    "overrides", [{"memory": 10**7}, {"data": ["/etc"]}, {"cpus": 0.0}], ids=str
)
def test_a_wrong_wish_is_refused_and_spoils_no_commit(
    repo: ModelRepo, store: Store, ask: Ask, overrides: dict[str, Any]
) -> None:
    commit = repo.commit({"model_src/a.py": CODE})
    with pytest.raises(ConfigurationError):
        ask(**overrides)
    assert store.experiments() == []
    assert ask() == [Step(f"a-{commit[:8]}", 0, 1)]
    assert not store.experiments()[0].refused


def test_an_experiment_that_runs_is_left_as_it_is(repo: ModelRepo, store: Store, ask: Ask) -> None:
    repo.commit({"model_src/a.py": CODE})
    step = ask()[0]
    before = store.experiment(step.experiment)
    assert ask() == [step]
    assert store.experiment(step.experiment) == before


def test_an_experiment_that_runs_takes_a_new_budget(
    repo: ModelRepo, store: Store, ask: Ask
) -> None:
    repo.commit({"model_src/a.py": CODE})
    step = ask()[0]
    assert ask(max_rounds=20) == [step]
    assert store.experiment(step.experiment).settings.max_rounds == 20


@pytest.mark.parametrize(
    ("state", "wish"),
    [
        (State.REACHED, {"target_accuracy": 0.95}),
        (State.ROUNDS_USED_UP, {"max_rounds": 20}),
        (State.PATIENCE_USED_UP, {"patience": 20}),
        (State.FAILED, {}),
    ],
)
def test_an_experiment_that_ended_goes_on_with_a_larger_budget(
    repo: ModelRepo, store: Store, ask: Ask, state: State, wish: dict[str, Any]
) -> None:
    repo.commit({"model_src/a.py": CODE})
    step = ask()[0]
    finish(store, step, state, 0.9 if state is State.REACHED else 0.5)
    assert ask(**wish) == [dataclasses.replace(step, attempt=2)]
    after = store.experiment(step.experiment)
    assert (after.state, after.reason) == (State.RUNNING, "")
    assert all(getattr(after.settings, name) == value for name, value in wish.items())


def test_an_experiment_that_reached_its_target_is_not_trained_again(
    repo: ModelRepo, store: Store, ask: Ask
) -> None:
    repo.commit({"model_src/a.py": CODE})
    finish(store, ask()[0], State.REACHED, 0.9)
    with pytest.raises(ConfigurationError, match=r"has ended: target reached.*higher target"):
        ask()


def test_an_experiment_that_ended_gets_no_more_than_the_operator_allows(
    repo: ModelRepo, store: Store, ask: Ask
) -> None:
    repo.commit({"model_src/a.py": CODE})
    step = ask()[0]
    finish(store, step, State.FAILED, 0.5)
    with pytest.raises(ConfigurationError, match="the operator allows folders below: none"):
        ask(data=["/etc"])
    assert store.experiment(step.experiment).state is State.FAILED


def test_a_refused_script_stays_refused(
    repo: ModelRepo, config: Settings, store: Store, mirror: Mirror, ask: Ask
) -> None:
    repo.commit({"model_src/a.py": CODE, "pyproject.toml": "[tool.pushtrain]\npatience = 0\n"})
    step = open_pushed(config, store, mirror)[0]
    store.update_experiment(step.experiment, state=State.FAILED)
    with pytest.raises(ConfigurationError, match="was refused"):
        ask()


def test_one_that_has_ended_does_not_stop_the_others(
    repo: ModelRepo, store: Store, ask: Ask
) -> None:
    repo.commit({"model_src/a.py": CODE, "model_src/b.py": CODE})
    first, second = ask()
    finish(store, first, State.REACHED, 0.9)
    assert ask() == [second]


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("/srv/data", True),
        ("/srv/data/", True),
        ("/srv/data/digits", True),
        ("/srv/database", False),
        ("/srv", False),
        ("/srv/data/../../etc", False),
        ("srv/data", False),
        ("", False),
    ],
)
def test_data_lies_below_what_the_operator_allows(folder: str, allowed: bool) -> None:
    config, settings = Settings(allowed_data=("/srv/data",)), ScriptSettings(data=(folder,))
    if allowed:
        assert check_allowed(config, settings) == settings
    else:
        with pytest.raises(ConfigurationError, match="/srv/data"):
            check_allowed(config, settings)


def test_memory_may_be_what_the_operator_allows_and_no_more() -> None:
    config = Settings(max_memory=1000)
    assert check_allowed(config, ScriptSettings(memory=1000)).memory == 1000
    with pytest.raises(ConfigurationError, match="memory = 1001 MiB: the operator allows 1000"):
        check_allowed(config, ScriptSettings(memory=1001))
