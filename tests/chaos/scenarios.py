"""All scenarios of `make chaos`, in the order of its table.

Each module brings its own `SCENARIOS`; a new one is added here.
"""

from __future__ import annotations

from tests.chaos import (
    airflow_memory,
    airflow_monitor,
    airflow_parts,
    airflow_tasks,
    airflow_trainings,
    outside_engine,
    outside_services,
    outside_store,
    storm,
)
from tests.chaos.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    *airflow_trainings.SCENARIOS,
    *airflow_memory.SCENARIOS,
    *airflow_tasks.SCENARIOS,
    *airflow_monitor.SCENARIOS,
    *airflow_parts.SCENARIOS,
    *outside_services.SCENARIOS,
    *outside_engine.SCENARIOS,
    *outside_store.SCENARIOS,
    *storm.SCENARIOS,
)


def chosen(scenarios: tuple[Scenario, ...], *, short: bool, only: str = "") -> list[Scenario]:
    """Return the scenarios of the short or the full form.

    Args:
        scenarios: What there is.
        short: Whether those are left out that are not part of the short form.
        only: Parts of names, divided by commas; empty for all. It finds the others, too.

    Raises:
        ValueError: A part of `only` is in no name.
    """
    parts = [part.strip().lower() for part in only.split(",") if part.strip()]
    names = [s.name for s in scenarios]
    for part in parts:
        if not any(part in name.lower() for name in names):
            raise ValueError(f"CHAOS_ONLY: {part!r} is in no scenario; there are {names}")
    if parts:
        return [s for s in scenarios if any(part in s.name.lower() for part in parts)]
    return [s for s in scenarios if s.short or not short]
