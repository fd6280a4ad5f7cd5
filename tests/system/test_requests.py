"""What is asked for: pushes close together, triggers by hand, and bad conf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from tests.system.world import SCRIPTS, World

from pushtrain.contract import State
from pushtrain.errors import OutsideError
from pushtrain.local.model_repo import WATCHED_PATH

QUICK = (SCRIPTS / "quick_knn.py").read_text(encoding="utf-8")
FIRST, SECOND = "quick_first.py", "quick_second.py"


@dataclass(frozen=True)
class Commits:
    """Of a model repo with two quick scripts.

    Attributes:
        one: Adds `FIRST`.
        two: Adds `SECOND`, pushed within a second.
        reworded: Changes a comment: nothing was trained for it by itself.
        head: The same once more.
    """

    one: str
    two: str
    reworded: str
    head: str


@pytest.fixture(scope="module")
def commits(world: World) -> Commits:
    """Push two scripts one right after the other, then comments only."""
    repo = world.repo
    (repo.clone / WATCHED_PATH).mkdir(exist_ok=True)
    for path in (repo.clone / WATCHED_PATH).glob("*.py"):
        path.unlink()
    world.lay()
    world.write(FIRST, QUICK)
    one = world.push("Add the first")
    world.write(SECOND, QUICK)
    two = world.push("Add the second")
    world.wait_until_seen(two)
    world.write(FIRST, f"{QUICK}# once\n")
    reworded = world.push("Add a comment")
    world.write(FIRST, f"{QUICK}# twice\n")
    head = world.push("Reword it")
    world.wait_until_seen(head)
    return Commits(one, two, reworded, head)


def test_two_pushes_at_once_train_each_script_once_at_the_newest(
    world: World, commits: Commits
) -> None:
    # the first push may have been seen before the second one was there: both orders are right
    opened = world.ids_of(commits.one) | world.ids_of(commits.two)
    at_head = {world.id_of(s, commits.two) for s in (FIRST, SECOND)}
    in_turn = {world.id_of(FIRST, commits.one), world.id_of(SECOND, commits.two)}
    assert opened in (at_head, in_turn)
    for experiment in opened:
        assert world.wait_for_end(experiment).state is State.REACHED
        assert world.containers.made(experiment) == [(0, 1)]
        assert world.runs_of(experiment) == [f"{experiment}.r0.a1"]


# ------------------------------------------------------------- asked for by hand
@dataclass(frozen=True)
class ByHand:
    """Runs that were triggered by hand, by what they were given."""

    nothing: str
    script_and_target: str
    twice: tuple[str, str]


@pytest.fixture(scope="module")
def by_hand(world: World, commits: Commits) -> ByHand:
    """Trigger all at once and wait until they have handed the work on."""
    far = {"ref": commits.reworded, "script": FIRST, "target_accuracy": 0.999, "max_rounds": 1}
    same = {"ref": commits.reworded, "script": f"{WATCHED_PATH}/{SECOND}"}
    runs = ByHand(
        nothing=world.trigger(),
        script_and_target=world.trigger(far),
        twice=(world.trigger(same), world.trigger(same)),
    )
    for run_id in (runs.nothing, runs.script_and_target, *runs.twice):
        assert world.wait_for_run(run_id) == "success", world.task_log(run_id, "fetch_code")
    return runs


def test_a_trigger_without_conf_trains_the_head(
    world: World, commits: Commits, by_hand: ByHand
) -> None:
    opened = world.ids_of(commits.head)
    assert opened == {world.id_of(s, commits.head) for s in (FIRST, SECOND)}
    for experiment in opened:
        assert world.wait_for_end(experiment).state is State.REACHED


def test_conf_names_script_and_target(world: World, commits: Commits, by_hand: ByHand) -> None:
    experiment = world.wait_for_end(world.id_of(FIRST, commits.reworded))
    assert experiment.script == f"{WATCHED_PATH}/{FIRST}"
    assert experiment.settings.target_accuracy == 0.999
    assert experiment.state is State.ROUNDS_USED_UP
    assert world.containers.made(experiment.id) == [(0, 1)]


def test_the_same_step_is_started_once(world: World, commits: Commits, by_hand: ByHand) -> None:
    experiment = world.id_of(SECOND, commits.reworded)
    states = sorted(world.task(run_id, "start_runs")["state"] for run_id in by_hand.twice)
    assert states == ["skipped", "success"]
    assert world.wait_for_end(experiment).state is State.REACHED
    assert world.runs_of(experiment) == [f"{experiment}.r0.a1"]
    assert world.containers.made(experiment) == [(0, 1)]


def test_a_run_id_that_exists_is_refused(world: World, commits: Commits, by_hand: ByHand) -> None:
    experiment = world.id_of(SECOND, commits.reworded)
    conf = {"experiment": experiment, "round": 0, "attempt": 1}
    with pytest.raises(OutsideError, match="HTTP 409"):
        world.trigger(conf, run_id=f"{experiment}.r0.a1")


def test_an_ended_experiment_goes_on_with_a_larger_budget(
    world: World, commits: Commits, by_hand: ByHand
) -> None:
    ended = world.wait_for_end(world.id_of(FIRST, commits.reworded))
    conf: dict[str, Any] = {"ref": commits.reworded, "script": FIRST}
    again = world.trigger(conf)
    assert world.wait_for_run(again) == "failed"
    assert "give a higher target_accuracy, max_rounds" in world.task_log(again, "fetch_code")

    assert world.wait_for_run(world.trigger({**conf, "max_rounds": 2})) == "success"

    world.wait(
        "the second round",
        lambda: (
            len(world.store.rounds(ended.id)) == 2 and world.runs_of(ended.id)[-1].endswith("r1.a1")
        ),
        ended.id,
    )
    experiment = world.wait_for_end(ended.id)
    assert experiment.state is State.ROUNDS_USED_UP
    assert experiment.settings.target_accuracy == 0.999, "what was asked before has to hold"
    # round 0 is not trained again
    assert world.containers.made(ended.id) == [(0, 1), (1, 1)]


# ---------------------------------------------------------------------- bad conf
@pytest.mark.parametrize(
    ("conf", "named"),
    [
        ({"target_accuracy": 1.5}, "target_accuracy"),
        ({"target_accuracy": "high"}, "target_accuracy"),
        ({"max_rounds": 0}, "max_rounds"),
        ({"max_rounds": 2.5}, "max_rounds"),
        ({"memory": 1}, "memory"),
        ({"script": "--outside.py"}, "script"),
        ({"ref": "--upload-pack=evil"}, "ref"),
        ({"repo_url": "ext::sh -c evil"}, "repo_url"),
        ({"repo_url": "http://example.com/models.git"}, "repo_url"),
        ({"notify": "dana@example.com"}, "notify"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_param_of_the_wrong_kind_is_refused_at_once(
    world: World, conf: dict[str, Any], named: str
) -> None:
    before = set(world.run_ids())
    with pytest.raises(OutsideError, match=f"HTTP 400.*{named}"):
        world.trigger(conf)
    started = {r for r in set(world.run_ids()) - before if r.startswith("manual")}
    assert started == set()


# conf, the failing task, what its log says; `evil` must never reach git
BAD = {
    "unknown key": ({"targt_accuracy": 0.9}, "wait_for_push", "did you mean 'target_accuracy'"),
    "two dots": ({"ref": "main..evil"}, "wait_for_push", "ref 'main..evil': give a branch"),
    "out of the tree": ({"script": "../evil.py"}, "wait_for_push", "script '../evil.py': give a"),
    "proxy option": (
        {"repo_url": "ssh://-oProxyCommand=evil/models.git"},
        "wait_for_push",
        "give one of https://, ssh://",
    ),
    "password": (
        {"repo_url": "https://dana:evil@example.com/models.git"},
        "wait_for_push",
        "dana:***@example.com",
    ),
    "no such ref": ({"ref": "no-such-branch"}, "fetch_code", "no such branch, tag or commit"),
    "no such script": ({"script": "nothing.py"}, "fetch_code", "its scripts are: model_src/quick"),
}


@pytest.fixture(scope="module")
def refused(world: World, commits: Commits) -> dict[str, str]:
    """Trigger all bad requests at once and return their runs."""
    return {name: world.trigger(conf) for name, (conf, _, _) in BAD.items()}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_fails_with_a_clear_message(
    world: World, refused: dict[str, str], name: str
) -> None:
    run_id, (_, task, message) = refused[name], BAD[name]
    assert world.wait_for_run(run_id) == "failed"
    failed = world.task(run_id, task)
    assert failed["state"] == "failed"
    assert failed["try_number"] == 1, "it was tried again, though it can never work"
    log = world.task_log(run_id, task)
    assert message in log, log[-3000:]
    assert "HTTP" not in log


def test_git_is_never_told_what_was_refused(world: World, refused: dict[str, str]) -> None:
    for run_id in refused.values():
        world.wait_for_run(run_id)
    calls = world.git.calls
    assert "refs/heads/main" in calls, "the recorder sees nothing"
    assert [line for line in calls.splitlines() if "evil" in line] == []
