"""The engine adapter with real containers."""

from __future__ import annotations

import dataclasses
import json
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker import APIClient
from docker.errors import NotFound
from tests.unit.records import experiment

from pushtrain.adapters import engine
from pushtrain.adapters.container_ends import ContainerEnd, end_of
from pushtrain.adapters.container_lines import Line, follow, last_lines
from pushtrain.adapters.engine import Bind, ContainerSpec
from pushtrain.adapters.store import Store
from pushtrain.adapters.training_container import round_labels, spec_of
from pushtrain.contract import LABEL_ATTEMPT, Cause, ScriptSettings
from pushtrain.errors import ConfigurationError, OutsideError
from pushtrain.local.base_image import ensure_base
from pushtrain.local.paths import Home
from pushtrain.settings import Settings

pytestmark = pytest.mark.docker

RUN = uuid.uuid4().hex[:8]
Start = Callable[..., str]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    return ensure_base(Home(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def api() -> Iterator[APIClient]:
    client = APIClient(base_url=Settings().docker_url, version="auto")
    yield client
    for record in client.containers(all=True, filters={"label": f"pushtrain.test={RUN}"}):
        engine.remove(client, record["Id"])


def spec(image: str, *command: str, **fields: object) -> ContainerSpec:
    plain = ContainerSpec(
        name=f"pushtrain-test-{uuid.uuid4().hex[:8]}",
        image=image,
        command=command,
        environment={"ONE": "1"},
        labels={"pushtrain.test": RUN},
        user="50000:0",
        binds=(),
        memory_mib=128,
        cpus=0.5,
        pids_limit=32,
        tmp_mib=16,
        working_dir="/",
    )
    return dataclasses.replace(plain, **fields)


@pytest.fixture
def start(api: APIClient, image: str) -> Start:
    def start_one(*command: str, **fields: object) -> str:
        made = engine.create(api, spec(image, *command, **fields))
        api.start(made)
        return made

    return start_one


def lines_of(api: APIClient, container: str) -> list[str]:
    """Follow a container to its end and return what it printed."""
    lines: list[str] = []
    follow(api, container, lines.append)
    return lines


def ended(api: APIClient, container: str) -> ContainerEnd:
    lines_of(api, container)
    return end_of(api, container)


def python(text: str) -> tuple[str, ...]:
    return ("python3", "-c", text)


FACTS = """
import json, os, socket
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
def fails(what):
    try:
        what()
    except OSError as err:
        return err.strerror or str(err)
    return ""
def program():
    with open("/tmp/program", "w") as file:
        file.write("#!/bin/sh\\n")
    os.chmod("/tmp/program", 0o755)
    os.execv("/tmp/program", ["program"])
print(json.dumps({
    "user": [os.getuid(), os.getgid()],
    "capabilities": int(status["CapEff"], 16) | int(status["CapBnd"], 16),
    "no_new_privileges": status["NoNewPrivs"].strip(),
    "interfaces": sorted(os.listdir("/sys/class/net")),
    "connect": fails(lambda: socket.create_connection(("192.0.2.1", 80), 2)),
    "root": fails(lambda: open("/etc/x", "w")),
    "home": fails(lambda: open("/x", "w")),
    "tmp": fails(lambda: open("/tmp/x", "w")),
    "first_process": open("/proc/1/cmdline").read().split("\\0")[0],
    "one": os.environ["ONE"],
    "tmp_bytes": os.statvfs("/tmp").f_blocks * os.statvfs("/tmp").f_frsize,
    "program": fails(program),
}))
"""


@pytest.fixture(scope="module")
def facts(api: APIClient, image: str) -> dict[str, object]:
    """What a training can find out about its cage."""
    made = engine.create(api, spec(image, *python(FACTS)))
    api.start(made)
    found: dict[str, object] = json.loads(lines_of(api, made)[-1])
    return found


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("user", [50000, 0]),
        ("capabilities", 0),
        ("no_new_privileges", "1"),
        ("connect", "Network is unreachable"),
        ("root", "Read-only file system"),
        ("home", "Read-only file system"),
        ("tmp", ""),
        ("program", "Permission denied"),
        ("one", "1"),
        ("tmp_bytes", 16 * 2**20),
    ],
)
def test_a_training_is_locked_in(facts: dict[str, object], fact: str, value: object) -> None:
    assert facts[fact] == value


def test_an_init_reaps_and_passes_signals_on(facts: dict[str, object]) -> None:
    assert "init" in str(facts["first_process"])


def test_without_a_network_there_is_no_interface(facts: dict[str, object]) -> None:
    assert set(facts["interfaces"]) <= {"lo", "tunl0", "sit0", "ip6tnl0"}


def test_with_a_network_there_is_one(api: APIClient, start: Start) -> None:
    made = start("ls", "/sys/class/net", network=True)
    assert "eth0" in lines_of(api, made)


def test_the_memory_limit_is_real(api: APIClient, start: Start) -> None:
    made = start(*python("x = bytearray(500 * 2**20)"), memory_mib=64)
    end = ended(api, made)
    assert (end.cause, end.exit_code) == (Cause.OUT_OF_MEMORY, 137)
    assert end.message == "the memory limit of 64 MiB was hit"


def test_the_limit_of_processes_is_real(api: APIClient, start: Start) -> None:
    text = (
        "import os, time\nn = 0\n"
        "try:\n    while n < 100:\n        if os.fork() == 0: time.sleep(30); os._exit(0)\n"
        "        n += 1\nexcept OSError: pass\nprint(n, flush=True)\n"
    )
    made = start(*python(text), pids_limit=16)
    assert 0 < int(lines_of(api, made)[-1]) < 16


def test_the_limit_of_processors_is_real(api: APIClient, start: Start) -> None:
    text = (
        "import time\nwall, cpu = time.monotonic(), time.process_time()\n"
        "while time.monotonic() - wall < 1.5: pass\n"
        "print((time.process_time() - cpu) / (time.monotonic() - wall))\n"
    )
    made = start(*python(text), cpus=0.25)
    assert float(lines_of(api, made)[-1]) < 0.4


def test_binds_are_read_only_if_asked_for(api: APIClient, start: Start, tmp_path: Path) -> None:
    for name in ("rw", "ro"):
        (tmp_path / name).mkdir(mode=0o777)
        (tmp_path / name).chmod(0o777)
    binds = (Bind(str(tmp_path / "rw"), "/rw"), Bind(str(tmp_path / "ro"), "/ro", read_only=True))
    made = start("sh", "-c", "echo x > /rw/a; echo x > /ro/a; true", binds=binds)
    assert any("Read-only" in line for line in lines_of(api, made))
    assert (tmp_path / "rw" / "a").read_text() == "x\n"
    assert list((tmp_path / "ro").iterdir()) == []


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (0, Cause.FINISHED), (10, Cause.SCRIPT_ERROR), (11, Cause.NO_METRIC),
        (12, Cause.SCRIPT_ERROR), (13, Cause.SUPERSEDED), (1, Cause.KILLED),
        (255, Cause.HOST_LOST),
    ],
)  # fmt: skip
def test_exit_codes_tell_the_cause(api: APIClient, start: Start, code: int, cause: Cause) -> None:
    end = ended(api, start("sh", "-c", f"exit {code}"))
    assert (end.exit_code, end.cause) == (code, cause)
    assert end.message == ("" if code == 0 else f"exit code {code}")


def test_lines_come_while_the_training_runs(api: APIClient, start: Start, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    text = "echo first; while ! test -e /output/go; do sleep 0.05; done; echo second; echo third"
    made = start("sh", "-c", text, binds=(Bind(str(tmp_path), "/output"),))
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if line == "first":  # the container goes on only when this line has come
            (tmp_path / "go").touch()

    follow(api, made, on_line)
    assert lines == ["first", "second", "third"]


def test_the_lines_of_a_training_that_has_ended_can_be_followed(
    api: APIClient, start: Start
) -> None:
    made = start("sh", "-c", "echo out; echo err >&2")
    api.wait(made)
    assert sorted(lines_of(api, made)) == ["err", "out"]
    assert sorted(last_lines(api, made, 10)) == ["err", "out"]
    assert last_lines(api, made, 1) in (["out"], ["err"])


def test_a_training_that_is_killed_is_judged_as_killed(api: APIClient, start: Start) -> None:
    made = start("sh", "-c", "echo up; sleep 600")
    assert follow(api, made, lambda line: engine.kill(api, made)) is Line.HELD
    end = end_of(api, made)
    assert (end.cause, end.exit_code) == (Cause.KILLED, 137)
    assert end.message == "by SIGKILL, exit code 137"
    assert end.tells_memory  # it would have said so
    assert follow(api, made, lambda line: None) is Line.LATE


@pytest.mark.parametrize("name", ["SEGV", "ABRT", "TERM"])
def test_a_program_that_a_signal_ended_is_judged_as_killed(
    api: APIClient, start: Start, name: str
) -> None:
    """It repeats itself often, as a fault in native code does, but not always."""
    end = ended(api, start(*python(f"import os, signal; os.kill(os.getpid(), signal.SIG{name})")))
    code = 128 + signal.Signals[f"SIG{name}"]
    assert (end.cause, end.exit_code) == (Cause.KILLED, code)
    assert end.message == f"by SIG{name}, exit code {code}"


def test_a_training_that_is_removed_is_judged_as_lost(api: APIClient, start: Start) -> None:
    made = start("sh", "-c", "echo up; sleep 600")
    with pytest.raises(NotFound):
        follow(api, made, lambda line: engine.remove(api, made))
    end = end_of(api, made)
    assert (end.cause, end.message) == (Cause.LOST, "the container was removed")
    assert last_lines(api, made, 10) == []


def test_a_training_that_was_never_started_is_lost(api: APIClient, image: str) -> None:
    made = engine.create(api, spec(image, "true"))
    end = end_of(api, made)
    assert end.cause is Cause.LOST
    assert "never started" in end.message


def test_a_training_that_still_runs_is_not_judged(api: APIClient, start: Start) -> None:
    made = start("sleep", "600")
    with pytest.raises(OutsideError, match="still runs"):
        end_of(api, made)
    engine.remove(api, made)


def test_a_container_is_found_by_its_name(api: APIClient, image: str) -> None:
    wanted = spec(image, "true")
    assert engine.find(api, wanted.name) is None
    made = engine.create(api, wanted)
    found = engine.find(api, wanted.name)
    assert found is not None
    assert found["Id"] == made
    assert found["Config"]["Labels"]["pushtrain.test"] == RUN


def test_a_name_is_given_once(api: APIClient, image: str) -> None:
    wanted = spec(image, "true")
    engine.create(api, wanted)
    with pytest.raises(OutsideError, match="already in use"), engine.clear_errors("unix://x"):
        engine.create(api, wanted)


def test_more_processors_than_there_are_is_a_wrong_setting(api: APIClient, image: str) -> None:
    with pytest.raises(ConfigurationError, match="CPUs"), engine.clear_errors("unix://x"):
        engine.create(api, spec(image, "true", cpus=100_000.0))


def test_others_of_the_same_round_are_removed_running_or_not(
    api: APIClient, image: str, start: Start
) -> None:
    labels = {"pushtrain.test": RUN, "pushtrain.round": uuid.uuid4().hex}
    other = {"pushtrain.test": RUN, "pushtrain.round": "another"}
    start("sleep", "600", labels=labels)
    engine.create(api, spec(image, "true", labels=labels))
    kept, foreign = start("sleep", "600", labels=labels), start("sleep", "600", labels=other)
    name = api.inspect_container(kept)["Name"].lstrip("/")
    assert len(engine.remove_others(api, labels, keep=name)) == 2
    assert engine.remove_others(api, labels, keep=name) == []
    assert engine.find(api, foreign) is not None
    assert engine.remove_others(api, labels, keep="") == [name]


def test_containers_of_later_attempts_are_left_alone(api: APIClient, image: str) -> None:
    labels = {"pushtrain.test": RUN, "pushtrain.round": uuid.uuid4().hex}
    marks = [{}, *({LABEL_ATTEMPT: str(number)} for number in (1, 2, 3))]
    made = [engine.create(api, spec(image, "true", labels=labels | mark)) for mark in marks]
    assert len(engine.remove_others(api, labels, keep="", up_to=2)) == 3
    assert engine.find(api, made[3]) is not None
    assert len(engine.remove_others(api, labels, keep="")) == 1


def test_what_is_gone_or_has_ended_can_be_killed_and_removed(api: APIClient, start: Start) -> None:
    made = start("true")
    api.wait(made)
    for _ in range(2):
        engine.kill(api, made)
        engine.remove(api, made)
    assert engine.find(api, made) is None


def test_an_image_that_is_not_there_is_named(api: APIClient, image: str) -> None:
    engine.require_image(api, image)
    with pytest.raises(ConfigurationError, match="'no-such-image:1' is not in the engine: `make"):
        engine.require_image(api, "no-such-image:1")


def test_the_folder_of_a_volume_is_found(api: APIClient) -> None:
    name = f"pushtrain-test-{RUN}"
    api.create_volume(name)
    try:
        assert engine.volume_path(api, name).name == "_data"
    finally:
        api.remove_volume(name)
    with pytest.raises(ConfigurationError, match="has no such volume"):
        engine.volume_path(api, name)


def test_an_engine_that_is_down_says_what_to_do(tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/docker.sock"
    with pytest.raises(OutsideError, match=f"container engine at {url}.*make engine"):
        engine.require_engine(url)
    engine.require_engine(Settings().docker_url)


def test_followers_of_two_containers_do_not_mix(api: APIClient, start: Start) -> None:
    names = ("a", "b")
    made = {n: start("sh", "-c", f"for i in 1 2 3; do echo {n}$i; sleep 0.1; done") for n in names}
    got: dict[str, list[str]] = {}

    def follow(name: str) -> None:
        client = APIClient(base_url=Settings().docker_url, version="auto")
        got[name] = lines_of(client, made[name])

    threads = [threading.Thread(target=follow, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {name: [f"{name}{i}" for i in (1, 2, 3)] for name in names}


def test_a_training_sees_its_two_folders_and_nothing_else_of_the_store(
    api: APIClient, image: str, tmp_path: Path
) -> None:
    store, data = Store(tmp_path / "store"), tmp_path / "data"
    store.begin()
    data.mkdir()
    (data / "digits.csv").write_text("1\n")
    config = Settings(store=str(store.root), allowed_data=(str(tmp_path),))
    made = experiment(settings=ScriptSettings(data=(str(data),), memory=64, cpus=1.4))
    store.create_experiment(made)
    store.prepare_output(made.id, 0)
    source = store.source_dir(made.id, 0)
    source.mkdir()
    (source / "train.py").write_text("")
    wanted = spec_of(api, config, store, made, made.step, image)
    assert wanted.command == (made.script,)
    assert round_labels(config, made.step).items() <= dict(wanted.labels).items()
    text = "id -u; env | grep ^PUSHTRAIN_ | sort; ls /work /output /data/data; touch /output/x"
    labels = {**wanted.labels, "pushtrain.test": RUN}
    wanted = dataclasses.replace(wanted, command=("sh", "-c", text), labels=labels)
    container = engine.create(api, wanted)
    api.start(container)
    lines = lines_of(api, container)
    assert lines[0] == wanted.user.split(":")[0] != "0"
    assert lines[1:5] == [
        "PUSHTRAIN_ATTEMPT=1", "PUSHTRAIN_CHECKPOINT_SECONDS=60.0", "PUSHTRAIN_CPUS=1",
        "PUSHTRAIN_OUTPUT=/output",
    ]  # fmt: skip
    assert {"train.py", "digits.csv"} <= set(lines)
    assert end_of(api, container).cause is Cause.FINISHED
    assert (store.output_dir(made.id, 0) / "x").exists()
    mounted = {m["Destination"] for m in api.inspect_container(container)["Mounts"]}
    assert mounted == {"/work", "/output", "/data/data"}
