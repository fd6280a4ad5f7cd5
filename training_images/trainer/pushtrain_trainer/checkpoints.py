"""Checkpoints on disk: one file each with plain data, arrays and a SHA-256 sum, two generations."""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy

from pushtrain_trainer.durable_files import make_folder, replace_file

SCHEMA = 2  # of the file and of the states in it
GENERATIONS_KEPT = 2
SUFFIX = ".ckpt"
MAGIC = b"pushtrain ckpt\r\n"  # a transfer as text would damage it
LENGTH_BYTES = 8
SUM_BYTES = hashlib.sha256().digest_size
PIECE_BYTES = 2**20


class Damaged(ValueError):
    """A generation is not what was written."""


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint: plain data and arrays."""

    data: dict[str, Any]
    arrays: list[Any]


class Checkpoints:
    """The generations of one fit; the newest whole one counts.

    A file is the magic bytes, the length of the JSON, the JSON, the arrays one after the other,
    and the sum of all that: written in one go, summed up before it is read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(
        self,
        checkpoint: Checkpoint,
        *,
        last: bool = False,
        before: Callable[[Path], None] | None = None,
    ) -> None:
        """Write a new generation, then remove old ones.

        Args:
            checkpoint: What to keep.
            last: Whether nothing follows, so that no earlier generation is needed any more.
            before: Called with the file aside when all is written, but not yet in place.

        Raises:
            OSError: It could not be written; the earlier generations are as they were.
        """
        make_folder(self._folder)
        number = max(self._numbers(), default=0) + 1
        replace_file(self._path(number), lambda file: _write(file, checkpoint), before=before)
        for number in self._numbers()[: -1 if last else -GENERATIONS_KEPT]:
            self._path(number).unlink(missing_ok=True)

    def latest(self, say: Callable[[str], None]) -> Checkpoint | None:
        """Return the newest whole generation; a damaged one is told and put aside."""
        for number in reversed(self._numbers()):
            path = self._path(number)
            try:
                with path.open("rb") as file:
                    return _read(file)
            except Exception as error:  # a file of whatever content has an older one behind it
                say(f"checkpoint {self._folder.name}/{path.stem} is damaged ({error}): "
                    "the one before it is used")  # fmt: skip
                path.replace(path.with_name(f"damaged-{path.name}"))
        return None

    def clear(self) -> None:
        """Remove all generations."""
        for number in self._numbers():
            self._path(number).unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}{SUFFIX}"

    def _numbers(self) -> list[int]:
        files = self._folder.glob(f"*{SUFFIX}")
        return sorted(int(f.stem) for f in files if re.fullmatch(r"\d+", f.stem))


def _write(file: IO[bytes], checkpoint: Checkpoint) -> None:
    arrays = [numpy.ascontiguousarray(a).reshape(numpy.shape(a)) for a in checkpoint.arrays]
    listed = [[_name(array.dtype), list(array.shape)] for array in arrays]
    body = {"schema": SCHEMA, "arrays": listed, "data": checkpoint.data}
    text = json.dumps(body).encode()
    digest = hashlib.sha256()
    pieces = [MAGIC, len(text).to_bytes(LENGTH_BYTES, "little"), text]
    # bytes of any kind of number, bfloat16 among them; an empty array has none
    for piece in (*pieces, *(a.reshape(-1).view("u1").data for a in arrays if a.nbytes)):
        digest.update(piece)
        file.write(piece)
    file.write(digest.digest())


def _read(file: IO[bytes]) -> Checkpoint:
    _verify(file)

    def take(size: int) -> bytearray:
        piece = bytearray(size)
        if file.readinto(piece) != size:  # type: ignore[attr-defined]  # BufferedReader has it
            raise Damaged("it is too short")
        return piece

    file.seek(len(MAGIC))
    body = json.loads(take(int.from_bytes(take(LENGTH_BYTES), "little")))
    if body["schema"] != SCHEMA:
        raise Damaged(f"its schema is {body['schema']!r}, this trainer reads {SCHEMA}")
    arrays = []
    for name, shape in body["arrays"]:
        dtype = _dtype(name)
        piece = take(dtype.itemsize * math.prod(shape))
        arrays.append(
            numpy.frombuffer(piece, dtype).reshape(shape) if piece else numpy.zeros(shape, dtype)
        )
    return Checkpoint(body["data"], arrays)


def _verify(file: IO[bytes]) -> None:
    """Compare the sum, before anything that a flipped bit may have changed is made use of."""
    left = os.fstat(file.fileno()).st_size - SUM_BYTES
    digest = hashlib.sha256()
    if left < len(MAGIC) or file.read(len(MAGIC)) != MAGIC:
        raise Damaged("it does not begin as a checkpoint does")
    file.seek(0)
    while left > 0 and (piece := file.read(min(left, PIECE_BYTES))):
        digest.update(piece)
        left -= len(piece)
    if file.read() != digest.digest():
        raise Damaged("its sum differs")


def _name(dtype: Any) -> str:
    """Return what `_dtype` turns back; TensorFlow's own kinds have no such text, but a name."""
    return str(dtype.name if dtype.kind == "V" else dtype.str)


def _dtype(name: str) -> Any:
    try:
        return numpy.dtype(name)
    except TypeError:
        # here: comes with TensorFlow only
        ml_dtypes = importlib.import_module("ml_dtypes")
        return numpy.dtype(getattr(ml_dtypes, name))
