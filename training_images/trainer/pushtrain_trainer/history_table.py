"""The table of finished epochs, `history.csv`: one row each, no epoch twice."""

from __future__ import annotations

import csv
import errno
import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pushtrain_trainer.contract import HISTORY_FILE
from pushtrain_trainer.durable_files import replace_file

COLUMNS = (
    "fit", "epoch", "attempt", "loss", "accuracy", "val_loss", "val_accuracy", "seconds",
)  # fmt: skip
LOGGED = {
    "loss": ("loss",),
    "accuracy": ("accuracy", "acc", "categorical_accuracy", "sparse_categorical_accuracy",
                 "binary_accuracy"),
}  # fmt: skip
_FIGURE = r"-?(?:[0-9]+(?:\.[0-9]+)?(?:e[-+][0-9]+)?|inf|nan)"
ROW = re.compile(rf"(?:[0-9]{{1,18}},){{3}}(?:(?:{_FIGURE})?,){{4}}{_FIGURE}")


def logged(logs: Mapping[str, float], name: str) -> float | None:
    """Return loss or accuracy from Keras' logs under the names that Keras gives them.

    Args:
        logs: What Keras hands to callbacks.
        name: `loss`, `accuracy`, `val_loss` or `val_accuracy`.
    """
    prefix = "val_" if name.startswith("val_") else ""
    for known in LOGGED[name.removeprefix("val_")]:
        if prefix + known in logs:
            return float(logs[prefix + known])
    return None


def series_of(history: Mapping[str, Sequence[float]], name: str) -> list[float]:
    """Return the figures of all epochs, as `logged` returns those of one; empty without any."""
    prefix = "val_" if name.startswith("val_") else ""
    for known in LOGGED[name.removeprefix("val_")]:
        if prefix + known in history:
            return [float(value) for value in history[prefix + known]]
    return []


def row_of(
    fit: int, epoch: int, attempt: int, logs: Mapping[str, float], seconds: float
) -> dict[str, str]:
    """Return the row of one finished epoch.

    Args:
        fit: Number of the fit, from 1.
        epoch: Number of the epoch, from 1.
        attempt: Number of the attempt.
        logs: What Keras logged for the epoch.
        seconds: How long the epoch took.
    """
    row = {"fit": str(fit), "epoch": str(epoch), "attempt": str(attempt)}
    row["seconds"] = f"{seconds:.3f}"
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        value = logged(logs, name)
        row[name] = "" if value is None else f"{value:.6g}"
    return row


Key = tuple[str, str]


def _key(row: Mapping[str, str]) -> Key:
    return row["fit"], row["epoch"]


class HistoryTable:
    """The rows of this round, those of earlier attempts included."""

    def __init__(self, output: Path) -> None:
        self._file = output / HISTORY_FILE
        self._unwritten: list[Mapping[str, str]] = []
        self._keys: set[Key] | None = None  # of all rows, once the table was read

    def rows(self) -> list[dict[str, str]]:
        """Return the whole rows; one that a crash cut short is left out, as is a damaged one."""
        rows: dict[Key, dict[str, str]] = {}
        for line in self._lines():
            if ROW.fullmatch(line):
                row = dict(zip(COLUMNS, line.split(","), strict=True))
                rows.setdefault(_key(row), row)
        return list(rows.values())

    def drop_after(self, fit: int, epoch: int) -> None:
        """Forget the epochs of `fit` after `epoch` and all of later fits."""
        self._keep(lambda f, e: f < fit or (f == fit and e <= epoch))

    def repair(self) -> int:
        """Remove the row that a crash cut short, so that the next one starts on its own line.

        Returns:
            How many other lines were damaged, and are removed, too.
        """
        lines = self._lines()
        heading = lines[:1] == [",".join(COLUMNS)]
        damaged = len(lines) - heading - len(self.rows())
        self._keep(lambda fit, epoch: True)
        return damaged

    def clear(self) -> None:
        """Forget all epochs."""
        self._keys = None
        self._unwritten.clear()
        self._file.unlink(missing_ok=True)

    def append(self, row: Mapping[str, str]) -> None:
        """Add one finished epoch, durably; those that the disk had no room for come before it.

        Raises:
            OSError: It could not be written; the next call, or `complete`, writes it.
        """
        self._keys = None
        self._unwritten.append(dict(row))
        self.complete()

    def complete(self) -> None:
        """Write the epochs that the disk had no room for.

        Raises:
            OSError: It still has none.
        """
        if not self._unwritten:
            return
        with self._file.open("ab", buffering=0) as file:
            before = file.tell()
            text = _csv_of(self._unwritten, with_header=before == 0)
            try:
                if file.write(text) != len(text):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            except OSError:
                # half a row would spoil the one that comes after it
                os.truncate(self._file, before)
                raise
        self._unwritten.clear()

    def ensure(self, rows: Sequence[Mapping[str, str]]) -> None:
        """Add the rows of a checkpoint whose epochs are not there, durably.

        Raises:
            OSError: They could not be written; the next call, or `complete`, writes them.
        """
        if self._keys is None:
            self._keys = {_key(row) for row in (*self.rows(), *self._unwritten)}
        missing = [dict(row) for row in rows if _key(row) not in self._keys]
        self._keys.update(_key(row) for row in missing)
        self._unwritten += missing
        self.complete()

    def _lines(self) -> list[str]:
        try:
            text = self._file.read_bytes().decode(errors="replace")
        except FileNotFoundError:
            return []
        return text.split("\n")[:-1]

    def _keep(self, wanted: Callable[[int, int], bool]) -> None:
        self._keys = None
        self._unwritten = [r for r in self._unwritten if wanted(int(r["fit"]), int(r["epoch"]))]
        if not self._file.exists():
            return
        kept = [row for row in self.rows() if wanted(int(row["fit"]), int(row["epoch"]))]
        text = _csv_of(kept, with_header=True)
        replace_file(self._file, lambda file: file.write(text))


def _csv_of(rows: Sequence[Mapping[str, str]], *, with_header: bool) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
    if with_header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
