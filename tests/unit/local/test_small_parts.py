from __future__ import annotations

import http.server
import socket
import threading
from pathlib import Path

import pytest

from pushtrain.errors import ConfigurationError, OutsideError
from pushtrain.local import docker_command, packages, registry, stages, wipe
from pushtrain.local.airflow_api import AirflowApi, read_password
from pushtrain.local.demo import demo_minutes
from pushtrain.local.free_port import LOCALHOST, is_free, next_free_port
from pushtrain.local.paths import CHECKOUT, Home, current_home
from pushtrain.local.timings import Timings


def test_everything_lies_in_the_checkout_unless_a_home_is_given(monkeypatch, tmp_path):
    monkeypatch.delenv("PUSHTRAIN_HOME", raising=False)
    assert current_home().store == CHECKOUT / ".pushtrain" / "store"
    monkeypatch.setenv("PUSHTRAIN_HOME", str(tmp_path))
    assert current_home().root == tmp_path


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("python:3.11-slim-bookworm", "registry-1.docker.io"),
        ("library/python", "registry-1.docker.io"),
        ("registry.example.com/python:3", "registry.example.com"),
        ("localhost:5000/python", "localhost:5000"),
    ],
)
def test_the_registry_of_an_image_is_known(image, host):
    assert registry.registry_host(image) == host


@pytest.mark.parametrize(("status", "answers"), [(200, True), (401, True), (403, False)])
def test_only_a_registry_counts_as_one(status, answers):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with http.server.HTTPServer((LOCALHOST, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert registry.answers(f"{LOCALHOST}:{server.server_port}") is answers
        server.shutdown()


def test_a_port_without_a_registry_does_not_answer():
    assert registry.answers(f"{LOCALHOST}:{next_free_port(20000)}") is False


def test_the_next_port_is_taken_where_one_is_in_use():
    with socket.socket() as server:
        server.bind((LOCALHOST, 0))
        server.listen()
        used = server.getsockname()[1]
        assert not is_free(used)
        assert next_free_port(used) > used


def test_ports_already_chosen_are_left_out():
    first = next_free_port(21000)
    assert next_free_port(first, taken=[first]) > first


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("ID=debian\n", {"debian"}),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', {"linuxmint", "ubuntu", "debian"}),
        ('ID="fedora"\n', {"fedora"}),
    ],
)
def test_the_distribution_is_read(tmp_path, text, ids):
    (tmp_path / "os-release").write_text(text)
    assert packages.os_ids(tmp_path / "os-release") == ids


def test_timings_keep_order_and_survive_processes(tmp_path):
    first = Timings(tmp_path / "timings.json")
    first.clear()
    with first.stage("one"):
        pass
    Timings(tmp_path / "timings.json").add("two", 2.5)
    assert [name for name, _ in first.stages] == ["one", "two"]
    assert first.total >= 0


def test_a_stage_that_fails_is_timed_too(tmp_path):
    timings = Timings(tmp_path / "timings.json")
    with pytest.raises(OutsideError), timings.stage("broken"):
        raise OutsideError("no")
    assert [name for name, _ in timings.stages] == ["broken"]


@pytest.mark.parametrize("text", ["", "15"])
def test_the_demo_has_fifteen_minutes(text):
    assert demo_minutes(text) == 15


@pytest.mark.parametrize("text", ["0", "-1", "soon"])
def test_a_wrong_time_for_the_demo_is_refused(text):
    with pytest.raises(ConfigurationError, match="PUSHTRAIN_DEMO_MINUTES"):
        demo_minutes(text)


def test_a_failed_stage_is_marked_in_the_table():
    text = stages.table([("lint and types", 2.0), ("unit tests", 3.0)], failed=True)
    assert [line.endswith("FAILED") for line in text.splitlines()] == [False, False, True, False]
    assert "5.0 s" in text


def test_a_failed_command_tells_its_last_lines(tmp_path):
    command = ["sh", "-c", "echo one; echo two >&2; exit 3"]
    with pytest.raises(OutsideError, match=r"(?s)failed with 3.*one.*two"):
        docker_command.run_logged(command, tmp_path / "log")


def test_only_trainings_of_this_store_are_ours(tmp_path):
    def container(source: Path) -> dict[str, object]:
        return {"Mounts": [{"Source": str(source)}]}

    store = tmp_path / "store"
    assert wipe._is_of(container(store / "experiments"), store)
    assert not wipe._is_of(container(tmp_path / "store2"), store)
    assert not wipe._is_of({"Mounts": []}, store)


def test_wiping_a_demo_keeps_the_password_and_the_logs(tmp_path):
    home = Home(tmp_path)
    for folder in (home.airflow / "logs", home.store, home.repo, home.mail, home.logs):
        folder.mkdir(parents=True)
    password = home.airflow / wipe.KEPT_OF_AIRFLOW
    password.write_text('{"admin": "secret"}')
    (home.airflow / "airflow.db").touch()
    wipe.wipe_demo(home)
    assert read_password(home.airflow) == "secret"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["airflow", "logs"]
    assert [p.name for p in home.airflow.iterdir()] == [password.name]


def test_an_airflow_that_is_not_there_is_an_outside_error():
    api = AirflowApi(f"http://{LOCALHOST}:{next_free_port(22000)}")
    with pytest.raises(OutsideError, match="/api/v2/monitor/health"):
        api.sick_parts()


def test_a_password_is_not_shown():
    assert "secret" not in repr(AirflowApi("http://localhost", password="secret"))
