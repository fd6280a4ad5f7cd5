"""The step that the running task belongs to."""

from __future__ import annotations

from airflow.sdk import get_current_context

from pushtrain.contract import Step
from pushtrain.rules.request import step_of


def current_step() -> Step | None:
    """Return the step of the task's run, None if the run only opens experiments."""
    params = get_current_context()["params"]
    return step_of(params) if params.get("experiment") else None


def required_step() -> Step:
    """Return the step of the task's run.

    Raises:
        RuntimeError: The run has none; the task should have been skipped.
    """
    step = current_step()
    if step is None:
        raise RuntimeError("this run is no step of an experiment")
    return step
