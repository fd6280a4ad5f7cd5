from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred
from tests.unit.model_repos import ModelRepo

from pushtrain.adapters.mirror import SEEN_REFS, Mirror, repo_slug
from pushtrain.adapters.store import Store
from pushtrain.contract import Step
from pushtrain.errors import ConfigurationError
from pushtrain.rules.request import PARAMS, Request
from pushtrain.sensors.push import PushSensor, check_request
from pushtrain.settings import Settings
from pushtrain.triggers.push import PushTrigger

# a sensor that is called by hand says so
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelRepo:
    repo = ModelRepo(tmp_path / "models")
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__STORE", str(tmp_path / "store"))
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__REPO_URL", repo.url)
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__ALLOW_FILE_URLS", "true")
    return repo


def context(*, run_type: str = "scheduled", **conf: Any) -> Any:
    """Return what the sensor reads of a run."""
    run = SimpleNamespace(run_type=run_type, conf=conf, run_after=datetime.now(tz=UTC))
    return {"params": dict.fromkeys(PARAMS) | conf, "dag_run": run}


def sensor() -> PushSensor:
    return PushSensor(task_id="wait_for_push", window=timedelta(minutes=10))


def test_a_run_on_the_schedule_waits_without_a_worker(repo: ModelRepo) -> None:
    with pytest.raises(TaskDeferred) as deferred:
        sensor().execute(context())
    trigger = deferred.value.trigger
    assert isinstance(trigger, PushTrigger)
    assert (trigger.repo_url, trigger.branch, trigger.known) == (repo.url, "main", "")
    assert 0 < trigger.deadline - time.time() <= 600
    assert deferred.value.method_name == "on_push"


def test_what_was_seen_before_is_known(repo: ModelRepo, tmp_path: Path) -> None:
    commit = repo.commit({"a.py": "1\n"})
    store = Store(tmp_path / "store")
    store.begin()
    mirror = Mirror(store.mirror_dir(repo_slug(repo.url)), repo.url, allow_files=True)
    mirror.fetch("main")
    mirror.set_ref(SEEN_REFS + "main", commit)
    with pytest.raises(TaskDeferred) as deferred:
        sensor().execute(context())
    assert deferred.value.trigger.known == commit


def test_a_watch_that_is_taken_on_keeps_its_end(repo: ModelRepo) -> None:
    with pytest.raises(TaskDeferred) as deferred:
        sensor().execute(context(run_type="manual", watch_until=5.0))
    assert deferred.value.trigger.deadline == 5.0


def test_without_a_model_repo_there_is_nothing_to_watch(
    repo: ModelRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__REPO_URL", "")
    with pytest.raises(AirflowSkipException, match="repo_url is empty"):
        sensor().execute(context())


@pytest.mark.parametrize("conf", [{}, {"script": "a.py", "target_accuracy": 0.9}], ids=str)
def test_a_run_by_hand_passes_at_once(repo: ModelRepo, conf: dict[str, Any]) -> None:
    request = Request.from_dict(sensor().execute(context(run_type="manual", **conf)))
    assert request.kind == "manual"
    assert request.script == conf.get("script", "")


def test_a_step_passes_at_once(repo: ModelRepo) -> None:
    conf = {"experiment": "a-1", "round": 1, "attempt": 2}
    request = Request.from_dict(sensor().execute(context(run_type="operator_triggered", **conf)))
    assert request.step == Step("a-1", 1, 2)


@pytest.mark.parametrize(
    ("conf", "says"),
    [
        ({"repo_url": "ext::sh -c x"}, "repo_url"),
        ({"ref": "--upload-pack=x"}, "ref"),
        ({"script": "../a.py"}, "script"),
        ({"targt_accuracy": 1}, "did you mean 'target_accuracy'"),
        ({"round": 1}, "belong together"),
    ],
    ids=str,
)
def test_a_bad_request_fails_for_good(repo: ModelRepo, conf: dict[str, Any], says: str) -> None:
    with pytest.raises(AirflowFailException, match=says):
        sensor().execute(context(run_type="manual", **conf))


@pytest.mark.parametrize(
    ("name", "value"),
    [("REPO_URL", "http://example.com/m"), ("POLL_SECONDS", "x"), ("BRANCH", "-x")],
)
def test_a_wrong_setting_fails_for_good(
    repo: ModelRepo, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"AIRFLOW__PUSHTRAIN__{name}", value)
    with pytest.raises(AirflowFailException):
        sensor().execute(context())


def test_a_push_is_passed_on_as_the_request(repo: ModelRepo) -> None:
    record = sensor().on_push(context(), {"commit": "c0ffee"})
    assert Request.from_dict(record).kind == "push"


def test_a_window_without_a_push_is_skipped(repo: ModelRepo) -> None:
    with pytest.raises(AirflowSkipException, match="nothing was pushed"):
        sensor().on_push(context(), {"commit": None})


def test_a_request_falls_back_to_what_is_watched() -> None:
    config = Settings(repo_url="https://example.com/m.git")
    check_request(Request("manual"), config)
    with pytest.raises(ConfigurationError, match="repo_url ''"):
        check_request(Request("manual"), Settings())
