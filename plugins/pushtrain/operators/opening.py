"""Opens experiments: for what was pushed, and for what a person asked for."""

from __future__ import annotations

import dataclasses
import logging
import posixpath
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pushtrain.adapters.mirror import EXPERIMENT_REFS, SEEN_REFS, Mirror, repo_slug
from pushtrain.adapters.store import Store, is_open
from pushtrain.analysis.local_modules import fingerprint, scripts
from pushtrain.analysis.script_settings import FILE, overridden, script_settings
from pushtrain.contract import Experiment, ScriptSettings, State, Step
from pushtrain.errors import ConfigurationError, PushtrainError
from pushtrain.operators.resuming import failed_experiment, set_aside
from pushtrain.rules.budget import verdict
from pushtrain.rules.request import Request
from pushtrain.settings import Settings
from pushtrain.slugs import script_slug

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Commit:
    """A commit of the model repo with its Python files."""

    id: str
    branch: str
    sources: Mapping[str, str]


def open_pushed(config: Settings, store: Store, mirror: Mirror) -> list[Step]:
    """Open an experiment for every script that a push changed.

    A script is changed if its code is (comments and formatting are not), or the code of a
    module that it imports from the same repo. The first look at a branch compares its head
    with the commit before. Doing it twice opens nothing twice.
    """
    head = mirror.fetch(config.branch)
    seen = mirror.ref(SEEN_REFS + config.branch)
    new, old = mirror.sources(head), mirror.sources(seen or mirror.parent(head))
    changed = [s for s in scripts(new, config.watched_path) if _is_changed(s, new, old)]
    log.info("%s: %d changed scripts: %s", head[:8], len(changed), ", ".join(changed) or "none")
    commit = Commit(head, config.branch, new)
    steps = [_open(config, store, mirror, commit, script, {}).step for script in changed]
    # last: a crash before it opens the same experiments once more, which changes nothing
    mirror.set_ref(SEEN_REFS + config.branch, head)
    return steps


def open_named(config: Settings, store: Store, mirror: Mirror, request: Request) -> list[Step]:
    """Open, or take up again, the experiments that a person asked for.

    Raises:
        ConfigurationError: There is no such script, an override is not allowed, or an
            experiment has nothing left to do.
    """
    # before anything is opened: what a person mistyped must not refuse the commit for good
    check_allowed(config, overridden(ScriptSettings(), request.overrides))
    branch = request.ref or config.branch
    head = mirror.fetch(branch)
    sources = mirror.sources(head)
    wanted = _wanted(request.script, sources, config.watched_path, branch)
    commit = Commit(head, branch, sources)
    steps, refusals = [], []
    for script in wanted:
        experiment = _open(config, store, mirror, commit, script, request.overrides)
        try:
            steps.append(_taken_up(config, store, experiment, request.overrides).step)
        except ConfigurationError as err:
            refusals.append(str(err))
    if not steps:
        raise ConfigurationError("; ".join(refusals))
    for refusal in refusals:
        log.warning("%s", refusal)
    return steps


def resume(config: Settings, store: Store, request: Request) -> Step:
    """Take up an experiment that was given up: the next attempt of its round, from its checkpoint.

    Raises:
        ConfigurationError: It can not be resumed, or an override is not allowed.
        OutsideError: It is being given up at this moment; a retry resumes it.
    """
    experiment = failed_experiment(store, request)
    return _taken_up(config, store, experiment, request.overrides).step


def _wanted(script: str, sources: Mapping[str, str], folder: str, ref: str) -> tuple[str, ...]:
    known = scripts(sources, folder)
    if not script:
        if not known:
            raise ConfigurationError(f"{ref!r} has no script under {folder!r}")
        return known
    for path in (posixpath.normpath(script), posixpath.normpath(f"{folder}/{script}")):
        if path in sources and path.endswith((".py", ".ipynb")):
            return (path,)
    raise ConfigurationError(
        f"script {script!r} is not in {ref!r}; its scripts are: {', '.join(known) or 'none'}"
    )


def _is_changed(script: str, new: Mapping[str, str], old: Mapping[str, str]) -> bool:
    return script not in old or fingerprint(script, new) != fingerprint(script, old)


def _open(
    config: Settings,
    store: Store,
    mirror: Mirror,
    commit: Commit,
    script: str,
    overrides: Mapping[str, object],
) -> Experiment:
    """Return the experiment of a script at a commit, made if there is none."""
    settings, refused = _settings(config, commit, script, overrides)
    author, now = mirror.info(commit.id), time.time()
    below = script.removeprefix(config.watched_path.strip("/") + "/")
    experiment = Experiment(
        id=f"{script_slug(below)}-{commit.id[:8]}",
        repo=repo_slug(mirror.url),
        repo_url=mirror.url,
        branch=commit.branch,
        commit=commit.id,
        script=script,
        author_name=author.author_name,
        author_email=author.author_email,
        subject=author.subject,
        settings=settings,
        reason=refused,
        refused=bool(refused),
        created_at=now,
        updated_at=now,
    )
    made = store.create_experiment(experiment)
    if mirror.ref(EXPERIMENT_REFS + experiment.id) is None:
        # the branch may be forced away from this commit, which the rounds start from
        mirror.set_ref(EXPERIMENT_REFS + experiment.id, commit.id)
    log.info("experiment %s: %s", experiment.id, "opened" if made else "exists")
    return store.experiment(experiment.id)


def _settings(
    config: Settings, commit: Commit, script: str, overrides: Mapping[str, object]
) -> tuple[ScriptSettings, str]:
    """Return the settings of a script, and what is wrong with them.

    Wrong ones do not stop the other scripts: the experiment is opened with the reason, and its
    own run refuses it.
    """
    try:
        given = script_settings(script, commit.sources.get(FILE))
        return check_allowed(config, overridden(given, overrides)), ""
    except PushtrainError as err:
        return ScriptSettings(), str(err)


def _taken_up(
    config: Settings, store: Store, experiment: Experiment, overrides: Mapping[str, object]
) -> Experiment:
    """Return an experiment that goes on: a running one, or an ended one as a new attempt.

    The new attempt of the last round trains nothing again that was finished; the loop goes on
    behind it with the new budget. What a running one is given counts from its next container on.
    """
    if experiment.refused:
        if is_open(experiment):
            return experiment  # its own run refuses it and mails why
        raise ConfigurationError(f"{experiment.script} was refused: {experiment.reason}")
    settings = check_allowed(config, overridden(experiment.settings, overrides))
    if is_open(experiment):
        if settings == experiment.settings:
            return experiment
        return store.update_experiment(experiment.id, settings=settings)
    open_again = dataclasses.replace(experiment, settings=settings, created_at=time.time())
    state, reason = verdict(open_again, store.rounds(experiment.id), time.time())
    if experiment.state is not State.FAILED and state is not State.RUNNING:
        raise ConfigurationError(
            f"experiment {experiment.id} has ended: {experiment.state} ({reason}). To go on, "
            "give a higher target_accuracy, max_rounds, patience or max_hours"
        )
    if experiment.state is State.FAILED:
        set_aside(store, experiment.step)
    return store.reopen(
        experiment,
        state=State.RUNNING,
        settled=False,
        reason="",
        settings=settings,
        created_at=open_again.created_at if settings.max_hours else experiment.created_at,
        attempt=experiment.attempt + 1,
    )


def check_allowed(config: Settings, settings: ScriptSettings) -> ScriptSettings:
    """Return the settings if the operator allows what they ask for.

    Raises:
        ConfigurationError: More memory than allowed, or data from a folder that is not.
    """
    if settings.memory > config.max_memory:
        raise ConfigurationError(
            f"memory = {settings.memory} MiB: the operator allows {config.max_memory} "
            "([pushtrain] max_memory)"
        )
    for folder in settings.data:
        if not _is_below(folder, config.allowed_data):
            allowed = ", ".join(config.allowed_data) or "none"
            raise ConfigurationError(
                f"data {folder!r}: the operator allows folders below: {allowed} "
                "([pushtrain] allowed_data)"
            )
    return settings


def _is_below(folder: str, roots: Iterable[str]) -> bool:
    inside = any((folder.rstrip("/") + "/").startswith(root.rstrip("/") + "/") for root in roots)
    return inside and folder.startswith("/") and ".." not in folder.split("/")
