from __future__ import annotations

import asyncio
import inspect
import json
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from airflow.triggers.base import BaseTrigger
from tests.unit.model_repos import ModelRepo

from pushtrain.triggers.push import PushTrigger
from pushtrain.triggers.trainings import TrainingsTrigger

PUSH: dict[str, Any] = {
    "repo_url": "https://example.com/m.git",
    "branch": "main",
    "known": "c0ffee",
    "deadline": 5.5,
    "poll_seconds": 15.0,
    "git_conn_id": "",
    "allow_files": False,
}
TRAININGS: dict[str, Any] = {
    "store": "/store",
    "deadline": 5.5,
    "poll_seconds": 3.0,
    "watch_seconds": 0.5,
    "limits": {"startup_seconds": 1.0, "hang_factor": 2.0},
    "restart_limit": 3,
}
TRIGGERS = [(PushTrigger, PUSH), (TrainingsTrigger, TRAININGS)]


@pytest.mark.parametrize(("kind", "arguments"), TRIGGERS, ids=["push", "trainings"])
def test_serialize_gives_what_init_takes(
    kind: type[BaseTrigger], arguments: dict[str, Any]
) -> None:
    path, serialized = kind(**arguments).serialize()
    assert set(serialized) == set(inspect.signature(kind.__init__).parameters) - {"self"}
    assert json.loads(json.dumps(serialized)) == arguments
    module, name = path.rsplit(".", 1)
    assert getattr(import_module(module), name) is kind


@pytest.fixture
def repo(tmp_path: Path) -> ModelRepo:
    return ModelRepo(tmp_path / "models")


def events(trigger: BaseTrigger, meanwhile: Callable[[], None] | None = None) -> list[Any]:
    """Return the payloads that a trigger fires, doing something once it waits."""

    async def collect() -> list[Any]:
        async def fire() -> list[Any]:
            return [event.payload async for event in trigger.run()]

        task = asyncio.create_task(fire())
        if meanwhile:
            await asyncio.to_thread(meanwhile)
        return await asyncio.wait_for(task, 20)

    return asyncio.run(collect())


def watching(repo_url: str, *, known: str = "", seconds: float = 10.0) -> PushTrigger:
    given = {"repo_url": repo_url, "known": known, "deadline": time.time() + seconds}
    return PushTrigger(**PUSH | given | {"poll_seconds": 0.05, "allow_files": True})


def test_a_head_that_is_not_known_fires_at_once(repo: ModelRepo) -> None:
    commit = repo.commit({"a.py": "1\n"})
    assert events(watching(repo.url)) == [{"commit": commit}]


def test_a_push_fires(repo: ModelRepo) -> None:
    first = repo.commit({"a.py": "1\n"})
    pushed: list[str] = []

    def push() -> None:
        pushed.append(repo.commit({"a.py": "2\n"}))

    assert events(watching(repo.url, known=first), push) == [{"commit": pushed[0]}]


def test_without_a_push_the_window_ends(repo: ModelRepo) -> None:
    commit = repo.commit({"a.py": "1\n"})
    assert events(watching(repo.url, known=commit, seconds=0.2)) == [{"commit": None}]


def test_a_branch_that_does_not_exist_yet_is_waited_for(repo: ModelRepo) -> None:
    assert events(watching(repo.url, seconds=0.2)) == [{"commit": None}]


def test_after_its_deadline_it_asks_once(repo: ModelRepo) -> None:
    commit = repo.commit({"a.py": "1\n"})
    assert events(watching(repo.url, seconds=-100)) == [{"commit": commit}]
    assert events(watching(repo.url, known=commit, seconds=-100)) == [{"commit": None}]


def test_a_repo_that_can_not_be_reached_is_a_passing_fault(tmp_path: Path) -> None:
    made: list[str] = []

    def appear() -> None:
        repo = ModelRepo(tmp_path / "late")
        made.append(repo.commit({"a.py": "1\n"}))

    assert events(watching(f"file://{tmp_path}/late"), appear) == [{"commit": made[0]}]


def test_a_repo_that_never_comes_back_ends_with_the_window(tmp_path: Path) -> None:
    trigger = watching(f"file://{tmp_path}/nothing", seconds=0.2)
    assert events(trigger) == [{"commit": None}]


def test_refs_of_our_own_do_not_fire(repo: ModelRepo) -> None:
    commit = repo.commit({"a.py": "1\n"})

    def push() -> None:
        repo.git("branch", "pushtrain/a")
        repo.git("switch", "--quiet", "-c", "side")
        repo.commit({"a.py": "2\n"})

    assert events(watching(repo.url, known=commit, seconds=0.5), push) == [{"commit": None}]


def test_a_trigger_that_is_cancelled_leaves_no_git_behind(repo: ModelRepo) -> None:
    commit = repo.commit({"a.py": "1\n"})

    async def cancelled() -> None:
        trigger = watching(repo.url, known=commit)
        task = asyncio.create_task(anext(trigger.run()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
