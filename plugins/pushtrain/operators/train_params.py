"""The params of `mlops_train`: what its form in Airflow's UI shows."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

from pushtrain.contract import Strategy

LOOP = "Set by the loop itself"


def _optional(kind: str, title: str, description: str, **rules: Any) -> Param:
    """Return a param that may be left empty; the model repo's pyproject.toml decides then."""
    return Param(None, type=["null", kind], title=title, description=description, **rules)


PARAMS = {
    "script": _optional("string", "Script", "Path in the repo; empty: all.", pattern=r"^[^-/]"),
    "ref": _optional("string", "Ref", "Branch, tag or commit; empty: head.", pattern=r"^[^-]"),
    "repo_url": _optional(
        "string", "Model repo", "Empty: the watched one.", pattern="^(https://|ssh://|git@|file://)"
    ),
    "resume": _optional(
        "string", "Resume", "Id of an experiment that was given up; it goes on where it was."
    ),
    "target_accuracy": _optional("number", "Target", "Accuracy, 0 to 1.", minimum=0, maximum=1),
    "max_rounds": _optional("integer", "Rounds", "At most, the pushed one included.", minimum=1),
    "patience": _optional("integer", "Patience", "Rounds without gain that end it.", minimum=1),
    "max_hours": _optional("number", "Hours", "At most, over all rounds.", exclusiveMinimum=0),
    "memory": _optional("integer", "Memory", "MiB, a hard limit.", minimum=64),
    "cpus": _optional("number", "CPUs", "A hard limit; 0.5 is half a CPU.", minimum=0.1),
    "gpus": _optional("integer", "GPUs", "Needs the GPU images.", minimum=0),
    "network": _optional("boolean", "Network", "Whether the training may reach it."),
    "data": _optional(
        "array", "Data", "Host folders, mounted read-only.", items={"type": "string"}
    ),
    "notify": _optional("array", "Notify", "E-mail addresses.", items={"type": "string"}),
    "strategy": _optional(
        "string",
        "Strategy",
        "auto: grow from the best so far, then ask an oracle. Others: grow "
        "(wider, then deeper), bayesian and random (KerasTuner's oracles).",
        enum=[None, *map(str, Strategy)],
    ),
    "candidates": _optional(
        "integer",
        "Candidates",
        "Rounds that are proposed at once and trained side by side.",
        minimum=1,
        maximum=16,
    ),
    "warm_start": _optional(
        "boolean", "Warm start", "Whether a round starts from the weights of the best one."
    ),
    "stop_hopeless": _optional(
        "boolean", "Stop early", "Whether a round that lies far below the others is stopped."
    ),
    "dry_build": _optional(
        "boolean", "Dry build", "Whether a tweak that may not fit is built before its round."
    ),
    "experiment": _optional("string", "Experiment", "Leave empty.", section=LOOP),
    "round": _optional("integer", "Round", "Leave empty.", minimum=0, section=LOOP),
    "attempt": _optional("integer", "Attempt", "Leave empty.", minimum=1, section=LOOP),
    "watch_until": _optional("number", "Watch until", "Leave empty.", section=LOOP),
}
