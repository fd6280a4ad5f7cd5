"""One way of dying, as `make chaos` knows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.outcome import Outcome
from tests.chaos.setup import Setup


@dataclass(frozen=True)
class Scenario:
    """What is killed or taken away, and how.

    Attributes:
        name: A few words; `CHAOS_ONLY` finds it by a part of them.
        run: Does it and says what was seen. What it raises is its row in the table: not recovered.
        short: Whether it is part of the short form, which `make test` runs.
        needs_airflow: Whether it uses the world that is shared by all that need Airflow; the
            others run when that was closed.
        side_by_side: Whether it touches nothing but its own training, so that others of that kind
            may run at the same time (in threads).
        lacking: What this machine lacks for it, in a few words; it is not run then, and its row
            says so.
        prepare: Called before the first of those that run alone, for all of them: what takes its
            time to start, such as a training, starts at the same time.
    """

    name: str
    run: Callable[[Setup], Outcome]
    short: bool = True
    needs_airflow: bool = False
    side_by_side: bool = False
    lacking: str = ""
    prepare: Callable[[Setup], object] | None = None
