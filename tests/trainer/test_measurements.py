from __future__ import annotations

import tracemalloc

import numpy
import pytest

from pushtrain_trainer.contract import Split
from pushtrain_trainer.data_prints import MOST_BYTES, fingerprint
from pushtrain_trainer.measurements import Measurements, Origin

Entry = tuple[float, Split | None, Origin]
TEST = (0.8, Split.TEST, Origin.EVALUATED)
TEST_LATER = (0.7, Split.TEST, Origin.EVALUATED)
VALIDATED = (0.85, Split.VALIDATION, Origin.EVALUATED)
ON_TRAIN = (0.99, Split.TRAIN, Origin.EVALUATED)
FILE = (0.9, None, Origin.WRITTEN)
FIT_VALIDATION = (0.82, Split.VALIDATION, Origin.FITTED)
FIT_TRAIN = (0.95, Split.TRAIN, Origin.FITTED)


@pytest.mark.parametrize(
    ("entries", "best"),
    [
        ([TEST, FILE, FIT_VALIDATION, ON_TRAIN], TEST),
        ([TEST, TEST_LATER], TEST_LATER),
        ([TEST, VALIDATED], TEST),
        ([FIT_VALIDATION, FILE], FILE),
        ([ON_TRAIN, FIT_VALIDATION], FIT_VALIDATION),
        ([FIT_TRAIN, ON_TRAIN], ON_TRAIN),
        ([FIT_TRAIN], FIT_TRAIN),
    ],
)
def test_best_evidence_counts(entries: list[Entry], best: Entry) -> None:
    measured = Measurements()
    for value, split, origin in entries:
        measured.add(value, split, "x", origin)
    found = measured.best()
    assert found is not None
    assert (found.value, found.origin) == (best[0], best[2])


@pytest.mark.parametrize("value", [1.5, -0.1, float("nan"), None, "many", [1, 2]])
def test_what_is_no_accuracy_is_left_out(value: object) -> None:
    measured = Measurements()
    measured.add(value, Split.TEST, "evaluate", Origin.EVALUATED)
    assert measured.best() is None


def test_written_figure_takes_the_split_of_the_figure_it_repeats() -> None:
    measured = Measurements()
    measured.add(0.8765, Split.VALIDATION, "fit", Origin.FITTED)
    measured.add(0.95, Split.TRAIN, "fit", Origin.FITTED)
    measured.add(0.88, None, "accuracy.txt", Origin.WRITTEN)
    best = measured.best()
    assert best is not None
    assert best.split is Split.VALIDATION
    assert not measured.is_taken_on_trust(best)


def test_written_figure_that_nothing_confirms_is_taken_on_trust() -> None:
    measured = Measurements()
    measured.add(0.97, None, "accuracy.txt", Origin.WRITTEN)
    best = measured.best()
    assert best is not None
    assert best.split is Split.TEST
    assert measured.is_taken_on_trust(best)


def test_print_of_few_large_rows_takes_no_copy_of_them_all() -> None:
    data = numpy.zeros((1000, MOST_BYTES // 250), dtype="u1")
    before = fingerprint(data)
    tracemalloc.start()
    try:
        assert fingerprint(data) == before
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * MOST_BYTES < data.nbytes
    data[-4:] = 1
    assert fingerprint(data) != before
