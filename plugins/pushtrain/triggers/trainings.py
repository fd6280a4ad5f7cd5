"""Watches all trainings from the triggerer and fires for those that need help."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from pushtrain.adapters.outbox import outbox_of
from pushtrain.adapters.store import Store
from pushtrain.contract import TRAIN_DAG, Experiment, Step
from pushtrain.errors import OutsideError, StoreError
from pushtrain.rules.outcomes import deciding_attempt
from pushtrain.rules.restart import Restart, decide_batch, is_closed
from pushtrain.rules.watch import (
    Finding,
    Limits,
    RunState,
    Training,
    Trouble,
    examine,
    has_to_wait,
)

_ENDED = ["success", "failed"]
# What ended longer ago is left to the look at everything, which asks Airflow: a person may have had
# the task run again.
FRESH_SECONDS = 30.0


class TrainingsTrigger(BaseTrigger):
    """Fires `{"findings": [...], "mails": bool}`: who needs help, and whether mails wait.

    At the end of its window both are empty.

    It reads the store and asks Airflow which runs are alive, never the engine: containers live
    where the workers are. An experiment whose files are damaged is left out, the others are
    still watched. A store whose disk is not mounted is said, and waited for.

    Args:
        store: Folder of the store.
        deadline: Unix time of the window's end.
        poll_seconds: Time between two looks at everything.
        watch_seconds: Time between two looks for trainings that have just ended, for which a few
            small files are read and Airflow is not asked.
        limits: Fields of `Limits`.
        restart_limit: See `rules.restart.decide`.
    """

    def __init__(
        self,
        *,
        store: str,
        deadline: float,
        poll_seconds: float,
        watch_seconds: float,
        limits: dict[str, float],
        restart_limit: int,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's base has no types
        self.store = store
        self.deadline = deadline
        self.poll_seconds = poll_seconds
        self.watch_seconds = watch_seconds
        self.limits = limits
        self.restart_limit = restart_limit
        self._was_there = True
        self._under_way: list[Experiment] = []

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments that rebuild the trigger."""
        names = (
            "store", "deadline", "poll_seconds", "watch_seconds", "limits", "restart_limit",
        )  # fmt: skip
        return (
            f"{type(self).__module__}.{type(self).__name__}",
            {name: getattr(self, name) for name in names},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look at every open experiment until one needs help or the window ends."""
        while True:
            findings, mails = await self._look(), await sync_to_async(self._has_mails)()
            is_over = time.time() + self.poll_seconds > self.deadline
            if not findings and not mails and not is_over:
                findings = await self._pause()
            if findings or mails or is_over:
                event = {"findings": [f.to_dict() for f in findings], "mails": mails}
                yield TriggerEvent(event)  # type: ignore[no-untyped-call]  # no types there
                return

    async def _pause(self) -> list[Finding]:
        """Wait until the next look; a training that ends meanwhile is found at once."""
        until = time.time() + self.poll_seconds
        store = Store(Path(self.store))
        while time.time() < until:
            await asyncio.sleep(min(self.watch_seconds, self.poll_seconds))
            ended = await sync_to_async(_just_ended)(store, self._under_way)
            # their tasks have nothing left to do but to fail: nobody waits for Airflow to say so
            found = [await self._examined(store, e, RunState.ENDED) for e in ended]
            if any(found):
                return [f for f in found if f]
        return []

    def _has_mails(self) -> bool:
        box = outbox_of(Store(Path(self.store)))
        return box.is_due(time.time())

    async def _look(self) -> list[Finding]:
        store = Store(Path(self.store))
        is_there = await sync_to_async(store.is_there)()
        if is_there is not self._was_there:
            self._was_there = is_there
            said = "is there again" if is_there else "is not there: mount it, all goes on then"
            self.log.warning("the store at %s %s", self.store, said)
        # one that has ended is not done before its model is published and its people are told
        known = await sync_to_async(store.experiments)()
        self._under_way = [e for e in known if not e.settled]
        found = [await self._examined(store, e) for e in self._under_way]
        return [f for f in found if f]

    async def _examined(
        self, store: Store, experiment: Experiment, known: RunState | None = None
    ) -> Finding | None:
        run = known or await run_state(experiment.step)
        try:
            return self._judged(store, experiment, run)
        except (StoreError, OutsideError) as err:
            self.log.warning("left out: %s", err)
        except Exception:  # whatever one script left behind: the others are watched all the same
            self.log.exception("%s: left out", experiment.step.run_id)
        return None

    def _judged(self, store: Store, experiment: Experiment, run: RunState) -> Finding | None:
        if store.experiment(experiment.id) != experiment:
            return None  # it has moved on while Airflow was asked
        step, now = experiment.step, time.time()
        trainings = [_training(store, one) for one in store.batch(step)]
        finding = examine(step, run, trainings, experiment.updated_at, now, Limits(**self.limits))
        attempts = {t.round: t.attempts for t in trainings}
        if finding and finding.trouble is Trouble.DIED and is_closed(attempts, step):
            verdict = decide_batch(attempts, self.restart_limit)
            if isinstance(verdict, Restart) and has_to_wait(verdict, now):
                return None  # its backoff is not over
        return finding


def _just_ended(store: Store, experiments: list[Experiment]) -> list[Experiment]:
    """Return those whose trainings have all ended, a moment ago, but not all of them well."""
    return [e for e in experiments if _has_just_ended(store, e.step)]


def _has_just_ended(store: Store, step: Step) -> bool:
    try:
        batch = store.batch(step)
        attempts = {s.round: store.attempts(s.experiment, s.round) for s in batch}
    except (StoreError, OutsideError):
        return False  # the next look at everything says so
    if not is_closed(attempts, step) or all(deciding_attempt(n, a) for n, a in attempts.items()):
        return False
    last = max(a.ended_at or 0.0 for ended in attempts.values() for a in ended)
    return abs(time.time() - last) < FRESH_SECONDS  # the clock may have been set back


def _training(store: Store, step: Step) -> Training:
    return Training(
        step.round,
        store.attempts(step.experiment, step.round),
        store.heartbeat(step.experiment, step.round),
    )


async def run_state(step: Step) -> RunState:
    """Return what Airflow says of a step's run.

    Nothing but its own state says that a run has ended: it may be made between two questions.
    """
    count = sync_to_async(RuntimeTaskInstance.get_dr_count)
    if await count(dag_id=TRAIN_DAG, run_ids=[step.run_id], states=_ENDED):
        return RunState.ENDED
    known = await count(dag_id=TRAIN_DAG, run_ids=[step.run_id])
    return RunState.LIVE if known else RunState.MISSING
