"""Reads the accuracy that a script wrote: `accuracy.txt` or `result.txt` as 97, 97 % or 0.97."""

from __future__ import annotations

import os
import re
from pathlib import Path

NAMES = frozenset({"accuracy.txt", "result.txt", "results.txt"})
MOST_BYTES = 64 * 1024

_NUMBER = r"(?<![\w.])(\d+(?:[.,]\d+)?|\.\d+)(?:[eE]([-+]?\d+))?"
_LABELLED = re.compile(r"acc(?:uracy)?\b[^\d\n.+-]{0,20}" + _NUMBER + r"\s*(%?)", re.IGNORECASE)
_PERCENT = re.compile(_NUMBER + r"\s*(%)")
_PLAIN = re.compile(_NUMBER + r"\s*(%?)")


def parse_accuracy(text: str) -> float | None:
    """Return the accuracy in 0..1 that `text` states, None if it states none clearly.

    A labelled number (`accuracy: 0.97`) counts first, then a lone number with `%`, then a lone
    number. Above 1 it is read as percent.
    """
    for pattern in (_LABELLED, _PERCENT, _PLAIN):
        values = {_value(*match.groups()) for match in pattern.finditer(text)}
        if len(values) == 1:
            return values.pop()
        if values:
            # several labelled figures: the last one; several bare numbers: no telling
            last = list(pattern.finditer(text))[-1]
            return _value(*last.groups()) if pattern is _LABELLED else None
    return None


def _value(digits: str, exponent: str | None, percent: str) -> float | None:
    number = float(digits.replace(",", ".")) * 10.0 ** int(exponent or 0)
    if percent or number > 1.0:
        number /= 100.0
    return number if number <= 1.0 else None


class AccuracyFiles:
    """Tells the files that the script wrote from those that were there before."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._before = self._stamps()

    def written(self) -> list[tuple[str, str]]:
        """Return (path in the tree, text) of the files written since, the oldest first."""
        now = self._stamps()
        new = [path for path, stamp in now.items() if self._before.get(path) != stamp]
        new.sort(key=lambda path: now[path])
        return [(str(path.relative_to(self._root)), _text(path)) for path in new]

    def _stamps(self) -> dict[Path, tuple[int, int]]:
        found = {}
        for folder, folders, names in os.walk(self._root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                if name.lower() in NAMES:
                    path = Path(folder, name)
                    stat = path.stat()
                    found[path] = (stat.st_mtime_ns, stat.st_size)
        return found


def _text(path: Path) -> str:
    with path.open(errors="replace") as file:
        return file.read(MOST_BYTES)
