"""Fills the templates; all that comes from scripts, commits and logs is escaped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pushtrain.contract import TRAIN_DAG, Experiment, State, run_id
from pushtrain.details import Damaged, ExperimentDetails
from pushtrain.history import RoundOutcome
from pushtrain.pages import story
from pushtrain.pages.assets import asset
from pushtrain.pages.charts import COLOURS, accuracy_chart, learning_curves
from pushtrain.pages.comparison import Side, compare
from pushtrain.pages.highlighting import diff_html
from pushtrain.pages.incidents import incidents_of, told_ends
from pushtrain.pages.listing import Listing
from pushtrain.pages.timing import timing_of
from pushtrain.rules.plain_text import whole_characters


@dataclass(frozen=True)
class Choice:
    """An experiment with the numbers of its rounds, to choose from."""

    experiment: Experiment
    rounds: tuple[int, ...]


def list_page(
    listing: Listing,
    accuracies: Mapping[str, Sequence[float | None]],
    damaged: Sequence[Damaged],
    ends: Mapping[str, Mapping[str, int]] = MappingProxyType({}),
    *,
    fragment: bool = False,
) -> str:
    """Return the list of experiments.

    Args:
        listing: The page of it.
        accuracies: Accuracy by round of the experiments on that page, by id.
        damaged: Experiments whose record can not be read.
        ends: How often attempts ended for each cause, by id, of those that were started again.
        fragment: Only what changes while something trains.
    """
    return render(
        "_list.html" if fragment else "list.html",
        listing=listing,
        accuracies=accuracies,
        damaged=damaged,
        ends={name: told_ends(counted) for name, counted in ends.items()},
        states=tuple(State),
        spark=sparkline,
    )


def experiment_page(details: ExperimentDetails, *, fragment: bool = False) -> str:
    """Return the page of one experiment, or only what changes while it trains."""
    return render(
        "_experiment.html" if fragment else "experiment.html", **_experiment_values(details)
    )


def report(details: ExperimentDetails) -> str:
    """Return the experiment's page as one file that needs no network and no Airflow."""
    styles = Markup(asset("page.css"))
    return render("report.html", styles=styles, **_experiment_values(details))


def compare_page(
    left: Side | None, right: Side | None, choices: Sequence[Choice], diff: str = ""
) -> str:
    """Return the comparison of two rounds; with a side missing, the form that asks for it.

    Args:
        left: One of them.
        right: The other one.
        choices: What can be chosen.
        diff: Unified diff of their scripts, from left to right.
    """
    both = [side.round for side in (left, right) if side]
    return render(
        "compare.html",
        left=left,
        right=right,
        choices=choices,
        script_diff=diff,
        differences=compare(left, right) if left and right else (),
        accuracy_curves=Markup(learning_curves(both, "accuracy")),  # pygal escapes
        loss_curves=Markup(learning_curves(both, "loss")),  # pygal escapes
    )


def message_page(title: str, message: str) -> str:
    """Return a page that says why there is nothing to show."""
    return render("message.html", title=title, message=message)


def sparkline(accuracies: Sequence[float | None], target: float) -> Markup:
    """Return a small picture of the accuracies with the target as a line.

    It spans from the lowest to the highest of them, so that small gains show.
    """
    values = [(n, value) for n, value in enumerate(accuracies) if value is not None]
    shown = [target, *(value for _, value in values)]
    low, span = min(shown), (max(shown) - min(shown)) or 1.0
    width, height, edge = 120, 28, 4
    step = (width - 2 * edge) / max(1, len(accuracies) - 1)
    points = [
        (edge + n * step, height - edge - (value - low) / span * (height - 2 * edge))
        for n, value in values
    ]
    said = f"accuracy by round: {', '.join(f'{v:.2f}' for _, v in values) or 'none yet'}"
    level = height - edge - (target - low) / span * (height - 2 * edge)
    return Markup(
        _ENVIRONMENT.get_template("_sparkline.html").render(
            width=width, height=height, points=points, level=level, said=said
        )
    )


def _experiment_values(details: ExperimentDetails) -> dict[str, Any]:
    now, experiment = time.time(), details.experiment
    target = experiment.settings.target_accuracy
    return {
        "details": details,
        "e": experiment,
        "headline": story.headline(details),
        "accuracy_chart": Markup(accuracy_chart(details.rounds, target)),  # pygal escapes
        "accuracy_curves": Markup(learning_curves(details.rounds, "accuracy")),
        "loss_curves": Markup(learning_curves(details.rounds, "loss")),
        "knobs": story.knob_table(details),
        "causes": told_ends(story.causes(details)),
        "timings": {r.number: timing_of(details, r.number, now) for r in details.rounds},
        "more": story.more_command(details),
        "more_conf": json.dumps(story.more_conf(details)),
    }


def render(template: str, **values: Any) -> str:
    """Return a filled template; everything is escaped unless it is plain text or Markdown."""
    return whole_characters(_ENVIRONMENT.get_template(template).render(**values))


def _age(seconds: float) -> str:
    """Return how long ago a Unix time is, in the largest unit that says enough."""
    past = max(0.0, time.time() - seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if past >= size:
            return f"{past / size:.0f} {unit}"
    return f"{past:.0f} s"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _run_path(experiment: Experiment, round_number: int, attempt: int) -> str:
    """Return the path of a step's run in Airflow's UI."""
    return f"/dags/{TRAIN_DAG}/runs/{quote(run_id(experiment.id, round_number, attempt))}"


def _log_path(experiment: Experiment, outcome: RoundOutcome, attempt: int) -> str:
    """Return the path of a training task and its log in Airflow's UI: one mapped task a round."""
    first = outcome.round if outcome.batch is None else outcome.batch
    task = f"train_{experiment.family}/mapped/{outcome.round - first}"
    return f"{_run_path(experiment, first, attempt)}/tasks/{task}"


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("pushtrain.pages"),
        autoescape=lambda name: name is None or not name.endswith((".txt", ".md")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "age": _age,
        "moment": _moment,
        "diff": diff_html,  # Pygments escapes
        "verdict": story.verdict_of,
        "incidents": incidents_of,
        "inexact": story.why_not_exact,
        "notes": story.notes,
    }
    made.filters.update(filters)
    made.globals.update(run_path=_run_path, log_path=_log_path, colours=COLOURS, dag=TRAIN_DAG)
    return made


_ENVIRONMENT = _environment()
