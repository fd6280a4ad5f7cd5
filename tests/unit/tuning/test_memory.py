"""A script whose training runs out of memory is tried with smaller batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from pushtrain.analysis.knobs import find_knobs
from pushtrain.history import RoundOutcome, Value
from pushtrain.tuning.proposals import NothingLeft
from pushtrain.tuning.step import NextVersion, next_tweak, values

HEAD = (
    "from keras import Input, Model, Sequential\nfrom keras.layers import *\n"
    "m = Sequential([Input((8,)), Dense(16), Dense(3)])\nm.compile('adam', 'mse', ['accuracy'])\n"
)
FIT = HEAD + "m.fit(x, y, epochs=2, batch_size=64)\n"
STARVED = "out of memory: the memory limit of 64 MiB was hit, 60 MiB were held"


def starved(number: int, sources: Mapping[str, str], **fields: object) -> RoundOutcome:
    return measured(number, None, sources, **{"failure": STARVED, "out_of_memory": True} | fields)


def measured(
    number: int, accuracy: float | None, sources: Mapping[str, str], **fields: object
) -> RoundOutcome:
    found = values(find_knobs("a.py", sources))
    plain = {"base": number - 1 if number else None}
    return RoundOutcome(
        number, accuracy, None, None, 0, 1.0, 1, values=found, **plain | fields  # type: ignore[arg-type]  # any field
    )  # fmt: skip


class Versions:
    """The versions of a script by round, as the loop makes and trains them."""

    def __init__(self, source: str, fits: Callable[[Mapping[str, Value]], bool]) -> None:
        self.sources = {0: {"a.py": source}}
        self.fits = fits
        self.history: list[RoundOutcome] = []
        self.end: NothingLeft | None = None

    def train(self, rounds: int) -> None:
        """Train the pushed version and what comes of it, each round a bit better."""
        number, base = 0, None
        while True:
            found = {k.kind: k.value for k in find_knobs("a.py", self.sources[number])}
            kind = measured if self.fits(found) else starved
            extra = {"accuracy": 0.5 + number / 100} if kind is measured else {}
            self.history.append(kind(number, sources=self.sources[number], base=base, **extra))
            number += 1
            if number == rounds:
                return
            step = next_tweak("a.py", self.sources.__getitem__, self.history, number)
            if isinstance(step, NothingLeft):
                self.end = step
                return
            base = step.tweak.base
            assert base is not None
            self.sources[number] = {**self.sources[base], **step.sources}

    def of(self, kind: str) -> list[Value]:
        """Return the first knob of a kind in each round."""
        return [
            next(k.value for k in find_knobs("a.py", s) if k.kind == kind)
            for s in self.sources.values()
        ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(FIT, FIT.replace("64", "32"), id="keyword"),
        pytest.param(
            HEAD + "m.fit(x, y, 64, 2)\n", HEAD + "m.fit(x, y, 32, 2)\n", id="by its place"
        ),
        pytest.param(
            HEAD + "BATCH = 64  # as many as fit\nm.fit(x, y, batch_size=BATCH)\n",
            HEAD + "BATCH = 32  # as many as fit\nm.fit(x, y, batch_size=BATCH)\n",
            id="constant",
        ),
        pytest.param(
            HEAD + "m.fit(x, y, epochs=2)\n",
            HEAD + "m.fit(x, y, epochs=2, batch_size=16)\n",
            id="Keras' own default",
        ),
        pytest.param(
            HEAD + "m.fit(x, y, batch_size=7)\n", HEAD + "m.fit(x, y, batch_size=4)\n", id="odd"
        ),
        pytest.param(
            "from keras import Input, Model\nfrom keras.layers import Dense\n"
            "i = Input((8,))\nm = Model(i, Dense(3)(Dense(16)(i)))\nm.compile('adam', 'mse')\n"
            "def train(size=128):\n    m.fit(x, y, batch_size=size)\ntrain()\n",
            "from keras import Input, Model\nfrom keras.layers import Dense\n"
            "i = Input((8,))\nm = Model(i, Dense(3)(Dense(16)(i)))\nm.compile('adam', 'mse')\n"
            "def train(size=64):\n    m.fit(x, y, batch_size=size)\ntrain()\n",
            id="functional, a default of its own",
        ),
    ],
)
def test_the_batch_size_is_halved_in_the_source(before: str, after: str) -> None:
    sources = {"a.py": before, "b.py": "x = 1\n"}
    step = next_tweak("a.py", lambda _: sources, [starved(0, sources)], 1)
    assert isinstance(step, NextVersion)
    assert step.sources == {"a.py": after}
    (change,) = step.tweak.changes
    assert (step.tweak.base, step.tweak.strategy) == (0, "memory")
    assert step.tweak.reason == (
        f"round 0 ran out of memory at batch size {change.old} (the memory limit of 64 MiB was "
        "hit, 60 MiB were held): the same with half of it"
    )


PIPELINE = (
    "import tensorflow as tf\n" + HEAD
    + "data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(9).batch(64).prefetch(1)\n"
    "m.fit(data, epochs=2)\n"
)  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(PIPELINE, PIPELINE.replace("batch(64)", "batch(32)"), id="tf.data"),
        pytest.param(
            "SIZE = 64\n" + PIPELINE.replace("64", "SIZE"),
            "SIZE = 32\n" + PIPELINE.replace("64", "SIZE"),
            id="by a name",
        ),
        pytest.param(
            HEAD + "m.fit(images.flow(x, y, batch_size=64, seed=1))\n",
            HEAD + "m.fit(images.flow(x, y, batch_size=32, seed=1))\n",
            id="generator",
        ),
        pytest.param(
            HEAD + "m.fit(images.flow_from_directory('data', shuffle=True))\n",
            HEAD + "m.fit(images.flow_from_directory('data', shuffle=True, batch_size=16))\n",
            id="its default",
        ),
    ],
)
def test_batches_of_a_data_pipeline_are_halved_too(before: str, after: str) -> None:
    sources = {"a.py": before}
    step = next_tweak("a.py", lambda _: sources, [starved(0, sources)], 1)
    assert isinstance(step, NextVersion)
    assert step.sources == {"a.py": after}
    assert step.tweak.strategy == "memory"


def test_batches_of_a_pipeline_are_halved_down_to_4() -> None:
    sources = [{"a.py": PIPELINE.replace("64", "10")}]
    history: list[RoundOutcome] = []
    while True:
        history.append(starved(len(history), sources[-1]))
        step = next_tweak("a.py", sources.__getitem__, history, len(history))
        if isinstance(step, NothingLeft):
            break
        sources.append({**sources[-1], **step.sources})
    assert [s["a.py"].partition("batch(")[2].partition(")")[0] for s in sources] == ["10", "5", "4"]
    assert step == NothingLeft("no batch size smaller than 4 is tried")


@pytest.mark.parametrize(
    "code",
    [
        "m.fit(queue.batch(64))\n",  # no pipeline of TensorFlow's
        "n = 64\nn = 32\ndata = tf.data.Dataset.range(9).batch(n)\n",
        "data = tf.data.Dataset.range(9).batch(len(x))\n",
        "data = tf.data.Dataset.range(9).batch(64)  # pushtrain: keep\n",
    ],
    ids=["another batch()", "assigned twice", "computed", "kept"],
)
def test_what_may_be_no_batch_size_is_left_alone(code: str) -> None:
    sources = {"a.py": HEAD + code}
    step = next_tweak("a.py", lambda _: sources, [starved(0, sources)], 1)
    assert isinstance(step, NothingLeft)
    assert step.reason.startswith("no batch size in it can be halved")


@pytest.mark.parametrize(
    ("declared", "halved"),
    [("hp.Int('batch_size', 16, 512, default=128)", 64),
     ("hp.Choice('batch_size', [200, 50, 90], default=200)", 90)],
)  # fmt: skip
def test_a_batch_size_that_the_script_declares_stays_among_what_it_allows(
    declared: str, halved: int
) -> None:
    source = (
        "import keras_tuner\nhp = keras_tuner.HyperParameters()\n"
        + HEAD
        + f"m.fit(x, y, batch_size={declared})\n"
    )
    sources = {"a.py": source}
    step = next_tweak("a.py", lambda _: sources, [starved(0, sources)], 1)
    assert isinstance(step, NextVersion)
    assert [c.new for c in step.tweak.changes] == [halved]


def test_it_is_halved_until_it_fits_and_the_search_goes_on_from_there() -> None:
    world = Versions(FIT, lambda v: float(v["batch_size"]) <= 16)
    world.train(6)
    assert world.of("batch_size")[:3] == [64, 32, 16]
    assert [r.out_of_memory for r in world.history] == [True, True, False, False, False, False]
    assert all(float(size) <= 16 for size in world.of("batch_size")[2:])


def test_the_least_batch_is_4_and_then_it_is_said_that_nothing_fits() -> None:
    world = Versions(FIT.replace("64", "20"), lambda v: False)
    world.train(9)
    assert world.of("batch_size") == [20, 10, 5, 4]
    assert world.end == NothingLeft("no batch size smaller than 4 is tried")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("from sklearn.svm import SVC\nSVC(C=1.0).fit(x, y)\n",
         "no batch size in it can be halved"),
        (FIT.replace("64)", "64)  # pushtrain: keep"),
         "no batch size in it can be halved (a.py:5: # pushtrain: keep: its comment says so)"),
        (FIT.replace("64", "len(x)"),
         "no batch size in it can be halved"),
    ],
    ids=["no such argument", "kept", "computed"],
)  # fmt: skip
def test_without_a_batch_size_to_halve_the_reason_is_said(source: str, why: str) -> None:
    sources = {"a.py": source}
    step = next_tweak("a.py", lambda _: sources, [starved(0, sources)], 1)
    assert step == NothingLeft(why)


def test_a_tweak_that_needs_too_much_is_halved_once_then_the_best_round_goes_on() -> None:
    # wider than 16 never fits, however small the batches are
    world = Versions(FIT, lambda v: float(v["units"]) <= 16)
    world.train(5)
    tried = list(zip(world.of("units"), world.of("batch_size"), strict=True))
    assert tried[0] == (16, 64)
    (units, batch), (again, halved) = tried[1:3]
    assert float(units) > 16
    assert (again, halved) == (units, float(batch) / 2)
    assert world.history[3].base == 0
    assert all(float(u) <= 16 for u, _ in tried[3:]), "what is known to be too large is left alone"


def test_a_tweak_that_fits_with_smaller_batches_is_grown_on() -> None:
    world = Versions(FIT, lambda v: float(v["units"]) * float(v["batch_size"]) <= 32 * 64)
    world.train(8)
    assert [r.out_of_memory for r in world.history[:3]] == [False, True, False]
    assert max(map(float, world.of("units"))) > 16
    for first, outcome in enumerate(world.history):
        if not outcome.out_of_memory:
            continue
        for later in world.history[first + 1 :]:
            heavy = [n for n, v in outcome.values.items() if "units" in n or "batch" in n]
            assert any(float(later.values[n]) < float(outcome.values[n]) for n in heavy)


def test_larger_batches_that_do_not_fit_are_no_reason_to_try_the_old_ones_again() -> None:
    small, large = {"a.py": FIT}, {"a.py": FIT.replace("64", "128")}
    history = [measured(0, 0.5, small), starved(1, large)]
    step = next_tweak("a.py", [small, large].__getitem__, history, 2)
    assert isinstance(step, NextVersion)
    assert (step.tweak.base, step.tweak.strategy) == (0, "grow")


def test_of_candidates_the_one_without_memory_is_halved_beside_new_ones() -> None:
    wide = {"a.py": FIT.replace("16", "64")}
    rate = {"a.py": FIT.replace("'adam'", "'sgd'")}
    trees = [{"a.py": FIT}, wide, rate]
    history = [
        measured(0, 0.5, trees[0]),
        starved(1, wide, base=0, batch=1),
        measured(2, 0.6, rate, base=0, batch=1),
    ]
    first = next_tweak("a.py", trees.__getitem__, history, 3)
    assert isinstance(first, NextVersion)
    assert (first.tweak.base, first.tweak.summary) == (1, "batch_size 64 -> 32")
    under_way = measured(
        3, None, {"a.py": wide["a.py"].replace("batch_size=64", "batch_size=32")}, base=1, batch=3
    )
    second = next_tweak("a.py", trees.__getitem__, [*history, under_way], 4)
    assert isinstance(second, NextVersion)
    assert second.tweak.base == 2


def test_where_nothing_was_measured_one_version_is_tried_at_a_time() -> None:
    sources = {"a.py": FIT}
    under_way = measured(1, None, {"a.py": FIT.replace("64", "32")}, batch=1)
    step = next_tweak("a.py", lambda _: sources, [starved(0, sources), under_way], 2)
    assert step == NothingLeft("whether the smaller batches fit is seen first")


def test_smaller_batches_that_end_otherwise_are_given_up() -> None:
    sources = {"a.py": FIT}
    failed = measured(1, None, {"a.py": FIT.replace("64", "32")}, failure="script error: no")
    step = next_tweak("a.py", lambda _: sources, [starved(0, sources), failed], 2)
    assert step == NothingLeft("round 1, with smaller batches, ended: script error: no")
