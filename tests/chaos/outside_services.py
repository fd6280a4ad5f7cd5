"""What Airflow talks to goes away: the model repo, the mail server, its own database."""

from __future__ import annotations

import signal
import time
from functools import partial
from pathlib import Path

from tests.chaos.airflow_parts import prepare, training_of
from tests.chaos.airflow_trainings import docker
from tests.chaos.outcome import Outcome
from tests.chaos.scenario import Scenario
from tests.chaos.setup import Setup
from tests.chaos.trainings import STEADY, Disturbed, Reference, judge, look_until
from tests.system.mails import Received
from tests.system.world import SCRIPTS, World

from pushtrain.adapters.outbox import outbox_of
from pushtrain.contract import Cause, State
from pushtrain.local import mail_catcher, processes, standalone
from pushtrain.local.model_repo import WATCHED_PATH

REPO = "model repo unreachable"
MAIL = "mail server down"
DATABASE = "Airflow's database lost"
AT_ONCE = STEADY.replace("PAUSE = 0.05", "PAUSE = 0")


def repo_away(setup: Setup) -> Outcome:
    """Move the model repo away while a loop is at work, and push to it meanwhile."""
    reference, training = Reference.of(setup), Disturbed(setup, "repo_away.py").push()
    loop = Disturbed(setup, "repo_away_loop.py").push(
        (SCRIPTS / "held_knn.py").read_text(encoding="utf-8")
    )
    world, later = setup.world, Disturbed(setup, "repo_away_later.py")
    training.wait_for_epochs(1)
    loop.wait("training", lambda: loop.found and loop.attempts)
    bare, away = world.repo.bare, world.repo.bare.with_name("away.git")
    known = len(world.mails())
    at = time.time()
    bare.rename(away)
    try:
        _push_to(later, away)
        loop.wait("both rounds", lambda: _let_go(loop))
        world.wait_for_end(loop.id)
        look_until("a word of the repo", lambda: "can not be asked" in _triggerer_log(world, at))
    finally:
        away.rename(bare)
    ended = world.store.experiment(loop.id)
    assert ended.state is State.ROUNDS_USED_UP, ended
    assert ended.round > 0, "nothing was tweaked without the repo"
    assert "was not pushed" in ended.reason, ended.reason
    assert len(world.mails_about(loop.script)) == 1
    assert len(world.mails()) <= known + 2, "more than the mails of the two that trained"
    training.end()
    later.wait("opening", lambda: later.found)
    assert later.end().state is State.REACHED
    note = "loops go on by the mirror; a branch of results that can not be pushed is told"
    return judge(training, reference).outcome(REPO, note=note)


def mail_server_down(setup: Setup) -> Outcome:
    """Stop the mail server while a training is killed, started again and ends."""
    reference, world = Reference.of(setup), setup.world
    training = Disturbed(setup, "no_mail_server.py")
    mail_catcher.stop_mailbox(world.home)
    try:
        training.push().wait_for_epochs(2)
        docker("kill", training.attempts[-1].container)
        training.wait_for_attempt(2, epochs=1)
        training.end()
        waiting = [path.name for path in outbox_of(world.store).waiting()]
        assert sum(training.id in name for name in waiting) == 2, waiting
        assert not world.mails_about(training.script)
    finally:
        back_at = time.time()
        mail_catcher.start_mailbox(world.home)
    mails: list[Received] = training.wait(
        "mails", lambda: len(found := world.mails_about(training.script)) == 2 and found
    )
    seconds = time.time() - back_at
    wanted = ("training restarted", "best model created")
    assert all(w in m.subject for w, m in zip(wanted, mails, strict=True)), "not in their order"
    assert [a.cause for a in training.attempts] == [Cause.KILLED, Cause.FINISHED]
    return judge(training, reference).outcome(
        MAIL, note=f"two mails waited, and came {seconds:.0f} s after the server"
    )


def database_lost(setup: Setup) -> Outcome:
    """Kill Airflow and remove its database: the store knows what was under way."""
    training, reference, world = training_of(DATABASE, setup), Reference.of(setup), setup.world
    assert reference.ended
    training.wait_for_epochs(2)
    airflow = standalone.process_of(world.home)
    at = time.time()
    while members := airflow.members():
        processes.send(members, signal.SIGKILL)
    for path in world.home.airflow.glob("airflow.db*"):
        path.unlink()
    world.start()
    run_id = training.step().run_id
    training.wait("adoption", lambda: "taking over" in _logs(world, run_id))
    seconds = time.time() - at
    training.end()
    assert [a.cause for a in training.attempts] == [Cause.FINISHED]
    return judge(training, reference).outcome(
        DATABASE, note=f"adopted {seconds:.0f} s after the loss, Airflow's start included"
    )


def _let_go(loop: Disturbed) -> bool:
    """Let the rounds that there are train; tell whether the second one, a better one, is there."""
    folders = [loop.world.store.source_dir(loop.id, number) for number in (0, 1)]
    for folder in filter(Path.is_dir, folders):
        (folder / WATCHED_PATH / "go").touch()  # beside the script, where it runs
    return folders[1].is_dir()


def _push_to(training: Disturbed, bare: Path) -> None:
    """Push a script to where the repo is now, as its own users still can."""
    world = training.world
    world.write(training.script, AT_ONCE)
    world.repo.git("add", "--all")
    world.repo.git("commit", "-q", "-m", f"Add {training.script}")
    world.repo.git("push", "-q", str(bare), "HEAD:main")


def _triggerer_log(world: World, since: float) -> str:
    paths = (world.home.airflow / "logs").rglob("*.trigger.*.log")
    texts = [p.read_text(encoding="utf-8") for p in paths if p.stat().st_mtime >= since]
    return "\n".join(texts)


def _logs(world: World, run_id: str) -> str:
    return "".join(world.task_log(run_id, "train_ann", attempt=number) for number in (1, 2))


SCENARIOS = (
    Scenario(DATABASE, database_lost, needs_airflow=True, prepare=partial(prepare, DATABASE)),
    Scenario(REPO, repo_away, needs_airflow=True),
    Scenario(MAIL, mail_server_down, needs_airflow=True),
)
