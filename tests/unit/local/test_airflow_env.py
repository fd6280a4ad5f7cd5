from __future__ import annotations

import json
from pathlib import Path

import pytest

from pushtrain import settings
from pushtrain.errors import OutsideError
from pushtrain.local.airflow_env import (
    Ports,
    Watched,
    airflow_environment,
    fingerprint,
    ports_from,
)
from pushtrain.local.paths import Home
from pushtrain.local.state_file import write_state

PORTS = Ports(api=8080, worker_log=8793, trigger_log=8794)
WATCHED = Watched("file:///models.git", poll_seconds=3, is_local=True)
PREFIX = "AIRFLOW__PUSHTRAIN__"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    write_state(made.state / "images.json", {"ann": "a:1", "cnn": "c:1", "sklearn": "s:1"})
    return made


def test_the_users_own_airflow_leaves_no_trace(home, monkeypatch):
    monkeypatch.setenv("AIRFLOW_HOME", "/home/someone/airflow")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://theirs")
    found = airflow_environment(home, PORTS, WATCHED, None)
    assert found["AIRFLOW_HOME"] == str(home.airflow)
    assert "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" not in found


def test_all_settings_are_ones_that_pushtrain_knows(home):
    found = airflow_environment(home, PORTS, WATCHED, 8025)
    section = {k.removeprefix(PREFIX): v for k, v in found.items() if k.startswith(PREFIX)}
    parsed = settings.parse(section)
    assert parsed.image_ann == "a:1"
    assert parsed.store == str(home.store)
    assert (parsed.allow_file_urls, parsed.push_results) == (True, True)


def test_a_repo_elsewhere_gets_no_push_and_no_file_urls(home):
    elsewhere = Watched("https://git.example.com/models.git")
    found = airflow_environment(home, PORTS, elsewhere, None)
    assert found[f"{PREFIX}PUSH_RESULTS"] == found[f"{PREFIX}ALLOW_FILE_URLS"] == "False"


def test_an_operators_settings_win_unless_they_are_kept_apart(home, monkeypatch):
    monkeypatch.setenv(f"{PREFIX}POLL_SECONDS", "60")
    monkeypatch.setenv("AIRFLOW_CONN_GIT_DEFAULT", '{"conn_type": "git"}')
    found = airflow_environment(home, PORTS, WATCHED, None)
    assert found[f"{PREFIX}POLL_SECONDS"] == "60"
    assert found[f"{PREFIX}GIT_CONN_ID"] == "git_default"
    apart = Watched(WATCHED.repo_url, poll_seconds=3, is_local=True, is_apart=True)
    found = airflow_environment(home, PORTS, apart, None)
    assert found[f"{PREFIX}POLL_SECONDS"] == "3"
    assert "AIRFLOW_CONN_GIT_DEFAULT" not in found


def test_the_mail_connection_leads_to_the_mailbox(home):
    found = airflow_environment(home, PORTS, WATCHED, 8025)
    connection = json.loads(found["AIRFLOW_CONN_SMTP_DEFAULT"])
    assert (connection["host"], connection["port"]) == ("127.0.0.1", 8025)
    assert "AIRFLOW_CONN_SMTP_DEFAULT" not in airflow_environment(home, PORTS, WATCHED, None)


def test_only_this_machine_can_reach_it(home):
    assert airflow_environment(home, PORTS, WATCHED, None)["AIRFLOW__API__HOST"] == "127.0.0.1"


def test_missing_images_are_named(tmp_path):
    with pytest.raises(OutsideError, match="make images"):
        airflow_environment(Home(tmp_path), PORTS, WATCHED, None)


def test_a_changed_setting_changes_the_fingerprint_and_other_variables_do_not(home):
    found = airflow_environment(home, PORTS, WATCHED, None)
    assert fingerprint(found) == fingerprint({**found, "SHLVL": "9"})
    assert fingerprint(found) != fingerprint({**found, "AIRFLOW__API__PORT": "1"})


@pytest.mark.parametrize("state", [{}, {"api": 1}, {"api": "x", "worker_log": 1, "trigger_log": 2}])
def test_incomplete_ports_are_none(state):
    assert ports_from(state) is None


def test_ports_are_read_back():
    assert ports_from({"api": 8080, "worker_log": 8793, "trigger_log": 8794, "pid": 1}) == PORTS
