"""`make demo`: pushes the examples to a repo of its own and shows how they train until good."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from pushtrain.adapters.store import Store
from pushtrain.errors import ConfigurationError, OutsideError, PushtrainError
from pushtrain.local import report, standalone
from pushtrain.local.airflow_env import Watched
from pushtrain.local.airflow_part import airflow_logs
from pushtrain.local.airflow_parts import process_of
from pushtrain.local.docker_command import last_lines
from pushtrain.local.follow import follow
from pushtrain.local.model_repo import ModelRepo, model_repo
from pushtrain.local.paths import Home, current_home
from pushtrain.local.prepare import timings_of
from pushtrain.local.progress import Progress, read_progress
from pushtrain.local.wipe import wipe_demo

POLL_SECONDS = 3
DEFAULT_MINUTES = 15.0
SENSE_SECONDS = 120.0
MAIL_SECONDS = 20.0
LINE_WIDTH = 140


@dataclass(frozen=True)
class Demo:
    """One demo: its home, where it prints, and how long it may take in all."""

    home: Home
    console: Console
    minutes: float

    def run(self) -> bool:
        """Run it from a clean store to published models; True if every target was reached.

        Raises:
            OutsideError: Something did not come up, or nothing was sensed.
        """
        timings = timings_of(self.home)
        with timings.stage("last demo removed, model repo made"):
            repo = self._start_over()
        watched = Watched(repo.url, POLL_SECONDS, is_local=True, is_apart=True)
        with timings.stage("airflow"):
            running = standalone.up(self.home, watched)
        self._say(f"airflow: up\n{standalone.describe(self.home, running, watched)}")
        scripts = repo.lay_examples()
        commit = repo.commit_and_push(f"Add {len(scripts)} models")
        pushed_at, started = time.time(), time.monotonic()
        self._say(f"pushed {len(scripts)} scripts as {commit[:8]}; Airflow senses it by itself")
        found = self._follow(len(scripts), started)
        self._add_times(found, pushed_at, time.monotonic() - started)
        self._finish(found, len(scripts), running)
        report.print_times(timings.stages, timings.total, self.console)
        return len(found) >= len(scripts) and all(p.is_reached for p in found)

    def _say(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True, markup=False)

    def _start_over(self) -> ModelRepo:
        if self.home.store.exists():
            self._say(f"demo: starting over; removing the last demo's store in {self.home.root}")
        # nothing of it is kept, so nothing has to end well
        standalone.down(self.home, grace_seconds=0)
        wipe_demo(self.home)
        repo = model_repo(self.home)
        repo.make()
        return repo

    def _follow(self, expected: int, started: float) -> list[Progress]:
        store = Store(self.home.store)

        def look() -> Sequence[Progress]:
            found = read_progress(store)
            if not found and time.monotonic() - started > SENSE_SECONDS:
                raise OutsideError(
                    f"the push was not sensed within {SENSE_SECONDS:.0f} s\n{self._evidence()}"
                )
            if not process_of(self.home).is_running():
                raise OutsideError(f"airflow has ended\n{self._evidence()}")
            return found

        return follow(look, expected, started + self.minutes * 60, self.console)

    def _add_times(self, found: Sequence[Progress], pushed_at: float, loop: float) -> None:
        timings = timings_of(self.home)
        starts = [a.started_at for p in found for a in p.attempts]
        if starts:
            first = min(starts) - pushed_at
            timings.add("push to first container", first)
            timings.add("first container to last model", loop - first)

    def _finish(
        self, found: Sequence[Progress], expected: int, running: standalone.Running
    ) -> None:
        mails = self._wait_for_mails(sum(p.is_settled for p in found))
        report.print_results(found, self.home.store, self.console)
        if len(found) < expected or not all(p.is_settled for p in found):
            self._say(
                f"demo: gave up after {self.minutes:.0f} minutes (PUSHTRAIN_DEMO_MINUTES) with "
                f"{len(found)} of {expected} experiments started and "
                f"{sum(not p.is_settled for p in found)} not at their end\n{self._evidence()}"
            )
        self._say(f"  page   {running.url}   user admin, password {running.password}")
        self._say(f"  mails  {self.home.mail} ({mails} received)")

    def _wait_for_mails(self, expected: int) -> int:
        """Wait for one mail an experiment, which is sent just after its end."""
        deadline = time.monotonic() + MAIL_SECONDS
        while True:
            count = len(list(self.home.mail.glob("*.eml")))
            if count >= expected or time.monotonic() > deadline:
                return count
            time.sleep(0.2)

    def _evidence(self) -> str:
        """Return the ends of Airflow's logs and of the task log that was written last."""
        logs = [log for log in airflow_logs(self.home) if log.exists()]
        task_logs = sorted((self.home.airflow / "logs").glob("dag_id=*/**/*.log"), key=_changed)
        logs += task_logs[-1:]
        return "\n".join(f"last lines of {log}:\n{last_lines(log)}" for log in logs)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def demo_minutes(text: str) -> float:
    """Return how long the demo may take.

    Raises:
        ConfigurationError: `text` is no number above 0.
    """
    try:
        minutes = float(text or DEFAULT_MINUTES)
    except ValueError:
        minutes = 0.0
    if minutes <= 0:
        raise ConfigurationError(f"PUSHTRAIN_DEMO_MINUTES is {text!r}: give a number above 0")
    return minutes


def main() -> int:
    """Run the demo; 0 only if every experiment reached its target."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=LINE_WIDTH)  # a log is read on wide screens; rich assumes 80
    try:
        minutes = demo_minutes(os.environ.get("PUSHTRAIN_DEMO_MINUTES", ""))
        return 0 if Demo(current_home(), console, minutes).run() else 1
    except PushtrainError as err:
        print(f"demo: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted; Airflow goes on, `make down` stops it", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
