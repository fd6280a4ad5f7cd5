"""Reads experiments from the store for people to look at; a damaged record stops nobody else."""

from __future__ import annotations

import csv
import io
import itertools
import logging
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from pushtrain.adapters.mirror import Mirror
from pushtrain.adapters.records import read_bytes, read_record
from pushtrain.adapters.store import Store
from pushtrain.contract import LATE_DIR, Attempt, Cause, Experiment, Result, State
from pushtrain.details import Damaged, Epoch, ExperimentDetails, RoundDetails
from pushtrain.errors import OutsideError, PushtrainError, StoreError
from pushtrain.history import Refusal, RoundOutcome
from pushtrain.rules.causes import cut_short

log = logging.getLogger(__name__)

T = TypeVar("T")

_MOST_EPOCHS = 20_000  # rows; the file is written by user code
_MOST_LOG_CHARACTERS = 20_000
# The trainer itself told of these, in its result.
_OWN_ENDS = (Cause.SCRIPT_ERROR, Cause.NO_METRIC, Cause.OUT_OF_MEMORY, Cause.HOPELESS)
_Signature = tuple[int, int, int]


class ExperimentReader:
    """Reads through a store and remembers what can not have changed; it never writes.

    One reader serves one process. Records are replaced as a whole, so a file with the same
    inode, size and time is the same.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._experiments: dict[str, tuple[_Signature, Experiment | Damaged]] = {}
        self._accuracies: dict[Path, tuple[_Signature, float | None]] = {}
        self._diffs: dict[tuple[str, str], str] = {}

    def experiments(self) -> tuple[list[Experiment], list[Damaged]]:
        """Return all experiments that can be read, and what is wrong with the others."""
        found: list[Experiment] = []
        damaged: list[Damaged] = []
        try:
            self.store.require()
        except OutsideError as err:  # none at all must not look like a store without experiments
            return [], [Damaged("The store", str(err))]
        for path in self.store.experiments_dir.glob("*/experiment.json"):
            one = self._experiment(path)
            if isinstance(one, Damaged):
                damaged.append(one)
            elif one is not None:
                found.append(one)
        return found, sorted(damaged, key=lambda d: d.id)

    def accuracies(self, experiment: str) -> list[float | None]:
        """Return the accuracy of each round, in order; None for those that have none."""
        folder = self.store.experiment_dir(experiment) / "rounds"
        numbers = sorted(int(p.name) for p in folder.glob("*") if p.name.isdigit())
        return [self._accuracy(experiment, n) for n in numbers]

    def details(self, experiment: str) -> ExperimentDetails:
        """Return all that is known of an experiment.

        Raises:
            StoreError: There is none of this id, or its own record is damaged.
        """
        record = self.store.experiment(experiment)
        outcomes = self.store.rounds(experiment)
        made = {one.round for one in outcomes}
        return ExperimentDetails(
            record,
            tuple(self._round(record, one) for one in outcomes),
            tuple(r for r in self._refusals(experiment) if r.round not in made),
        )

    def _refusals(self, experiment: str) -> list[Refusal]:
        try:
            return self.store.all_refusals(experiment)
        except PushtrainError as err:
            log.warning("%s", err)  # the page of the round names the file
            return []

    def diff(self, old: tuple[Experiment, int], new: tuple[Experiment, int]) -> str:
        """Return the diff between two rounds of one script, empty for two scripts or no commit.

        Two pushes may lie between them: then all that was pushed in between is in it.
        """
        (before, _), (after, _) = old, new
        if (before.repo, before.script) != (after.repo, after.script):
            return ""
        try:
            commits = [self.store.commit_of(*side) for side in (old, new)]
            return self._diff_of(after, commits[0], commits[1]) if all(commits) else ""
        except PushtrainError as err:
            log.warning("no diff of %s and %s: %s", before.id, after.id, err)
            return ""

    def _experiment(self, path: Path) -> Experiment | Damaged | None:
        name = path.parent.name
        signature = _signature(path)
        if signature is None:
            return None
        known = self._experiments.get(name)
        if known and known[0] == signature:
            return known[1]
        try:
            read: Experiment | Damaged = self.store.experiment(name)
        except StoreError as err:
            read = Damaged(name, str(err))
        self._experiments[name] = (signature, read)
        return read

    def _accuracy(self, experiment: str, number: int) -> float | None:
        path = self.store.output_dir(experiment, number) / "result.json"
        signature = _signature(path)
        if signature is None:
            return None
        known = self._accuracies.get(path)
        if known and known[0] == signature:
            return known[1]
        try:
            result = self.store.result(experiment, number)
        except StoreError:
            result = None  # the experiment's own page names the file
        accuracy = result.accuracy if result else None
        self._accuracies[path] = (signature, accuracy)
        return accuracy

    def _round(self, experiment: Experiment, outcome: RoundOutcome) -> RoundDetails:
        number, name = outcome.round, experiment.id
        damage: list[str] = []

        def read(call: Callable[[], T], otherwise: T) -> T:
            try:
                return call()
            except PushtrainError as err:
                damage.append(str(err))
                return otherwise

        store = self.store
        attempts: tuple[Attempt, ...] = read(lambda: tuple(store.attempts(name, number)), ())
        last_said, last_lines = self._last_words(name, number, attempts)
        return RoundDetails(
            outcome=outcome,
            tweak=read(lambda: store.tweak(name, number), None),
            attempts=attempts,
            epochs=read(lambda: self._epochs(name, number), ()),
            knobs=read(lambda: tuple(store.knobs(name, number)), ()),
            refusals=read(lambda: tuple(store.refusals(name, number)), ()),
            diff=read(lambda: self._diff(experiment, outcome), ""),
            result=read(lambda: store.result(name, number), None),
            heartbeat=store.heartbeat(name, number),
            last_lines=last_lines,
            last_said=last_said,
            stacks={a.number: text for a in attempts if (text := self._stack(name, number, a))},
            tracebacks={a.number: e for a in attempts if (e := self._traceback(name, number, a))},
            late=tuple(a.number for a in attempts if self._is_late(name, number, a)),
            damage=tuple(damage),
        )

    def _epochs(self, experiment: str, number: int) -> tuple[Epoch, ...]:
        raw = read_bytes(self.store.output_dir(experiment, number) / "history.csv") or b""
        rows = csv.DictReader(io.StringIO(raw.decode("utf-8", "replace")))
        found = (_epoch(row) for row in itertools.islice(rows, _MOST_EPOCHS))
        return tuple(epoch for epoch in found if epoch)

    def _diff(self, experiment: Experiment, outcome: RoundOutcome) -> str:
        """Return what a round's tweak changed in the script of the round that it came from."""
        tweak = self.store.tweak(experiment.id, outcome.round)
        if tweak is None or not tweak.commit:
            return ""
        base = tweak.base if tweak.base is not None else outcome.round - 1
        return self._diff_of(experiment, self.store.commit_of(experiment, base), tweak.commit)

    def _diff_of(self, experiment: Experiment, old: str, new: str) -> str:
        pair = (old, new)
        if pair not in self._diffs:
            mirror = Mirror(self.store.mirror_dir(experiment.repo), experiment.repo_url)
            self._diffs[pair] = mirror.diff(*pair)
        return self._diffs[pair]

    def ends_by_cause(self, experiments: Iterable[Experiment]) -> dict[str, dict[str, int]]:
        """Return how often attempts ended early for each cause, by experiment, where any did."""
        asked = (e for e in experiments if e.restarts or e.state is State.FAILED)
        found = ((e.id, cut_short(self._attempts(e.id))) for e in asked)
        return {name: {str(c): n for c, n in ends.items()} for name, ends in found if ends}

    def _attempts(self, experiment: str) -> list[Attempt]:
        folder = self.store.experiment_dir(experiment) / "rounds"
        found: list[Attempt] = []
        for number in sorted(int(p.name) for p in folder.glob("*") if p.name.isdigit()):
            try:
                found += self.store.attempts(experiment, number)
            except StoreError as err:
                log.warning("%s", err)  # the experiment's own page names the file
        return found

    def _last_words(
        self, experiment: str, number: int, attempts: Sequence[Attempt]
    ) -> tuple[int, str]:
        """Return the last lines that an attempt printed, and which one: some die without a word."""
        for attempt in reversed(attempts):
            text = _text_of(self.store.attempt_log(experiment, number, attempt.number))
            if text:
                return attempt.number, text
        return 0, ""

    def _stack(self, experiment: str, number: int, attempt: Attempt) -> str:
        return _text_of(self.store.attempt_stack(experiment, number, attempt.number))

    def _traceback(self, experiment: str, number: int, attempt: Attempt) -> str:
        if attempt.cause not in _OWN_ENDS:
            return ""
        for path in (
            self.store.kept_result(experiment, number, attempt.number),
            self.store.output_dir(experiment, number) / "result.json",
        ):
            try:
                result = read_record(path, Result)
            except StoreError:
                continue
            if result and result.attempt == attempt.number and result.error:
                return result.error.traceback[-_MOST_LOG_CHARACTERS:]
        return ""

    def _is_late(self, experiment: str, number: int, attempt: Attempt) -> bool:
        """Tell whether a result came of an attempt that had been ended from outside."""
        if attempt.cause in _OWN_ENDS or attempt.cause is Cause.FINISHED:
            return False
        late = self.store.output_dir(experiment, number) / LATE_DIR
        return _signature(late / f"{attempt.number}.json") is not None


def _text_of(path: Path) -> str:
    """Return the end of a text file, empty if there is none."""
    try:
        raw = read_bytes(path) or b""
    except StoreError as err:
        log.warning("%s", err)
        return ""
    return raw.decode("utf-8", "replace")[-_MOST_LOG_CHARACTERS:]


def _signature(path: Path) -> _Signature | None:
    try:
        info = path.lstat()
    except OSError:
        return None
    return info.st_ino, info.st_size, info.st_mtime_ns


def _epoch(row: dict[str, str]) -> Epoch | None:
    """Return a row of history.csv, None if it is half written or no row at all."""
    try:
        return Epoch(
            fit=int(row["fit"]),
            epoch=int(row["epoch"]),
            attempt=int(row["attempt"]),
            seconds=_finite(row["seconds"]),
            loss=_finite(row["loss"]),
            accuracy=_finite(row["accuracy"]),
            val_loss=_finite(row["val_loss"]),
            val_accuracy=_finite(row["val_accuracy"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _finite(text: str) -> float | None:
    value = float(text) if text else math.nan
    return value if math.isfinite(value) else None
