"""The fits that are done, on disk: bundles with SHA-256 sums, whole or not there."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pushtrain_trainer.contract import SCHEMA
from pushtrain_trainer.durable_files import (
    file_digest,
    make_folder,
    replace_file,
    sealed,
    unsealed,
    write_json,
)

Key = tuple[int, ...]
GROWN = 0  # stands in a key where the number of a fold would: what follows are parts of the fit
MOST_BYTES_PENDING = 8 * 2**20
MOST_BYTES_ALTOGETHER = 2 * 2**30
SECONDS_AT_RISK = 0.5


@dataclass(frozen=True)
class Entry:
    """A fit that is done.

    Attributes:
        key: The fit's number, then that of the fold within it, and so on; from 1.
        about: What the fit has to agree with.
        seconds: What it took.
        start: Where its bytes begin in the bundle.
        size: Their number.
    """

    key: Key
    about: dict[str, Any]
    seconds: float
    start: int = 0
    size: int = 0


class Records:
    """Keeps the outcome of fits; short ones are written together.

    The JSON file of a bundle is written last, so a bundle without it was never finished. A
    damaged bundle is put aside: the fits in it are done again, those before it are kept.

    Args:
        folder: Where the bundles are.
        say: Takes a sentence for people.

    Attributes:
        replaced: How many bundles gave way to the record of the fit that they were within.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._say = say
        self._bundles: dict[int, dict[Key, Entry]] = {}
        self._sound: set[int] = set()
        self._outer: set[Key] = set()
        self._pending: list[tuple[Entry, bytes]] = []
        self._seconds_pending = 0.0
        self._seconds_kept = 0.0
        self.bytes_kept = 0
        self.replaced = 0
        for path in sorted(folder.glob("*.json")):
            if re.fullmatch(r"\d+", path.stem):
                self._read_index(path)

    @property
    def room(self) -> int:
        """The number of bytes that may still be written."""
        return MOST_BYTES_ALTOGETHER - self.bytes_kept

    def find(self, key: Key) -> tuple[Entry, bytes] | None:
        """Return a fit that is done, None if it is not."""
        for number in sorted(self._bundles, reverse=True):
            entry = self._bundles[number].get(key)
            if entry is not None and self._is_sound(number):
                with self._store(number).open("rb") as file:
                    file.seek(entry.start)
                    return entry, file.read(entry.size)
        return None

    def entries(self) -> list[Entry]:
        """Return what is kept of the fits that are done."""
        return [entry for bundle in self._bundles.values() for entry in bundle.values()]

    def within(self, key: Key) -> int:
        """Return how many folds within a fit are done."""
        return len({k for k in self._keys() if is_within(k, key) and GROWN not in k})

    def parts_of(self, key: Key) -> list[Key]:
        """Return the keys of what a fit has grown, in order."""
        return sorted({k for k in self._keys() if k[:-1] == key})

    def has_grown(self, key: Key) -> bool:
        """Return whether anything within a fit has grown."""
        return any(is_within(k, key) and GROWN in k for k in self._keys())

    def seconds_within(self, key: Key) -> float:
        """Return what the records within a fit took, which are dropped with the fit's own."""
        return sum(
            {k: e.seconds for b in self._bundles.values() for k, e in b.items()
             if is_within(k, key)}.values()
        )  # fmt: skip

    def _know(self, number: int, entries: list[Entry]) -> None:
        self._bundles[number] = {entry.key: entry for entry in entries}
        self._outer.update(e.key[:n] for e in entries for n in range(1, len(e.key)))

    def _keys(self) -> Iterator[Key]:
        return itertools.chain.from_iterable(self._bundles.values())

    def add(self, entry: Entry, record: bytes) -> None:
        """Keep a fit; at most about half a second of work, or a thousandth of all, is at risk."""
        self._pending = [p for p in self._pending if not is_within(p[0].key, entry.key)]
        self._pending.append((entry, record))
        self._seconds_pending += entry.seconds
        size = sum(len(raw) for _, raw in self._pending)
        at_risk = max(SECONDS_AT_RISK, self._seconds_kept / 1000)
        if self._seconds_pending >= at_risk or size >= MOST_BYTES_PENDING:
            self.write()
        bundles = len(self._bundles)
        if entry.key in self._outer:
            self.drop(lambda key: is_within(key, entry.key))
        self.replaced += bundles - len(self._bundles)

    def write(self) -> None:
        """Write what is pending.

        Raises:
            OSError: It could not be written; it is dropped.
        """
        pending, self._pending = self._pending, []
        self._seconds_kept += self._seconds_pending
        self._seconds_pending = 0.0
        if not pending:
            return
        make_folder(self._folder)
        number = max(self._bundles, default=0) + 1
        entries, start = [], 0
        for entry, record in pending:
            entries.append(Entry(entry.key, entry.about, entry.seconds, start, len(record)))
            start += len(record)
        store = self._store(number)
        replace_file(store, lambda file: file.writelines(record for _, record in pending))
        sum_of_store = hashlib.sha256(b"".join(record for _, record in pending)).hexdigest()
        body = {"schema": SCHEMA, "sha256": sum_of_store, "entries": [vars(e) for e in entries]}
        write_json(self._index(number), sealed(body))
        self._know(number, entries)
        self._sound.add(number)
        self.bytes_kept += start

    def drop(self, is_obsolete: Callable[[Key], bool]) -> None:
        """Forget fits; the files of a bundle go with the last of its fits."""
        self._pending = [p for p in self._pending if not is_obsolete(p[0].key)]
        for number, bundle in list(self._bundles.items()):
            for key in [key for key in bundle if is_obsolete(key)]:
                self.bytes_kept -= bundle.pop(key).size
            if not bundle:
                del self._bundles[number]
                # the JSON file first: without it the bundle does not exist
                self._index(number).unlink(missing_ok=True)
                self._store(number).unlink(missing_ok=True)

    def _index(self, number: int) -> Path:
        return self._folder / f"{number:06d}.json"

    def _store(self, number: int) -> Path:
        return self._folder / f"{number:06d}.joblib"

    def _read_index(self, path: Path) -> None:
        number = int(path.stem)
        try:
            body = unsealed(json.loads(path.read_bytes()))
            entries = [Entry(**{**e, "key": tuple(e["key"])}) for e in body["entries"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._put_aside(number, f"{type(error).__name__}: {error}")
            return
        self._know(number, entries)
        self.bytes_kept += sum(entry.size for entry in entries)

    def _is_sound(self, number: int) -> bool:
        if number in self._sound:
            return True
        try:
            body = json.loads(self._index(number).read_bytes())["body"]
            if file_digest(self._store(number)) == body["sha256"]:
                self._sound.add(number)
                return True
            reason = "the sum of the joblib file differs"
        except OSError as error:
            reason = str(error)
        del self._bundles[number]
        self._put_aside(number, reason)
        return False

    def _put_aside(self, number: int, reason: str) -> None:
        self._say(f"record {number:06d} of fits that were done is damaged ({reason}): "
                  "they are done again")  # fmt: skip
        for file in (self._index(number), self._store(number)):
            if file.exists():
                file.replace(file.with_name(f"damaged-{file.name}"))


def is_within(key: Key, outer: Key) -> bool:
    """Return whether `key` is a fold within the fit `outer`."""
    return len(key) > len(outer) and key[: len(outer)] == outer
