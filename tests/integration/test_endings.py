"""How a training ends, told apart: a real container for each row of the table.

Each test lets a container end in one way and asks what the attempt is called, what its people are
told, what follows (started again, given up, decided), and that one container was made for it.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException
from docker import APIClient
from tests.integration.training_world import GOOD, HUNGRY, RAISES, RESULT, WAITS, World, run
from tests.system.engine_proxy import EngineProxy

from pushtrain.adapters import engine
from pushtrain.adapters.container_lines import Line, follow
from pushtrain.adapters.training_container import spec_of
from pushtrain.contract import Attempt, Cause, ScriptSettings, State
from pushtrain.errors import OutsideError
from pushtrain.operators import training
from pushtrain.rules.causes import charged, counts, not_charged
from pushtrain.rules.outcomes import deciding_attempt
from pushtrain.settings import Settings, load

pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("ignore::UserWarning")]

DONE, AGAIN, GIVEN_UP = "done", "started again", "given up"

ONE_EPOCH = 'open("/output/history.csv", "w").write("epoch\\n1\\n")\n'
DAMAGED = 'open("/output/result.json", "w").write(\'{"attempt": 1, "accur\')\n'
HELPER_STARVES = RESULT + (
    "if os.fork() == 0:\n    x = bytearray(500 * 2**20)\n"
    "os.wait()\n"
    'error = {"type": "BrokenProcessPool", "message": "it is gone", "file": "a.py", "line": 3}\n'
    'json.dump({"attempt": attempt, "error": error}, open("/output/result.json", "w"))\n'
    "raise SystemExit(10)\n"
)


def raises(kind: str) -> str:
    return RAISES.replace("ValueError", kind).replace("no data", "too big")


def dies_of(name: str) -> str:
    return f"import os, signal\nos.kill(os.getpid(), signal.SIG{name})\n"


@dataclass(frozen=True)
class Row:
    """A way to end, and what is made of it."""

    program: str
    cause: Cause
    message: str
    follows: str


ROWS = {
    "finished": Row(GOOD, Cause.FINISHED, "", DONE),
    "no result": Row(
        "pass\n", Cause.SCRIPT_ERROR, "it ended with exit code 0 but without a result", GIVEN_UP
    ),
    "damaged result": Row(
        DAMAGED, Cause.SCRIPT_ERROR, "it ended with exit code 0 but its result is damaged", GIVEN_UP
    ),
    "script error": Row(RAISES, Cause.SCRIPT_ERROR, "a.py:3: ValueError: no data", GIVEN_UP),
    "script error after progress": Row(
        ONE_EPOCH + RAISES, Cause.SCRIPT_ERROR, "a.py:3: ValueError: no data", AGAIN
    ),
    "out of memory": Row(HUNGRY, Cause.OUT_OF_MEMORY, "the memory limit of 64 MiB was hit", DONE),
    "a helper out of memory": Row(
        HELPER_STARVES,
        Cause.OUT_OF_MEMORY,
        "the memory limit of 64 MiB was hit; a.py:3: BrokenProcessPool: it is gone",
        DONE,
    ),
    "MemoryError": Row(
        raises("MemoryError"),
        Cause.OUT_OF_MEMORY,
        "a.py:3: MemoryError: too big (64 MiB were allowed)",
        DONE,
    ),
    "ResourceExhausted": Row(
        raises("ResourceExhaustedError"),
        Cause.OUT_OF_MEMORY,
        "a.py:3: ResourceExhaustedError: too big (64 MiB were allowed)",
        DONE,
    ),
    "SIGKILL": Row(dies_of("KILL"), Cause.KILLED, "by SIGKILL, exit code 137", AGAIN),
    "SIGTERM": Row(dies_of("TERM"), Cause.KILLED, "by SIGTERM, exit code 143", AGAIN),
    "SIGSEGV": Row(dies_of("SEGV"), Cause.KILLED, "by SIGSEGV, exit code 139", AGAIN),
    "own exit code": Row("raise SystemExit(3)\n", Cause.KILLED, "exit code 3", AGAIN),
    "code of a lost host": Row("raise SystemExit(255)\n", Cause.KILLED, "exit code 255", AGAIN),
}  # fmt: skip


def train(world: World) -> Attempt:
    """Run the training task and return its attempt, however it ended."""
    with contextlib.suppress(AirflowFailException):
        world.run()
    return world.attempt()


def check(world: World, attempt: Attempt, cause: Cause, message: str, follows: str) -> None:
    """Check an attempt that ended, and let the monitor act on it."""
    assert (attempt.cause, attempt.message) == (cause, message)
    assert attempt.ended_at is not None
    counted = counts(world.store.attempts(world.id, 0))
    assert counted == {cause: 1}
    is_free = cause in (Cause.FINISHED, Cause.HOST_LOST)
    assert charged(counted) == ({} if is_free else counted)
    assert not_charged(counted) == (counted if cause is Cause.HOST_LOST else {})
    decided = deciding_attempt(0, [attempt]) is not None
    assert decided == (follows == DONE)
    if not decided:
        world.wait_for_backoff()
        runs, after = world.plan(), world.store.experiment(world.id)
        is_again = follows == AGAIN
        assert [r["trigger_run_id"] for r in runs] == ([world.step(2).run_id] if is_again else [])
        assert (after.state is State.FAILED, after.settled) == (not is_again, not is_again)
        assert after.restarts == int(is_again)
    assert world.made() == [1]


@pytest.mark.parametrize("row", [pytest.param(r, id=name) for name, r in ROWS.items()])
def test_each_end_has_its_name_and_what_follows(world: World, row: Row) -> None:
    world.program(row.program)
    check(world, train(world), row.cause, row.message, row.follows)


def test_an_error_is_kept_with_its_traceback_and_its_last_lines(world: World) -> None:
    text = RAISES.replace('"line": 3', '"line": 3, "traceback": "Traceback: no data"')
    world.program('print("epoch 1")\n' + text)
    train(world)
    world.program(GOOD)  # what comes after it does not take it away
    world.store.update_experiment(world.id, attempt=2)
    assert world.run(2) == 0.9
    kept = world.store.kept_result(world.id, 0, 1)
    assert "Traceback: no data" in kept.read_text()
    assert world.store.attempt_log(world.id, 0, 1).read_text() == "epoch 1\n"


def test_an_error_that_comes_again_without_progress_is_given_up(world: World) -> None:
    world.program(ONE_EPOCH + RAISES)
    train(world)
    assert world.plan()
    with pytest.raises(AirflowFailException, match="script error"):
        world.run(2)
    assert world.plan(2) == []
    assert world.store.experiment(world.id).state is State.FAILED
    assert world.made() == [1, 2]


def test_what_an_engine_that_can_not_tell_killed_at_its_limit_is_out_of_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Podman says 137 and nothing else: what the training held, it said itself."""
    beat = 'said = {"attempt": 1, "at": 1.0, "memory_mib": 63}\n'
    beat += 'json.dump(said, open("/output/heartbeat.json", "w"))\n'
    monkeypatch.setattr("pushtrain.adapters.container_ends._tells_memory", lambda api: False)
    world.program(RESULT + beat + dies_of("KILL"))
    message = "by SIGKILL, exit code 137 (64 MiB were allowed, 63 MiB were held)"
    check(world, train(world), Cause.OUT_OF_MEMORY, message, DONE)


class Task(threading.Thread):
    """The training task of attempt 1, as a worker runs it."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.error: Exception | None = None
        self.is_followed = threading.Event()
        self._operator, self._world = world.operator(), world
        world.monkeypatch.setattr(training, "follow", self._follow)
        self.start()

    def run(self) -> None:
        try:
            run(self._operator, self._world.step())
        except Exception as err:
            self.error = err

    def end(self) -> Attempt:
        self.join(90)
        assert not self.is_alive()
        return self._world.attempt()

    def _follow(self, api: APIClient, container: str, on_line: Callable[[str], None]) -> Line:
        def tell(line: str) -> None:
            on_line(line)
            self.is_followed.set()

        return follow(api, container, tell)


def test_a_container_that_was_removed_is_lost(world: World) -> None:
    world.program(WAITS)
    task = Task(world)
    engine.remove(world.api, world.running()["Id"])
    attempt = task.end()
    assert attempt.exit_code is None
    check(world, attempt, Cause.LOST, "the container was removed", AGAIN)


def test_a_container_that_went_down_with_its_host_is_not_charged(world: World, image: str) -> None:
    """The engine calls 255 what it finds dead when it starts; nobody saw it end."""
    world.program("raise SystemExit(255)\n")
    store, config = world.store, load()
    spec = spec_of(world.api, config, store, store.experiment(world.id), world.step(), image)
    made = engine.create(world.api, spec)
    world.api.start(made)
    world.api.wait(made)
    check(world, train(world), Cause.HOST_LOST, "exit code 255", AGAIN)


def test_a_gpu_that_the_engine_can_not_give_is_given_up_at_once(world: World) -> None:
    if "nvidia" in world.api.info()["Runtimes"]:
        pytest.skip("this engine gives GPUs")
    world.store.update_experiment(world.id, settings=ScriptSettings(memory=64, gpus=1))
    world.program(GOOD)
    attempt = train(world)
    assert attempt.message.startswith("gpus = 1, but the container engine has no GPU runtime:")
    check(world, attempt, Cause.SCRIPT_ERROR, attempt.message, GIVEN_UP)


def test_a_start_that_the_engine_refuses_is_charged(world: World, image: str) -> None:
    world.program(GOOD)
    store, config, step = world.store, load(), world.step()
    spec = spec_of(world.api, config, store, store.experiment(world.id), step, image)
    made = engine.create(world.api, spec)
    # its engine was away when it was to be started; now it is there, and refuses
    away = Attempt(1, step.run_id, spec.name, image, "", 1.0, made, cause=Cause.HOST_LOST)
    store.save_attempt(world.id, 0, away)
    shutil.rmtree(store.source_dir(world.id, 0))
    attempt = train(world)
    assert attempt.message.startswith("its container was made but never started: ")
    assert str(store.source_dir(world.id, 0)) in attempt.message, "the engine's own words"
    check(world, attempt, Cause.LOST, attempt.message, AGAIN)


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineProxy]:
    proxy = EngineProxy(tmp_path / "engine.sock", Settings().docker_url.removeprefix("unix:/"))
    proxy.start()
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__DOCKER_URL", proxy.url)
    yield proxy
    proxy.close()


def test_a_container_that_went_down_with_its_engine_is_not_charged(
    world: World, proxy: EngineProxy
) -> None:
    world.program(WAITS)
    task = Task(world)
    container = world.running()["Id"]
    task.is_followed.wait(60)
    proxy.stop()
    engine.kill(world.api, container)
    proxy.start()
    message = "the container engine went away and ended it, by SIGKILL, exit code 137"
    check(world, task.end(), Cause.HOST_LOST, message, AGAIN)


def test_a_container_that_an_engine_ended_as_it_was_stopped_is_not_charged(
    world: World, proxy: EngineProxy
) -> None:
    """It lets nobody in any more, ends its containers, and answers who is connected until then."""
    world.program(WAITS)
    task = Task(world)
    task.is_followed.wait(60)
    proxy.let_nobody_in()
    engine.send_signal(world.api, world.running()["Id"], "SIGTERM")
    attempt = task.end()
    proxy.start()
    message = "the container engine went away and ended it, by SIGTERM, exit code 143"
    check(world, attempt, Cause.HOST_LOST, message, AGAIN)


def test_a_training_that_outlives_its_engine_goes_on(world: World, proxy: EngineProxy) -> None:
    world.program(WAITS + GOOD)
    task = Task(world)
    task.is_followed.wait(60)
    proxy.stop()
    proxy.start()
    (world.store.output_dir(world.id, 0) / "go").touch()
    check(world, task.end(), Cause.FINISHED, "", DONE)


def test_an_engine_that_is_away_for_long_is_met_again(
    world: World, proxy: EngineProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pushtrain.adapters.container_lines._PATIENCE_SECONDS", 0.0)
    world.program(WAITS)
    task = Task(world)
    container = world.running()["Id"]
    task.is_followed.wait(60)
    proxy.stop()
    task.join(60)
    assert isinstance(task.error, OutsideError)  # so Airflow's retry comes back
    assert world.attempt().ended_at is None
    engine.kill(world.api, container)
    proxy.start()
    check(world, train(world), Cause.HOST_LOST, "the container engine did not answer", AGAIN)
