"""The commands that look at what was trained: `status`, `show` and `logs`; they read the store."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import time
from pathlib import Path

from rich.console import Console

from pushtrain.adapters.experiment_reading import ExperimentReader
from pushtrain.adapters.store import Store
from pushtrain.commands.experiment_printing import print_experiment, print_list
from pushtrain.contract import State
from pushtrain.details import ExperimentDetails, RoundDetails
from pushtrain.errors import ConfigurationError
from pushtrain.pages.listing import Query, list_experiments

# as Airflow's processes are told of it (settings.py)
OPTION_STORE = "AIRFLOW__PUSHTRAIN__STORE"
_HOME = "PUSHTRAIN_HOME"


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to a command line; each sets `run` to what takes the arguments."""
    status = commands.add_parser("status", help="the experiments, those under way first")
    status.set_defaults(run=_status)
    status.add_argument("text", nargs="*", help="words that script, commit or author must have")
    status.add_argument(
        "--state", choices=[str(s) for s in State], metavar="STATE", help=", ".join(State)
    )
    show = commands.add_parser("show", help="one experiment: rounds, reasons, diffs, incidents")
    show.set_defaults(run=_show)
    logs = commands.add_parser("logs", help="the last lines that a training printed")
    logs.set_defaults(run=_logs)
    logs.add_argument("--round", type=int, metavar="N", help="default: the last one")
    for command in (show, logs):
        command.add_argument("experiment", metavar="EXPERIMENT", help="its id, or how it begins")
    for command in (status, show, logs):
        command.add_argument("--json", action="store_true", help="print JSON for programs")
        command.add_argument("--store", type=Path, metavar="FOLDER",
                             help=f"default: ${OPTION_STORE}, else that of `make up`")  # fmt: skip


def _status(given: argparse.Namespace) -> int:
    reader = _reader(given)
    experiments, damaged = reader.experiments()
    state = State(given.state) if given.state else None
    found = list_experiments(experiments, Query(" ".join(given.text), state), size=None)
    if given.json:
        _print_json([e.to_dict() for e in found.experiments])
    else:
        accuracies = {e.id: reader.accuracies(e.id) for e in found.experiments}
        ends = reader.ends_by_cause(found.experiments)
        print_list(found.experiments, accuracies, damaged, ends, Console())
    return 0


def _show(given: argparse.Namespace) -> int:
    details = _details(given)
    if given.json:
        _print_json(
            {
                "experiment": details.experiment.to_dict(),
                "rounds": [_round_record(one) for one in details.rounds],
                "refusals": [r.to_dict() for r in details.refusals],
            }
        )
    else:
        print_experiment(details, time.time(), Console())
    return 0


def _logs(given: argparse.Namespace) -> int:
    details = _details(given)
    numbers = [one.number for one in details.rounds]
    number = given.round if given.round is not None else (numbers[-1] if numbers else 0)
    one = details.round(number)
    if one is None:
        there = ", ".join(map(str, numbers)) or "none yet"
        raise ConfigurationError(f"round {number} was not started; there are: {there}")
    if given.json:
        _print_json({"round": number, "lines": one.last_lines.splitlines()})
    elif one.last_lines:
        print(one.last_lines, end="")
    else:
        print(f"round {number} has left no log yet: its lines are in Airflow while it trains")
    return 0


def _reader(given: argparse.Namespace) -> ExperimentReader:
    folder = given.store or os.environ.get(OPTION_STORE) or _embedded_store()
    if not (Path(folder) / "experiments").is_dir():
        raise ConfigurationError(
            f"{folder} is no store with experiments: give --store FOLDER or set {OPTION_STORE}"
        )
    return ExperimentReader(Store(Path(folder)))


def _embedded_store() -> Path:
    return Path(os.environ.get(_HOME) or ".pushtrain") / "store"


def _details(given: argparse.Namespace) -> ExperimentDetails:
    """Return the experiment whose id begins as asked for.

    Raises:
        ConfigurationError: There is none, or more than one.
    """
    reader = _reader(given)
    known = sorted(e.id for e in reader.experiments()[0])
    wanted = given.experiment
    found = [wanted] if wanted in known else [name for name in known if name.startswith(wanted)]
    if len(found) == 1:
        return reader.details(found[0])
    if found:
        raise ConfigurationError(f"{wanted!r} is the beginning of {', '.join(found)}: give more")
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4) or known[-5:]
    raise ConfigurationError(f"no experiment {wanted!r}; there are: {', '.join(near) or 'none'}")


def _round_record(one: RoundDetails) -> dict[str, object]:
    return {
        "outcome": one.outcome.to_dict(),
        "tweak": one.tweak.to_dict() if one.tweak else None,
        "attempts": [a.to_dict() for a in one.attempts],
        "diff": one.diff,
        "damage": list(one.damage),
    }


def _print_json(data: object) -> None:
    print(json.dumps(data, indent=2))
