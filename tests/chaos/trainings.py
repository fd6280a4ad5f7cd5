"""A training that is disturbed, and how it is compared with one that was not."""

from __future__ import annotations

import csv
import functools
import threading
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.chaos.diaries import finished, trained_twice
from tests.chaos.outcome import Outcome
from tests.chaos.setup import Setup
from tests.system.waiting import wait_for
from tests.system.world import SCRIPTS as SYSTEM_SCRIPTS
from tests.system.world import World

from pushtrain.contract import Attempt, Experiment, State, Step
from pushtrain.slugs import script_slug

T = TypeVar("T")

STEADY = (Path(__file__).with_name("scripts") / "steady_ann.py").read_text(encoding="utf-8")
QUICK = (SYSTEM_SCRIPTS / "quick_knn.py").read_text(encoding="utf-8")
LOOK_SECONDS = 0.05
# what a restart may take on a machine that has other things to do, too
PATIENCE_SECONDS = 600.0

_PUSHING = threading.Lock()  # one clone, one index


@dataclass
class Disturbed:
    """An experiment of one script in the shared world, found by the script's name.

    Attributes:
        setup: Of the run.
        script: File name; no two experiments of a run share one.
    """

    setup: Setup
    script: str

    @property
    def world(self) -> World:
        """The shared one."""
        return self.setup.world

    def push(self, text: str = STEADY) -> Disturbed:
        """Commit the script and push it; does not wait."""
        world = self.world
        with _PUSHING:
            world.lay()
            world.write(self.script, text)
            world.push(f"Add {self.script}")
        return self

    # ------------------------------------------------------------------- looks
    @property
    def found(self) -> Experiment | None:
        """The experiment, None before it was opened."""
        # two pushes between two looks at the repo are one: the commit is not known beforehand
        slug = script_slug(self.script)
        return next((e for e in self.world.store.experiments() if e.slug == slug), None)

    @property
    def id(self) -> str:
        """The experiment's id."""
        found = self.found
        assert found, f"{self.script} was not opened"
        return found.id

    @property
    def attempts(self) -> list[Attempt]:
        """The attempts of round 0."""
        return self.world.store.attempts(self.id, 0)

    @property
    def epochs(self) -> int:
        """How many epochs are finished; 0 before the experiment was opened."""
        found = self.found
        return self.world.store.finished_epochs(found.id, 0) if found else 0

    @property
    def output(self) -> Path:
        """What the trainer wrote."""
        return self.world.store.output_dir(self.id, 0)

    def step(self, attempt: int = 1) -> Step:
        """Return the step of an attempt of round 0."""
        return Step(self.id, 0, attempt)

    def log(self, attempt: int) -> list[str]:
        """Return the last lines that an attempt's container printed, once it has ended."""
        path = self.world.store.attempt_log(self.id, 0, attempt)
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def rows(self) -> list[tuple[str, ...]]:
        """Return fit, epoch, loss and accuracy of all epochs: what a restart must not change."""
        return [(r["fit"], r["epoch"], r["loss"], r["accuracy"]) for r in self.table()]

    def table(self) -> list[dict[str, str]]:
        """Return the rows of the table of finished epochs, none before the first."""
        path = self.output / "history.csv" if self.found else Path()
        if not path.is_file():
            return []
        return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))

    def weights(self) -> bytes:
        """Return the weights and the optimizer's state; the file around them holds a date."""
        with zipfile.ZipFile(self.output / "model.keras") as archive:
            return archive.read("model.weights.h5")

    # -------------------------------------------------------------------- acts
    def lay(self, name: str) -> None:
        """Lay an empty file beside the script, in the tree that is trained."""
        found = self.found
        assert found
        script = self.world.store.source_dir(found.id, 0) / found.script
        script.with_name(name).touch()

    def hurry(self) -> None:
        """Have the rest of the training done quickly: what had to be seen was seen."""
        self.lay("hurry")

    # ------------------------------------------------------------------- waits
    def wait(self, what: str, look: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
        """Wait for something; failing, tell how the experiment stands."""

        def evidence() -> str:
            found = self.found
            return self.world.told(found.id) if found else f"{self.script} was not opened"

        return wait_for(f"{what} of {self.script}", look, seconds, evidence)

    def wait_for_epochs(self, epochs: int) -> None:
        """Wait until so many epochs are finished."""
        self.wait(f"{epochs} finished epochs", lambda: self.epochs >= epochs)

    def wait_for_more(self, epochs: int = 2) -> None:
        """Wait until so many more epochs are finished than there are now."""
        self.wait_for_epochs(self.epochs + epochs)

    def wait_for_a_batch(self) -> None:
        """Wait until a batch is trained that was not trained yet."""
        asked = time.time()

        def moved_on() -> bool:
            beat = self.world.store.heartbeat(self.id, 0)
            return beat is not None and beat.at > asked

        self.wait("another batch", moved_on)

    def wait_for_attempt(self, attempt: int, epochs: int = 2) -> None:
        """Wait until an attempt has finished so many epochs itself."""

        def is_far_enough() -> bool:
            return sum(r["attempt"] == str(attempt) for r in self.table()) >= epochs

        self.wait(f"{epochs} epochs of attempt {attempt}", is_far_enough)

    def end(self) -> Experiment:
        """Hurry and wait until the experiment is settled."""
        self.hurry()
        experiment = self.world.wait_for_end(self.id)
        self.wait("settling", lambda: self.world.store.experiment(self.id).settled, 60)
        return experiment


@dataclass(frozen=True)
class Verdict:
    """How a disturbed training came through."""

    reached: bool
    epochs_twice: int
    identical: bool
    containers_once: bool
    lost: str
    attempts: int

    def outcome(
        self,
        scenario: str,
        *,
        tried: int = 1,
        seconds: Sequence[float] = (),
        also_lost: str = "",
        note: str = "",
    ) -> Outcome:
        """Return the row of a scenario that had this one training."""
        return Outcome(
            scenario,
            tried=tried,
            recovered=tried if self.reached else 0,
            epochs_twice=self.epochs_twice,
            identical=self.identical,
            seconds=tuple(seconds),
            lost="; ".join(filter(None, (self.lost, also_lost))),
            containers_once=self.containers_once,
            note=note,
        )


class Reference:
    """An undisturbed run of the steady script in the same world; started when first asked."""

    _lock = threading.Lock()

    def __init__(self, training: Disturbed) -> None:
        self._training = training

    @classmethod
    def of(cls, setup: Setup) -> Reference:
        """Return the one of a run."""
        with cls._lock:
            found = setup.shared.get("reference")
            if isinstance(found, cls):
                return found
            # nothing happens to it, so it needs no time for that: the pauses train nothing
            text = STEADY.replace("PAUSE = 0.05", "PAUSE = 0")
            made = cls(Disturbed(setup, "undisturbed.py").push(text))
            setup.shared["reference"] = made
            return made

    @functools.cached_property
    def ended(self) -> Disturbed:
        """The training, once it has ended undisturbed; Airflow may forget of it after that."""
        training = self._training
        training.wait_for_epochs(1)
        assert training.end().state is State.REACHED
        assert len(training.attempts) == 1
        return training


def judge(training: Disturbed, reference: Reference) -> Verdict:
    """Compare a training that has ended with the undisturbed one."""
    experiment, attempts = training.world.store.experiment(training.id), training.attempts
    plain = reference.ended
    result, expected = (t.world.store.result(t.id, 0) for t in (training, plain))
    assert result, training.world.story(training.id)
    assert expected
    logs = [training.log(a.number) for a in attempts]
    assert all(finished(log) for log in logs), "an attempt left no diary of its epochs"
    identical = (
        training.weights() == plain.weights()
        and training.rows() == plain.rows()
        and result.accuracy == expected.accuracy
        and result.exact
    )
    return Verdict(
        reached=experiment.state is State.REACHED and bool(experiment.published),
        epochs_twice=trained_twice(logs),
        identical=identical,
        containers_once=containers_once(training),
        lost=lost_mails(
            [m.subject for m in training.world.mails_about(training.script)], experiment.restarts
        ),
        attempts=len(attempts),
    )


def containers_once(training: Disturbed) -> bool:
    """Tell whether each attempt had exactly one container, which was started once."""
    wanted = [(0, a.number) for a in training.attempts]
    events = training.world.containers
    started = [(e.round, e.attempt) for e in events.of(training.id, "start")]
    return events.made(training.id) == wanted == started


def lost_mails(subjects: list[str], restarts: int) -> str:
    """Return what is wrong with the mails of an experiment that reached its target.

    Args:
        subjects: Of all of its mails.
        restarts: How often it was started again.
    """
    wrong = [f"mailed twice: {s}" for s in sorted(set(subjects)) if subjects.count(s) > 1]
    told = sum("training restarted" in s for s in subjects)
    if told != restarts:
        wrong.append(f"{told} mails for {restarts} restarts")
    if not any("best model created" in s for s in subjects):
        wrong.append("no mail of its end")
    return "; ".join(wrong)


def look_until(what: str, look: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """Return the first true value of `look`, asked often: for instants that pass quickly."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(LOOK_SECONDS)
    return found
