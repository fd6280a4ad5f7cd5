"""Starts a program that outlives this one, finds it again and stops all of it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pushtrain.local import processes
from pushtrain.local.state_file import read_state, write_state

MARK = "PUSHTRAIN_DETACHED"
KILL_SECONDS = 5.0


@dataclass(frozen=True)
class Detached:
    """A program in a session of its own, remembered in a state file.

    All of its processes are found again by that session, or, if one made a session of its own,
    by a mark in the environment that it was started with.

    Attributes:
        name: Names the state file.
        state_file: Holds pid, start and session while it runs, and what `start` was given.
    """

    name: str
    state_file: Path

    def start(self, command: Sequence[str], env: Mapping[str, str], log: Path, **extra: Any) -> int:
        """Start the program, its output added to `log`, and return its pid.

        Args:
            command: Program and arguments.
            env: Its whole environment.
            log: File that its output is added to.
            extra: JSON values to be remembered beside the pid.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as sink:
            child = subprocess.Popen(
                command,
                env={**env, MARK: self._mark},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # a shell that starts us in the background ignores SIGINT, and children inherit it
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
        found = processes.facts(child.pid)
        started = found.started if found else 0
        write_state(self.state_file, {"pid": child.pid, "started": started, **extra})
        return child.pid

    @property
    def _mark(self) -> str:
        return str(self.state_file.resolve())

    @property
    def state(self) -> dict[str, Any]:
        """What was remembered; empty if it was never started or was stopped."""
        return read_state(self.state_file)

    def is_running(self) -> bool:
        """Say whether the program itself lives."""
        state = self.state
        found = processes.facts(int(state.get("pid", 0)))
        return found is not None and found.started == state.get("started")

    def members(self) -> list[int]:
        """Return the pids of all living processes of the program, also without its leader."""
        state = self.state
        leader, since = int(state.get("pid", -1)), int(state.get("started", 0))
        at_leader = processes.facts(leader)
        # another program has the number by now, so the session is not ours either
        is_reused = at_leader is not None and at_leader.started != since
        setting = f"{MARK}={self._mark}"
        return [
            p.pid
            for p in processes.all_processes()
            if p.pid != os.getpid()
            and (
                (p.session == leader and p.started >= since and not is_reused)
                or processes.has_variable(p.pid, setting)
            )
        ]

    def stop(self, grace_seconds: float) -> bool:
        """Stop the program politely, then whatever is left of it.

        Args:
            grace_seconds: Time to end by itself after SIGINT.

        Returns:
            False if nothing of it was running.
        """
        members = self.members()
        if not members:
            self.state_file.unlink(missing_ok=True)
            return False
        if self.is_running():
            processes.send([int(self.state["pid"])], signal.SIGINT)
            self._wait_until_gone(grace_seconds)
        for number in (signal.SIGTERM, signal.SIGKILL):
            if left := self.members():
                processes.send(left, number)
                self._wait_until_gone(KILL_SECONDS)
        self.state_file.unlink(missing_ok=True)
        return True

    def _wait_until_gone(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.members() and time.monotonic() < deadline:
            time.sleep(processes.POLL_SECONDS)
