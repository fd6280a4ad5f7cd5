"""Where the embedded set-up keeps what it makes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Home:
    """The folders below `<checkout>/.pushtrain` (or `PUSHTRAIN_HOME`); nothing is made yet."""

    root: Path

    @property
    def dags(self) -> Path:
        """The DAGs that Airflow reads."""
        return CHECKOUT / "dags"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME of the embedded Airflow."""
        return self.root / "airflow"

    @property
    def store(self) -> Path:
        """The store."""
        return self.root / "store"

    @property
    def repo(self) -> Path:
        """Parent of the demo's bare model repo and its work clone."""
        return self.root / "repo"

    @property
    def mail(self) -> Path:
        """Where the mailbox keeps one file a mail."""
        return self.root / "mail"

    @property
    def datasets(self) -> Path:
        """What the operator lays here is what `keras.datasets` finds in the containers."""
        return self.root / "datasets"

    @property
    def logs(self) -> Path:
        """Logs of the set-up's own steps."""
        return self.root / "logs"

    @property
    def state(self) -> Path:
        """Small JSON files: what runs, on which port, which images, how long things took."""
        return self.root / "state"

    @property
    def tests(self) -> Path:
        """AIRFLOW_HOME of the tests that import Airflow without a running one."""
        return self.root / "pytest-airflow"

    def make(self) -> None:
        """Create the folders that every step may write to."""
        for folder in (self.logs, self.state):
            folder.mkdir(parents=True, exist_ok=True)


def current_home() -> Home:
    """Return the home of this checkout; the environment's `PUSHTRAIN_HOME` wins."""
    given = os.environ.get("PUSHTRAIN_HOME", "")
    return Home(Path(given).resolve() if given else CHECKOUT / ".pushtrain")
