"""Keeps what the fits of a script led to, and does not do them again in a later attempt."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pushtrain_trainer.durable_files import make_folder
from pushtrain_trainer.run_state import Run, remember_inexact
from pushtrain_trainer.saved_work import SavedWork
from pushtrain_trainer.sklearn_records import Entry, Key, Records
from pushtrain_trainer.sklearn_signatures import ADDRESS, random_state_print
from pushtrain_trainer.sklearn_states import Parts, TooLarge, capture, names_of, put_back

KERAS = ("keras", "tf_keras")
SHORTEST_SECONDS = 0.002  # to record a fit takes some tenths of a millisecond
LONG_SECONDS = 0.5
MOST_BYTES = 200 * 2**20
BYTES_A_SECOND = 50 * 2**20  # of fitting: to write so much takes about a tenth of the time
LEAST_BYTES = 64 * 2**10
MOST_NOTES = 10


@dataclass(frozen=True)
class Call:
    """A call that fits something.

    Attributes:
        name: What people call it.
        signature: Returns what a record has to agree with.
        parts: Returns the script's objects that the call works on.
        work: Does it.
    """

    name: str
    signature: Callable[[], dict[str, str]]
    parts: Callable[[], Parts]
    work: Callable[[], Any]


class Resume:
    """Numbers calls, and calls within calls, in their order; a record belongs to such a number.

    An error of its own never reaches the script: the fit is then simply done.

    Known gap: what a fit does beyond its estimator, its generators and the global ones (a scorer
    that appends to a list of the script) is not done again. What it does to its own arguments is
    seen, but for a few rows of a large array that no `copy` parameter lets it change.

    Args:
        run: The run.
        interrupted: The number of the fit that the attempt before was at.
    """

    def __init__(self, run: Run, interrupted: int | None) -> None:
        self.run = run
        folder = run.checkpoints / "sklearn"
        # a folder of another version of the script has been removed already
        self._interrupted = interrupted if folder.exists() else None
        make_folder(folder)
        self.records = Records(folder, run.note)
        self._work = SavedWork(run.output)
        self._replaced = self._work.amount("fit")
        self._process = os.getpid()
        self._counts = [0]
        self._key: Key = ()
        self._skipped = 0

    @property
    def is_usable(self) -> bool:
        """Whether the caller is the script itself, not one of its threads or processes."""
        main = threading.current_thread() is threading.main_thread()
        return main and self.run.trusted and os.getpid() == self._process

    @property
    def number(self) -> int:
        """The number of the outermost call so far."""
        return self._counts[0]

    @property
    def key(self) -> Key:
        """The number of the call that is under way, and of those within it."""
        return self._key

    @property
    def is_within(self) -> bool:
        """Whether a call is under way."""
        return bool(self._key)

    def count(self) -> int:
        """Number a call that is kept elsewhere, and return its number."""
        self._counts[0] += 1
        return self._counts[0]

    def do(self, call: Call) -> Any:
        """Return what `call` returns; its work is left out if an earlier attempt has done it."""
        if not self.is_usable:
            return call.work()
        outer = self._key
        self._counts[-1] += 1
        self._key = (*outer, self._counts[-1])
        self._counts.append(0)
        try:
            return self._do(self._key, call)
        finally:
            self._counts.pop()
            self._key = outer

    def _do(self, key: Key, call: Call) -> Any:
        parts = self.safely(call.name, call.parts)
        if parts is None or is_for_keras(parts):
            return call.work()
        # before the work, which may change what it is given
        signed = self.safely(call.name, call.signature)
        if signed is None:
            return call.work()
        kept = self.safely(call.name, lambda: self._put_back(key, call, parts, signed))
        if kept is not None:
            return kept[0]
        self.safely(call.name, lambda: self._tell_interrupted(key, call))
        before = random_state_print()
        start = time.perf_counter()
        value = call.work()
        seconds = time.perf_counter() - start
        about = {"signature": signed, "parts": names_of(parts), "before": before}
        self.safely(call.name, lambda: self._keep(key, call, parts, about, seconds, value))
        return value

    def safely(self, name: str, part: Callable[[], Any]) -> Any:
        """Return what `part` returns, None and a note if it fails."""
        try:
            return part()
        except OSError as error:
            self.run.note(f"fits that are done could not be kept or read: {error}")
        except TooLarge:
            return None
        except Exception as error:  # estimators and data of any kind
            reason = ADDRESS.sub("", f"{type(error).__name__}: {error}")
            self.run.note(f"{name} can not be kept, a restart does it again ({reason})")
        return None

    def _put_back(
        self, key: Key, call: Call, parts: Parts, signed: dict[str, str]
    ) -> tuple[Any] | None:
        found = self.records.find(key)
        if found is None:
            return None
        entry, record = found
        about = entry.about
        differ = [n for n, v in signed.items() if about["signature"].get(n) != v]
        if about["parts"] != names_of(parts):
            differ.append("kind of parameters")
        if differ:
            self.run.note(
                f"fit {_text(key)} ({call.name}) is done anew: its record is of another "
                f"{', '.join(differ)}"
            )
            # what came later followed from it
            self.records.drop(lambda other: other >= key)
            return None
        before = random_state_print()
        returned = put_back(parts, record)
        self.run.resumed = True
        if before != about["before"]:
            self.run.note_inexact(
                f"the random numbers before fit {_text(key)} ({call.name}) were others than in "
                "the attempt that did it"
            )
            remember_inexact(self.run)
        self._tell_skipped(key, call)
        return (returned,)

    def _keep(
        self,
        key: Key,
        call: Call,
        parts: Parts,
        about: dict[str, Any],
        seconds: float,
        value: Any,
    ) -> None:
        # what an earlier attempt did within this fit is dropped with the fit's record
        seconds += self.records.seconds_within(key)
        if seconds < SHORTEST_SECONDS:
            return
        if call.signature()["data"] != about["signature"]["data"]:
            # a record holds what was fitted, not what became of the script's own data
            if seconds >= LONG_SECONDS:
                self.run.note(f"{call.name} changes its data in place, a restart does it again")
            return
        worth = int(max(LEAST_BYTES, min(MOST_BYTES, seconds * BYTES_A_SECOND)))
        try:
            record = capture(parts, value, min(worth, self.records.room))
        except TooLarge:
            if seconds >= LONG_SECONDS:
                self.run.note(f"{call.name} is too large to be kept, a restart does it again")
            return
        # a newer attempt may have taken over while this one worked
        self.run.fence.check()
        self.records.add(Entry(key, about, round(seconds, 6)), record)
        if self.records.replaced:
            # the number of records may fall, what is done may not
            self._work.put("fit", self._replaced + self.records.replaced)

    def _tell_skipped(self, key: Key, call: Call) -> None:
        if len(key) > 1:
            return
        self._skipped += 1
        if self._skipped < MOST_NOTES:
            self.run.note(
                f"fit {key[0]} ({call.name}) was finished in an earlier attempt and is skipped"
            )
        elif self._skipped == MOST_NOTES:
            self.run.note("further fits that were finished in an earlier attempt are skipped, too")

    def _tell_interrupted(self, key: Key, call: Call) -> None:
        if len(key) > 1:
            return
        within = self.records.within(key)
        if within:
            self.run.note(f"fit {key[0]} ({call.name}) goes on: {within} fits within it are kept")
        elif key[0] == self._interrupted and not self.records.has_grown(key):
            self.run.note(
                f"fit {key[0]} ({call.name}) was interrupted and starts again from its beginning"
            )


def is_for_keras(parts: Parts) -> bool:
    """Return whether a fit may train a Keras model, of which Keras' own checkpoints take care."""
    if not any(name in sys.modules for name in KERAS):
        return False
    fitted = [part for part in parts.values() if hasattr(part, "get_params")]
    return not all(type(part).__module__.startswith("sklearn.") for part in fitted)


def _text(key: Key) -> str:
    return ".".join(map(str, key))
