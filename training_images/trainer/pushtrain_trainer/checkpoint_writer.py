"""Writes checkpoints in a thread of its own, one at a time, and then what follows from each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pushtrain_trainer.checkpoints import Checkpoint, Checkpoints
from pushtrain_trainer.run_state import Run
from pushtrain_trainer.saved_work import SavedWork


@dataclass(frozen=True)
class Job:
    """A snapshot to write.

    Attributes:
        rows: Finished epochs that no checkpoint before this one holds.
        part: Of the epoch under way, 0..1, that is in the checkpoint.
        last: Whether the fit is finished.
    """

    checkpoint: Checkpoint
    rows: tuple[dict[str, str], ...]
    part: float
    last: bool = False


class CheckpointWriter:
    """Takes one snapshot at a time; while it is busy no other may be handed over.

    A row of the history follows its checkpoint: a row without one would be an epoch that has to
    be trained again. The thread is no daemon, so the interpreter's end waits for it.

    Args:
        run: The run, which is told what goes wrong.
        checkpoints: Where to.
        done: Called in the thread after each job with it, whether it is on disk, and the
            seconds of the processor that it took.
    """

    def __init__(
        self, run: Run, checkpoints: Checkpoints, done: Callable[[Job, bool, float], None]
    ) -> None:
        self._run = run
        self._checkpoints = checkpoints
        self._work = SavedWork(run.output)
        self._done = done
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a snapshot is being written."""
        return self._thread is not None and self._thread.is_alive()

    def hand_over(self, job: Job) -> None:
        """Begin to write; the snapshot must not change until `is_busy` is False."""
        self._thread = threading.Thread(
            target=self._write, args=(job,), name="pushtrain-checkpoint"
        )
        self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until nothing is being written, at most so long."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _write(self, job: Job) -> None:
        started = time.thread_time()
        written = False
        try:
            try:
                self._checkpoints.save(job.checkpoint, last=job.last, before=self._run.fence.check)
            finally:
                # also where the disk is full: a resume drops the rows behind its checkpoint
                self._run.history.ensure(job.rows)
            self._work.put("epoch", job.part)
            written = True
        except OSError as error:
            # a full disk may pass, and the generations before are still there
            why = error.strerror or str(error)
            self._run.note(f"a checkpoint or a record could not be written: {why}")
        except Exception as error:  # states of models and callbacks of any kind
            self._run.give_up("keeping checkpoints", error)
        self._done(job, written, time.thread_time() - started)
