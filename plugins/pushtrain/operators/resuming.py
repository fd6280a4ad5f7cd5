"""Takes up again what was given up, or ended, because a person asked for it."""

from __future__ import annotations

import difflib
import logging

from pushtrain.adapters.store import Store
from pushtrain.contract import Experiment, State, Step
from pushtrain.errors import ConfigurationError, OutsideError
from pushtrain.pages.story import more_rounds_command
from pushtrain.rules.request import Request
from pushtrain.rules.resume import forgiven

log = logging.getLogger(__name__)


def failed_experiment(store: Store, request: Request) -> Experiment:
    """Return the experiment that a request wants to be resumed.

    One that goes on already is returned, too: two requests, or a task that is done again, lead
    to the same run, which Airflow starts once.

    Raises:
        ConfigurationError: There is none of this id, its script was refused, or it did not fail.
        OutsideError: It is being given up at this moment; a retry finds that done.
    """
    known = {e.id: e for e in store.experiments()}
    experiment = known.get(request.resume)
    if experiment is None:
        near = difflib.get_close_matches(request.resume, known, n=3) or [*known][-3:]
        raise ConfigurationError(
            f"resume = {request.resume!r}: there is no such experiment; there are: "
            f"{', '.join(near) or 'none'}"
        )
    if experiment.refused:
        raise ConfigurationError(
            f"{experiment.id} can not be resumed, its script was refused: {experiment.reason}. "
            "Change it and push it"
        )
    if experiment.state is State.RUNNING:
        log.info("%s goes on already, as %s", experiment.id, experiment.step.run_id)
        return experiment
    if experiment.state is not State.FAILED:
        raise ConfigurationError(
            f"{experiment.id} did not fail, it has ended: {experiment.state}. To go on with more: "
            f"{more_rounds_command(experiment)}"
        )
    if not experiment.settled:
        raise OutsideError(
            f"{experiment.id} is being given up at this moment; the retry resumes it"
        )
    return experiment


def set_aside(store: Store, step: Step) -> None:
    """Forgive the attempts of a step that was given up: they count against no limit any more."""
    trainings = {
        # a later one is of somebody who was faster
        one.round: [
            a for a in store.attempts(one.experiment, one.round) if a.number <= step.attempt
        ]
        for one in store.batch(step)
    }
    for number, attempts in forgiven(trainings).items():
        for attempt in attempts:
            store.save_attempt(step.experiment, number, attempt)
