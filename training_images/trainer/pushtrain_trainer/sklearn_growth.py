"""Keeps the parts of an ensemble while one long fit builds them, so that a kill costs little.

The fit itself is scikit-learn's own, called once: only what builds a part (a tree, a stage of
boosting) is stood in for, and gives back the part that an earlier attempt built. So the outcome
is that of the plain fit by construction, and a fit that is shorter than the time between two
saves costs nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from pushtrain_trainer.saving_budget import checkpoint_seconds
from pushtrain_trainer.sklearn_records import GROWN, Entry, Key
from pushtrain_trainer.sklearn_resume import Resume
from pushtrain_trainer.sklearn_signatures import signature, works_in_place
from pushtrain_trainer.sklearn_states import TooLarge, dump, load

# The ensembles that grow part by part; AdaBoost is not among them: its fits end soon.
KINDS = {
    "BaseForest": "n_estimators",
    "BaseGradientBoosting": "n_estimators",
    "BaseHistGradientBoosting": "max_iter",
    "BaseBagging": "n_estimators",
}
COST = 30  # saving may take one part in so many of the time
SECONDS_BEFORE_PROGRESS = 1.0


class Growth:
    """The parts of one fit, by their place; they may be built in several threads.

    Args:
        resume: Keeps the fits of the script.
        key: Where the parts are kept.
        estimator: The ensemble.
        sign: Returns what the records have to agree with.
        seconds: The time between two saves.
    """

    def __init__(
        self,
        resume: Resume,
        key: Key,
        estimator: Any,
        sign: Callable[[], dict[str, str]],
        seconds: float,
    ) -> None:
        self.estimator = estimator
        self._name = type(estimator).__name__
        self._resume, self._key, self._sign = resume, key, sign
        self._seconds = seconds
        self._lock = threading.Lock()
        self._shared: dict[str, Any] = {}
        self._kept: dict[int, Any] | None = None
        self._fresh: list[tuple[int, Any]] = []
        self._saves = 0
        self._built = self._given = 0
        self._began = self._saved_at = self._tried_at = time.monotonic()
        self._may_save = True
        self._turns = -1

    def turn(self) -> int:
        """Return the place of the next part, for parts that are built one after the other."""
        self._turns += 1
        return self._turns

    def share(self, name: str, thing: Any) -> None:
        """Let records refer to an object of the fit instead of holding a copy of it."""
        self._shared.setdefault(name, thing)

    def kept(self, place: int) -> Any:
        """Return the part that an earlier attempt built, None if there is none."""
        with self._lock:
            if self._kept is None:
                self._kept = self._resume.safely(self._name, self._load) or {}
            return self._kept.pop(place, None)

    def is_given(self, parts: int) -> None:
        """Note that a part which was kept has been put in its place."""
        self._given += 1
        self._progress(parts)

    def add(self, place: int, part: Any, parts: int) -> None:
        """Take a part that has been built.

        Args:
            place: From 0.
            part: Anything that can be pickled.
            parts: How many the fit builds at most; 0 where unknown.
        """
        with self._lock:
            self._built += 1
            if self._may_save:
                self._fresh.append((place, part))
                if time.monotonic() - self._tried_at >= self._seconds:
                    self._resume.safely(self._name, self._save)
                    self._tried_at = time.monotonic()
        self._progress(parts)

    def end(self) -> None:
        """Note that the fit is over; what comes next has another pace."""
        beat = self._resume.run.beat
        if beat.now.batch:
            beat.progress(batch=0, batches=0)

    def _progress(self, parts: int) -> None:
        if time.monotonic() - self._began >= SECONDS_BEFORE_PROGRESS:
            beat = self._resume.run.beat
            beat.progress(batch=self._built + self._given, batches=parts)

    def _load(self) -> dict[int, Any]:
        kept: dict[int, Any] = {}
        records = self._resume.records
        keys = records.parts_of(self._key)
        if not keys:
            return kept
        self._saves = max(key[-1] for key in keys)
        expected = self._sign()
        for key in keys:
            found = records.find(key)
            if found is None:
                continue
            differ = [n for n, v in expected.items() if found[0].about.get(n) != v]
            if differ:
                self._tell(f"grows anew: its record is of another {', '.join(differ)}")
                records.drop(lambda other: other[: len(self._key)] == self._key)
                return {}
            kept.update(load(self._shared, found[1]))
        if kept:
            self._resume.run.resumed = True
            self._tell(f"goes on behind the first {len(kept)} of its parts")
        return kept

    def _save(self) -> None:
        start = time.monotonic()
        resume = self._resume
        # what can not be turned into bytes now can not be later either; a full disk may pass
        self._may_save = False
        try:
            raw = dump(self._shared, self._fresh, resume.records.room)
        except TooLarge:
            self._tell("is too large to be kept further")
            raise
        self._may_save = True
        # a newer attempt may have taken over while this one worked
        resume.run.fence.check()
        entry = Entry((*self._key, self._saves + 1), self._sign(), start - self._saved_at)
        resume.records.add(entry, raw)
        resume.records.write()
        self._saves += 1
        self._fresh = []
        self._saved_at = time.monotonic()
        self._seconds = max(self._seconds, COST * (self._saved_at - start))

    def _tell(self, text: str) -> None:
        self._resume.run.note(f"fit {self._key[0]} ({self._name}) {text}")


class Growths:
    """Finds the fits that grow; of fits within each other the outermost that grows counts."""

    def __init__(self, resume: Resume) -> None:
        self._resume = resume
        self._seconds = checkpoint_seconds()
        self._counts: dict[Key, int] = {}
        self._now: tuple[str, Growth] | None = None
        self._process = os.getpid()

    def under_way(self, kind: str) -> Growth | None:
        """Return the growth that a part belongs to, None if it is to be built plainly.

        Args:
            kind: The base class of the ensemble that builds the part.
        """
        now = self._now
        if now is None or now[0] != kind or os.getpid() != self._process:
            return None
        return now[1]

    def fit(self, estimator: Any, arguments: dict[str, Any], work: Callable[[], Any]) -> Any:
        """Do a fit, whatever it fits; its parts are kept if it grows."""
        kind = kind_of(type(estimator))
        # with `warm_start` it depends on more than its arguments
        if kind is None or self._now is not None or getattr(estimator, "warm_start", True):
            return work()
        if not (self._resume.is_usable and self._resume.is_within):
            return work()
        # a part that is put back would not change the data for those behind it
        if self._resume.safely(type(estimator).__name__, lambda: works_in_place(estimator)):
            return work()
        outer = self._resume.key
        self._counts[outer] = self._counts.get(outer, 0) + 1
        key = (*outer, GROWN, self._counts[outer])

        def sign() -> dict[str, str]:
            return signature(estimator, "fit", arguments)

        growth = Growth(self._resume, key, estimator, sign, self._seconds)
        self._now = (kind, growth)
        try:
            return work()
        finally:
            self._now = None
            self._resume.safely("the heartbeat of a fit", growth.end)


def kind_of(estimator: type) -> str | None:
    """Return the base class of an ensemble that grows, None for other estimators."""
    for base in estimator.__mro__:
        if base.__name__ in KINDS and base.__module__.startswith("sklearn.ensemble."):
            return base.__name__
    return None
