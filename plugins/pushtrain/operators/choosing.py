"""The task `choose_image`: which image trains a script, read from its code."""

from __future__ import annotations

import logging

from pushtrain import settings
from pushtrain.adapters.mirror import Mirror
from pushtrain.adapters.store import Store
from pushtrain.analysis.family import read_family
from pushtrain.analysis.knobs import find_knobs
from pushtrain.contract import TRAINABLE, Step
from pushtrain.errors import ScriptError

log = logging.getLogger(__name__)

REFUSED = "unsupported"


def choose_image(step: Step) -> str:
    """Return the task that trains a step: `train_<family>`, or `unsupported`.

    What was found is written to the store: the family, or why the script is refused, and the
    knobs of the round.
    """
    config = settings.load()
    store = Store(config.store_path)
    experiment = store.experiment(step.experiment)
    if experiment.refused:
        return REFUSED  # its settings are wrong
    tweak = store.tweak(step.experiment, step.round)
    commit = tweak.commit if tweak else experiment.commit
    # the commit, not the folder: a training may have changed what lies there
    sources = Mirror(store.mirror_dir(experiment.repo), experiment.repo_url).sources(commit)
    try:
        reading = read_family(experiment.script, sources)
    except ScriptError as err:
        store.update_experiment(experiment.id, reason=str(err), refused=True)
        return REFUSED
    log.info("%s: %s", experiment.script, reading.message)
    if reading.family not in TRAINABLE:
        store.update_experiment(
            experiment.id, family=reading.family, reason=reading.message, refused=True
        )
        return REFUSED
    if experiment.family is not reading.family:
        store.update_experiment(experiment.id, family=reading.family)
    store.save_knobs(experiment.id, step.round, find_knobs(experiment.script, sources))
    return f"train_{reading.family}"
