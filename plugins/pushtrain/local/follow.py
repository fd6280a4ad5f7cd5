"""Shows all experiments live until they have ended: a table on a terminal, else lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table

from pushtrain.local.progress import Progress

LOOK_SECONDS = 0.5

# Reads how things stand; raises if going on makes no sense.
Look = Callable[[], Sequence[Progress]]


def follow(look: Look, expected: int, deadline: float, console: Console) -> list[Progress]:
    """Show what `look` returns until `expected` experiments have ended.

    Args:
        look: Called about twice a second.
        expected: Number of experiments to wait for.
        deadline: On `time.monotonic`'s clock.
        console: Where to show it.

    Returns:
        How things stood at the end; some are still open if the deadline passed.
    """
    show = _follow_live if console.is_terminal else _follow_lines
    return show(look, expected, deadline, console)


def _is_over(found: Sequence[Progress], expected: int, deadline: float) -> bool:
    ended = len(found) >= expected and all(p.is_settled for p in found)
    return ended or time.monotonic() > deadline


def _follow_live(look: Look, expected: int, deadline: float, console: Console) -> list[Progress]:
    found = list(look())
    with Live(progress_table(found, expected), console=console, auto_refresh=False) as live:
        while not _is_over(found, expected, deadline):
            time.sleep(LOOK_SECONDS)
            found = list(look())
            live.update(progress_table(found, expected), refresh=True)
    return found


def _follow_lines(look: Look, expected: int, deadline: float, console: Console) -> list[Progress]:
    started = time.monotonic()
    seen: dict[str, str] = {}
    while True:
        found = list(look())
        for progress in found:
            line = progress_line(progress)
            if seen.get(progress.experiment.id) != line:
                seen[progress.experiment.id] = line
                since = time.monotonic() - started
                console.print(f"{since:5.0f} s  {line}", highlight=False, soft_wrap=True)
        if _is_over(found, expected, deadline):
            return found
        time.sleep(LOOK_SECONDS)


def percent(accuracy: float | None) -> str:
    """Return an accuracy for people: `0.913`, or a dash."""
    return "-" if accuracy is None else f"{accuracy:.3f}"


def round_of(progress: Progress) -> str:
    """Return round and limit: `2 of 8`, counted from 0 as everywhere."""
    attempt = progress.attempts[-1].number if progress.attempts else 1
    text = f"{progress.experiment.round} (max {progress.experiment.settings.max_rounds})"
    return f"{text}, attempt {attempt}" if attempt > 1 else text


def progress_line(progress: Progress) -> str:
    """Return one line that changes when a round, its state or the best accuracy does."""
    experiment = progress.experiment
    target = percent(experiment.settings.target_accuracy)
    parts = [
        f"{progress.script:<22}",
        f"{experiment.family or '?':<8}",
        f"round {experiment.round}",
        f"best {percent(experiment.best_accuracy)} of {target}",
        progress.doing.partition(",")[0] if progress.is_open else f"ended: {_ended(progress)}",
    ]
    return "  ".join(parts)


def progress_table(found: Sequence[Progress], expected: int) -> Table:
    """Return the live table, one line per experiment."""
    table = Table(title=f"{len(found)} of {expected} experiments", title_justify="left")
    for name in ("script", "family", "round", "epoch", "accuracy", "best", "target", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    for progress in found:
        experiment = progress.experiment
        table.add_row(
            progress.script,
            str(experiment.family or "?"),
            round_of(progress),
            progress.epoch,
            percent(progress.live_accuracy),
            percent(experiment.best_accuracy),
            percent(experiment.settings.target_accuracy),
            _state(progress),
            f"{progress.seconds:.0f} s",
        )
    return table


def _state(progress: Progress) -> str:
    if progress.is_open:
        return f"[yellow]{progress.doing}"
    return f"[{'green' if progress.is_reached else 'red'}]{_ended(progress)}"


def _ended(progress: Progress) -> str:
    state = str(progress.experiment.state)
    return state if progress.is_settled else f"{state}, publishing"
