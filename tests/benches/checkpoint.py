"""What checkpoints and heartbeat cost: plain `fit` against watched `fit`, epoch by epoch in turns.

`make bench-checkpoint` runs it in the real image for dense networks, with the limits of a training.
Each pair trains the same network twice at the same time, plain and watched, in two threads that
take turns after each epoch: what else the machine does meets both alike. The turn of the watched
one ends when its checkpoint is on disk. What is compared is the sum of all epochs but the first,
which traces the model. BENCH_PAIRS (default 5) is the number of pairs, BENCH_ONLY takes the names
of cases, separated by commas. It ends with 1 where a cost is above the aim.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parent.parent.parent  # the root itself, where this runs in the image
AIM = 1.03
BATCH = 128
CPUS, MEMORY = "1", "4g"
WRITER = "pushtrain-checkpoint"  # the thread that writes


@dataclass(frozen=True)
class Shape:
    """A network and how it is trained.

    Attributes:
        kind: `dense`, `conv` or `lstm`.
        widths: Of its layers.
        seconds: That an epoch is to last.
        epochs: Of each fit.
    """

    kind: str
    widths: tuple[int, ...]
    seconds: float
    epochs: int


CASES = {
    "dense-1M-2s": Shape("dense", (640, 640), 2, 12),
    "dense-10M-2s": Shape("dense", (2560, 2560, 640), 2, 12),
    "conv-2s": Shape("conv", (16, 32), 2, 12),
    "lstm-2s": Shape("lstm", (64,), 2, 12),
    "dense-1M-20s": Shape("dense", (640, 640), 20, 4),
    "dense-10M-20s": Shape("dense", (2560, 2560, 640), 20, 4),
}


@dataclass
class Cost:
    """Of one fit without its first epoch: seconds on the clock and of the processor, saves."""

    wall: float = 0.0
    cpu: float = 0.0
    saves: int = 0


def build(shape: Shape) -> Any:
    """Return a compiled network."""
    import keras  # here: only in the image
    from keras import layers

    keras.utils.set_random_seed(1)
    if shape.kind == "dense":
        hidden = [layers.Dense(width, activation="relu") for width in shape.widths]
        made = [layers.Input((784,)), *hidden]
    elif shape.kind == "conv":
        hidden = [layers.Conv2D(width, 3, activation="relu") for width in shape.widths]
        made = [layers.Input((28, 28, 1)), *hidden, layers.Flatten()]
    else:
        made = [layers.Input((28, 28)), *(layers.LSTM(width) for width in shape.widths)]
    model = keras.Sequential([*made, layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def data_for(model: Any, batches: int) -> tuple[Any, Any]:
    """Return so many batches of noise."""
    import numpy as np

    size = batches * BATCH
    x = np.random.default_rng(0).random((size, *model.input_shape[1:]), dtype="float32")
    return x, (x.reshape(size, -1)[:, :10]).argmax(axis=1)


def batches_for(shape: Shape) -> int:
    """Return how many batches take the seconds that an epoch is to last."""
    model = build(shape)
    x, y = data_for(model, 40)
    model.fit(x, y, batch_size=BATCH, verbose=0)
    started = time.perf_counter()
    model.fit(x, y, batch_size=BATCH, verbose=0)
    return max(10, round(40 * shape.seconds / (time.perf_counter() - started)))


class Turns:
    """Lets two threads work one at a time, in turns, until one of them is done."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._now = 0
        self._done: set[int] = set()

    def take(self, number: int) -> None:
        """Wait for a turn."""
        with self._changed:
            self._changed.wait_for(lambda: self._now == number or 1 - number in self._done)

    def give(self, number: int, *, done: bool = False) -> None:
        """End a turn, or all of them."""
        with self._changed:
            self._now = 1 - number
            self._done |= {number} if done else set()
            self._changed.notify_all()


def clock_for(turns: Turns, number: int, cost: Cost) -> Any:
    """Return the callback that takes turns and adds up what the epochs cost."""
    import keras

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is not typed here
        """Looks at the clocks where one epoch, and all that followed it, has ended."""

        def __init__(self) -> None:
            super().__init__()
            self.began = (0.0, 0.0)

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            """End the turn of the epoch before, then wait for the next one."""
            self.note(epoch)
            turns.give(number)
            turns.take(number)
            self.began = (time.perf_counter(), time.process_time())

        def on_train_end(self, logs: Any = None) -> None:
            """End the last turn."""
            self.note(self.params["epochs"])
            turns.give(number, done=True)

        def note(self, epoch: int) -> None:
            """Add the epoch that was before this one, unless it was the first."""
            for thread in threading.enumerate():
                if thread.name == WRITER and number:
                    thread.join()
            if epoch > 1:
                cost.wall += time.perf_counter() - self.began[0]
                cost.cpu += time.process_time() - self.began[1]

    return Clock()


def measure(shape: Shape, x: Any, y: Any) -> tuple[Cost, Cost]:
    """Train twice, in turns, and return what the plain and the watched training cost."""
    import keras

    from pushtrain_trainer import keras_hooks

    turns, costs = Turns(), (Cost(), Cost())

    def fit(number: int) -> None:
        clock = clock_for(turns, number, costs[number])
        model = build(shape)
        model.fit(x, y, epochs=shape.epochs, batch_size=BATCH, verbose=0, callbacks=[clock])

    # what the trainer says of each epoch is no part of the table
    with (
        tempfile.TemporaryDirectory(dir="/output") as folder,
        contextlib.redirect_stdout(sys.stderr),
    ):
        run = run_in(Path(folder))
        keras_hooks.install(run, keras)
        try:
            plain = threading.Thread(target=fit, args=(0,))  # only the main thread is watched
            plain.start()
            fit(1)
            plain.join()
        finally:
            keras_hooks.uninstall()
        assert run.trusted, run.notes
        (fits,) = Path(folder).glob("checkpoint/*")
        costs[1].saves = int(max(fits.glob("*.ckpt")).stem)
    return costs


def run_in(folder: Path) -> Any:
    """Return a run that writes into `folder`."""
    from pushtrain_trainer.beat import Beat
    from pushtrain_trainer.fencing import Fence
    from pushtrain_trainer.history_table import HistoryTable
    from pushtrain_trainer.run_state import Run

    fence = Fence(folder, 1)
    return Run(
        output=folder,
        root=folder,
        script=folder / "bench.py",
        attempt=1,
        seed=1,
        history=HistoryTable(folder),
        beat=Beat(folder, 1, fence.check),
        fence=fence,
    )


def compare(name: str, pairs: int) -> tuple[str, bool]:
    """Return the row of one case, and whether the aim is reached."""
    shape = CASES[name]
    model = build(shape)
    x, y = data_for(model, batches_for(shape))
    costs = []
    for _ in range(pairs):
        costs.append(measure(shape, x, y))
        plain, watched = costs[-1]
        shown = f"wall {watched.wall / plain.wall:.3f} cpu {watched.cpu / plain.cpu:.3f}"
        print(f"  {name}: {shown}", file=sys.stderr, flush=True)
    walls = [watched.wall / plain.wall for plain, watched in costs]
    cpus = [watched.cpu / plain.cpu for plain, watched in costs]
    wall = sum(watched.wall for _, watched in costs) / sum(plain.wall for plain, _ in costs)
    cpu = sum(watched.cpu for _, watched in costs) / sum(plain.cpu for plain, _ in costs)
    seconds = statistics.median(plain.wall for plain, _ in costs) / (shape.epochs - 1)
    saves = statistics.median(watched.saves for _, watched in costs)
    is_reached = wall <= AIM and cpu <= AIM
    row = (
        f"| {name:13} | {model.count_params():>10,} | {seconds:>7.2f} "
        f"| {len(y) // BATCH:>7} | {shape.epochs:>6} | {saves:>5.0f} "
        f"| {wall:>5.3f} ({min(walls):.3f}..{max(walls):.3f}) "
        f"| {cpu:>5.3f} ({min(cpus):.3f}..{max(cpus):.3f}) | {'yes' if is_reached else 'NO':4} |"
    )
    return row, is_reached


def inside() -> int:
    """Measure, in the image."""
    pairs = int(os.environ.get("BENCH_PAIRS") or 5)
    names = (os.environ.get("BENCH_ONLY") or ",".join(CASES)).split(",")
    print("| case | parameters | s/epoch | batches | epochs | saves | wall, watched : plain "
          "| cpu, watched : plain | <= 3 % |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    reached = []
    for name in names:
        row, is_reached = compare(name, pairs)
        print(row, flush=True)
        reached.append(is_reached)
    return 0 if all(reached) else 1


def outside() -> int:
    """Start the image for dense networks with the trainer of this checkout."""
    folder = Path(tempfile.mkdtemp(prefix="bench-checkpoint-"))
    folder.chmod(0o777)
    command = ["docker", "run", "--rm", "--init", "--network", "none"]
    command += ["--cpus", CPUS, "--memory", MEMORY, "--user", f"{os.getuid()}:{os.getgid()}"]
    command += ["-v", f"{CHECKOUT}/training_images/trainer:/opt/trainer:ro"]
    command += ["-v", f"{Path(__file__)}:/bench.py:ro", "-v", f"{folder}:/output"]
    for name in ("BENCH_PAIRS", "BENCH_ONLY"):
        command += ["-e", f"{name}={os.environ.get(name, '')}"]
    command += ["-e", "TF_CPP_MIN_LOG_LEVEL=2", "-e", "PYTHONPATH=/opt/trainer"]
    image = os.environ["PUSHTRAIN_IMAGE_ANN"]
    command += ["--entrypoint", "python", image, "-P", "/bench.py", "inside"]
    try:
        return subprocess.run(command, check=False).returncode
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(inside() if sys.argv[1:] == ["inside"] else outside())
