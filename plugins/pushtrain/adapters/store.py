"""The store: the shared folder that holds experiments, checkpoints, mirrors and models."""

from __future__ import annotations

import dataclasses
import fcntl
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pushtrain.adapters.disk_errors import clear_disk_errors
from pushtrain.adapters.records import read_record, read_records, write_json
from pushtrain.adapters.training_output import TrainingOutput
from pushtrain.contract import Attempt, Cause, Experiment, Result, State, Step
from pushtrain.errors import OutsideError, StoreError
from pushtrain.history import Knob, Refusal, RoundOutcome, Tweak
from pushtrain.rules.outcomes import failure_of, is_hopeless, is_out_of_memory

log = logging.getLogger(__name__)

# Who a training runs as when the store belongs to root: a number that no account has.
# Group 0 lets Airflow's image (uid 50000, gid 0) and the trainings share a volume.
TRAINING_UID, TRAINING_GID = 50000, 0


class Store(TrainingOutput):
    """Reads and writes the records below one root folder.

    Records that Airflow writes lie outside of `rounds/<n>/source` and `rounds/<n>/output`, the
    two folders that user code can write to. It does not lock readers out: every record is
    replaced as a whole.
    """

    # -------------------------------------------------------------- the disk
    def begin(self) -> None:
        """Make the folders that a store has from its first day on."""
        with clear_disk_errors(self.root):
            self.experiments_dir.mkdir(parents=True, exist_ok=True)

    def is_there(self) -> bool:
        """Tell whether a store lies here; not so in the empty place of a disk."""
        return self.experiments_dir.is_dir()

    def require(self) -> None:
        """Check that a store lies here.

        Raises:
            OutsideError: Its disk is not mounted; a retry may meet it again.
        """
        if not self.is_there():
            raise OutsideError(
                f"the store is not at {self.root}: there is no folder {self.experiments_dir.name!r}"
                " in it. If it is a disk of its own, mount it; all goes on then by itself. (A new"
                " store is begun by the first run of a DAG.)"
            )

    def make_folder(self, folder: Path) -> None:
        """Make a folder below the experiments; never in the empty place of the store's disk.

        Raises:
            OutsideError: The disk is full, read-only or not mounted.
        """
        self.require()
        missing = [p for p in (folder, *folder.parents) if p.is_relative_to(self.experiments_dir)]
        with clear_disk_errors(folder):
            for path in missing[-2::-1]:
                path.mkdir(exist_ok=True)

    def _save(self, path: Path, record: Mapping[str, Any]) -> None:
        self.make_folder(path.parent)
        write_json(path, record)

    # ----------------------------------------------------------- experiments
    def experiments(self) -> list[Experiment]:
        """Return all experiments that can be read, oldest first; others are logged."""
        found = []
        for path in sorted(self.experiments_dir.glob("*/experiment.json")):
            try:
                found.append(self.experiment(path.parent.name))
            except StoreError as err:
                log.warning("left out: %s", err)
        return sorted(found, key=lambda e: (e.created_at, e.id))

    def experiment(self, experiment: str) -> Experiment:
        """Return an experiment.

        Raises:
            StoreError: There is none of this id, or its record is damaged.
            OutsideError: The store's disk is not mounted.
        """
        path = self.experiment_dir(experiment) / "experiment.json"
        found = read_record(path, Experiment)
        if found is None:
            self.require()
            raise StoreError(f"{path}: no such experiment: {experiment!r}")
        return found

    def create_experiment(self, experiment: Experiment) -> bool:
        """Write a new experiment; False if one of this id exists, which stays as it is."""
        with self.locked(experiment.id):
            path = self.experiment_dir(experiment.id) / "experiment.json"
            if path.exists():
                return False
            write_json(path, experiment.to_dict())
            return True

    def move_on(self, step: Step, **changes: Any) -> Experiment | None:
        """Change fields of an experiment if it is still at this step, and return the new record.

        None if somebody was faster: of all who see the same trouble one acts.
        """
        with self.locked(step.experiment):
            known = self.experiment(step.experiment)
            if known.settled or known.step != step:
                return None
            return self._changed(known, changes)

    def reopen(self, ended: Experiment, **changes: Any) -> Experiment:
        """Change fields of an experiment that has ended, unless somebody was faster.

        Args:
            ended: What the changes are made of.
            **changes: The fields.

        Returns:
            The record as it is then, whoever wrote it.
        """
        with self.locked(ended.id):
            known = self.experiment(ended.id)
            return self._changed(known, changes) if known == ended else known

    def update_experiment(self, experiment: str, **changes: Any) -> Experiment:
        """Change fields of an experiment under its lock and return the new record."""
        with self.locked(experiment):
            return self._changed(self.experiment(experiment), changes)

    def _changed(self, known: Experiment, changes: Mapping[str, Any]) -> Experiment:
        new = dataclasses.replace(known, updated_at=time.time(), **changes)
        write_json(self.experiment_dir(known.id) / "experiment.json", new.to_dict())
        return new

    @contextmanager
    def locked(self, experiment: str) -> Iterator[None]:
        """Hold the experiment's lock; it goes with the process that holds it.

        Raises:
            OutsideError: The store's disk is full, read-only or not mounted.
        """
        folder = self.experiment_dir(experiment)
        self.make_folder(folder)
        with clear_disk_errors(folder):
            file = (folder / ".lock").open("w")
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # ---------------------------------------------------------------- rounds
    def prepare_output(self, experiment: str, round_number: int) -> None:
        """Make the folder that the trainer of a round writes to."""
        folder = self.output_dir(experiment, round_number)
        self.make_folder(folder)
        give_to_training(folder)

    def attempts(self, experiment: str, round_number: int) -> list[Attempt]:
        """Return the attempts of a round, in order."""
        folder = self.round_dir(experiment, round_number) / "attempts"
        found = (read_record(path, Attempt) for path in folder.glob("*.json"))
        return sorted((a for a in found if a), key=lambda a: a.number)

    def attempt(self, experiment: str, round_number: int, number: int) -> Attempt | None:
        """Return an attempt, None if it was not started."""
        folder = self.round_dir(experiment, round_number) / "attempts"
        return read_record(folder / f"{number}.json", Attempt)

    def save_attempt(self, experiment: str, round_number: int, attempt: Attempt) -> None:
        """Write an attempt's record."""
        folder = self.round_dir(experiment, round_number) / "attempts"
        self._save(folder / f"{attempt.number}.json", attempt.to_dict())

    def put_attempt(self, experiment: str, round_number: int, attempt: Attempt) -> Attempt:
        """Write an attempt's record unless its end is on record; return what stands there.

        The task and the monitor may both see an end: the first of them saw it whole.
        """
        with self.locked(experiment):
            known = self.attempt(experiment, round_number, attempt.number)
            if known and known.ended_at is not None:
                return known
            self.save_attempt(experiment, round_number, attempt)
            return attempt

    def lease(self, step: Step, round_number: int) -> None:
        """Name the only attempt that may train a round; an older trainer stops by itself.

        Args:
            step: What the run was started for.
            round_number: One of the rounds that the step trains.

        Raises:
            StoreError: The experiment has moved on: a late task must not fence what came after.
        """
        with self.locked(step.experiment):
            now = self.experiment(step.experiment).step
            if now != step:
                raise StoreError(f"{step.run_id} is past, {now.run_id} is trained now")
            path = self.output_dir(step.experiment, round_number) / "attempt.json"
            self._save(path, {"attempt": step.attempt})

    def result(self, experiment: str, round_number: int) -> Result | None:
        """Return what the round's training brought, None before its end.

        That of the attempt that was trained to its end is out of reach of all trainings.

        Raises:
            StoreError: The record is damaged.
        """
        for attempt in self.attempts(experiment, round_number):
            if attempt.cause is Cause.FINISHED and attempt.ended_at is not None:
                kept = self.kept_result(experiment, round_number, attempt.number)
                return read_record(kept, Result) or self.left_result(experiment, round_number)
        return self.left_result(experiment, round_number)

    def knobs(self, experiment: str, round_number: int) -> list[Knob]:
        """Return the knobs that were found in the round's script.

        Raises:
            StoreError: The record is damaged.
        """
        path = self.round_dir(experiment, round_number) / "knobs.json"
        return read_records(path, "knobs", Knob)

    def save_knobs(
        self, experiment: str, round_number: int, knobs: list[Knob] | tuple[Knob, ...]
    ) -> None:
        """Write the knobs that were found in the round's script."""
        record = {"schema": 1, "knobs": [k.to_dict() for k in knobs]}
        self._save(self.round_dir(experiment, round_number) / "knobs.json", record)

    def tweak(self, experiment: str, round_number: int) -> Tweak | None:
        """Return what was changed to make the round; None for round 0."""
        return read_record(self.round_dir(experiment, round_number) / "tweak.json", Tweak)

    def commit_of(self, experiment: Experiment, round_number: int) -> str:
        """Return the commit in the mirror that a round trains."""
        tweak = self.tweak(experiment.id, round_number)
        return tweak.commit if tweak else experiment.commit

    def save_tweak(self, experiment: str, tweak: Tweak) -> None:
        """Write what was changed to make a round."""
        self._save(self.round_dir(experiment, tweak.round) / "tweak.json", tweak.to_dict())

    def rounds(self, experiment: str) -> list[RoundOutcome]:
        """Return the rounds that were started, in order; the one under way has no accuracy."""
        folder = self.experiment_dir(experiment) / "rounds"
        numbers = sorted(int(p.name) for p in folder.glob("*") if p.name.isdigit() and _began(p))
        return [self._outcome(experiment, n) for n in numbers]

    def batch(self, step: Step) -> list[Step]:
        """Return the steps that train side by side, one per round; the given one is the first.

        Raises:
            OutsideError: The store's disk is not mounted.
        """
        self.require()
        steps = [step]
        while True:
            number = steps[-1].round + 1
            tweak = self.tweak(step.experiment, number)
            if tweak is None or tweak.batch != step.round:
                return steps
            steps.append(Step(step.experiment, number, step.attempt))

    def refusals(self, experiment: str, round_number: int) -> list[Refusal]:
        """Return the tweaks that could not be built when the round was proposed.

        Raises:
            StoreError: The record is damaged.
        """
        return read_records(self._refused(experiment, round_number), "refused", Refusal)

    def all_refusals(self, experiment: str) -> list[Refusal]:
        """Return the tweaks of an experiment that could not be built, in order."""
        folder = self.experiment_dir(experiment) / "rounds"
        numbers = sorted(int(p.parent.name) for p in folder.glob("*/refused.json"))
        return [r for n in numbers for r in self.refusals(experiment, n)]

    def add_refusal(self, experiment: str, refusal: Refusal) -> None:
        """Write down a tweak that could not be built."""
        known = [*self.refusals(experiment, refusal.round), refusal]
        record = {"schema": 1, "refused": [r.to_dict() for r in known]}
        self._save(self._refused(experiment, refusal.round), record)

    def _refused(self, experiment: str, round_number: int) -> Path:
        return self.round_dir(experiment, round_number) / "refused.json"

    def _outcome(self, experiment: str, number: int) -> RoundOutcome:
        attempts = self.attempts(experiment, number)
        tweak = self.tweak(experiment, number)
        try:
            result = self.result(experiment, number)
        except StoreError as err:
            log.warning("%s", err)
            result = None
        failure, hopeless = failure_of(number, attempts), is_hopeless(number, attempts)
        # what a training measured that was not brought to its end is no result
        measured = result if not (failure or hopeless) else None
        return RoundOutcome(
            round=number,
            accuracy=measured.accuracy if measured else None,
            split=measured.split if measured else None,
            parameters=result.parameters if result else None,
            artifact_bytes=result.artifact_bytes if result else 0,
            seconds=sum((a.ended_at or time.time()) - a.started_at for a in attempts),
            attempts=len(attempts),
            tweak=tweak.summary if tweak else "",
            values={k.id: k.value for k in self.knobs(experiment, number)},
            base=_base_of(number, tweak),
            batch=tweak.batch if tweak else None,
            failure=failure,
            hopeless=hopeless,
            curves=self.curves(experiment, number),
            reason=tweak.reason if tweak else "",
            api=result.api if result else "",
            out_of_memory=is_out_of_memory(number, attempts),
        )


def training_user(output: Path) -> str:
    """Return `uid:gid` that a training runs as: the owner of its output folder, never root."""
    info = output.stat()
    return f"{info.st_uid}:{info.st_gid}"


def _began(round_folder: Path) -> bool:
    """Tell whether a round is more than proposals that were refused."""
    return any(p.name not in ("refused.json", "dry") for p in round_folder.iterdir())


def _base_of(number: int, tweak: Tweak | None) -> int | None:
    if tweak is None:
        return None
    return tweak.base if tweak.base is not None else number - 1


def give_to_training(folder: Path) -> None:
    """Hand a folder and what is in it to the user that trainings run as.

    Only root has to: elsewhere the folders already belong to Airflow's own user, and so do the
    trainings. A container of root without capabilities could not write into other's folders.
    """
    if os.geteuid() != 0:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, TRAINING_UID, TRAINING_GID, follow_symlinks=False)
    folder.chmod(0o2775)


def is_open(experiment: Experiment) -> bool:
    """Tell whether an experiment still goes on."""
    return experiment.state is State.RUNNING
