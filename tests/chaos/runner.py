"""Runs scenarios, those side by side that do not disturb each other, and keeps their rows."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence

from tests.chaos.scenario import Scenario
from tests.chaos.setup import Setup
from tests.chaos.table import Row, failed, not_run

LOOK_SECONDS = 0.5
# trainings of one processor each, so that none takes its time from another
MOST_STORMS = 2


class Runner:
    """Runs scenarios and keeps their rows in the order of the table."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._rows: dict[str, Row] = {}

    def run(self, scenarios: Sequence[Scenario]) -> None:
        """Run all of them, in groups.

        The short form runs those with an Airflow of their own beside those that share one: both
        mostly wait. The full form does not, as its seconds are to be those of an idle machine.
        """
        for scenario in scenarios:
            if scenario.lacking:
                self._rows[scenario.name] = Row(not_run(scenario.name, scenario.lacking), 0.0)
        able = [s for s in scenarios if not s.lacking]
        with_airflow = [s for s in able if s.needs_airflow]
        others = [s for s in able if not s.needs_airflow]
        outside = [s for s in others if not s.side_by_side]
        storms = [s for s in others if s.side_by_side]
        together = [s for s in with_airflow if s.side_by_side]
        self._run_side_by_side(together, len(together))
        acts = [
            lambda: self._run_world([s for s in with_airflow if not s.side_by_side]),
            lambda: self._run_each(outside),
        ]
        if self._setup.short:
            _in_threads(acts)
        else:
            for act in acts:
                act()
        if storms:
            self._close(self._setup.close)  # an idle Airflow takes its time from them, too
        self._run_side_by_side(storms, min(MOST_STORMS, os.cpu_count() or 1))

    def rows(self, scenarios: Sequence[Scenario]) -> list[Row]:
        """Return what there is, in the order of the scenarios."""
        return [self._rows[s.name] for s in scenarios if s.name in self._rows]

    def _run_world(self, scenarios: Sequence[Scenario]) -> None:
        """Run those that share an Airflow one after the other, and stop it."""
        self._run_each(scenarios)
        self._close(self._setup.close_world)

    def _close(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:  # the sweep at the end takes it away all the same
            traceback.print_exc()

    def _run_side_by_side(self, scenarios: Sequence[Scenario], at_once: int) -> None:
        waiting = deque(scenarios)

        def work() -> None:
            while waiting:
                try:
                    scenario = waiting.popleft()
                except IndexError:  # another one was quicker
                    return
                self._run(scenario)

        _in_threads([work] * at_once)

    def _run_each(self, scenarios: Sequence[Scenario]) -> None:
        for scenario in scenarios:
            self._prepare(scenario)
        for scenario in scenarios:
            self._run(scenario)

    def _prepare(self, scenario: Scenario) -> None:
        try:
            if scenario.prepare:
                scenario.prepare(self._setup)
        except Exception:  # the scenario itself will fail, and have a row
            self._setup.say(scenario.name, f"was not prepared\n{traceback.format_exc()}")

    def _run(self, scenario: Scenario) -> None:
        started = time.monotonic()
        try:
            outcome = scenario.run(self._setup)
        except Exception as error:  # its row says so, and the next one goes on
            self._setup.say(scenario.name, f"failed\n{traceback.format_exc()}")
            outcome = failed(scenario.name, error)
        row = Row(outcome, time.monotonic() - started)
        self._rows[scenario.name] = row
        how = "good" if outcome.is_good else "NOT GOOD"
        self._setup.say(scenario.name, f"{how}, {row.took:.0f} s")


def _in_threads(acts: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=act, daemon=True) for act in acts]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(LOOK_SECONDS)  # a join could not be interrupted
