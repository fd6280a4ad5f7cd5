"""What checkpoints and heartbeat cost: plain `fit` against watched `fit`, in one process, in turns.

`make bench-checkpoint` runs it in the real image for dense networks, with the limits of a training.
Each pair trains the same network twice, plain and watched; what is compared is the time from the
end of the first epoch, which traces the model, to the end of the last one. BENCH_PAIRS (default 5)
is the number of pairs, BENCH_ONLY takes the names of cases, separated by commas. It ends with 1
where a median is above the aim.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parent.parent.parent  # the root itself, where this runs in the image
AIM = 1.03
BATCH = 128
CPUS, MEMORY = "1", "4g"


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


@dataclass(frozen=True)
class Cost:
    """Of one fit without its first epoch: seconds on the clock and of the processor, saves."""

    wall: float
    cpu: float
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


def measure(shape: Shape, x: Any, y: Any, *, watched: bool) -> Cost:
    """Train once and return what it cost."""
    import keras

    from pushtrain_trainer import keras_hooks

    marks: list[tuple[float, float]] = []

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is not typed here
        """Looks at the clocks before the trainer's own callback does anything."""

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            """Note an end."""
            marks.append((time.perf_counter(), time.process_time()))

    model = build(shape)
    saves = 0
    # what the trainer says of each epoch is no part of the table
    with (
        tempfile.TemporaryDirectory(dir="/output") as folder,
        contextlib.redirect_stdout(sys.stderr),
    ):
        run = run_in(Path(folder))
        if watched:
            keras_hooks.install(run, keras)
        try:
            model.fit(x, y, epochs=shape.epochs, batch_size=BATCH, verbose=0, callbacks=[Clock()])
        finally:
            keras_hooks.uninstall()
        if watched:
            assert run.trusted, run.notes
            saves = int(max(Path(folder).glob("checkpoint/*/*.ckpt")).stem)
    (wall, cpu), (wall_end, cpu_end) = marks[0], marks[-1]
    return Cost(wall_end - wall, cpu_end - cpu, saves)


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
    walls, cpus, saves, epochs = [], [], [], []
    for number in range(pairs):
        order = (False, True) if number % 2 == 0 else (True, False)
        costs = {watched: measure(shape, x, y, watched=watched) for watched in order}
        plain, watched = costs[False], costs[True]
        walls.append(watched.wall / plain.wall)
        cpus.append(watched.cpu / plain.cpu)
        saves.append(watched.saves)
        epochs.append(plain.wall / (shape.epochs - 1))
        print(f"  {name}: wall {walls[-1]:.3f} cpu {cpus[-1]:.3f}", file=sys.stderr, flush=True)
    wall, cpu = statistics.median(walls), statistics.median(cpus)
    is_reached = wall <= AIM and cpu <= AIM
    row = (
        f"| {name:13} | {model.count_params():>10,} | {statistics.median(epochs):>7.2f} "
        f"| {len(y) // BATCH:>7} | {shape.epochs:>6} | {statistics.median(saves):>5.0f} "
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
