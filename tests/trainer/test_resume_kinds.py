"""Every kind of script, killed twice, ends as if it had never been killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.trainer.lab import Lab
from tests.trainer.resume_lab import FOLDER, KILLED, Warm, WarmCase, outcome

pytestmark = [pytest.mark.docker, pytest.mark.slow]

Kill = tuple[int, int]
NO_ORDER = "not exact: the order of data that is no array can not be repeated"


@pytest.fixture(scope="module")
def warm(ann_lab: Lab) -> Iterator[Warm]:
    process = Warm(ann_lab)
    yield process
    process.close()


@pytest.fixture(scope="module")
def legacy(ann_lab: Lab) -> Iterator[Warm]:
    process = Warm(ann_lab, {"PUSHTRAIN_KERAS": "legacy"})
    yield process
    process.close()


def killed_twice(cut: WarmCase, first: Kill, second: Kill) -> dict[str, Any]:
    """Kill between two saves, then after a save within the epoch, then let it end."""
    cut.killed(first)
    cut.killed(second, checkpoint_seconds=0.001)
    return outcome(cut, cut.finished())


# By script: where the two attempts die, as (fit, batch that the attempt trains of it).
KILLS = {
    "several_fits.py": ((1, 12), (2, 33)),
    "while_loop.py": ((2, 10), (3, 5)),
    "subclassed.py": ((1, 20), (1, 13)),
    "epoch_numbers.py": ((2, 9), (3, 4)),
    "in_turn.py": ((3, 5), (6, 3)),
    "transfer.py": ((2, 12), (3, 14)),
    "k_fold.py": ((1, 7), (3, 8)),
    "streams.py": ((1, 20), (2, 13)),
    "wrapped.py": ((2, 4), (5, 3)),
    "words.py": ((1, 10), (2, 13)),
    "own_state.py": ((1, 20), (2, 13)),
    "unlisted.py": ((1, 20), (3, 13)),
}


@pytest.mark.parametrize("script", KILLS)
def test_killed_script_ends_as_if_never_killed(warm: Warm, script: str) -> None:
    whole, cut = warm.case(script), warm.case(script)
    expected = outcome(whole, whole.finished())
    assert expected["history"]
    assert whole.result["exact"] is True
    found = killed_twice(cut, *KILLS[script])
    assert found == expected, [found["said"], expected["said"], cut.notes]
    assert "in an earlier attempt" in cut.notes or "goes on" in cut.notes
    # nobody can tell of data that is no array whether it comes in the same order again
    assert cut.result["exact"] is (script != "streams.py"), cut.notes


@pytest.mark.parametrize(
    ("script", "kills"),
    [("legacy_kinds.py", ((2, 10), (3, 20))), ("legacy_unlisted.py", ((1, 10), (1, 9)))],
)
def test_killed_keras_2_script_ends_as_if_never_killed(
    legacy: Warm, script: str, kills: tuple[Kill, Kill]
) -> None:
    whole, cut = legacy.case(script), legacy.case(script)
    expected = outcome(whole, whole.finished())
    assert killed_twice(cut, *kills) == expected
    assert cut.result["exact"] is True, cut.notes


def test_state_that_no_checkpoint_has_is_told(warm: Warm) -> None:
    cut = warm.case("hidden_state.py")
    cut.killed((1, 20))
    cut.finished()
    assert cut.result["exact"] is False
    assert "not exact: the variable hidden:0 can not be kept" in cut.notes


def test_killed_notebook_ends_as_its_export_does(warm: Warm) -> None:
    code = (FOLDER / "notebook_export.py").read_text()
    cells = [
        {"cell_type": "code", "source": cell, "outputs": [], "metadata": {}}
        for cell in code.replace(
            "get_ipython().run_line_magic('matplotlib', 'inline')", "%matplotlib inline"
        ).split("# In[")
    ]
    for cell in cells[1:]:
        cell["source"] = "# In[" + str(cell["source"])
    text = json.dumps({"nbformat": 4, "nbformat_minor": 0, "metadata": {}, "cells": cells})
    export, notebook = warm.case("notebook_export.py"), warm.case("notes.ipynb", text)
    expected = outcome(export, export.finished())
    assert expected["history"]
    assert killed_twice(notebook, (1, 10), (1, 9)) == expected
    assert "goes on" in notebook.notes


def test_order_that_can_not_be_repeated_is_told(warm: Warm) -> None:
    cut = warm.case("streams_in_disorder.py")
    cut.killed((1, 20))
    cut.killed((3, 13))
    cut.finished()
    assert cut.result["epochs"] == 12
    assert cut.epochs()[:3] == [(1, 1, 1), (1, 2, 1), (1, 3, 2)]
    assert (cut.result["exact"], NO_ORDER in cut.notes) == (False, True)


VALIDATED = """
import tensorflow as tf, keras
from shown import numbers, show
x, y = numbers()
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
held = (x[:32], y[:32])
show(model.fit(x, y, epochs=3, verbose=0, validation_data=DATA), model)
"""


@pytest.mark.parametrize(
    ("data", "exact"),
    [("held", True), ("tf.data.Dataset.from_tensor_slices(held).shuffle(32).batch(8)", False)],
    ids=["arrays", "stream"],
)
def test_validation_counts_as_exact_only_on_arrays(warm: Warm, data: str, exact: bool) -> None:
    case = warm.case("validated.py", VALIDATED.replace("DATA", data))
    case.killed((1, 6))
    case.finished()
    assert case.result["exact"] is exact
    assert ("not exact: validation data" in case.notes) is not exact


TWO_FITS = """
import os, keras, numpy as np
from shown import numbers, show
x, y = numbers()
rng = np.random.default_rng(1)
def batches():
    while True:
        part = rng.integers(0, 120, 16)
        yield x[part], y[part]
data = {"arrays": {"x": x, "y": y}, "stream": {"x": batches(), "steps_per_epoch": 4}}["KIND"]
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
show(model.fit(**data, epochs=2, verbose=0), model)
if os.environ["PUSHTRAIN_ATTEMPT"] == "1":
    os.kill(os.getpid(), 9)
show(model.fit(**data, epochs=2, verbose=0), model)
"""


@pytest.mark.parametrize("kind", ["arrays", "stream"])
def test_skipped_fit_is_exact_only_on_arrays(warm: Warm, kind: str) -> None:
    case = warm.case("two_fits.py", TWO_FITS.replace("KIND", kind))
    assert case.attempt().code == KILLED
    case.finished()
    assert "fit 1 was finished in an earlier attempt" in case.notes
    assert case.result["exact"] is (kind == "arrays")
    assert (NO_ORDER in case.notes) is (kind == "stream")


def test_script_that_finds_its_own_files_skips_what_is_done(warm: Warm) -> None:
    whole, cut = warm.case("own_files.py"), warm.case("own_files.py")
    expected = outcome(whole, whole.finished())
    found = killed_twice(cut, (1, 20), (2, 4))
    del expected["model"], found["model"]  # its layers are named after those that were made before
    assert found == expected


def test_fits_in_forked_processes_run_plain(warm: Warm) -> None:
    case = warm.case("forked.py")
    first = case.finished().lines("forked")
    # a process that takes another one's fit for its own would train nothing
    assert [line.split()[2] for line in first] == ["16", "16", "24"]
    assert not (case.output / "history.csv").exists()
    assert case.finished().lines("forked")[2].split()[2] == "24"
