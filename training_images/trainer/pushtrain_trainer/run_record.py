"""What the checkpoints of a run belong to, kept twice: damage to one file costs no checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pushtrain_trainer.contract import SCHEMA
from pushtrain_trainer.durable_files import read_json, sealed, unsealed, write_json

FILES = ("run.json", "run-copy.json")


@dataclass(frozen=True)
class RunRecord:
    """What all attempts of a round share.

    Attributes:
        version: See `run_state.script_version`.
        seed: Seeds the generators at the start of each attempt.
        inexact: Why the run may differ from one that was never interrupted.
    """

    version: str
    seed: int
    inexact: tuple[str, ...] = ()


def write_record(folder: Path, record: RunRecord) -> None:
    """Write both copies, one after the other, so that one of them is whole at any time.

    Raises:
        OSError: They could not be written.
    """
    body = {"schema": SCHEMA, **asdict(record), "inexact": list(record.inexact)}
    for name in FILES:
        write_json(folder / name, sealed(body))


def read_copies(folder: Path) -> list[RunRecord | None]:
    """Return what each of the two files holds, None for one that is damaged or missing."""
    return [_record_in(read_json(folder / name)) for name in FILES]


def _record_in(content: Any) -> RunRecord | None:
    try:
        body = unsealed(content)
        return RunRecord(body["version"], body["seed"], tuple(body["inexact"]))
    except (TypeError, KeyError, ValueError):
        return None
