"""Starts many short trainings cheaply, kills them at an exact batch, and compares how they end.

The libraries are imported once, in a process that forks one for each attempt: what an attempt
leaves to the next one lies in its folders, as ever. `tests.chaos.storm` does the same with whole
containers.
"""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.trainer.lab import SCRIPTS, Case, Lab, Training

FOLDER = SCRIPTS / "resume"
KILLED = -9
TIMED = ("seconds", "attempt")  # columns of history.csv that two runs need not share


class Warm:
    """A process in a lab's container that forks trainings.

    Args:
        lab: Where it runs.
        environment: Variables of all its trainings.
    """

    def __init__(self, lab: Lab, environment: dict[str, str] | None = None) -> None:
        self.lab = lab
        self.environment = environment or {}
        command = ["docker", "exec", "-i"]
        for name, value in {"PUSHTRAIN_CPUS": "1", **self.environment}.items():
            command += ["-e", f"{name}={value}"]
        command += ["-e", "TF_CPP_MIN_LOG_LEVEL=2", lab.container, "python", "-P", "-c"]
        command.append((FOLDER / "fork_server.py").read_text())
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._wait_for_line()

    def _wait_for_line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the process that forks trainings has ended"
        return line

    def case(self, script: str, text: str | None = None) -> WarmCase:
        """Return a round with a script of `scripts/resume`, or with `text` under that name."""
        plain = self.lab.case()
        case = WarmCase(plain.lab, plain.folder, warm=self, script=script)
        source = FOLDER / script
        case.add(script, text if text is not None else source.read_text())
        case.add("shown.py", (FOLDER / "shown.py").read_text())
        return case

    def run(self, order: dict[str, Any]) -> int:
        """Start a training and return its exit code, negative for a signal."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._wait_for_line())

    def close(self) -> None:
        """End the process; nothing runs in it between two trainings."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


@dataclass
class WarmCase(Case):
    """A round whose attempts are forked; `attempts` counts them."""

    warm: Any = None
    script: str = ""
    attempts: int = 0

    def attempt(
        self, *, kill: tuple[int, int] | None = None, checkpoint_seconds: float = 60
    ) -> Training:
        """Start the next attempt.

        Args:
            kill: See `scripts/resume/fork_server.py`.
            checkpoint_seconds: Between two saves inside an epoch.
        """
        self.attempts += 1
        inside = f"/lab/{self.folder.name}"
        environment = {
            "PUSHTRAIN_OUTPUT": f"{inside}/output",
            "PUSHTRAIN_ATTEMPT": str(self.attempts),
            "PUSHTRAIN_CHECKPOINT_SECONDS": str(checkpoint_seconds),
            **self.environment,
        }
        order = {
            "folder": inside, "environment": environment, "arguments": [self.script], "kill": kill,
        }  # fmt: skip
        code = self.warm.run(order)
        said, errors = ((self.folder / name).read_text() for name in ("stdout", "stderr"))
        return Training(code, said, errors)

    def killed(self, kill: tuple[int, int], checkpoint_seconds: float = 60) -> Training:
        """Start the next attempt, which has to die at `kill`."""
        training = self.attempt(kill=kill, checkpoint_seconds=checkpoint_seconds)
        assert training.code == KILLED, f"not killed: {training.stdout}{training.stderr}"
        return training

    def finished(self) -> Training:
        """Start the next attempt, which has to end well."""
        training = self.attempt()
        assert training.code == 0, training.stdout + training.stderr
        return training

    @property
    def result(self) -> dict[str, Any]:
        return dict(self.record("result.json"))

    @property
    def notes(self) -> str:
        return " | ".join(self.result["notes"])


def outcome(case: Case, training: Training) -> dict[str, Any]:
    """Return all that a training brought, down to the bits, that two equal runs share."""
    said = [s for s in training.stdout.splitlines() if s.startswith(("weights", "history"))]
    said += training.lines("generators")
    result = case.record("result.json")
    names = ("accuracy", "split", "source", "epochs", "parameters", "built")
    return {
        "said": said,
        "result": {name: result[name] for name in names},
        "history": table(case.output),
        "model": weights_in(case.output / "model.keras"),
    }


def table(output: Path) -> list[dict[str, str]]:
    """Return the rows of history.csv without what depends on clock and attempt."""
    with (output / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: row[name] for name in row if name not in TIMED} for row in rows]


def weights_in(model: Path) -> str:
    """Return a digest of the variables in a saved Keras model, the optimizer's included."""
    with zipfile.ZipFile(model) as archive:
        return hashlib.sha256(archive.read("model.weights.h5")).hexdigest()
