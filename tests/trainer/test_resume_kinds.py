"""Every kind of script, killed twice, ends as if it had never been killed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.trainer.lab import Lab
from tests.trainer.resume_lab import Warm, outcome

pytestmark = [pytest.mark.docker, pytest.mark.slow]


@pytest.fixture(scope="module")
def warm(ann_lab: Lab) -> Iterator[Warm]:
    process = Warm(ann_lab)
    yield process
    process.close()


# By script: where the first attempt dies (between two saves), and where the second one does,
# which saves after each batch: (fit, batch of this process).
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
    "notebook_export.py": ((1, 10), (1, 9)),
}


@pytest.mark.parametrize("script", KILLS)
def test_killed_script_ends_as_if_never_killed(warm: Warm, script: str) -> None:
    whole, cut = warm.case(script), warm.case(script)
    expected = outcome(whole, whole.finished())
    first, second = KILLS[script]
    cut.killed(first)
    cut.killed(second, checkpoint_seconds=0.001)
    assert outcome(cut, cut.finished()) == expected
    assert expected["history"], "nothing was compared"
    assert (cut.output / "result.json").exists()


def test_fits_in_forked_processes_run_plain(warm: Warm) -> None:
    case = warm.case("forked.py")
    first = case.finished().lines("forked")
    # a process that takes another one's fit for its own would train nothing
    assert [line.split()[2] for line in first] == ["16", "16", "24"]
    assert not (case.output / "history.csv").exists()
    assert case.finished().lines("forked")[2].split()[2] == "24"
