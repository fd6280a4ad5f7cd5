"""A container engine of our own: it can be killed while others use the machine's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.leftovers import mounts_below

from pushtrain.local import processes
from pushtrain.local.docker_command import last_lines
from pushtrain.local.engine import SBIN

ANSWER_SECONDS = 60.0
STOP_SECONDS = 30.0


def can_run() -> bool:
    """Tell whether this machine lets us: root starts engines and mounts disks."""
    return os.geteuid() == 0 and _daemon() is not None


def lacking() -> str:
    """Return what this machine lacks for an engine and a disk of our own, empty for nothing."""
    return "" if can_run() else "needs root and dockerd"


def _daemon() -> str | None:
    return shutil.which("dockerd", path=os.environ.get("PATH", "") + SBIN)


class OwnEngine:
    """A second dockerd with containerd and shims of its own; it needs root.

    Its containers have no network, and it has a network namespace of its own: the machine's
    bridges and packet filter are left alone. Images are kept from run to run, containers are not.

    Args:
        data: Where it keeps images and containers; not on an overlay file system.
        runtime: Its sockets, its pid file and its log.
    """

    def __init__(self, data: Path, runtime: Path) -> None:
        self._data = data
        self._runtime = runtime
        self._daemon: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What `docker_url` has to be."""
        return f"unix://{self._runtime / 'engine.sock'}"

    # -------------------------------------------------------------------- life
    def start(self, *, live_restore: bool) -> None:
        """Start it, or start it again, and wait until it answers."""
        self._runtime.mkdir(parents=True, exist_ok=True)
        self._data.mkdir(parents=True, exist_ok=True)
        # the machine's /etc/docker/daemon.json is not for this one
        (self._runtime / "daemon.json").write_text("{}", encoding="utf-8")
        daemon = _daemon()
        assert daemon, "no dockerd: `make engine` installs one"
        # a network namespace of its own: an engine without a bridge removes `docker0`, which is
        # the machine's engine's where they share one
        command = ["unshare", "--net", daemon]
        command += ["--config-file", str(self._runtime / "daemon.json")]
        command += ["--data-root", str(self._data), "--exec-root", str(self._exec_root)]
        command += ["--pidfile", str(self._runtime / "pid"), "--host", self.url]
        command += ["--bridge=none", "--iptables=false", "--ip6tables=false"]
        command += ["--live-restore"] if live_restore else []
        with self._log.open("ab") as sink:
            self._daemon = subprocess.Popen(
                command, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
            )
        deadline = time.monotonic() + ANSWER_SECONDS
        while self.docker("version", check=False).returncode:
            has_time = time.monotonic() < deadline and self._daemon.poll() is None
            assert has_time, f"the engine did not start\n{last_lines(self._log, 20)}"
            time.sleep(processes.POLL_SECONDS)

    def stop(self) -> None:
        """Stop it as `systemctl stop docker` does."""
        assert self._daemon
        self._daemon.terminate()
        self._daemon.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Kill the engine's own process only; containerd ends with it, shims do not."""
        assert self._daemon
        self._daemon.kill()
        self._wait_until_gone()

    def cut_power(self) -> None:
        """Kill engine, containerd, shims and what runs in the containers, all at once.

        What a machine has in memory only is gone, too: mounts, and the folder of sockets.
        """
        # a stopped parent can not report the death of a child that is killed a moment earlier
        for number in (signal.SIGSTOP, signal.SIGKILL):
            processes.send(self.members(), number)
        self._wait_until_gone()
        self._unmount()
        shutil.rmtree(self._exec_root)

    def _wait_until_gone(self) -> None:
        """Wait for the engine and its containerd, which ends with it.

        An engine that starts before that takes the dying one for its own, and waits in vain.
        """
        assert self._daemon
        self._daemon.wait(STOP_SECONDS)
        known = self._exec_root / "containerd" / "containerd.pid"
        pid = int(known.read_text(encoding="utf-8"))
        deadline = time.monotonic() + STOP_SECONDS
        while (processes.PROC / str(pid)).exists():
            assert time.monotonic() < deadline, "containerd outlived its engine"
            time.sleep(processes.POLL_SECONDS)

    def _unmount(self) -> None:
        """Unmount what a killed engine leaves mounted."""
        for folder in (self._runtime, self._data):
            for place in mounts_below(folder):
                subprocess.run(["umount", "--lazy", place], check=True)
        # it mounts its own folder on itself, which nothing but the table of mounts tells
        subprocess.run(["umount", "--lazy", str(self._data)], capture_output=True, check=False)

    def close(self) -> None:
        """Remove all containers and stop it, whatever state it is in."""
        if self._daemon is None or self._daemon.poll() is not None:
            self.start(live_restore=False)
        self.remove_containers()
        self.stop()
        processes.send(self.members(), signal.SIGKILL)
        self._unmount()

    def members(self) -> list[int]:
        """Return the processes of the engine and of its containers."""
        known = list(processes.all_processes())
        mine = {p.pid for p in known if str(self._exec_root) in _command_of(p.pid)}
        while more := {p.pid for p in known if p.parent in mine} - mine:
            mine |= more
        return sorted(mine - {os.getpid()})

    # --------------------------------------------------------------------- use
    def docker(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the docker command on this engine."""
        command = ["docker", "--host", self.url, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=check)

    def load(self, images: Sequence[str]) -> None:
        """Take over from the machine's engine what is not here yet."""
        missing = [i for i in images if self.docker("image", "inspect", i, check=False).returncode]
        if not missing:
            return
        listed = self.docker("images", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
        with subprocess.Popen(["docker", "save", *missing], stdout=subprocess.PIPE) as saved:
            command = ["docker", "--host", self.url, "load"]
            subprocess.run(command, stdin=saved.stdout, capture_output=True, check=True)
        if older := set(listed) - set(images):
            self.docker("rmi", "--force", *older)

    def remove_containers(self) -> None:
        """Remove all containers, running or not."""
        if ids := self.docker("ps", "-aq").stdout.split():
            self.docker("rm", "-f", "-v", *ids)

    @property
    def _exec_root(self) -> Path:
        return self._runtime / "exec"

    @property
    def _log(self) -> Path:
        return self._runtime / "engine.log"


def _command_of(pid: int) -> str:
    try:
        return (processes.PROC / str(pid) / "cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
