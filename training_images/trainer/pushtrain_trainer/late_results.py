"""Puts aside what an older attempt left as its result, so that it is neither used nor lost."""

from __future__ import annotations

import itertools
from pathlib import Path

from pushtrain_trainer.contract import LATE_DIR, RESULT_FILE
from pushtrain_trainer.durable_files import read_json


def put_aside(output: Path, attempt: int) -> None:
    """Clear the place of this attempt's result.

    Args:
        output: The output folder. A result of another attempt goes to `late/<its attempt>.json`
            in it, one that can not be read to `late/unknown-<n>.json`.
        attempt: The number of this attempt; what it left itself is removed.

    Raises:
        OSError: The old result could be neither moved nor removed.
    """
    result = output / RESULT_FILE
    if not result.exists():
        result.unlink(missing_ok=True)  # a link to nowhere
        return
    known = read_json(result)
    number = known.get("attempt") if isinstance(known, dict) else None
    if type(number) is not int or number < 1:
        number = None
    if number != attempt:
        try:
            late = output / LATE_DIR
            late.mkdir(exist_ok=True)
            result.replace(late / f"{number}.json" if number else _unknown(late))
        except OSError as error:
            print(f"pushtrain: a late result could not be kept: {error}", flush=True)
    result.unlink(missing_ok=True)


def _unknown(late: Path) -> Path:
    names = (late / f"unknown-{n}.json" for n in itertools.count(1))
    return next(path for path in names if not path.exists())
