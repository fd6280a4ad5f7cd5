"""A fit that is killed in the middle of an epoch goes on there and ends as if it never was."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator

import pytest
from tests.trainer.lab import SCRIPTS, Lab
from tests.trainer.resume_lab import Warm, WarmCase, outcome

pytestmark = [pytest.mark.docker, pytest.mark.slow]

ALWAYS = 0.001  # seconds between two saves: each follows the one before
GOES_ON = re.compile(r"pushtrain: fit (\d) goes on in epoch (\d)/\d after batch (\d+)/(\d+), "
                     r"which attempt (\d) saved")  # fmt: skip


@pytest.fixture(scope="module", params=["", "legacy"], ids=["keras 3", "tf-keras"])
def warm(request: pytest.FixtureRequest, ann_lab: Lab) -> Iterator[Warm]:
    process = Warm(ann_lab, {"PUSHTRAIN_KERAS": request.param} if request.param else None)
    yield process
    process.close()


def case_of(warm: Warm, text: str | None = None) -> WarmCase:
    return warm.case("in_epoch.py", text or (SCRIPTS / "in_epoch.py").read_text())


# Batches that an attempt trains of a fit before it is killed: by fit, at least and at most. The
# third fit takes three batches at once, so there are four of what it tells of in an epoch.
KILLS = ((1, 5, 25), (1, 8, 60), (2, 3, 12), (2, 3, 12), (3, 2, 3), (3, 2, 4), (4, 3, 11))


def test_killed_inside_epochs_ends_as_if_never_killed(warm: Warm) -> None:
    whole, cut = case_of(warm), case_of(warm)
    expected = outcome(whole, whole.finished())
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    draw = random.Random(seed)
    inside = 0
    for fit, least, most in KILLS:
        said = cut.killed((fit, draw.randint(least, most)), checkpoint_seconds=ALWAYS).stdout
        inside += len(GOES_ON.findall(said))
    last = cut.finished()
    inside += len(GOES_ON.findall(last.stdout))
    assert outcome(cut, last) == expected
    assert cut.result["exact"] is True, cut.notes
    assert inside >= 4, "hardly one went on inside an epoch"
    rows = [(row[0], row[1]) for row in cut.history()]
    assert rows == sorted(set(rows)), "an epoch stands in the table twice"
    assert json.loads((cut.output / "work.json").read_text())["work"]["epoch"] == 0
