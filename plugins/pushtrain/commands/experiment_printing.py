"""Shows experiments to people at a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console, Group
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from pushtrain.contract import Experiment, State
from pushtrain.details import Damaged, ExperimentDetails, RoundDetails
from pushtrain.history import Refusal
from pushtrain.pages import story
from pushtrain.pages.incidents import incidents_of, told_ends
from pushtrain.pages.timing import timing_of

_BARS = "▁▂▃▄▅▆▇█"
_STYLES = {State.REACHED: "green", State.FAILED: "red", State.RUNNING: "cyan"}


def print_list(
    experiments: Sequence[Experiment],
    accuracies: Mapping[str, Sequence[float | None]],
    damaged: Sequence[Damaged],
    ends: Mapping[str, Mapping[str, int]],
    console: Console,
) -> None:
    """Print a table of experiments."""
    table = Table(box=None, pad_edge=False)
    table.add_column("experiment", overflow="fold", ratio=1)  # an id is there to be copied
    for title in ("family", "state", "round", "accuracy", "by round", "restarts"):
        table.add_column(title, no_wrap=True)
    for one in experiments:
        best = "-" if one.best_accuracy is None else f"{one.best_accuracy:.4f}"
        table.add_row(
            Text(one.id),
            one.family or "-",
            Text(one.state, _STYLES.get(one.state, "")),
            str(one.round),
            f"{best} of {one.settings.target_accuracy:.4g}",
            bars(accuracies[one.id]),
            f"{one.restarts} ({told})"
            if (told := told_ends(ends.get(one.id, {})))
            else str(one.restarts),
        )
    if experiments:
        console.print(table)
    else:
        console.print("No experiment yet, or none that matches.")
    for broken in damaged:
        console.print(Text(f"{broken.id} can not be shown: {broken.message}", "red"))


def print_experiment(details: ExperimentDetails, now: float, console: Console) -> None:
    """Print all rounds of an experiment, the first one first.

    Args:
        details: The experiment.
        now: Unix time.
        console: Where to.
    """
    experiment = details.experiment
    console.print(Text(f"{experiment.id}  {experiment.script}", "bold"))
    console.print(Text(story.headline(details)))
    console.print(
        Text(f"commit {experiment.commit[:8]} {experiment.subject} ({experiment.author_name})")
    )
    ends = told_ends(story.causes(details))
    if experiment.restarts or ends:
        console.print(Text(f"restarts {experiment.restarts}" + (f"; {ends}" if ends else "")))
    if experiment.published:
        console.print(Text(f"published in {experiment.published}"))
    for one in details.rounds:
        console.print(_round(details, one, now))
    for refused in details.never_made:
        console.print(_refusal(refused))
    if experiment.state is not State.RUNNING and not experiment.refused:
        more = "to resume it:" if experiment.state is State.FAILED else "to go on with more:"
        console.print(Text(more, "bold"))
        console.print(Text(story.more_command(details)), soft_wrap=True)


def bars(values: Sequence[float | None]) -> str:
    """Return accuracies as a row of bars, the lowest and the highest at the ends of the scale."""
    known = [v for v in values if v is not None]
    low, span = min(known, default=0.0), (max(known, default=1.0) - min(known, default=0.0)) or 1.0
    return "".join(
        "·" if v is None else _BARS[round((v - low) / span * (len(_BARS) - 1))] for v in values
    )


def _refusal(refused: Refusal) -> Text:
    return Text(f"not tried: {refused.label}. It could not be built: {refused.why}", "red")


def _round(details: ExperimentDetails, one: RoundDetails, now: float) -> Panel:
    best = " (best)" if one.number == details.experiment.best_round else ""
    parts: list[Text | Syntax] = []
    if one.tweak:
        parts.append(Text(one.tweak.summary, "bold"))
        if one.tweak.reason:
            parts.append(Text(f"why: {one.tweak.reason}"))
    else:
        parts.append(Text("the script as it was pushed"))
    if one.diff:
        parts.append(Syntax(one.diff, "diff", background_color="default", word_wrap=True))
    parts += [_refusal(refused) for refused in one.refusals]
    for incident in incidents_of(one):
        parts.append(Text(incident.story, "red"))
        parts += [Text(text, "dim") for text in (incident.traceback, incident.stack) if text]
    parts += [Text(f"not exact: {why}", "red") for why in story.why_not_exact(one)]
    parts += [Text(line, "red") for line in one.damage]
    timing = timing_of(details, one.number, now)
    if timing:
        parts.append(
            Text(
                f"{timing.total:.1f} s: waiting {timing.waiting:.1f}, "
                f"starting {timing.starting:.1f}, training {timing.training:.1f}",
                "dim",
            )
        )
    title = Text(f"round {one.number}{best}: {story.verdict_of(one)}")
    return Panel(Group(*parts), title=title, title_align="left")
