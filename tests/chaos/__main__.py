"""`make chaos`: kills everything, says in one table what came of it."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.chaos import leftovers
from tests.chaos.scenario import Scenario
from tests.chaos.scenarios import SCENARIOS, chosen
from tests.chaos.setup import Setup
from tests.chaos.table import Row, failed, markdown_table, record, text_table

from pushtrain.local.paths import current_home

SHORT_KILLS, FULL_KILLS = 5, 30
LOOK_SECONDS = 0.5


class Runner:
    """Runs scenarios and keeps their rows in the order of the table."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._rows: dict[str, Row] = {}

    def run(self, scenarios: Sequence[Scenario]) -> None:
        """Run those first that can go side by side, then each of the others alone.

        Those that need no Airflow come last: it is stopped then, for it takes its time from them.
        """
        together = [s for s in scenarios if s.side_by_side]
        threads = [threading.Thread(target=self._run, args=(s,), daemon=True) for s in together]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(LOOK_SECONDS)  # a join could not be interrupted
        alone = [s for s in scenarios if not s.side_by_side]
        self._run_each([s for s in alone if s.needs_airflow])
        self._close_world()
        self._run_each([s for s in alone if not s.needs_airflow])

    def rows(self, scenarios: Sequence[Scenario]) -> list[Row]:
        """Return what there is, in the order of the scenarios."""
        return [self._rows[s.name] for s in scenarios if s.name in self._rows]

    def _close_world(self) -> None:
        try:
            self._setup.close_world()
        except Exception:  # the sweep at the end takes it away all the same
            traceback.print_exc()

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


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Refuse to run beside another run in the same folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "chaos.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"chaos: another `make chaos` runs in {folder}: wait for it")
        yield


def facts(setup: Setup) -> str:
    """Return date, machine and choices, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    day = time.strftime("%Y-%m-%d", time.gmtime())
    kernel = ".".join(platform.release().split(".")[:2])
    form = "short form" if setup.short else "full form"
    return (
        f"{day}, {os.cpu_count()} processors, {memory:.0f} GiB, Linux {kernel}, "
        f"Python {platform.python_version()}; {form}, {setup.kills} random kills, "
        f"seed {setup.seed}"
    )


def write(rows: Sequence[Row], about: str, markdown: Path, machines: Path | None) -> None:
    """Write the files of a run."""
    markdown.write_text(markdown_table(rows, about), encoding="utf-8")
    if machines:
        text = json.dumps(record(rows, about), indent=2, ensure_ascii=False)
        machines.write_text(text + "\n", encoding="utf-8")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="each scenario once, few kills")
    parser.add_argument("--kills", type=int, help="random kills of the storm")
    parser.add_argument("--seed", type=int, help="chooses the instants")
    parser.add_argument("--only", default="", help="parts of scenarios' names, with commas")
    parser.add_argument("--json", type=Path, help="write the rows to this file, too")
    parser.add_argument("--list", action="store_true", help="name the scenarios, run none")
    return parser.parse_args()


def main() -> int:
    """Run the scenarios; 0 if all of them are good."""
    given = arguments()
    try:
        scenarios = chosen(SCENARIOS, short=given.short, only=given.only)
    except ValueError as err:
        print(err, file=sys.stderr)
        return 2
    if given.list:
        print("\n".join(s.name for s in scenarios))
        return 0
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    kills = (SHORT_KILLS if given.short else FULL_KILLS) if given.kills is None else given.kills
    home = current_home().root
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    with only_one(home):
        folder = home / "chaos"
        leftovers.sweep(folder)
        leftovers.mark(folder)
        folder.mkdir()
        setup = Setup(folder, seed=seed, kills=kills, short=given.short)
        print(f"chaos: {facts(setup)}", flush=True)
        return run_all(setup, scenarios, home / "chaos.md", given.json)


def run_all(
    setup: Setup, scenarios: Sequence[Scenario], markdown: Path, machines: Path | None
) -> int:
    """Run, clean up, print the table; also if it is interrupted."""
    runner, was_stopped = Runner(setup), False
    started = time.monotonic()
    try:
        runner.run(scenarios)
    except KeyboardInterrupt:
        was_stopped = True
        print("\nchaos: stopped; cleaning up", flush=True)
    finally:
        close(setup)
    rows = runner.rows(scenarios)
    print(f"\n{text_table(rows)}\n\n{facts(setup)}")
    print(f"took {time.monotonic() - started:.0f} s; {markdown}", flush=True)
    write(rows, facts(setup), markdown, machines)
    if was_stopped:
        return 130
    return 0 if all(row.outcome.is_good for row in rows) else 1


def close(setup: Setup) -> None:
    """Stop what runs, then remove what is left in spite of that."""
    try:
        setup.close()
    except Exception:  # the sweep takes it away all the same
        traceback.print_exc()
    leftovers.sweep(setup.folder)


if __name__ == "__main__":
    sys.exit(main())
