"""What the trainer knows about the run that is under way."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pushtrain_trainer.beat import Beat
from pushtrain_trainer.contract import CHECKPOINT_DIR, HISTORY_FILE
from pushtrain_trainer.data_prints import SeenData
from pushtrain_trainer.durable_files import make_folder
from pushtrain_trainer.fencing import Fence
from pushtrain_trainer.history_table import HistoryTable
from pushtrain_trainer.measurements import Measurements
from pushtrain_trainer.run_record import RunRecord, read_copies, write_record


def say(text: str) -> None:
    """Print a progress line for people, at once."""
    print(f"pushtrain: {text}", flush=True)


@dataclass
class Run:
    """One attempt of one round, and what it has produced so far.

    Attributes:
        root: The tree that is trained.
        script: The script's absolute path.
        seed: Seeds the generators at the start, the same in every attempt.
        model: The Keras model that was trained last.
        estimator: The scikit-learn estimator that was fitted last.
        resumed: Whether a fit went on from a checkpoint.
        trusted: False once a part of the trainer failed and the script runs plain.
        dry: Whether the first model is only built, not trained.
        built: Number of weights of the Keras model that was fitted first.
        build_error: What a dry build raised.
        started: When the trainer started, on the monotonic clock.
    """

    output: Path
    root: Path
    script: Path
    attempt: int
    seed: int
    history: HistoryTable
    beat: Beat
    fence: Fence
    measured: Measurements = field(default_factory=Measurements)
    seen: SeenData = field(default_factory=SeenData)
    notes: list[str] = field(default_factory=list)
    inexact: list[str] = field(default_factory=list)
    resumed: bool = False
    trusted: bool = True
    model: Any = None
    estimator: Any = None
    dry: bool = False
    api: str = ""
    built: int | None = None
    build_error: BaseException | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.output / CHECKPOINT_DIR

    @property
    def exact(self) -> bool:
        """Whether the run equals one that was never interrupted, as far as the trainer knows."""
        return self.trusted and not (self.resumed and self.inexact)

    def note(self, text: str) -> None:
        """Keep a sentence for the result and say it, once."""
        if text not in self.notes:
            self.notes.append(text)
            say(text)

    def leave_forks_alone(self) -> None:
        """Let processes that the script forks run plain.

        Each counts its fits from the first one again: their checkpoints would be mistaken for one
        another's.
        """
        os.register_at_fork(after_in_child=lambda: setattr(self, "trusted", False))

    def note_inexact(self, reason: str) -> None:
        """Keep why a resumed run may differ from an uninterrupted one."""
        if reason not in self.inexact:
            self.inexact.append(reason)

    def give_up(self, part: str, error: BaseException) -> None:
        """Say that a part of the trainer failed; the caller lets the script go on plain."""
        self.trusted = False
        self.note(f"{part} failed, the script goes on plain: {type(error).__name__}: {error}")


def script_version(root: Path, script: Path) -> str:
    """Return a digest of the script and of all modules of its tree."""
    digest = hashlib.sha256(str(script.relative_to(root)).encode())
    for folder, folders, names in sorted(os.walk(root)):
        folders[:] = [f for f in folders if not f.startswith(".") and f != "__pycache__"]
        for name in sorted(names):
            if name.endswith((".py", ".ipynb")):
                path = Path(folder, name)
                digest.update(f"\0{path.relative_to(root)}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def remove_left_overs(folder: Path) -> None:
    """Remove what earlier attempts were writing aside when they were killed."""
    for path in folder.rglob(".*.tmp"):
        path.unlink(missing_ok=True)


def claim_checkpoints(run: Run) -> None:
    """Make the checkpoint folder ours; records of another version of the script are dropped."""
    make_folder(run.checkpoints)
    remove_left_overs(run.output)
    version = script_version(run.root, run.script)
    copies = read_copies(run.checkpoints)
    known = copies[0] or copies[1]
    if known is None or known.version != version:
        _begin_anew(run, known, version)
        return
    if None in copies:
        run.note("one of the two records of the run was damaged or missing: the other is used")
        write_record(run.checkpoints, known)
    run.seed = known.seed
    damaged = run.history.repair()
    if damaged:
        run.note(f"{HISTORY_FILE} was damaged: {damaged} of its lines are left out")
    for reason in known.inexact:
        run.resumed = True
        run.note_inexact(reason)


def _begin_anew(run: Run, known: RunRecord | None, version: str) -> None:
    if known is not None:
        run.note("the script changed since the checkpoints were made: it is trained anew")
    elif any(run.checkpoints.iterdir()):
        run.note(
            "both records of the run are damaged, so the checkpoints may be of another version "
            "of the script: it is trained anew"
        )
    shutil.rmtree(run.checkpoints)
    make_folder(run.checkpoints)
    run.history.clear()
    write_record(run.checkpoints, RunRecord(version, run.seed))


def remember_inexact(run: Run) -> None:
    """Let later attempts know that this one went on inexactly."""
    copies = read_copies(run.checkpoints)
    known = copies[0] or copies[1]
    if known is not None and known.inexact != tuple(run.inexact):
        write_record(run.checkpoints, replace(known, inexact=tuple(run.inexact)))
