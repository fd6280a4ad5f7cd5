"""Tells people: best model, target missed, restarted, given up."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException

from pushtrain import settings
from pushtrain.adapters.experiment_reading import ExperimentReader
from pushtrain.adapters.outbox import outbox_of
from pushtrain.adapters.records import write_text
from pushtrain.adapters.store import Store
from pushtrain.contract import Experiment, State, Step
from pushtrain.details import ExperimentDetails
from pushtrain.errors import OutsideError, PushtrainError, StoreError
from pushtrain.operators.delivering import deliver, has_server
from pushtrain.operators.publishing import winning_diff
from pushtrain.pages.mailing import (
    Letter,
    given_up_letter,
    outcome_letter,
    restart_letter,
    write_mail,
)
from pushtrain.pages.picture import accuracy_picture
from pushtrain.pages.rendering import report
from pushtrain.rules.links import experiment_link
from pushtrain.rules.plain_text import one_line
from pushtrain.settings import Settings

log = logging.getLogger(__name__)

_NOT_IN_ADDRESSES = frozenset(' ,;:<>()[]"\\')


def notify_outcome(step: Step) -> None:
    """Mail how an experiment's loop has ended; with it the experiment is done."""
    config = settings.load()
    store = Store(config.store_path)
    with _goes_on(f"no mail of {step.run_id}"):
        details = _details(store, step)
        _write_report(store, details)
        post(config, store, details, outcome_letter(details))
    # not if a person has it go on by now: what is settled is not watched
    store.move_on(step, settled=True)


def notify_restart(
    config: Settings, store: Store, step: Step, reason: str, rounds: Sequence[int]
) -> None:
    """Mail that a step is started again.

    Args:
        config: The operator's settings.
        store: With the experiment.
        step: The new attempt.
        reason: How the last one ended.
        rounds: Those of the step's rounds that are not trained to their end yet.
    """
    with _goes_on(f"no mail of {step.run_id}"):
        details = ExperimentReader(store).details(step.experiment)
        letter = restart_letter(details, step, rounds, reason)
        # the monitor's next task sends it: a mail server that is slow must not delay the restart
        post(config, store, details, letter, is_urgent=False)


def notify_given_up(config: Settings, store: Store, step: Step) -> None:
    """Mail that an experiment has failed, with the reason and the last lines of its log."""
    with _goes_on(f"no mail of {step.run_id}"):
        details = _details(store, step)
        _write_report(store, details)
        post(config, store, details, given_up_letter(details))


@contextmanager
def _goes_on(without: str) -> Iterator[None]:
    """Let what follows happen without a mail or report that can not be made.

    They show what user code wrote, and would fail at each further try.

    Raises:
        OutsideError: The disk is full, read-only or not there; it comes back.
    """
    try:
        yield
    except OutsideError:
        raise
    except Exception:
        log.exception("%s", without)


def _details(store: Store, step: Step) -> ExperimentDetails:
    """Return all that is known; the experiment alone where a record of its rounds is damaged."""
    try:
        return ExperimentReader(store).details(step.experiment)
    except StoreError as err:
        log.error("told without its rounds: %s", err)
        return ExperimentDetails(store.experiment(step.experiment))


def give_up(config: Settings, store: Store, step: Step, reason: str) -> None:
    """End an experiment as failed and mail why; a crash in between is made good by the monitor.

    A task of a past step, which a person cleared, ends nothing.
    """
    if store.move_on(step, state=State.FAILED, reason=reason) is None:
        log.info("%s is past or has ended: %s", step.run_id, reason)
        return
    notify_given_up(config, store, step)
    store.move_on(step, settled=True)


def post(
    config: Settings,
    store: Store,
    details: ExperimentDetails,
    letter: Letter,
    *,
    is_urgent: bool = True,
) -> None:
    """Mail the commit's author and all who asked for it, once for each incident.

    The mail is in the store before it is sent. Without an SMTP connection there is none. A server
    that failed a moment ago is left to the monitor.
    """
    to, subject = recipients(config, details.experiment), one_line(letter.subject)
    if not to:
        log.info("nobody to mail: %s", subject)
        return
    if not has_server(config):
        log.info("no connection %r, so no mail: %s", config.smtp_conn_id, subject)
        return
    experiment = details.experiment
    mail = write_mail(
        letter,
        details,
        to=to,
        picture=_picture(details),
        winning_diff=_diff(store, experiment),
        link=page_of(config, experiment),
    )
    outbox = outbox_of(store)
    if outbox.post(letter.key, mail):
        log.info("to %s: %s", ", ".join(to), subject)
    if is_urgent and outbox.is_due(time.time()):
        deliver(config, store)


def recipients(config: Settings, experiment: Experiment) -> list[str]:
    """Return the addresses that hear of an experiment; what is no address is left out."""
    wanted = (experiment.author_email, *experiment.settings.notify, *config.mail_to)
    return sorted({a for a in wanted if _is_address(a)})


def _is_address(text: str) -> bool:
    """Tell whether a text is an address; one that can not stand in a header must stop no mail."""
    local, _, domain = text.rpartition("@")
    is_plain = text.isprintable() and not set(text) & _NOT_IN_ADDRESSES
    return is_plain and bool(local and domain) and "@" not in local


def page_of(config: Settings, experiment: Experiment) -> str:
    """Return the address of an experiment's page, empty if the UI's is not set."""
    if not config.page_url:
        return ""
    # not the run's tab: the page is there when Airflow's database is new, too
    return config.page_url.rstrip("/") + experiment_link(experiment.id)


def refuse(step: Step) -> None:
    """End an experiment whose script can not be trained, and mail why.

    Raises:
        AirflowFailException: Always; it says what was found.
    """
    config = settings.load()
    store = Store(config.store_path)
    reason = store.experiment(step.experiment).reason
    give_up(config, store, step, reason)
    raise AirflowFailException(reason)


def _picture(details: ExperimentDetails) -> bytes:
    """Return the accuracies as a picture; a mail without it is better than none."""
    try:
        return accuracy_picture(details.rounds, details.experiment.settings.target_accuracy)
    except Exception:  # fonts, caches, folders without write permission: none of our business
        log.exception("no picture in the mail")
        return b""


def _diff(store: Store, experiment: Experiment) -> str:
    """Return what the best round changed; a mail without it is better than none."""
    try:
        return winning_diff(store, experiment)
    except PushtrainError as err:
        log.warning("no diff in the mail: %s", err)
        return ""


def _write_report(store: Store, details: ExperimentDetails) -> None:
    """Write the experiment's page beside its record; a mail without it is better than none."""
    with _goes_on(f"no report of {details.experiment.id}"):
        path = store.experiment_dir(details.experiment.id) / "report.html"
        write_text(path, report(details))
