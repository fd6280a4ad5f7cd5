"""Kills trainings of each family at random instants, again and again, and compares how they end.

Alone: `PYTHONPATH=plugins:. .venv/bin/python -m tests.chaos.storm --kills 5 --family ann`.
"""

from __future__ import annotations

import argparse
import functools
import math
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
from tests.chaos.outcome import Outcome
from tests.chaos.scenario import Scenario
from tests.chaos.setup import Setup
from tests.chaos.storm_training import Done, Storm
from tests.chaos.table import Row, text_table
from tests.trainer.lab import image_of

DEFAULT_ENGINE = "unix:///var/run/docker.sock"


@dataclass(frozen=True)
class Family:
    """What is trained: a script of `storm_scripts/` in the image of its kind.

    Attributes:
        share: Of the kills of the short form; 0 where the family is left out of it.
    """

    name: str
    script: str
    image: str
    environment: dict[str, str] = field(default_factory=dict)
    share: float = 0.0

    @property
    def scenario(self) -> str:
        """Its name in the table."""
        return f"storm of kill -9: {self.name}"

    def kills(self, setup: Setup) -> int:
        """Return how often its training is killed."""
        return max(1, round(self.share * setup.kills)) if setup.short else setup.kills


FAMILIES = (
    Family("ann", "ann.py", "ann", share=0.6),
    Family("cnn", "cnn.py", "cnn"),
    Family("rnn", "rnn.py", "ann"),
    Family("keras", "keras_attention.py", "ann"),
    Family("sklearn", "sklearn_search.py", "sklearn", share=0.4),
    Family("keras 2", "legacy.py", "cnn", {"PUSHTRAIN_KERAS": "legacy"}),
)


@dataclass
class Tally:
    """What was seen in all trainings of a family."""

    kills: int = 0
    recovered: int = 0
    twice: int = 0
    damaged: int = 0
    in_training: int = 0
    seconds: list[float] = field(default_factory=list)
    differ: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def storm(family: Family, setup: Setup) -> Outcome:
    """Kill trainings of a family at instants drawn over the length of an undisturbed one."""
    api = APIClient(base_url=os.environ.get("DOCKER_HOST") or DEFAULT_ENGINE, version="auto")
    try:
        make = functools.partial(_training, api, family, setup)
        length, expected = undisturbed(make("whole"))
        kills, chance = family.kills(setup), setup.random_of(family.scenario)
        setup.say(family.scenario, f"undisturbed {length:.1f} s; {kills} kills follow")
        tally = Tally()
        chain = 0
        while tally.kills < kills:
            chain += 1
            one = Chain(make(f"chain-{chain}"), tally)
            one.run(kills, length, chance, expected)
            setup.say(family.scenario, f"{tally.kills} of {kills} kills, {chain} trainings ended")
    finally:
        api.close()
    return _outcome(family, tally, chain)


def undisturbed(training: Storm) -> tuple[float, dict[str, Any]]:
    """Train without a kill; return seconds and outcome."""
    attempt = training.start()
    attempt.wait()
    seconds = time.monotonic() - attempt.began
    code, said = attempt.end()
    assert code == 0, f"the undisturbed training ended with {code}: {said[-5:]}"
    return seconds, training.outcome(said)


@dataclass
class Chain:
    """One training, killed again and again until it ends in spite of that."""

    training: Storm
    tally: Tally
    seen: Done = field(default_factory=set)
    kills: int = 0
    killed_at: float = 0.0

    def run(
        self, kills: int, length: float, chance: random.Random, expected: dict[str, Any]
    ) -> None:
        """Start attempts until one of them ends by itself, and judge it."""
        while True:
            attempt = self.training.start()
            instant = attempt.began + chance.uniform(0, length)
            ended = attempt.wait(instant if self.tally.kills < kills else math.inf)
            killed = not ended and attempt.kill()
            if self.kills and attempt.trained_after is not None:
                self.tally.seconds.append(attempt.began + attempt.trained_after - self.killed_at)
            self.seen |= self.training.done()
            code, said = attempt.end()
            if not killed:
                self.judge(code, said, expected)
                return
            self.killed_at = time.monotonic()
            self.kills += 1
            self.tally.kills += 1
            self.tally.in_training += attempt.trained_after is not None

    def judge(self, code: int, said: list[str], expected: dict[str, Any]) -> None:
        """Compare a training that ended with the undisturbed one."""
        name, tally = self.training.name, self.tally
        # each finished epoch or fit once, however often it was looked at
        tally.twice += len(self.seen) - len({what for what, _ in self.seen})
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


def _outcome(family: Family, tally: Tally, trainings: int) -> Outcome:
    lost = [*tally.lost, *tally.differ]
    if tally.damaged:
        lost.append(f"{tally.damaged} checkpoints damaged")
    return Outcome(
        family.scenario,
        tried=tally.kills,
        recovered=tally.recovered,
        epochs_twice=tally.twice,
        identical=not tally.differ,
        seconds=tuple(round(s, 2) for s in tally.seconds),
        lost="; ".join(lost),
        note=f"{tally.in_training} of the kills after the first batch, {trainings} trainings",
    )


SCENARIOS = tuple(
    Scenario(f.scenario, functools.partial(storm, f), short=bool(f.share)) for f in FAMILIES
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
