"""What a DAG run of `mlops_train` was asked to do."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pushtrain.contract import Step
from pushtrain.errors import ConfigurationError
from pushtrain.record import Record
from pushtrain.slugs import slug

# What a run may override of the settings that stand in the model repo.
OVERRIDES = (
    "target_accuracy", "max_rounds", "patience", "max_hours",
    "memory", "cpus", "gpus", "network", "data", "notify",
    "strategy", "candidates", "warm_start", "stop_hopeless", "dry_build",
)  # fmt: skip
_WHAT = ("repo_url", "ref", "script")
_BY_HAND = (*_WHAT, "resume", *OVERRIDES)
_BY_THE_LOOP = ("experiment", "round", "attempt", "watch_until")
PARAMS = (*_BY_HAND, *_BY_THE_LOOP)


@dataclass(frozen=True)
class Request(Record):
    """The work of one run.

    Attributes:
        kind: `push`: look what was pushed; `manual`: train what a person named; `resume`: go on
            with an experiment that was given up; `step`: train one attempt of a round.
        until: Unix time until which a `push` run watches.
        step: Set for `step` only.
        repo_url: Of a `manual` run; empty: the watched repo. So with `ref` and `script`.
        overrides: Settings that a `manual` or `resume` run was given.
        resume: Id of the experiment, of a `resume` run.
    """

    kind: Literal["push", "manual", "resume", "step"]
    until: float = 0.0
    step: Step | None = None
    repo_url: str = ""
    ref: str = ""
    script: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    resume: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.step, Mapping):
            object.__setattr__(self, "step", Step.from_dict(self.step))


def request_of(
    *, params: Mapping[str, Any], conf: Mapping[str, Any], scheduled: bool, until: float
) -> Request:
    """Read a run's request from its params.

    Args:
        params: The run's params, defaults included.
        conf: What the run was given; only its keys count, Airflow lets unknown ones pass.
        scheduled: Whether the schedule started the run.
        until: End of the window of a run on the schedule (Unix time).

    Raises:
        ConfigurationError: A key of `conf` is unknown, or the loop's own keys are incomplete.
    """
    for key in conf:
        if key not in PARAMS:
            near = difflib.get_close_matches(key, PARAMS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigurationError(
                f"conf {key!r} is no param{hint} (allowed: {', '.join(sorted(_BY_HAND))})"
            )
    overrides = {k: params[k] for k in OVERRIDES if params.get(k) is not None}
    if params.get("resume"):
        return _resume(params, overrides)
    # a part of a step without the others would train something else than was meant
    if params.get("experiment") or any(params.get(k) is not None for k in ("round", "attempt")):
        return Request("step", step=step_of(params))
    if scheduled or params.get("watch_until"):
        return Request("push", until=float(params.get("watch_until") or until))
    return Request(
        "manual",
        repo_url=params.get("repo_url") or "",
        ref=params.get("ref") or "",
        script=params.get("script") or "",
        overrides=overrides,
    )


def _resume(params: Mapping[str, Any], overrides: Mapping[str, Any]) -> Request:
    others = [k for k in (*_WHAT, *_BY_THE_LOOP) if params.get(k) not in (None, "")]
    if others:
        raise ConfigurationError(
            f"resume goes on with what an experiment was opened for: leave out {', '.join(others)}"
        )
    return Request("resume", resume=_checked_id(params["resume"], "resume"), overrides=overrides)


def step_of(params: Mapping[str, Any]) -> Step:
    """Return the step that a run's params name.

    Raises:
        ConfigurationError: One of its three parts is missing, or the experiment is no id.
    """
    name, number, attempt = (params.get(key) for key in ("experiment", "round", "attempt"))
    if not name or number is None or attempt is None:
        raise ConfigurationError(
            "experiment, round and attempt belong together; the loop itself sets them. "
            "To train a script give `script`"
        )
    return Step(_checked_id(name, "experiment"), int(number), int(attempt))


def _checked_id(name: str, param: str) -> str:
    if slug(name) != name:  # it names a folder: an id leads nowhere else
        raise ConfigurationError(
            f"{param} {name!r} is no id of an experiment, such as 'digits-0123abcd'"
        )
    return name
