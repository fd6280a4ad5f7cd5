"""An experiment in a store of its own, for tests that train it in real containers."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker import APIClient
from tests.unit.records import experiment

from pushtrain.adapters import engine
from pushtrain.adapters.store import Store
from pushtrain.adapters.training_container import container_name
from pushtrain.contract import (
    LABEL_ATTEMPT,
    LABEL_EXPERIMENT,
    Attempt,
    Family,
    ScriptSettings,
    Step,
)
from pushtrain.history import Change, Tweak
from pushtrain.operators import training
from pushtrain.operators.restarting import plan_restarts
from pushtrain.operators.training import TrainingOperator
from pushtrain.rules.watch import Finding, Trouble
from pushtrain.settings import load

# Each stands for the trainer in an image; it is the program that the container runs.
RESULT = 'import json, os\nattempt = int(os.environ["PUSHTRAIN_ATTEMPT"])\n'
GOOD = RESULT + (
    'print("epoch 1", flush=True)\n'
    'open("/output/history.csv", "w").write("epoch\\n1\\n")\n'
    'record = {"attempt": attempt, "accuracy": 0.9, "split": "test"}\n'
    'json.dump(record, open("/output/result.json", "w"))\n'
)
RAISES = RESULT + (
    'error = {"type": "ValueError", "message": "no data", "file": "a.py", "line": 3}\n'
    'json.dump({"attempt": attempt, "error": error}, open("/output/result.json", "w"))\n'
    "raise SystemExit(10)\n"
)
HOPELESS = RESULT + (
    'open("/output/history.csv", "w").write("epoch\\n1\\n")\n'
    'notes = ["epoch 1: 0.1, the rounds before had 0.9"]\n'
    'json.dump({"attempt": attempt, "notes": notes}, open("/output/result.json", "w"))\n'
    "raise SystemExit(14)\n"
)
HUNGRY = "x = bytearray(500 * 2**20)\n"
WAITS = (
    "import os, time\nprint('up', flush=True)\n"
    "while not os.path.exists('/output/go'): time.sleep(0.05)\n"
)


class World:
    """One experiment in a store of its own, and the means to run its training task."""

    def __init__(self, root: Path, api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api, self.monkeypatch = api, monkeypatch
        self.since = int(time.time())
        self.store = Store(root)
        self.store.begin()
        made = experiment(
            id=f"knn-{uuid.uuid4().hex[:8]}",
            script="model_src/knn.py",
            settings=ScriptSettings(memory=64, cpus=1.0),
        )
        self.store.create_experiment(made)
        self.id = made.id

    def is_silent_for_too_long(self, attempt: int = 1) -> None:
        """Let a second of silence mean a hang, and let it pass."""
        for name in ("STARTUP", "QUIET"):
            self.monkeypatch.setenv(f"AIRFLOW__PUSHTRAIN__{name}_SECONDS", "1")
        wait_for(lambda: self.store.attempt(self.id, 0, attempt))
        beat = self.store.heartbeat(self.id, 0)
        last = max(self.attempt(attempt).started_at, beat.at if beat else 0.0)
        wait_for(lambda: time.time() > last + 1)

    def batch(self, *rounds: int) -> None:
        """Let these rounds be the candidates that are trained now."""
        for number in rounds:
            change = Change("k", f"n_neighbors {number} -> {number + 1}", number, number + 1)
            tweak = Tweak(number, (change,), base=0, batch=rounds[0])
            self.store.save_tweak(self.id, tweak)
        self.store.update_experiment(self.id, round=rounds[0], attempt=1)

    def program(self, text: str, number: int = 0) -> None:
        self.store.prepare_output(self.id, number)
        path = self.store.source_dir(self.id, number) / "model_src" / "knn.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/usr/bin/env python3\n{text}")
        path.chmod(0o755)

    def step(self, attempt: int = 1, number: int = 0) -> Step:
        return Step(self.id, number, attempt)

    def operator(self, attempt: int = 1, number: int = 0) -> TrainingOperator:
        """Return the task of a round, in the run of the step that is under way."""
        step = self.step(attempt, number)
        first = self.store.experiment(self.id).round
        self.monkeypatch.setattr(training, "required_step", lambda: Step(self.id, first, attempt))
        return TrainingOperator(
            task_id="train_sklearn", family=Family.SKLEARN, round_number=step.round
        )

    def run(self, attempt: int = 1, number: int = 0) -> float | None:
        return run(self.operator(attempt, number), self.step(attempt, number))

    def attempt(self, attempt: int = 1, number: int = 0) -> Attempt:
        found = self.store.attempt(self.id, number, attempt)
        assert found is not None
        return found

    def find(self, attempt: int = 1, number: int = 0) -> dict[str, Any] | None:
        return engine.find(self.api, container_name(load(), self.step(attempt, number)))

    def plan(self, attempt: int = 1, trouble: Trouble = Trouble.DIED) -> list[dict[str, Any]]:
        """Run the monitor's task on a finding about an attempt."""
        return plan_restarts([Finding(self.step(attempt), trouble, "so").to_dict()])

    def wait_for_backoff(self) -> None:
        """Let the time before the next start pass: move all that ended into the past."""
        for attempt in self.store.attempts(self.id, 0):
            if attempt.ended_at is not None:
                past = dataclasses.replace(attempt, ended_at=attempt.ended_at - 1000)
                self.store.save_attempt(self.id, 0, past)

    def made(self) -> list[int]:
        """Return the attempts that containers were made for, in order, from the engine's events."""
        wanted = {"event": "create", "label": f"{LABEL_EXPERIMENT}={self.id}"}
        now = int(time.time()) + 1
        events = self.api.events(since=self.since, until=now, filters=wanted, decode=True)
        return [int(e["Actor"]["Attributes"][LABEL_ATTEMPT]) for e in events]

    def printed(self, attempt: int = 1) -> bytes:
        """Return what the container of an attempt has printed so far."""
        return self.api.logs(found["Id"]) if (found := self.find(attempt)) else b""

    def running(self, attempt: int = 1, number: int = 0) -> dict[str, Any]:
        """Wait until the container of an attempt runs and return the engine's record of it."""
        wait_for(lambda: (found := self.find(attempt, number)) and found["State"]["Running"])
        found = self.find(attempt, number)
        assert found is not None
        return found


def wait_for(look: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 120
    while not look():
        assert time.monotonic() < deadline, "waited 120 s"
        time.sleep(0.05)


def run(operator: TrainingOperator, step: Step) -> float | None:
    """Run the task as Airflow would, with what the operator reads of its context."""
    return run_in(context_of(step), operator)


def context_of(step: Step) -> dict[str, Any]:
    """Return what a task reads of its context."""
    return {"ti": SimpleNamespace(run_id=step.run_id)}


def run_in(context: Any, operator: TrainingOperator) -> float | None:
    """Run the task in a context, which keeps the label that the grid shows."""
    return operator.execute(context)
