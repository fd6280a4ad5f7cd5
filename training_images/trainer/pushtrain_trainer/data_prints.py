"""Recognises data that was seen before, to tell the split that a figure comes from."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable
from typing import Any

from pushtrain_trainer.contract import Split

SAMPLED_ROWS = 4096
MOST_BYTES = 2**24  # of them


def fingerprint(data: Any) -> str | None:
    """Return a short print of array-like data (its shape and rows), None where it has none.

    Of long data evenly spaced rows are taken. The print does not depend on the container: an
    array, a frame and a list of the same rows are alike.
    """
    import numpy  # here: a script without NumPy must not pay for it

    try:
        if hasattr(data, "toarray"):
            data = data.tocsr().sorted_indices()
            parts = [data.data, data.indices, data.indptr]
            return "sparse:" + ":".join(str(fingerprint(part)) for part in parts)
        if isinstance(data, dict):
            data = list(data.values())
        if isinstance(data, (list, tuple)) and data and hasattr(data[0], "shape"):
            return "|".join(str(fingerprint(part)) for part in data)
        if not isinstance(data, (list, tuple)) and not hasattr(data, "__array__"):
            return None  # a stream of batches: reading it would use it up, or never end
        array = numpy.asarray(data)
        if array.ndim == 0:
            return None
        # each row may be a large one, and the print is made of a copy
        rows = array[:: max(1, len(array) // SAMPLED_ROWS, -(-array.nbytes // MOST_BYTES))]
        content = repr(rows.tolist()) if rows.dtype == object else None
        raw = content.encode() if content else numpy.ascontiguousarray(rows).tobytes()
        return f"{array.shape}:{hashlib.blake2b(raw, digest_size=16).hexdigest()}"
    except Exception:  # data of any kind comes here; what can not be read is merely not recognised
        return None


class SeenData:
    """The data that was trained on and validated with."""

    def __init__(self) -> None:
        self._prints: dict[str, Split] = {}
        self._objects: list[tuple[Callable[[], Any], Split]] = []

    def note(self, data: Any, split: Split) -> None:
        """Remember `data`; what was trained on stays `train` whatever is said later."""
        if data is None:
            return
        found = fingerprint(data)
        if found is None:
            alive = [(known, kind) for known, kind in self._objects if known() is not None]
            self._objects = [*alive, (_reference(data), split)]
        elif self._prints.get(found) is not Split.TRAIN:
            self._prints[found] = split

    def note_labels(self, labels: Any, split: Split) -> None:
        """Remember labels, one-hot ones also as the class numbers that they stand for."""
        self.note(labels, split)
        if getattr(labels, "ndim", 0) == 2 and labels.shape[1] > 1 and hasattr(labels, "argmax"):
            self.note(labels.argmax(axis=1), split)

    def split_of(self, data: Any) -> Split:
        """Return the split that `data` belongs to; what was never seen is test data."""
        for known, split in self._objects:
            if known() is data:
                return split
        found = fingerprint(data)
        return self._prints.get(found, Split.TEST) if found else Split.TEST


def _reference(data: Any) -> Callable[[], Any]:
    """Return what gives the data back as long as the script has them."""
    try:
        return weakref.ref(data)
    except TypeError:
        return lambda: data
