"""Starts, stops and looks at the embedded Airflow and its mailbox."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

from pushtrain.contract import MONITOR_DAG, TRAIN_DAG
from pushtrain.errors import OutsideError, PushtrainError
from pushtrain.local import mail_catcher
from pushtrain.local.airflow_api import AirflowApi, read_password
from pushtrain.local.airflow_env import (
    USER,
    Ports,
    Watched,
    airflow_environment,
    fingerprint,
    ports_from,
)
from pushtrain.local.airflow_part import airflow_logs
from pushtrain.local.airflow_parts import PARTS, missing_parts, pid_of, process_of
from pushtrain.local.detached import Detached
from pushtrain.local.docker_command import last_lines
from pushtrain.local.free_port import next_free_port
from pushtrain.local.model_repo import model_repo
from pushtrain.local.paths import CHECKOUT, Home, current_home
from pushtrain.local.pool import ensure_pool, wanted_slots
from pushtrain.local.state_file import read_state, write_state

# 15-40 s on two cores; several times that where others use them too
READY_SECONDS = 300.0
# tasks under way get the time to say that they end
STOP_SECONDS = 30.0
LOOK_SECONDS = 0.5
START_TRIES = 3
# a part that is started that often before all are ready will not stay up
PART_TRIES = 3
FIRST_PORTS = Ports(api=8080, worker_log=8793, trigger_log=8794)
DAGS = frozenset({TRAIN_DAG, MONITOR_DAG})


class PortTakenError(OutsideError):
    """Another Airflow answers on the port that was free a moment ago: it refuses our password."""


@dataclass(frozen=True)
class Running:
    """An embedded Airflow that answers."""

    url: str
    password: str

    @property
    def api(self) -> AirflowApi:
        """A client of it."""
        return AirflowApi(self.url, USER, self.password)


def up(home: Home, watched: Watched, *, with_mailbox: bool = True) -> Running:
    """Start Airflow, or find the one that runs; one with other settings is started anew.

    Raises:
        OutsideError: It did not become ready; ends with the last lines of its log.
        ConfigurationError: `PUSHTRAIN_TRAININGS` holds no number.
    """
    slots = wanted_slots(os.environ)
    running = _up(home, watched, with_mailbox=with_mailbox)
    ensure_pool(running.api, slots)
    return running


def _up(home: Home, watched: Watched, *, with_mailbox: bool) -> Running:
    for folder in (home.airflow, home.store, home.datasets, home.mail):
        folder.mkdir(parents=True, exist_ok=True)
    home.make()
    smtp_port = mail_catcher.start_mailbox(home) if with_mailbox else None
    process = process_of(home)
    if ports := _reusable(process, home, watched, smtp_port):
        return _wait_until_ready(home, process, ports)
    for _ in range(START_TRIES):
        process.stop(STOP_SECONDS)
        ports = _choose_ports(home)
        _start(home, process, ports, airflow_environment(home, ports, watched, smtp_port))
        with suppress(PortTakenError):
            return _wait_until_ready(home, process, ports)
        print(f"airflow: port {ports.api} was taken meanwhile; trying others", flush=True)
    raise OutsideError(f"airflow: its ports were taken {START_TRIES} times while it started")


def _reusable(
    process: Detached, home: Home, watched: Watched, smtp_port: int | None
) -> Ports | None:
    """Return the ports of a running Airflow that can stay as it is, None if one must be started."""
    state = process.state
    ports = ports_from(state) if process.is_running() else None
    if ports is None:
        return None
    if state["fingerprint"] != fingerprint(airflow_environment(home, ports, watched, smtp_port)):
        print("airflow: runs with other settings or code; starting it anew", flush=True)
        return None
    return ports


def _start(home: Home, process: Detached, ports: Ports, environment: dict[str, str]) -> None:
    remembered = dataclasses.asdict(ports)
    write_state(home.state / "ports.json", remembered)
    process.start(
        [str(CHECKOUT / ".venv" / "bin" / "python"), "-m", "pushtrain.local.airflow_start"],
        {**environment, "PUSHTRAIN_HOME": str(home.root)},
        home.logs / "airflow.log",
        fingerprint=fingerprint(environment),
        **remembered,
    )


def _choose_ports(home: Home) -> Ports:
    """Return free ports, those of the last time if they are: the page's address stays."""
    wanted = ports_from(read_state(home.state / "ports.json")) or FIRST_PORTS
    taken: list[int] = []
    for port in dataclasses.astuple(wanted):
        taken.append(next_free_port(port, taken))
    return Ports(*taken)


def _wait_until_ready(home: Home, process: Detached, ports: Ports) -> Running:
    deadline = time.monotonic() + READY_SECONDS
    waiting_for = "the api-server"
    started: dict[str, set[int | None]] = {part: {None} for part in PARTS}
    while True:
        for part, pids in started.items():
            pids.add(pid_of(home, part))
        failed = [part for part, pids in started.items() if len(pids) > PART_TRIES]
        if failed or not process.is_running():
            what = f"its {failed[0]}" if failed else "it"
            raise OutsideError(f"airflow: {what} does not stay up\n{_log_end(home)}")
        if time.monotonic() > deadline:
            raise OutsideError(
                f"airflow: not ready after {READY_SECONDS:.0f} s, waited for {waiting_for}\n"
                f"{_log_end(home)}"
            )
        password = read_password(home.airflow, USER)
        if password is not None:
            running = Running(ports.base_url, password)
            waiting_for = _not_ready(running.api)
            if not waiting_for:
                return running
        time.sleep(LOOK_SECONDS)


def _not_ready(api: AirflowApi) -> str:
    """Return what is still missing, empty if nothing is.

    Raises:
        OutsideError: A DAG file can not be read: waiting does not help.
        PortTakenError: Another Airflow answers.
    """
    try:
        api.log_in()
        if sick := api.sick_parts():
            return ", ".join(f"{part} ({state})" for part, state in sick.items())
        api.warm_execution_api()
        missing = DAGS - api.dag_ids()
        errors = api.import_errors() if missing else []
    except OutsideError as err:
        if "HTTP 401" in str(err):
            raise PortTakenError(str(err)) from err
        return str(err)
    if errors:
        raise OutsideError("airflow: DAG files can not be read:\n" + "\n".join(errors))
    return f"the DAGs {', '.join(sorted(missing))}" if missing else ""


def _log_end(home: Home) -> str:
    logs = [log for log in airflow_logs(home) if log.exists()]
    return "\n".join(f"last lines of {log}:\n{last_lines(log, 10)}" for log in logs)


def down(home: Home, grace_seconds: float = STOP_SECONDS) -> None:
    """Stop Airflow and the mailbox; says what was stopped."""
    was_up = process_of(home).stop(grace_seconds)
    mail_catcher.stop_mailbox(home)
    print("airflow: stopped" if was_up else "airflow: was not running")


def status(home: Home) -> int:
    """Print what runs; 0 only if Airflow runs and all of its parts are healthy."""
    process = process_of(home)
    ports = ports_from(process.state)
    port = mail_catcher.mailbox_port(home)
    print(f"mailbox: on port {port}, mails in {home.mail}" if port else "mailbox: not running")
    if not process.is_running() or ports is None:
        left = process.members()
        text = f"airflow: ended, but {len(left)} of its processes are left: say `make up`"
        print(text if left else "airflow: not running")
        return 1
    sick = _sick_parts(home, process, ports)
    for part, state in sick.items():
        print(f"airflow: {part} is not well: {state}: see {home.logs}")
    if not sick:
        print(f"airflow: up on {ports.base_url}, all parts healthy")
    return 1 if sick else 0


def _sick_parts(home: Home, process: Detached, ports: Ports) -> dict[str, str]:
    try:
        api = AirflowApi(ports.base_url, USER, read_password(home.airflow, USER))
        api.log_in()
        sick = api.sick_parts()
    except OutsideError as err:
        return {"api-server": str(err)}
    # health is told by the last sign of life: a part that just died still looks well
    return {**sick, **dict.fromkeys(missing_parts(home), "ended, is started again")}


def watched_by_operator(home: Home) -> Watched:
    """Return what `make up` watches: `PUSHTRAIN_REPO_URL`, else the demo's own repo."""
    if given := os.environ.get("PUSHTRAIN_REPO_URL", ""):
        return Watched(given, is_local=given.startswith("file://"))
    repo = model_repo(home)
    if not repo.exists:
        repo.make()
    return Watched(repo.url, poll_seconds=3, is_local=True)


def describe(home: Home, running: Running, watched: Watched) -> str:
    """Return the lines that tell a person where things are."""
    lines = [
        ("page", f"{running.url}   user {USER}, password {running.password}"),
        ("watches", watched.repo_url),
        ("mails", str(home.mail)),
        ("store", str(home.store)),
        ("logs", str(home.logs)),
    ]
    return "\n".join(f"  {name:<9}{text}" for name, text in lines)


def main() -> int:
    """Run one of the three commands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status"))
    command = parser.parse_args().command
    home = current_home()
    if command == "status":
        return status(home)
    if command == "down":
        down(home)
        return 0
    try:
        watched = watched_by_operator(home)
        own_smtp = "AIRFLOW_CONN_SMTP_DEFAULT" in os.environ
        running = up(home, watched, with_mailbox=not own_smtp)
    except PushtrainError as err:
        print(err, file=sys.stderr)
        return 1
    print(f"airflow: up\n{describe(home, running, watched)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
