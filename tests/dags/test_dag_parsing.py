from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ["mlops_train.py", "mlops_monitor.py"]

BUSY = """
import subprocess
from airflow.sdk import DAG
open({file!r}, "a").close()
subprocess.run(["true"])
with DAG("busy") as dag:
    pass
"""

# Parses each file in a fork of a process that has Airflow loaded but no provider, as the
# dag-processor does: what the file itself costs and does is measured, its imports included.
PROBE = """
import json, os, sys, time
import airflow.dag_processing.processor
from airflow.dag_processing.dagbag import DagBag
store, *files = sys.argv[1:]
WORK = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect",
        "socket.getaddrinfo", "sqlite3.connect", "os.mkdir", "os.rename", "os.remove")
work = []
def hook(event, arguments):
    if event in WORK or (event == "open" and str(arguments[0]).startswith(store)):
        work.append([event, repr(arguments)[:200]])
for file in files:
    sys.stdout.flush()
    if os.fork():
        os.wait()
        continue
    sys.addaudithook(hook)
    start = time.process_time()
    bag = DagBag(file)
    seconds = time.process_time() - start
    errors = list(bag.import_errors.values())
    print("PARSED", json.dumps([file, seconds, work, sorted(bag.dag_ids), errors]), flush=True)
    os._exit(0)
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def parsed(store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Return CPU seconds, forbidden events, DAG ids and import errors of each file by name."""
    busy = tmp_path_factory.mktemp("dags") / "busy.py"
    busy.write_text(BUSY.format(file=str(store / "x")))
    files = [str(ROOT / "dags" / name) for name in NAMES]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROBE, str(store), *files, str(busy)],
        env=os.environ
        | {"PYTHONPATH": str(ROOT / "plugins"), "AIRFLOW__PUSHTRAIN__STORE": str(store)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = (
        line.removeprefix("PARSED ")
        for line in done.stdout.splitlines()
        if line.startswith("PARSED ")
    )
    return {Path(file).name: values for file, *values in map(json.loads, lines)}


@pytest.mark.parametrize("name", NAMES)
def test_a_dag_file_is_parsed_within_a_second(parsed: dict[str, list[Any]], name: str) -> None:
    seconds, _, ids, errors = parsed[name]
    assert errors == []
    assert ids == [name.removesuffix(".py")]
    assert seconds < 1.0


@pytest.mark.parametrize("name", NAMES)
def test_parsing_does_no_work(parsed: dict[str, list[Any]], name: str) -> None:
    """No process, no network, no database, no file of the store, nothing made or removed."""
    assert parsed[name][1] == []


def test_the_probe_sees_work(parsed: dict[str, list[Any]]) -> None:
    assert {event for event, _ in parsed["busy.py"][1]} >= {"open", "subprocess.Popen"}
