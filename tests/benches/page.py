"""How long the page takes at the server with 1,000 experiments and 10,000 rounds in the store.

`make bench-page` makes the records in a scratch folder and asks the app itself, without Airflow
and without a network. Cold is the first request of a fresh process, warm the middle one of several.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from unittest import mock

from fastapi.testclient import TestClient
from tests.unit import records

from pushtrain.adapters.records import write_json
from pushtrain.adapters.store import Store
from pushtrain.contract import Cause, Result, Split, State
from pushtrain.history import Change, Knob, Tweak
from pushtrain.web.access import MAY_SEE
from pushtrain.web.app import make_app

EXPERIMENTS, ROUNDS, EPOCHS, SCRIPTS = 1000, 10, 30, 40
WARM = 15
AIM_MS = 300
HEADER = "fit,epoch,attempt,loss,accuracy,val_loss,val_accuracy,seconds\n"


def fill(store: Store) -> str:
    """Write the records and return the id of one experiment."""
    for number in range(EXPERIMENTS):
        is_last = number == EXPERIMENTS - 1  # the only one whose own page is asked for
        name = f"digits{number % SCRIPTS}-{number:08x}"
        store.create_experiment(
            records.experiment(
                id=name, script=f"model_src/digits{number % SCRIPTS}.py",
                author_name=f"Author {number % 7}", state=list(State)[number % len(State)],
                updated_at=float(number), round=ROUNDS - 1, best_round=ROUNDS - 1,
                best_accuracy=0.5 + ROUNDS / 30,
            )
        )  # fmt: skip
        for n in range(ROUNDS):
            _round(store, name, n, is_whole=is_last)
    return name


def _round(store: Store, name: str, number: int, *, is_whole: bool) -> None:
    output = store.output_dir(name, number)
    output.mkdir(parents=True)
    result = Result(1, 0.5 + number / 30, Split.TEST, artifact="model.keras", epochs=EPOCHS)
    write_json(output / "result.json", result.to_dict())
    if not is_whole:
        return
    rows = (f"1,{e + 1},1,{1 / (e + 1):.4f},{e / EPOCHS:.4f},,,1.5\n" for e in range(EPOCHS))
    (output / "history.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    done = records.attempt(1, ended_at=1060.0, cause=Cause.FINISHED, exit_code=0)
    store.save_attempt(name, number, done)
    knob = Knob("m.dense0.units", "units", "Dense units", 8 << number, 1, 512, "digits.py", 3, 5)
    store.save_knobs(name, number, [knob])
    if number:
        label = f"Dense units {4 << number} -> {8 << number}"
        change = Change(knob.id, label, 4 << number, 8 << number)
        store.save_tweak(name, Tweak(number, (change,), "a reason"))


def milliseconds(client: TestClient, path: str) -> float:
    """Return how long an answer took."""
    started = time.perf_counter()
    answer = client.get(path)
    taken = (time.perf_counter() - started) * 1000
    assert answer.status_code == 200, answer.text
    return taken


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="pushtrain-bench-") as scratch:
        store = Store(Path(scratch) / "store")
        store.begin()
        # a scratch folder need not outlive a power cut: minutes of waiting for the disk
        with mock.patch("os.fsync"):
            one = fill(store)
        os.environ["AIRFLOW__PUSHTRAIN__STORE"] = str(store.root)
        app = make_app()
        app.dependency_overrides[MAY_SEE.dependency] = lambda: None
        client = TestClient(app)
        print(f"{EXPERIMENTS} experiments, {EXPERIMENTS * ROUNDS} rounds; aim: {AIM_MS} ms")
        print(f"{'page':<22}{'cold ms':>9}{'warm ms':>9}{'slowest':>9}")
        for title, path in (
            ("list", "/"),
            ("list, what is polled", "/?fragment=true"),
            ("list, searched", "/?text=digits7&state=failed"),
            ("list, last page", f"/?page={EXPERIMENTS}"),
            ("experiment", f"/experiments/{one}"),
            ("compare", f"/compare?left={one}.0&right={one}.9"),
        ):
            cold = milliseconds(client, path)
            warm = [milliseconds(client, path) for _ in range(WARM)]
            print(f"{title:<22}{cold:>9.0f}{statistics.median(warm):>9.0f}{max(warm):>9.0f}")


if __name__ == "__main__":
    main()
