"""Installs the distribution's engine and starts its daemon, with and without systemd."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from pushtrain.errors import OutsideError
from pushtrain.local import docker_command, packages
from pushtrain.local.engine import SBIN, EngineReport, EngineState, check_engine

START_SECONDS = 40.0
PID_FILE = Path("/var/run/docker.pid")
INSTALLABLE = frozenset({EngineState.ABSENT, EngineState.CLI_ONLY, EngineState.NO_CLI})


def bring_up(report: EngineReport, log_folder: Path) -> EngineReport:
    """Install and start an engine if the report calls for it and this machine allows it.

    Returns:
        The new report; the old one, with the reason added, where nothing could be done.
    """
    if report.state not in INSTALLABLE | {EngineState.DOWN}:
        return report
    if os.environ.get("PUSHTRAIN_INSTALL_ENGINE") == "0":
        return _refused(report, "PUSHTRAIN_INSTALL_ENGINE=0 forbids to do it here")
    if os.geteuid() != 0:
        return _refused(report, "it takes root, which you are not")
    try:
        if report.state in INSTALLABLE:
            _install(log_folder / "apt.log")
        if check_engine().state is EngineState.DOWN:
            _start(log_folder / "dockerd.log")
    except OutsideError as err:
        return _refused(check_engine(), str(err))
    return check_engine()


def _refused(report: EngineReport, why: str) -> EngineReport:
    return replace(report, text=f"{report.text} ({why})")


def _install(log: Path) -> None:
    wanted: list[str | tuple[str, ...]] = ["docker.io", "iptables", "ca-certificates", "tini"]
    # Debian 13 splits the command off; Debian and Ubuntu name compose differently
    wanted += [("docker-cli", ""), ("docker-buildx", "")]
    wanted += [("docker-compose-v2", "docker-compose", "")]
    print(f"engine: none here; installing docker.io from the distribution (log: {log})", flush=True)
    packages.install(wanted, log)


def _start(log: Path) -> None:
    if Path("/run/systemd/system").is_dir():
        print("engine: starting it with systemctl", flush=True)
        subprocess.run(["systemctl", "enable", "--now", "docker"], capture_output=True, check=False)
        daemon = None
        where = "journalctl -u docker"
    else:
        print(f"engine: starting dockerd (log: {log})", flush=True)
        daemon = _start_daemon(log)
        where = str(log)
    deadline = time.monotonic() + START_SECONDS
    while check_engine().state is not EngineState.UP:
        if daemon is not None and daemon.poll() is not None:
            end = docker_command.last_lines(log, 1).strip()
            raise OutsideError(f"dockerd ended with {daemon.returncode}: {end}; see {where}")
        if time.monotonic() > deadline:
            raise OutsideError(f"it did not answer in {START_SECONDS:.0f} s: see {where}")
        time.sleep(0.25)


def _start_daemon(log: Path) -> subprocess.Popen[bytes]:
    program = shutil.which("dockerd", path=os.environ.get("PATH", "") + SBIN) or "dockerd"
    _drop_stale_pid_file()
    # --live-restore: trainings go on while the engine is restarted
    with log.open("ab") as sink:
        return subprocess.Popen(
            [program, "--live-restore"],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PATH": os.environ.get("PATH", "") + SBIN},
        )


def _drop_stale_pid_file() -> None:
    """Remove a pid file that a power cut left: dockerd would refuse to start."""
    try:
        pid = PID_FILE.read_text(encoding="utf-8").strip()
        name = Path(f"/proc/{pid}/comm")
        if not name.exists() or "dockerd" not in name.read_text(encoding="utf-8"):
            PID_FILE.unlink()
    except OSError:
        return
