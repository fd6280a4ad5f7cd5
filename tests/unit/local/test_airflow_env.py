from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from pushtrain import settings
from pushtrain.errors import OutsideError
from pushtrain.local.airflow_env import (
    NOTICED,
    Ports,
    Watched,
    airflow_environment,
    fingerprint,
    ports_from,
)
from pushtrain.local.paths import CHECKOUT, Home
from pushtrain.local.state_file import write_state

PORTS = Ports(api=8080, worker_log=8793, trigger_log=8794)
WATCHED = Watched("file:///models.git", poll_seconds=3, is_local=True)
PREFIX = "AIRFLOW__PUSHTRAIN__"
HEARTBEAT_SECONDS = 5  # Airflow's default, for tasks, scheduler and triggerer


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


def numbers(environment: Mapping[str, str], section: str) -> dict[str, float]:
    """Return the numeric options of a section of Airflow's settings."""
    prefix = f"AIRFLOW__{section.upper()}__"
    found = {k.removeprefix(prefix).lower(): v for k, v in environment.items() if prefix in k}
    return {k: float(v) for k, v in found.items() if v and v.replace(".", "", 1).isdigit()}


def test_a_dead_worker_is_noticed_within_a_minute_and_a_late_one_is_not_called_dead(home):
    scheduler = numbers(airflow_environment(home, PORTS, WATCHED, None), "scheduler")
    triggerer = numbers(airflow_environment(home, PORTS, WATCHED, None), "triggerer")
    dead_worker = scheduler["task_instance_heartbeat_timeout"]
    dead_scheduler = scheduler["scheduler_health_check_threshold"]
    dead_triggerer = triggerer["triggerer_health_check_threshold"]
    look = scheduler["task_instance_heartbeat_timeout_detection_interval"]
    assert dead_worker + look <= 60
    # its successor starts in between
    assert dead_scheduler + scheduler["orphaned_tasks_check_interval"] <= 60
    assert dead_triggerer <= 60
    assert min(dead_worker, dead_scheduler, dead_triggerer) >= 3 * HEARTBEAT_SECONDS


def test_the_compose_set_up_notices_what_died_as_soon_as_this_one(home):
    compose = yaml.safe_load((CHECKOUT / "docker-compose.airflow.yml").read_text())
    there = compose["x-airflow"]["environment"]
    here = airflow_environment(home, PORTS, WATCHED, None)
    for section, options in NOTICED.items():
        for name in options:
            variable = f"AIRFLOW__{section.upper()}__{name.upper()}"
            assert there[variable] == here[variable], variable
