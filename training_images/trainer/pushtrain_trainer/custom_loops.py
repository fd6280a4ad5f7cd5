"""Sees that a training loop of the script's own makes progress, and what it saves itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from pushtrain_trainer.loop_record import LoopRecord
from pushtrain_trainer.patches import Patches
from pushtrain_trainer.run_state import Run

PHASE = "loop"
PLAIN_PHASES = frozenset({"script", PHASE})  # the others report their progress themselves
STEPS_OF_A_LOOP = 5  # fewer gradients are no training: a picture of what a network looks at

_patches = Patches()


class LoopWatch:
    """Counts steps: gradients, and calls of those tf.functions that compute some.

    A step is told to the heartbeat outside of fits only. It costs microseconds.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._thread = threading.get_ident()
        self._calls: list[Any] = []  # the tf.functions that are being called, the innermost last
        self._training: WeakSet[Any] = WeakSet()
        self._steps = 0
        self._in_save = False
        self._record: LoopRecord | None = None

    def watched_call(self, original: Any) -> Any:
        """Return the `__call__` that takes the place of that of tf.functions."""

        def call(function: Any, *args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != self._thread:
                return original(function, *args, **kwargs)
            self._calls.append(function)
            try:
                result = original(function, *args, **kwargs)
            finally:
                self._calls.pop()
            if not self._calls and function in self._training:
                self._step()
            return result

        return call

    def watched_gradient(self, original: Any) -> Any:
        """Return the `gradient` that takes the place of that of tapes."""

        def gradient(tape: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(tape, *args, **kwargs)
            if threading.get_ident() == self._thread:
                if self._calls:
                    self._training.add(self._calls[0])  # counted when its call returns
                else:
                    self._step()
            return result

        return gradient

    def watched_save(self, original: Any) -> Any:
        """Return a method `save(self, path)` that counts what the script keeps itself.

        What a method returns as a text is where the file really is.
        """

        def save(owner: Any, *args: Any, **kwargs: Any) -> Any:
            if self._in_save or not self._is_plain():
                return original(owner, *args, **kwargs)
            self._in_save = True
            try:
                result = original(owner, *args, **kwargs)
            finally:
                self._in_save = False
            path = result if isinstance(result, str) else _first(args, kwargs)
            if path is not None:
                self._safely(lambda: self.record.saved(path))
            return result

        return save

    def watched_restore(self, original: Any) -> Any:
        """Return a method or function that reads what the script kept; see `watched_save`."""

        def restore(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            if self._is_plain():
                for path in (*args[:2], *kwargs.values()):
                    if isinstance(path, str) or hasattr(path, "__fspath__"):
                        self._safely(lambda path=path: self.record.restored(path))  # type: ignore[misc]  # the value of this turn
            return result

        return restore

    @property
    def record(self) -> LoopRecord:
        """What loops did before; read when it is first needed."""
        if self._record is None:
            self._record = LoopRecord(self._run)
        return self._record

    def _is_plain(self) -> bool:
        return threading.get_ident() == self._thread and self._run.beat.now.phase in PLAIN_PHASES

    def _step(self) -> None:
        beat = self._run.beat
        if beat.now.phase not in PLAIN_PHASES:
            return
        self._steps += 1
        if beat.now.phase == PHASE:
            beat.progress(batch=self._steps)
        else:
            beat.phase(PHASE, fit=0, epoch=0, epochs=0, batch=self._steps, batches=0)
        if self._steps == STEPS_OF_A_LOOP and self._run.trusted:
            self._safely(self.record.begin)

    def _safely(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # scripts save anything anywhere
            self._run.note(f"watching a custom training loop failed: {error}")


def _first(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[0] if args else next(iter(kwargs.values()), None)


_watches: dict[int, LoopWatch] = {}


def watch_of(run: Run) -> LoopWatch:
    """Return the watch of a run: TensorFlow's and Keras' hooks share it."""
    return _watches.setdefault(id(run), LoopWatch(run))


def watch_tensorflow(run: Run, tensorflow: Any, patches: Patches) -> None:
    """See tf.functions, tapes and TensorFlow's own checkpoints.

    Raises:
        AttributeError: This TensorFlow lacks something that is patched.
    """
    watch = watch_of(run)
    function = type(tensorflow.function(lambda: 0))
    patches.wrap(function, "__call__", watch.watched_call)
    patches.wrap(tensorflow.GradientTape, "gradient", watch.watched_gradient)
    checkpoint, manager = tensorflow.train.Checkpoint, tensorflow.train.CheckpointManager
    for owner, name in ((checkpoint, "save"), (checkpoint, "write"), (manager, "save")):
        patches.wrap(owner, name, watch.watched_save)
    patches.wrap(checkpoint, "read", watch.watched_restore)


def install(run: Run, keras: Any) -> None:
    """See what the script saves and reads with Keras.

    Raises:
        AttributeError: This Keras lacks something that is patched; call `uninstall`.
    """
    uninstall()
    if run.dry:
        return
    watch = watch_of(run)
    for name in ("save", "save_weights"):
        _patches.wrap(keras.Model, name, watch.watched_save)
    _patches.wrap(keras.Model, "load_weights", watch.watched_restore)
    _patches.wrap(keras.models, "load_model", watch.watched_restore)


def uninstall() -> None:
    """Put Keras' own functions back."""
    _patches.undo()
