"""`make chaos`: kills everything, says in one table what came of it."""

from __future__ import annotations

import argparse
import fcntl
import random
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import leftovers, runs
from tests.chaos.runner import Runner
from tests.chaos.runs import Run
from tests.chaos.scenario import Scenario
from tests.chaos.scenarios import SCENARIOS, chosen
from tests.chaos.setup import Setup
from tests.chaos.storm import kills_of_each
from tests.chaos.table import Row, slowest, text_table

from pushtrain.local.paths import current_home

SHORT_KILLS, FULL_KILLS = 5, 30


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


def facts(setup: Setup, only: str) -> str:
    """Return date, machine and choices, in one line."""
    form = "short form, each tried once" if setup.short else "full form"
    if only:
        form += f", only {only!r}"
    elif setup.short:
        form += f", without {', '.join(s.name for s in SCENARIOS if not s.short)}"
    kills = f"random kills of each family: {kills_of_each(setup)}"
    return f"{runs.now()}, {runs.machine()}; {form}, {kills}, seed {setup.seed}"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="each scenario once, few kills")
    parser.add_argument("--kills", type=int, help="random kills of the storm")
    parser.add_argument("--seed", type=int, help="chooses the instants")
    parser.add_argument("--only", default="", help="parts of scenarios' names, with commas")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument(
        "--table", type=Path, nargs="+", help="print one table of the files of several runs"
    )
    parser.add_argument("--list", action="store_true", help="name the scenarios, run none")
    return parser.parse_args()


def main() -> int:
    """Run the scenarios; 0 if all of them are good."""
    given = arguments()
    home = current_home()
    try:
        if given.table:
            print(runs.report([runs.read(path) for path in given.table]), end="")
            return 0
        scenarios = chosen(SCENARIOS, short=given.short, only=given.only)
    except (OSError, ValueError) as err:
        print(err, file=sys.stderr)
        return 2
    if given.list:
        print("\n".join(listed(s) for s in scenarios))
        return 0
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    kills = (SHORT_KILLS if given.short else FULL_KILLS) if given.kills is None else given.kills
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    with only_one(home.root):
        folder = home.root / "chaos"
        leftovers.sweep(folder)
        leftovers.mark(folder)
        folder.mkdir()
        setup = Setup(folder, seed=seed, kills=kills, short=given.short)
        about = facts(setup, given.only)
        print(f"chaos: {about}", flush=True)
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        record = given.json or home.logs / f"chaos-{stamp}.json"
        return run_all(setup, scenarios, Report(about, home.root / "chaos.md", record))


def listed(scenario: Scenario) -> str:
    """Return a scenario's name, and what this machine lacks for it."""
    return scenario.name + (f" (not run here: {scenario.lacking})" if scenario.lacking else "")


@dataclass(frozen=True)
class Report:
    """Where a run's outcome goes.

    Attributes:
        about: Date, machine and choices, in one line.
        markdown: For the README.
        record: For `--table`.
    """

    about: str
    markdown: Path
    record: Path

    def write(self, rows: Sequence[Row], seconds: float) -> None:
        """Print the table and write the files."""
        run = Run(f"{self.about}, took {seconds:.0f} s", tuple(rows))
        runs.write(run, self.record)
        self.markdown.write_text(runs.report([run]), encoding="utf-8")
        print(f"\n{text_table(rows)}\n\n{runs.LEGEND}\n\n{run.about}")
        print(f"{slowest(rows)}\n{self.markdown}, {self.record}", flush=True)


def run_all(setup: Setup, scenarios: Sequence[Scenario], report: Report) -> int:
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
    report.write(rows, time.monotonic() - started)
    code = exit_code(rows, short=setup.short)
    if missing := [row.outcome.scenario for row in rows if row.outcome.not_run]:
        print(f"chaos: NOT RUN on this machine: {', '.join(missing)}", flush=True)
    return 130 if was_stopped else code


def exit_code(rows: Sequence[Row], *, short: bool) -> int:
    """Return 0 if all is good; the short form forgives what the machine does not allow."""
    forgiven = [row for row in rows if short and row.outcome.not_run]
    return 0 if all(row.outcome.is_good for row in rows if row not in forgiven) else 1


def close(setup: Setup) -> None:
    """Stop what runs, then remove what is left in spite of that."""
    try:
        setup.close()
    except Exception:  # the sweep takes it away all the same
        traceback.print_exc()
    leftovers.sweep(setup.folder)


if __name__ == "__main__":
    sys.exit(main())
