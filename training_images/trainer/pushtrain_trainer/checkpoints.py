"""Checkpoints on disk: arrays as npz, the rest as JSON with SHA-256 sums, two generations."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from pushtrain_trainer.contract import SCHEMA
from pushtrain_trainer.durable_files import file_digest, replace_file, write_json

GENERATIONS_KEPT = 2


class Damaged(ValueError):
    """A generation is not what was written."""


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint: plain data and arrays."""

    data: dict[str, Any]
    arrays: list[Any]


class Checkpoints:
    """The generations of one fit; the newest whole one counts.

    The JSON file is written last, so a generation without it was never finished.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, checkpoint: Checkpoint, *, last: bool = False) -> None:
        """Write a new generation, then remove old ones.

        Args:
            checkpoint: What to keep.
            last: Whether nothing follows, so that no earlier generation is needed any more.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        stem = f"{max(self._numbers(), default=0) + 1:06d}"
        blobs, dtypes = _as_blobs(checkpoint.arrays)
        store = self._folder / f"{stem}.npz"
        replace_file(store, lambda file: numpy.savez(file, **blobs))
        body = {
            "schema": SCHEMA,
            "arrays": {"sha256": file_digest(store), "dtypes": dtypes},
            "data": checkpoint.data,
        }
        write_json(self._folder / f"{stem}.json", {"sha256": _digest(body), "body": body})
        for number in self._numbers()[: -1 if last else -GENERATIONS_KEPT]:
            self._remove(number)

    def latest(self, say: Callable[[str], None]) -> Checkpoint | None:
        """Return the newest whole generation; a damaged one is told and put aside."""
        for number in reversed(self._numbers()):
            try:
                return self._load(f"{number:06d}")
            except (OSError, ValueError, KeyError) as error:
                say(f"checkpoint {self._folder.name}/{number:06d} is damaged ({error}): "
                    "the one before it is used")  # fmt: skip
                self._put_aside(number)
        return None

    def clear(self) -> None:
        """Remove all generations."""
        for number in self._numbers():
            self._remove(number)

    def _numbers(self) -> list[int]:
        files = self._folder.glob("*.json")
        return sorted(int(f.stem) for f in files if re.fullmatch(r"\d+", f.stem))

    def _load(self, stem: str) -> Checkpoint:
        record = json.loads((self._folder / f"{stem}.json").read_bytes())
        body = record["body"]
        if _digest(body) != record["sha256"]:
            raise Damaged("the sum of the JSON file differs")
        store = self._folder / f"{stem}.npz"
        if file_digest(store) != body["arrays"]["sha256"]:
            raise Damaged("the sum of the npz file differs")
        with numpy.load(store, allow_pickle=False) as blobs:
            arrays = [
                blobs[f"a{i}"].view(_dtype(name)) for i, name in enumerate(body["arrays"]["dtypes"])
            ]
        return Checkpoint(body["data"], arrays)

    def _remove(self, number: int) -> None:
        # the JSON file first: without it the generation does not exist
        for suffix in (".json", ".npz"):
            (self._folder / f"{number:06d}{suffix}").unlink(missing_ok=True)

    def _put_aside(self, number: int) -> None:
        for suffix in (".json", ".npz"):
            file = self._folder / f"{number:06d}{suffix}"
            if file.exists():
                file.replace(file.with_name(f"damaged-{file.name}"))


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _as_blobs(arrays: list[Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the arrays by name; kinds that npz does not know (bfloat16) go as bytes."""
    blobs, dtypes = {}, []
    for i, array in enumerate(arrays):
        array = numpy.ascontiguousarray(array).reshape(numpy.shape(array))
        dtypes.append(array.dtype.name)
        known = array.dtype.kind in "biufc"
        blobs[f"a{i}"] = array if known else array.view(f"u{array.dtype.itemsize}")
    return blobs, dtypes


def _dtype(name: str) -> Any:
    try:
        return numpy.dtype(name)
    except TypeError:
        # here: comes with TensorFlow only
        ml_dtypes = importlib.import_module("ml_dtypes")
        return numpy.dtype(getattr(ml_dtypes, name))
