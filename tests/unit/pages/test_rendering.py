from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from tests.unit.pages.builders import attempt, details_of, epochs, experiment, story_of

from pushtrain.contract import Cause, Family, Result, State
from pushtrain.details import Damaged, ExperimentDetails
from pushtrain.history import Change, Refusal
from pushtrain.pages import charts, rendering
from pushtrain.pages.comparison import Side, compare
from pushtrain.pages.listing import Query, list_experiments

ATTACK = '<script>alert("x")</script>'


@pytest.fixture
def attacked() -> ExperimentDetails:
    details = story_of(
        details_of(
            0,
            attempts=(attempt(1, cause=Cause.SCRIPT_ERROR, message=ATTACK),),
            last_lines=ATTACK,
            damage=(ATTACK,),
            stacks={1: ATTACK},
            tracebacks={1: ATTACK},
            result=Result(1, 0.5, exact=False, notes=(f"not exact: {ATTACK}", ATTACK)),
        ),
        details_of(
            1,
            tweak=None,
            diff=f"+x = '{ATTACK}'\n",
            refusals=(Refusal(1, (Change("k", ATTACK, 1, 2),), {}, ATTACK),),
        ),
        subject=ATTACK, author_name=ATTACK, author_email=ATTACK, reason=ATTACK,
        state=State.FAILED, script=f"{ATTACK}.py", branch=ATTACK,
    )  # fmt: skip
    return details


def test_nothing_that_others_wrote_becomes_markup(attacked: ExperimentDetails) -> None:
    damaged = [Damaged(ATTACK, ATTACK)]
    listing = list_experiments([attacked.experiment], Query(text=ATTACK))
    side = Side(attacked, attacked.rounds[0])
    choice = rendering.Choice(attacked.experiment, (0, 1))
    for page in (
        rendering.experiment_page(attacked),
        rendering.report(attacked),
        rendering.list_page(listing, {}, damaged, {attacked.experiment.id: {ATTACK: 1}}),
        rendering.compare_page(side, side, [choice], f"+{ATTACK}\n"),
        rendering.message_page(ATTACK, ATTACK),
    ):
        assert "alert(" in page
        assert "<script>alert" not in page


def test_the_charts_escape_what_a_tweak_says() -> None:
    one = details_of(0, tweak=None)
    outcome = type(one.outcome)(**{**vars(one.outcome), "tweak": ATTACK})
    attacked = type(one)(**{**vars(one), "outcome": outcome})
    assert "<script>alert" not in charts.accuracy_chart([attacked], 0.9)


def test_a_chart_is_well_formed_and_brings_no_script() -> None:
    text = charts.accuracy_chart([details_of(0), details_of(1, 0.7)], 0.9)
    tree = ElementTree.fromstring(text)
    assert tree.tag.endswith("svg")
    assert not [node for node in tree.iter() if node.tag.endswith("script")]
    assert "http://kozea" not in text.replace("http://github.com/Kozea", "")


def test_curves_mark_where_a_training_was_restarted() -> None:
    plain = details_of(0, epochs=epochs(0.1, 0.2, 0.3))
    restarted = details_of(0, epochs=epochs(0.1, 0.2, 0.3, attempts=(1, 1, 2)))
    assert "restarted here: attempt 2" in charts.learning_curves([restarted], "accuracy")
    assert "restarted here" not in charts.learning_curves([plain], "accuracy")


def test_a_restart_in_a_long_training_moves_no_later_epoch() -> None:
    longs = [
        details_of(0, epochs=epochs(*([0.5] * 900), attempts=(1,) * 451 + (2,) * 449)),
        details_of(0, epochs=epochs(*([0.5] * 900))),
    ]
    counts = [len(points) for one in longs for _, points, _ in charts._lines(one, "accuracy", 3)]
    assert counts == [300, 300]
    assert "restarted here: attempt 2" in charts.learning_curves(longs[:1], "accuracy")


def test_tweaks_that_could_not_be_built_are_shown_also_without_a_round() -> None:
    refused = Refusal(1, (Change("k", "kernel_size 3 -> 5", 3, 5),), {}, "ValueError: shape")
    page = rendering.experiment_page(ExperimentDetails(experiment(), (details_of(0),), (refused,)))
    assert "kernel_size 3 -&gt; 5. It could not be built: ValueError: shape" in page


def test_no_curves_no_chart() -> None:
    assert charts.learning_curves([details_of(0, epochs=())], "loss") == ""


def test_a_report_needs_nothing_from_elsewhere() -> None:
    text = rendering.report(story_of(details_of(0), details_of(1, 0.95, diff="+a\n-b\n")))
    assert not re.findall(r"""(?:src|href)=["'](?!#)""", text)
    assert "--page:" in text.partition("<style>")[2].partition("</style>")[0]


@pytest.mark.parametrize(
    ("damaged", "said"),
    [([], "Nothing yet"), ([Damaged("x-1", "x-1/experiment.json: is no JSON")], "is no JSON")],
)
def test_an_empty_list_says_why(damaged: list[Damaged], said: str) -> None:
    assert said in rendering.list_page(list_experiments([], Query()), {}, damaged)


def test_a_query_without_a_match_is_no_empty_store() -> None:
    listing = list_experiments([experiment()], Query(text="nobody"))
    page = rendering.list_page(listing, {}, [])
    assert "No experiment matches" in page
    assert "Nothing yet" not in page


def test_a_fragment_is_the_part_that_changes() -> None:
    details = story_of(details_of(0))
    assert "<html" in rendering.experiment_page(details)
    assert "<html" not in rendering.experiment_page(details, fragment=True)


def test_rounds_are_compared_by_figures_and_knobs() -> None:
    details = story_of(details_of(0), details_of(1, 0.7))
    lines = {d.what: d for d in compare(*(Side(details, r) for r in details.rounds))}
    assert (lines["accuracy"].left, lines["accuracy"].right) == ("0.5", "0.7")
    assert lines["Dense units"].differs
    assert not lines["measured on"].differs


def test_each_attempt_leads_to_the_log_of_its_own_task() -> None:
    details = story_of(details_of(0), details_of(2, batch=1), family=Family.CNN)
    page = rendering.experiment_page(details)
    runs = f"/dags/mlops_train/runs/{details.experiment.id}"
    assert f'href="{runs}.r0.a1/tasks/train_cnn/mapped/0"' in page
    assert f'href="{runs}.r1.a1/tasks/train_cnn/mapped/1"' in page
    assert "/tasks/" not in rendering.report(details)


def test_every_restart_is_on_the_page_with_its_evidence() -> None:
    attempts = (
        attempt(1, cause=Cause.HUNG, message="no progress for 130 s", epochs=2),
        attempt(2, cause=Cause.SCRIPT_ERROR),
        attempt(3, cause=Cause.LOST),
        attempt(4),
    )
    result = Result(4, 0.5, exact=False, notes=("not exact: its own generator",))
    one = details_of(
        attempts=attempts,
        stacks={1: "in fit"},
        tracebacks={2: "KeyError"},
        late=(3,),
        result=result,
    )
    page = rendering.experiment_page(story_of(one, restarts=3))
    assert "3; ended early: 1 script error, 1 hung, 1 lost" in page
    assert "attempt 1: hung, no progress for 130 s; saved: 2 steps; went on" in page
    assert "Where attempt 1 stood when it hung</summary>" in page
    assert "Traceback of attempt 2</summary>" in page
    assert "attempt 4. Its result came after its end and was set aside" in page
    assert "would have been without a restart: its own generator" in page


@pytest.mark.parametrize(
    ("state", "title"), [(State.FAILED, "Resume it"), (State.PATIENCE_USED_UP, "Go on with more")]
)
def test_what_has_ended_says_how_to_go_on(state: State, title: str) -> None:
    page = rendering.experiment_page(story_of(details_of(), state=state))
    assert f'<h2 id="more">{title}</h2>' in page


def test_the_list_tells_causes_apart() -> None:
    one = experiment(restarts=2)
    listing = list_experiments([one], Query())
    page = rendering.list_page(listing, {}, [], {one.id: {"killed": 1, "hung": 1}})
    assert "2<br><small>1 killed, 1 hung</small>" in page
