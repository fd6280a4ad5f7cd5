"""The routes of the page: each reads the store and fills a template."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from pushtrain import settings
from pushtrain.adapters.experiment_reading import ExperimentReader
from pushtrain.adapters.store import Store
from pushtrain.contract import State
from pushtrain.errors import StoreError
from pushtrain.pages import listing, rendering
from pushtrain.pages.assets import ASSETS, asset
from pushtrain.pages.comparison import Side

router = APIRouter(default_response_class=HTMLResponse)

_ID = re.compile(r"[A-Za-z0-9_.-]+")
_STEP = re.compile(r"(?P<experiment>.+)\.r\d+\.a\d+")
_CHUNK = 1 << 20


@cache
def _reader() -> ExperimentReader:
    return ExperimentReader(Store(settings.load().store_path))


@router.get("/")
def show_list(
    text: str = "",
    state: str = "",
    script: str = "",
    author: str = "",
    page: int = Query(1, ge=1),
    fragment: bool = False,
) -> str:
    """Show the experiments that a query finds."""
    reader = _reader()
    wanted = next((s for s in State if s == state), None)
    experiments, damaged = reader.experiments()
    found = listing.list_experiments(experiments, listing.Query(text, wanted, script, author, page))
    accuracies = {e.id: reader.accuracies(e.id) for e in found.experiments}
    ends = reader.ends_by_cause(found.experiments)
    return rendering.list_page(found, accuracies, damaged, ends, fragment=fragment)


@router.get("/experiments/{experiment}")
def show_experiment(experiment: str, fragment: bool = False) -> str:
    """Show one experiment."""
    return rendering.experiment_page(_reader().details(_checked(experiment)), fragment=fragment)


@router.get("/runs/{run_id}")
def show_run(run_id: str, fragment: bool = False) -> str:
    """Show the experiment that a DAG run belongs to: a tab beside the run in Airflow's UI."""
    found = _STEP.fullmatch(run_id)
    if not found:
        return rendering.message_page(
            "No training",
            f"The run {run_id} trains nothing itself: it looks for pushed scripts "
            "and starts a run for each. The trainings are on the page Training.",
        )
    return show_experiment(found["experiment"], fragment)


@router.get("/compare")
def show_comparison(left: str = "", right: str = "", script: str = "") -> str:
    """Show two rounds side by side; a side is `<experiment>.<round>`."""
    one, other = sides = [_side(key) for key in (left, right)]
    diff = ""
    if one and other:
        rounds = [(s.experiment.experiment, s.round.number) for s in (one, other)]
        diff = _reader().diff(rounds[0], rounds[1])
    return rendering.compare_page(one, other, _choices(sides, script), diff)


@router.get("/experiments/{experiment}/rounds/{number}/artifact")
def send_artifact(experiment: str, number: int) -> Response:
    """Send a round's model as a download."""
    store = _reader().store
    result = store.result(_checked(experiment), number)
    name = PurePosixPath(result.artifact).name if result else ""  # user code chose the name
    if not name:
        raise HTTPException(404, "this round left no model")
    path = store.output_dir(experiment, number) / name
    handle = _opened(path)
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", f"{experiment}.r{number}.{name}")
    return StreamingResponse(
        _chunks(handle),
        media_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{safe}"'},
    )


@router.get("/static/{name}")
def send_static(name: str) -> Response:
    """Send a style sheet or script of the page."""
    if name not in ASSETS:
        raise HTTPException(404, f"no file {name!r}; there are {', '.join(sorted(ASSETS))}")
    return Response(asset(name), media_type=ASSETS[name])


def _checked(experiment: str) -> str:
    """Return an id that can only name a folder of the store.

    Raises:
        StoreError: It is none.
    """
    if not _ID.fullmatch(experiment) or experiment.startswith("."):
        raise StoreError(f"{experiment!r} is no id of an experiment")
    return experiment


def _side(key: str) -> Side | None:
    name, _, number = key.rpartition(".")
    if not name or not number.isdecimal():
        return None
    details = _reader().details(_checked(name))
    found = details.round(int(number))
    return Side(details, found) if found else None


def _choices(sides: list[Side | None], script: str) -> list[rendering.Choice]:
    """Return what can be chosen: the experiments of the same script, newest first."""
    wanted = script or next((s.experiment.experiment.script for s in sides if s), "")
    experiments, _ = _reader().experiments()
    chosen = [e for e in experiments if not wanted or e.script == wanted]
    chosen.sort(key=lambda e: e.created_at, reverse=True)
    reader = _reader()
    return [
        rendering.Choice(e, tuple(range(len(reader.accuracies(e.id)))))
        for e in chosen[: listing.PAGE_SIZE]
    ]


def _opened(path: Path) -> int:
    """Open a plain file inside the store; a link that user code left leads nowhere."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as err:
        raise HTTPException(404, "the model is not there any more") from err
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise HTTPException(404, "the model is no plain file")
    return handle


def _chunks(handle: int) -> Iterator[bytes]:
    with os.fdopen(handle, "rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
