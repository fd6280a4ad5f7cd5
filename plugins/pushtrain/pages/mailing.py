"""Mails that people like to read: a text, the same in HTML, and the accuracies as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

from pushtrain.contract import Attempt, State, Step
from pushtrain.details import ExperimentDetails, RoundDetails
from pushtrain.pages import story
from pushtrain.pages.highlighting import diff_html
from pushtrain.pages.incidents import last_lines, told_ends
from pushtrain.pages.rendering import render
from pushtrain.rules.plain_text import one_line
from pushtrain.rules.progress import lost_by, place_of, saved_by

_DOMAIN = "pushtrain"  # of message ids: no host, only the same in all mails of an experiment
_PICTURE = "accuracy-by-round"
_LOG_LINES = 40
_MOST_INCIDENTS = 10


@dataclass(frozen=True)
class Letter:
    """What a mail says beside the facts of its experiment.

    Attributes:
        key: Names the incident; a second letter of the same key is the same mail.
        subject: Without the project's name.
        lead: The first sentence.
        facts: What happened, one sentence each.
        next_steps: What the reader can do now, one sentence or command each.
        details: Titles and preformatted texts, such as the last lines of a log.
    """

    key: str
    subject: str
    lead: str
    facts: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    details: tuple[tuple[str, str], ...] = ()


def outcome_letter(details: ExperimentDetails) -> Letter:
    """Return the letter about an experiment whose loop has ended."""
    experiment = details.experiment
    best = experiment.best_accuracy
    accuracy = "-" if best is None else f"{best:.4f}"
    folder = f" It lies in {experiment.published}." if experiment.published else ""
    more = f"To go on with more: {story.more_command(details)}"
    if experiment.state is State.REACHED:
        subject = f"best model created: {experiment.script}, accuracy {accuracy}"
        lead = f"The best model has accuracy {accuracy}.{folder}"
        steps: tuple[str, ...] = ("Look at the diff below and take it over into your script.", more)
    else:
        subject = f"target missed: {experiment.script}, accuracy {accuracy}"
        lead = (
            f"The target was missed ({experiment.state}); the best model so far has accuracy "
            f"{accuracy}.{folder}"
        )
        steps = (more,)
    return Letter(
        _key(experiment.step, "outcome"),
        subject,
        lead,
        facts=(*_counted(details), *_incidents(details)),
        next_steps=steps,
    )


def restart_letter(
    details: ExperimentDetails, step: Step, rounds: Sequence[int], reason: str
) -> Letter:
    """Return the letter that a step is started again.

    Args:
        details: The experiment.
        step: The new attempt.
        rounds: Those of its rounds that are not trained to their end yet.
        reason: How the last attempt ended.
    """
    saved = any(saved_by(_attempts(details, number)) for number in rounds)
    if not rounds:
        what = f"Round {step.round} is trained; what follows it is started again"
    elif not saved:
        what = f"Round {', '.join(map(str, rounds))} is trained anew, nothing was saved"
    elif len(rounds) == 1:
        what = f"Round {rounds[0]} is trained on from its last checkpoint"
    else:
        named = ", ".join(map(str, rounds))
        what = f"Rounds {named} are trained on from their last checkpoints"
    script = details.experiment.script
    return Letter(
        key=_key(step, "restart"),
        subject=f"training restarted: {script}, round {step.round}, attempt {step.attempt}",
        lead=f"{what}, as attempt {step.attempt}. {reason}.",
        facts=(*_goes_on(details, rounds), *_counted(details)),
        next_steps=("Nothing has to be done.",),
        details=_evidence(details, (*rounds, step.round)[0]),
    )


def given_up_letter(details: ExperimentDetails) -> Letter:
    """Return the letter that an experiment has failed, with the way to go on by hand."""
    experiment = details.experiment
    this = details.round(experiment.round)
    subject = f"training given up: {experiment.script}"
    if experiment.refused:
        lead = f"The script can not be trained: {experiment.reason}"
        steps: tuple[str, ...] = ("Change the script and push it.",)
        return Letter(_key(experiment.step, "given-up"), subject, lead, next_steps=steps)
    return Letter(
        key=_key(experiment.step, "given-up"),
        subject=subject,
        lead=f"The training was given up in round {experiment.round}: {experiment.reason}",
        facts=(*(story.incidents(this) if this else ()), *_counted(details)),
        next_steps=_ways_on(details, this),
        details=_evidence(details, experiment.round),
    )


def _ways_on(details: ExperimentDetails, this: RoundDetails | None) -> tuple[str, ...]:
    if this and this.outcome.out_of_memory:
        how = "give it more memory and have it trained again"
    else:
        how = "resume it by hand, it goes on from its last checkpoint"
    return "Change the script and push it, or", f"{how}: {story.more_command(details)}"


def _attempts(details: ExperimentDetails, number: int) -> tuple[Attempt, ...]:
    this = details.round(number)
    return this.attempts if this else ()


def _goes_on(details: ExperimentDetails, rounds: Sequence[int]) -> Iterator[str]:
    """Yield for each round where it stood, from where it goes on and what was lost."""
    for number in rounds:
        attempts = _attempts(details, number)
        for last in attempts[-1:]:
            place, saved, lost = place_of(last.reached), saved_by(attempts), lost_by(last)
            parts = [f"it stood in {place}" if place else "", f"saved: {saved}" if saved else ""]
            parts.append(lost if saved else "")
            told = "; ".join(part for part in parts if part)
            if told:
                yield f"Round {number}: {told}."


def _incidents(details: ExperimentDetails) -> tuple[str, ...]:
    told = [f"Round {r.number}, {said}." for r in details.rounds for said in story.incidents(r)]
    rest = len(told) - _MOST_INCIDENTS
    return (*told[:_MOST_INCIDENTS], *([f"{rest} more are on the page."] if rest > 0 else ()))


def _counted(details: ExperimentDetails) -> tuple[str, ...]:
    restarts, ends = details.experiment.restarts, told_ends(story.causes(details))
    if not restarts and not ends:
        return ()
    return (f"Restarts so far: {restarts}" + (f"; ended early: {ends}." if ends else "."),)


def _key(step: Step, what: str) -> str:
    """Name an incident: the same one seen twice has the same name."""
    return f"{step.run_id}.{what}"


def _evidence(details: ExperimentDetails, number: int) -> tuple[tuple[str, str], ...]:
    """Return what the last attempt of a round left: traceback, stack, last lines of its log."""
    this = details.round(number)
    if this is None or not this.attempts:
        return ()
    last = this.attempts[-1].number
    found = (
        (f"Traceback of attempt {last}", this.tracebacks.get(last, "").rstrip()),
        (f"Where attempt {last} stood when it hung", last_lines(this.stacks.get(last, ""))),
        (
            f"Last lines of attempt {this.last_said or last}",
            last_lines(this.last_lines, _LOG_LINES),
        ),
    )
    return tuple((title, text) for title, text in found if text)


def write_mail(
    letter: Letter,
    details: ExperimentDetails,
    *,
    to: Sequence[str],
    picture: bytes = b"",
    winning_diff: str = "",
    link: str = "",
) -> EmailMessage:
    """Return a mail about an experiment, one of its thread; who sends it adds `From`.

    Args:
        letter: What it says.
        details: The experiment.
        to: Addresses that it goes to.
        picture: The accuracies by round as PNG, empty for none.
        winning_diff: What was changed in the script to reach the best round.
        link: Address in Airflow's UI, empty for none.
    """
    mail = EmailMessage()
    # a line break in a subject would start a header of its own
    mail["Subject"] = one_line(f"[pushtrain] {letter.subject}")
    mail["To"] = ", ".join(to)
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{letter.key}@{_DOMAIN}>"
    # all name the same first mail, whether it was ever sent or not: mail programs make a thread
    thread = f"<{details.experiment.id}@{_DOMAIN}>"
    mail["In-Reply-To"] = mail["References"] = thread
    mail["Auto-Submitted"] = "auto-generated"
    values = {
        "letter": letter,
        "details": details,
        "e": details.experiment,
        "winning_diff": winning_diff,
        "refusals": details.refusals,
        "link": link,
    }
    mail.set_content(render("mail.txt", **values))
    html = render(
        "mail.html",
        picture=f"cid:{_PICTURE}@{_DOMAIN}" if picture else "",
        coloured_diff=diff_html(winning_diff, inline=True),
        **values,
    )
    mail.add_alternative(html, subtype="html")
    if picture:
        mail.get_payload()[1].add_related(  # type: ignore[union-attr, index]  # the HTML part
            picture, "image", "png", cid=f"<{_PICTURE}@{_DOMAIN}>", filename="accuracy.png"
        )
    return mail
