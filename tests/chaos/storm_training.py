"""A training in locked-down containers of the product's kind, to be killed without Airflow."""

from __future__ import annotations

import csv
import hashlib
import json
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker import APIClient
from tests.chaos.diaries import first_batch
from tests.chaos.leftovers import LABEL

from pushtrain.adapters import engine
from pushtrain.adapters.engine import Bind, ContainerSpec
from pushtrain.adapters.store import training_user
from pushtrain.contract import ENV_CHECKPOINT_SECONDS, OUTPUT_DIR, WORK_DIR

SCRIPTS = Path(__file__).with_name("storm_scripts")
LOOK_SECONDS = 0.05
MOST_SECONDS = 600.0
CHECKPOINT_SECONDS = 0.2  # so that kills fall between the saves inside an epoch, and into them
MEMORY_MIB, CPUS, PIDS, TMP_MIB = 2048, 1.0, 512, 256
DIARY = "diary.py"  # the scripts import it
TOLD = ("weights", "history", "test")  # how the lines begin that a script shows its training by
NOT_COMPARED = ("attempt", "seconds")


@dataclass(frozen=True)
class Instant:
    """When to kill an attempt: so many seconds after its fit began, or after its start.

    One that is to be in a fit kills nothing once all fits are over.
    """

    seconds: float
    in_fit: bool


@dataclass
class Storm:
    """One training of a script: its folders, and one container for each attempt.

    Attributes:
        name: Names the folder and the containers.
        label: Value of the label by which `leftovers` finds the containers.
        environment: Variables beyond those that every training gets.
    """

    api: APIClient
    folder: Path
    name: str
    image: str
    script: str
    label: str
    environment: dict[str, str] = field(default_factory=dict)
    attempt: int = 0

    def __post_init__(self) -> None:
        self.work.mkdir(parents=True)
        self.output.mkdir()
        for name in (self.script, DIARY):
            (self.work / name).write_text((SCRIPTS / name).read_text())

    @property
    def work(self) -> Path:
        """The tree that is trained."""
        return self.folder / self.name / "source"

    @property
    def output(self) -> Path:
        """What the trainer writes."""
        return self.folder / self.name / "output"

    def start(self) -> Attempt:
        """Start the next attempt, as the product starts it."""
        self.attempt += 1
        (self.output / "attempt.json").write_text(json.dumps({"attempt": self.attempt}))
        spec = ContainerSpec(
            name=f"{self.name}-a{self.attempt}",
            image=self.image,
            command=(self.script,),
            environment={
                "PUSHTRAIN_ATTEMPT": str(self.attempt),
                "PUSHTRAIN_OUTPUT": OUTPUT_DIR,
                "PUSHTRAIN_CPUS": "1",
                ENV_CHECKPOINT_SECONDS: str(CHECKPOINT_SECONDS),
                **self.environment,
            },
            labels={LABEL: self.label},
            user=training_user(self.output),
            binds=(Bind(str(self.work), WORK_DIR), Bind(str(self.output), OUTPUT_DIR)),
            memory_mib=MEMORY_MIB,
            cpus=CPUS,
            pids_limit=PIDS,
            tmp_mib=TMP_MIB,
        )
        number = engine.create(self.api, spec)
        began = time.time()
        self.api.start(number)
        return Attempt(self, number, self.attempt, began)

    # ------------------------------------------------------------------- looks
    def rows(self) -> list[dict[str, Any]]:
        """Return the whole rows of the table of epochs."""
        try:
            text = (self.output / "history.csv").read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        whole = text[: text.rfind("\n") + 1]
        return [row for row in csv.DictReader(whole.splitlines()) if row.get("seconds")]

    def beat(self) -> dict[str, Any]:
        """Return the heartbeat; empty before the first."""
        try:
            return dict(json.loads((self.output / "heartbeat.json").read_bytes()))
        except FileNotFoundError:
            return {}

    def damaged(self) -> int:
        """Return how many checkpoints were found damaged."""
        found = (self.output / "checkpoint").glob("**/damaged-*")
        return len({path.with_suffix("") for path in found})

    def left_over(self) -> list[str]:
        """Return the temporary files that lie about."""
        return [str(p.relative_to(self.output)) for p in self.output.glob("**/.*.tmp")]

    def outcome(self, said: list[str]) -> dict[str, Any]:
        """Return all that the training brought and that no kill may change.

        Args:
            said: What its last attempt printed.
        """
        result = json.loads((self.output / "result.json").read_bytes())
        rows = [{k: v for k, v in r.items() if k not in NOT_COMPARED} for r in self.rows()]
        model = self.output / "model.keras"
        return {
            "told": [line for line in said if line.startswith(TOLD)],
            "accuracy": (result["accuracy"], result["split"], result["epochs"]),
            "exact": result["exact"],
            "history": rows,
            # the file around the weights holds a date; a model of scikit-learn is told by what
            # it predicts
            "model": _weights_in(model) if model.exists() else "",
        }


@dataclass
class Attempt:
    """A container that was started; times are Unix times, as those of a script's diary.

    Attributes:
        fit_began: None as long as none began that was not skipped.
        fitted_at: When it was last seen to fit.
        in_fit: Whether it was killed in the middle of a fit.
        said: What it printed, once it has ended.
    """

    storm: Storm
    container: str
    number: int
    began: float
    fit_began: float | None = None
    fitted_at: float = 0.0
    in_fit: bool = False
    said: list[str] = field(default_factory=list)

    def wait(self, until: Instant | None = None) -> bool:
        """Wait until it ended (True) or an instant; note when its fit began."""
        while True:
            if fits := self._fits():
                self.fitted_at = time.time()
                self.fit_began = self.fit_began or self.fitted_at
            if not self.is_alive():
                return True
            if until and (fits or not until.in_fit) and self._is_past(until):
                return False
            assert time.time() - self.began < MOST_SECONDS, f"{self.storm.name} never ends"
            time.sleep(LOOK_SECONDS)

    def _is_past(self, instant: Instant) -> bool:
        since = self.fit_began if instant.in_fit else self.began
        return since is not None and time.time() >= since + instant.seconds

    def _fits(self) -> bool:
        beat = self.storm.beat()
        return beat.get("attempt") == self.number and beat.get("phase") == "fit"

    @property
    def trained_at(self) -> float | None:
        """When its first batch was trained; scikit-learn has none: when its fit began."""
        return first_batch(self.said) or (None if self._has_batches() else self.fit_began)

    def _has_batches(self) -> bool:
        return bool(self.storm.beat().get("epochs"))

    def is_alive(self) -> bool:
        """Whether the container runs."""
        return bool(self.storm.api.inspect_container(self.container)["State"]["Running"])

    def kill(self) -> bool:
        """Kill -9; False if it had ended by itself."""
        try:
            self.storm.api.kill(self.container, signal="SIGKILL")
        except Exception:
            if self.is_alive():
                raise
            return False
        self.storm.api.wait(self.container)
        self.in_fit = self._fits()
        return True

    def end(self) -> int:
        """Return the exit code of an attempt that has ended, and remove its container."""
        code = int(self.storm.api.wait(self.container)["StatusCode"])
        said = self.storm.api.logs(self.container, stdout=True, stderr=True)
        self.said = said.decode(errors="replace").splitlines()
        self.storm.api.remove_container(self.container, force=True)
        return code


def _weights_in(model: Path) -> str:
    with zipfile.ZipFile(model) as archive:
        return hashlib.sha256(archive.read("model.weights.h5")).hexdigest()
