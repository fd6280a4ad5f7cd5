"""Asks trainings that hang in the product's own containers where they stand."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker import APIClient
from tests.trainer.lab import Case, image_of

from pushtrain.adapters import engine
from pushtrain.adapters.container_lines import last_lines
from pushtrain.adapters.engine import Bind, ContainerSpec
from pushtrain.contract import STACK_FILE, STACK_SIGNAL
from pushtrain.settings import Settings

SECONDS_AT_MOST = 60

LOCK = """
import threading
lock = threading.Lock()
lock.acquire()

def wait_for_ever():
    print("hanging", flush=True)
    lock.acquire()  # never released

wait_for_ever()
"""
READ = """
import os
def read_nothing():
    reader, writer = os.pipe()
    print("hanging", flush=True)
    os.read(reader, 1)
read_nothing()
"""
FIT = """
import numpy as np
from sklearn.svm import SVC
x = np.random.rand(60000, 30)
model = SVC(C=1e6)
print("hanging", flush=True)
model.fit(x, np.random.randint(0, 2, 60000))
"""
OWN = """
import signal, time
signal.signal(signal.SIGUSR1, lambda *_: print("own handler", flush=True))
print("hanging", flush=True)
for _ in range(600):
    time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def api() -> APIClient:
    return APIClient(base_url=Settings().docker_url, version="auto")


Start = Callable[[str], tuple[str, Path]]


@pytest.fixture
def start(api: APIClient, tmp_path: Path) -> Iterator[Start]:
    """Start a script in a container like a round's, and wait until it says that it hangs."""
    name = f"pushtrain-test-stack-{uuid.uuid4().hex[:8]}"

    def start_one(code: str) -> tuple[str, Path]:
        work, output = tmp_path / "work", tmp_path / "output"
        work.mkdir()
        output.mkdir()
        (work / "hang.py").write_text(code)
        for folder in (tmp_path, work, output):
            os.chmod(folder, 0o777)
        binds = [Bind(str(work), "/work"), Bind(str(output), "/output")]
        trainer = os.environ.get("PUSHTRAIN_LAB_TRAINER")
        if trainer:
            binds.append(Bind(trainer, "/opt/trainer", read_only=True))
        engine.create(api, spec(name, tuple(binds)))
        api.start(name)
        wait(lambda: "hanging" in "".join(last_lines(api, name, 50)))
        return name, output

    yield start_one
    engine.remove(api, name)


def spec(name: str, binds: tuple[Bind, ...]) -> ContainerSpec:
    return ContainerSpec(
        name=name,
        image=image_of("sklearn"),
        command=("hang.py",),
        environment={"PUSHTRAIN_ATTEMPT": "1"},
        labels={},
        user="50000:0",
        binds=binds,
        memory_mib=1024,
        cpus=1.0,
        pids_limit=64,
        tmp_mib=64,
    )


def wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS_AT_MOST
    while not until():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def line_of(code: str, text: str) -> int:
    return next(n for n, line in enumerate(code.splitlines(), 1) if text in line)


@pytest.mark.docker
@pytest.mark.parametrize(
    ("code", "at"),
    [
        pytest.param(LOCK, "lock.acquire()  # never released", id="a lock"),
        pytest.param(READ, "os.read", id="a read that blocks"),
        pytest.param(FIT, "model.fit", id="inside compiled code of a library"),
    ],
)
def test_stack_of_a_hang_names_the_line(api: APIClient, start: Start, code: str, at: str) -> None:
    name, output = start(code)
    stack = output / STACK_FILE
    assert stack.read_text() == ""
    engine_signal(api, name)
    wait(lambda: f'"/work/hang.py", line {line_of(code, at)}' in stack.read_text())
    assert api.inspect_container(name)["State"]["Running"]
    engine_signal(api, name)
    wait(lambda: stack.read_text().count(f"line {line_of(code, at)}") >= 2)


def engine_signal(api: APIClient, name: str) -> None:
    api.kill(name, STACK_SIGNAL)


@pytest.mark.docker
def test_handler_of_the_script_is_left_alone(api: APIClient, start: Start) -> None:
    name, output = start(OWN)
    engine_signal(api, name)
    wait(lambda: "own handler" in "".join(last_lines(api, name, 50)))
    assert (output / STACK_FILE).read_text() == ""


@pytest.mark.docker
def test_nothing_is_left_of_it_after_a_normal_end(sklearn_case: Case) -> None:
    (sklearn_case.output / STACK_FILE).write_text("of an older attempt")
    code = "import os; print('there', os.listdir(os.environ['PUSHTRAIN_OUTPUT']))"
    training = sklearn_case.train(sklearn_case.add("s.py", code), attempt=2)
    assert STACK_FILE in training.lines("there")[0]
    assert not (sklearn_case.output / STACK_FILE).exists()


INSTALLED = """
import os, signal, sys
from pathlib import Path
from pushtrain_trainer import stack_dump
stack_dump.install(Path(sys.argv[1]))
"""


def run(code: str, output: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", INSTALLED + code, str(output)]
    path = Path(__file__).parents[2] / "training_images" / "trainer"
    environment = {**os.environ, "PYTHONPATH": str(path)}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=environment, check=False
    )


def test_forked_process_takes_the_signal_as_without_us(tmp_path: Path) -> None:
    code = """
child = os.fork()
if not child:
    os.kill(os.getpid(), signal.SIGUSR1)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run(code, tmp_path).stdout.split() == ["-10"]
    assert list(tmp_path.iterdir()) == []


def test_forked_process_keeps_the_handler_of_the_script(tmp_path: Path) -> None:
    code = """
signal.signal(signal.SIGUSR1, lambda *_: print("own", flush=True))
child = os.fork()
if not child:
    os.kill(os.getpid(), signal.SIGUSR1)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run(code, tmp_path).stdout.split() == ["own", "0"]


def test_older_attempt_does_not_touch_the_file_of_the_newer(tmp_path: Path) -> None:
    code = """
newer = Path(sys.argv[1], "stack.txt")
newer.unlink()
newer.write_text("")
os.kill(os.getpid(), signal.SIGUSR1)
"""
    assert run(code, tmp_path).returncode == 0
    assert (tmp_path / STACK_FILE).read_text() == ""


@pytest.mark.parametrize("closed", [False, True], ids=["whole", "closed by the script"])
def test_end_is_quiet(tmp_path: Path, closed: bool) -> None:
    done = run("os.closerange(3, 100)" if closed else "", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_folder_that_can_not_be_written_stops_nothing(tmp_path: Path) -> None:
    done = run("print('goes on')", tmp_path / "missing")
    assert done.stdout.splitlines()[-1] == "goes on"
    assert "a hang could not be explained" in done.stdout
