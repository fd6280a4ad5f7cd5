"""Kills trainings of each family at random instants, again and again, and compares how they end.

Alone: `PYTHONPATH=plugins:. .venv/bin/python -m tests.chaos.storm --kills 5 --family ann`.
"""

from __future__ import annotations

import argparse
import functools
import os
import random
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker import APIClient
from tests.chaos.diaries import trained_twice
from tests.chaos.outcome import Outcome
from tests.chaos.scenario import Scenario
from tests.chaos.setup import Setup
from tests.chaos.storm_training import Instant, Storm
from tests.chaos.table import Row, text_table
from tests.trainer.lab import image_of

from pushtrain.contract import ENV_CHECKPOINT_SECONDS

DEFAULT_ENGINE = "unix:///var/run/docker.sock"


@dataclass(frozen=True)
class Family:
    """What is trained: a script of `storm_scripts/` in the image of its kind.

    Attributes:
        at_risk: How many finished epochs or fits a kill may cost by design.
        why: Says why.
        short: Whether it is part of the short form.
    """

    name: str
    script: str
    image: str
    environment: dict[str, str] = field(default_factory=dict)
    at_risk: int = 0
    why: str = ""
    short: bool = True

    @property
    def scenario(self) -> str:
        """Its name in the table."""
        return f"storm of kill -9: {self.name}"


FAMILIES = (
    Family("ann", "ann.py", "ann"),
    Family(
        "large ann",
        "large.py",
        "ann",
        {ENV_CHECKPOINT_SECONDS: "2"},
        at_risk=12,
        why="large, so saved every 2 s here (60 s by default): a kill costs what came since",
        short=False,
    ),
    Family("cnn", "cnn.py", "cnn"),
    Family("rnn", "rnn.py", "ann"),
    Family("keras", "keras_attention.py", "ann"),
    Family(
        "sklearn",
        "sklearn_search.py",
        "sklearn",
        at_risk=10,
        why="by design a kill may cost the short fits of the last half second",
    ),
    Family("keras 2", "legacy.py", "cnn", {"PUSHTRAIN_KERAS": "legacy"}),
)


def kills_of_each(setup: Setup) -> int:
    """Return how often the training of a family is killed: the short form divides its kills."""
    return max(1, setup.kills // sum(f.short for f in FAMILIES)) if setup.short else setup.kills


@dataclass(frozen=True)
class Undisturbed:
    """A training without a kill.

    Attributes:
        seconds: From its container's start to its end.
        fitting: Seconds of it from the begin of its first fit to the end of its last.
        outcome: What no kill may change.
    """

    seconds: float
    fitting: float
    outcome: dict[str, Any]


@dataclass
class Tally:
    """What was seen in all trainings of a family."""

    kills: int = 0
    recovered: int = 0
    twice: int = 0
    damaged: int = 0
    in_fit: int = 0
    seconds: list[float] = field(default_factory=list)
    differ: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def storm(family: Family, setup: Setup) -> Outcome:
    """Kill trainings of a family at random instants, each until it ends in spite of that."""
    api = APIClient(base_url=os.environ.get("DOCKER_HOST") or DEFAULT_ENGINE, version="auto")
    try:
        make = functools.partial(_training, api, family, setup)
        plain = undisturbed(make("whole"))
        kills, chance = kills_of_each(setup), setup.random_of(family.scenario)
        told = f"undisturbed {plain.seconds:.1f} s, of which its fits {plain.fitting:.1f} s"
        setup.say(family.scenario, f"{told}; {kills} kills follow")
        tally = Tally()
        chain = 0
        while tally.kills < kills:
            chain += 1
            Chain(make(f"chain-{chain}"), tally).run(kills, plain, chance)
            setup.say(family.scenario, f"{tally.kills} of {kills} kills, {chain} trainings ended")
    finally:
        api.close()
    return outcome_of(family, tally, chain)


def undisturbed(training: Storm) -> Undisturbed:
    """Train without a kill."""
    attempt = training.start()
    attempt.wait()
    ended = time.time()
    code = attempt.end()
    assert code == 0, f"the undisturbed training ended with {code}: {attempt.said[-5:]}"
    assert attempt.fit_began, "the undisturbed training was not seen to fit"
    fitting = attempt.fitted_at - attempt.fit_began
    return Undisturbed(ended - attempt.began, fitting, training.outcome(attempt.said))


def drawn(number: int, plain: Undisturbed, chance: random.Random) -> Instant:
    """Draw the instant of a kill: three of four lie in what is fitted, the fourth anywhere.

    Without that most would hit the import of TensorFlow, which takes longer than these fits.

    Args:
        number: Of the kill, from 0 on.
        plain: Tells the seconds that the instant is drawn from.
        chance: Draws.
    """
    in_fit = number % 4 != 3
    return Instant(chance.uniform(0, plain.fitting if in_fit else plain.seconds), in_fit)


@dataclass
class Chain:
    """One training, killed again and again until it ends in spite of that."""

    training: Storm
    tally: Tally
    logs: list[list[str]] = field(default_factory=list)
    killed_at: float = 0.0

    @property
    def kills(self) -> int:
        """How many attempts of it were killed."""
        return len(self.logs) - 1

    def run(self, kills: int, plain: Undisturbed, chance: random.Random) -> None:
        """Start attempts until one of them ends by itself, and judge it."""
        while True:
            attempt, tally = self.training.start(), self.tally
            instant = drawn(tally.kills, plain, chance) if tally.kills < kills else None
            killed = not attempt.wait(instant) and attempt.kill()
            killed_at = time.time()
            code = attempt.end()
            if self.logs and attempt.trained_at:
                tally.seconds.append(attempt.trained_at - self.killed_at)
            self.logs.append(attempt.said)
            if not killed:
                self.judge(code, plain.outcome)
                return
            self.killed_at = killed_at
            tally.kills += 1
            tally.in_fit += attempt.in_fit

    def judge(self, code: int, expected: dict[str, Any]) -> None:
        """Compare a training that ended with the undisturbed one."""
        name, tally, said = self.training.name, self.tally, self.logs[-1]
        tally.twice += trained_twice(self.logs)
        tally.damaged += self.training.damaged()
        if code != 0:
            tally.lost.append(f"{name} ended with {code}: {said[-1:]}")
            return
        if left := self.training.left_over():
            tally.lost.append(f"{name} left {left}")
        found = self.training.outcome(said)
        differ = [part for part, value in expected.items() if found[part] != value]
        if differ:
            tally.differ.append(f"{name}: {', '.join(differ)}")
        else:
            tally.recovered += self.kills


def _training(api: APIClient, family: Family, setup: Setup, part: str) -> Storm:
    folder = setup.folder / "storm"
    name = f"pushtrain-storm-{family.script.removesuffix('.py')}-{part}-{uuid.uuid4().hex[:6]}"
    return Storm(
        api, folder, name, image_of(family.image), family.script, str(setup.folder),
        dict(family.environment),
    )  # fmt: skip


def outcome_of(family: Family, tally: Tally, trainings: int) -> Outcome:
    """Return the row of a family; kills that mostly missed what is trained show nothing."""
    lost = [*tally.lost, *tally.differ]
    if tally.damaged:
        lost.append(f"{tally.damaged} checkpoints damaged")
    if 2 * tally.in_fit < tally.kills:
        lost.append(f"only {tally.in_fit} of {tally.kills} kills hit a fit: nothing is shown")
    note = f"{tally.in_fit} of the kills in the middle of a fit, {trainings} trainings"
    note += "; started again at once, without Airflow"
    note += f"; {family.why}" * bool(family.why)
    return Outcome(
        family.scenario,
        tried=tally.kills,
        recovered=tally.recovered,
        epochs_twice=tally.twice,
        epochs_at_risk=family.at_risk * tally.kills,
        identical=not tally.differ,
        seconds=tuple(round(s, 2) for s in tally.seconds),
        lost="; ".join(lost),
        note=note,
    )


SCENARIOS = tuple(
    Scenario(f.scenario, functools.partial(storm, f), f.short, side_by_side=True) for f in FAMILIES
)


def main() -> int:
    """Run the storm alone; 0 if all of it is good."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30, help="kills of each family")
    parser.add_argument("--seed", type=int, help="chooses the instants")
    parser.add_argument("--family", action="append", choices=[f.name for f in FAMILIES])
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="pushtrain-storm-") as folder:
        setup = Setup(Path(folder), seed=seed, kills=given.kills, short=False)
        for family in FAMILIES:
            if not given.family or family.name in given.family:
                began = time.monotonic()
                rows.append(Row(storm(family, setup), time.monotonic() - began))
    print(text_table(rows))
    return 0 if all(row.outcome.is_good for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
