"""What a training may do in its container, and what it sees there."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from docker import APIClient
from tests.integration.containers import RUN, Start, ended, lines_of, python, spec
from tests.unit.records import experiment

from pushtrain.adapters import engine
from pushtrain.adapters.container_ends import end_of
from pushtrain.adapters.engine import Bind
from pushtrain.adapters.store import Store
from pushtrain.adapters.training_container import round_labels, spec_of
from pushtrain.contract import Cause, ScriptSettings
from pushtrain.settings import Settings

pytestmark = pytest.mark.docker

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
