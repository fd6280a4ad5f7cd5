"""The page "Training" in Airflow's UI, looked at with a real browser while something trains."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from typing import Any

import jwt
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, Page, expect
from tests.system.chromium import open_page
from tests.system.world import SCRIPTS, World

from pushtrain.contract import TRAIN_DAG
from pushtrain.web.app import make_app

ATTACK = "Try <script>window.attacked = true</script><img src=x onerror=attacked=1>"
EPOCHS = 40
LIVE_SECONDS = 3.0
NARROW = {"width": 360, "height": 740}
# experiments are seen by it: none of it may reach somebody who may not
SECRET = "model_src/"


@pytest.fixture(scope="module")
def climbed(world: World, pushed: str) -> str:
    """Return an experiment of several rounds that reached its target."""
    experiment = world.id_of("loop_knn.py", pushed)
    world.wait_for_end(experiment)
    return experiment


@pytest.fixture(scope="module")
def failed(world: World, pushed: str) -> str:
    """Return an experiment whose script raised."""
    experiment = world.id_of("broken_raises.py", pushed)
    world.wait_for_end(experiment)
    return experiment


@pytest.fixture(scope="module")
def training(world: World, climbed: str) -> str:
    """Return an experiment that trains while the tests look, pushed with an evil message."""
    text = (SCRIPTS / "slow_ann.py").read_text(encoding="utf-8")
    world.lay()
    world.write("watched_ann.py", text.replace("epochs=10", f"epochs={EPOCHS}"))
    experiment = world.id_of("watched_ann.py", world.push(ATTACK))

    def has_begun() -> bool:
        beat = world.store.heartbeat(experiment, 0) if world.experiment(experiment) else None
        return bool(beat and beat.epoch > 2)

    world.wait("a training", has_begun, experiment)
    return experiment


def frame_of(page: Page, path: str) -> Frame:
    """Open an address of the page inside Airflow's UI and return the frame that it lies in."""
    page.goto(f"/plugin/training/pushtrain{path}")
    element = page.locator("iframe").element_handle()
    frame = element.content_frame()
    assert frame
    frame.wait_for_load_state()
    expect(frame.locator("main h1").first).to_be_visible()
    return frame


def status_of(url: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as err:
        return err.code, err.read().decode("utf-8", "replace")


def token_of(world: World) -> str:
    """Return the login of somebody who may see all."""
    assert world.running
    login = {"username": world.api.user, "password": world.running.password}
    return str(world.api.call("POST", "/auth/token", login)["access_token"])


def token_without_role(world: World) -> str:
    """Return the login of somebody whom Airflow knows and who may see no DAG."""
    config = (world.home.airflow / "airflow.cfg").read_text(encoding="utf-8")
    secret = re.findall(r"^jwt_secret = (.+)$", config, re.MULTILINE)[0]
    token = token_of(world)
    algorithm = jwt.get_unverified_header(token)["alg"]
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode({**claims, "sub": "eve", "role": None}, secret, algorithm=algorithm)


def addresses(world: World, experiment: str) -> list[str]:
    """Return an address for every route of the app, and those that FastAPI would add."""
    values = {
        "experiment": experiment, "run_id": f"{experiment}.r0.a1", "number": "0",
        "name": "page.css",
    }  # fmt: skip
    paths = [route.path for route in make_app().routes]  # type: ignore[attr-defined]  # all have
    assert len(paths) >= 6
    filled = [path.format(**values) for path in paths]
    more = ["/docs", "/redoc", "/openapi.json", f"/compare?left={experiment}.0", "/nothing"]
    assert world.running
    return [f"{world.running.url}/pushtrain{path}" for path in [*filled, *more]]


# ------------------------------------------------------------------------ who may see it
def test_without_a_login_every_route_is_refused(world: World, climbed: str) -> None:
    for address in addresses(world, climbed):
        status, text = status_of(address)
        assert status in (401, 403, 404), address
        assert SECRET not in text, address
        if status == 404:  # not even an anonymous person learns that from a route of ours
            assert address.endswith(("docs", "redoc", "openapi.json", "nothing")), address


def test_a_login_that_is_none_is_refused(world: World, climbed: str) -> None:
    for address in addresses(world, climbed):
        status, text = status_of(address, Authorization="Bearer nonsense")
        assert status in (401, 403, 404), address
        assert SECRET not in text, address


def test_a_user_without_the_right_to_see_the_dag_is_refused(world: World, climbed: str) -> None:
    """The same request with the right is answered, so it is the right that is missing."""
    token = token_without_role(world)
    allowed = token_of(world)
    assert world.running
    home = f"{world.running.url}/pushtrain/"
    assert SECRET in status_of(home, Authorization=f"Bearer {allowed}")[1]
    for address in addresses(world, climbed):
        status, text = status_of(address, Authorization=f"Bearer {token}")
        assert status in (403, 404), address
        assert SECRET not in text, address


def test_somebody_who_is_logged_out_gets_the_form_to_log_in(
    world: World, browser: Browser, climbed: str
) -> None:
    assert world.running
    page = open_page(browser, world.running)
    page.goto(f"/plugin/training/pushtrain/experiments/{climbed}")
    expect(page.locator("input[name=username]")).to_be_visible()
    assert SECRET not in page.content()
    page.context.close()


# ------------------------------------------------------------------------ while it trains
def test_curves_move_while_it_trains_without_loading_anew(
    world: World, page: Page, training: str
) -> None:
    frame = frame_of(page, f"/experiments/{training}")
    expect(frame.locator("#accuracy-curves svg")).to_be_visible()
    frame.evaluate("window.stays = true")
    waits = []
    for _ in range(4):  # the best of them: other tests may hold the processors for a moment
        seen = _epochs_shown(frame)
        world.wait("another epoch", lambda seen=seen: _epochs_done(world, training) > seen)
        since = time.monotonic()
        while _epochs_shown(frame) <= seen:
            assert time.monotonic() - since < 30, "the curves stand still"
            frame.wait_for_timeout(50)
        waits.append(time.monotonic() - since)
    assert min(waits) < LIVE_SECONDS, waits
    assert frame.evaluate("window.stays") is True


def _epochs_done(world: World, experiment: str) -> int:
    path = world.store.output_dir(experiment, 0) / "history.csv"
    return len(path.read_text(encoding="utf-8").splitlines()) - 1


def _epochs_shown(frame: Frame) -> int:
    """Return how many points the training accuracy of round 0 has."""
    return frame.locator("#accuracy-curves .serie-0 .dots").count()


def test_a_commit_message_with_a_script_stays_text(page: Page, training: str) -> None:
    for path in (f"/experiments/{training}", "/"):
        frame = frame_of(page, path)
        expect(frame.get_by_text(ATTACK).first).to_be_visible()
        assert frame.evaluate("window.attacked") is None
        assert page.evaluate("window.attacked") is None


def test_links_are_on_the_training_task_while_it_runs(
    world: World, page: Page, training: str
) -> None:
    run_id = f"{training}.r0.a1"
    task = world.task(run_id, "train_ann")
    page.goto(f"/dags/{TRAIN_DAG}/runs/{run_id}/tasks/train_ann/mapped/{task['map_index']}/details")
    link = page.get_by_role("link", name="Training", exact=True).last
    expect(link).to_have_attribute("href", re.compile(f"/experiments/{training}#round-0$"))
    # the model repo of these tests is a folder: nobody shows its commits
    expect(page.get_by_role("link", name="Commit", exact=True)).to_have_count(0)
    link.click()
    expect(page.frame_locator("iframe").locator("h1")).to_contain_text("watched_ann.py")


# ------------------------------------------------------------------------ what is shown
def test_the_list_is_searched_and_filtered(page: Page, climbed: str, failed: str) -> None:
    frame = frame_of(page, "/")
    expect(frame.locator("tbody svg.spark").first).to_be_visible()
    frame.get_by_label("Search").fill("loop_knn")
    frame.get_by_role("button", name="Show").click()
    expect(frame.locator("tbody tr")).to_have_count(1)
    expect(frame.locator("tbody tr")).to_contain_text("target reached")
    frame = frame_of(page, "/?state=failed")
    expect(frame.locator(f"tbody a[href$='{failed}']")).to_be_visible()
    expect(frame.locator(f"tbody a[href$='{climbed}']")).to_have_count(0)


def test_the_tweak_is_a_coloured_diff(page: Page, climbed: str) -> None:
    frame = frame_of(page, f"/experiments/{climbed}")
    diff = frame.locator("#round-1 .diff")
    colours = {
        line: diff.locator(f".{line}").last.evaluate("e => getComputedStyle(e).backgroundColor")
        for line in ("gi", "gd")
    }
    assert len({*colours.values(), "rgba(0, 0, 0, 0)"}) == 3, colours
    expect(diff.locator(".gd").last).to_contain_text("n_neighbors=900")


def test_two_rounds_are_compared(page: Page, climbed: str) -> None:
    frame = frame_of(page, f"/experiments/{climbed}")
    frame.get_by_role("link", name="compare with round 0").first.click()
    expect(frame.get_by_role("heading", name="Compare two rounds")).to_be_visible()
    changed = frame.locator("tr.changed", has_text="n_neighbors")
    expect(changed).to_contain_text("900")
    expect(frame.locator(".diff .gi").first).to_be_visible()


def test_a_failed_experiment_tells_cause_and_last_lines(
    world: World, page: Page, failed: str
) -> None:
    frame = frame_of(page, f"/experiments/{failed}")
    expect(frame.locator(".headline")).to_contain_text("NameError")
    expect(frame.locator(".incident")).to_contain_text("script error")
    # what it printed last, open without a click
    last = frame.get_by_role("region", name="Last lines of the log")
    expect(last).to_contain_text("nearly there")
    frame.get_by_text("Traceback of attempt 1").click()
    traceback = frame.get_by_role("region", name="Traceback of attempt 1")
    expect(traceback).to_contain_text("NameError")
    expect(frame.get_by_role("region", name="Command")).to_contain_text("airflow dags trigger")


def test_a_model_is_a_download(page: Page, climbed: str) -> None:
    frame = frame_of(page, f"/experiments/{climbed}")
    with page.expect_download() as download:
        frame.locator("#round-0 a[download]").click()
    assert download.value.suggested_filename == f"{climbed}.r0.model.joblib"


def test_a_link_into_airflow_leaves_the_frame(page: Page, climbed: str) -> None:
    frame = frame_of(page, f"/experiments/{climbed}")
    frame.get_by_role("link", name="in Airflow").first.click()
    page.wait_for_url(re.compile(f"/dags/{TRAIN_DAG}/runs/{climbed}"))
    expect(page.locator("iframe")).to_have_count(0)


# ------------------------------------------------------------------------ Airflow's own places
def test_a_run_has_a_tab_with_its_experiment(page: Page, climbed: str) -> None:
    page.goto(f"/dags/{TRAIN_DAG}/runs/{climbed}.r0.a1/plugin/training-run")
    expect(page.frame_locator("iframe").locator("h1")).to_contain_text("loop_knn.py")


def test_the_mail_leads_to_the_page(world: World, page: Page, climbed: str) -> None:
    mail = world.wait_for_mail("best model created", "loop_knn.py")
    page.goto(re.findall(r'href="([^"]+)"', mail.html)[0])
    expect(page.frame_locator("iframe").locator("h1")).to_contain_text("loop_knn.py")


def test_a_finished_task_leads_to_the_diff(world: World, page: Page, climbed: str) -> None:
    run_id = f"{climbed}.r1.a1"
    task = world.task(run_id, "train_sklearn")
    page.goto(
        f"/dags/{TRAIN_DAG}/runs/{run_id}/tasks/train_sklearn/mapped/{task['map_index']}/details"
    )
    page.get_by_role("link", name="Diff", exact=True).click()
    frame = page.frame_locator("iframe")
    expect(frame.locator(".diff .gi").first).to_be_visible()


def test_a_run_s_note_tells_what_it_trains(world: World, climbed: str) -> None:
    def note(number: int) -> str:
        path = f"/api/v2/dags/{TRAIN_DAG}/dagRuns/{climbed}.r{number}.a1"
        return str(world.api.call("GET", path)["note"])

    assert note(0) == "round 0: the script as pushed"
    tweak = world.store.tweak(climbed, 1)
    assert tweak
    assert note(1).startswith(f"round 1: {tweak.summary}, accuracy ")


def test_a_published_model_is_an_event_that_dags_can_wait_for(
    world: World, climbed: str, failed: str
) -> None:
    events = world.api.call("GET", "/api/v2/assets/events?limit=100")["asset_events"]
    ours = [e["extra"] for e in events if e["name"] == "pushtrain_model_published"]
    experiment = world.store.experiment(climbed)
    (told,) = [extra for extra in ours if extra["experiment"] == climbed]
    assert told["accuracy"] == experiment.best_accuracy
    assert told["folder"] == experiment.published
    assert not any(extra["experiment"] == failed for extra in ours)


# ------------------------------------------------------------------------ for every eye and hand
PATHS = ["/", "/experiments/{climbed}", "/experiments/{failed}",
         "/compare?left={climbed}.0&right={climbed}.1"]  # fmt: skip
EVERY = pytest.mark.parametrize("path", PATHS)


@EVERY
def test_on_a_narrow_screen_nothing_is_wider_than_it(
    page: Page, climbed: str, failed: str, path: str
) -> None:
    wide = page.viewport_size
    assert wide
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # width and height
    try:
        frame = frame_of(page, path.format(climbed=climbed, failed=failed))
        sizes = frame.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert sizes[0] <= sizes[1]
        page.goto(f"/pushtrain{path.format(climbed=climbed, failed=failed)}")
        assert [_told(v) for v in Axe().run(page).response["violations"]] == []
    finally:
        page.set_viewport_size(wide)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_page_follows_airflow_s_theme(page: Page, climbed: str, theme: str) -> None:
    page.goto("/")
    page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
    frame = frame_of(page, f"/experiments/{climbed}")
    expect(frame.locator("html")).to_have_attribute("data-theme", theme)
    colour = frame.evaluate("getComputedStyle(document.body).backgroundColor")
    red = int(re.findall(r"\d+", colour)[0])
    assert (red < 60) is (theme == "dark"), colour


@EVERY
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_against_it(
    page: Page, climbed: str, failed: str, path: str, theme: str
) -> None:
    """axe-core: names of controls, contrast, headings, landmarks, tables, roles."""
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # one of the two
    try:
        page.goto(f"/pushtrain{path.format(climbed=climbed, failed=failed)}")
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        found = Axe().run(page)
    finally:
        page.emulate_media(color_scheme="no-preference")
    told = [_told(violation) for violation in found.response["violations"]]
    assert told == []


def _told(violation: dict[str, Any]) -> str:
    places = [node["html"][:160] for node in violation["nodes"][:3]]
    return f"{violation['id']}: {violation['help']}: {places}"


@EVERY
def test_all_is_reached_by_the_keyboard_and_seen_there(
    page: Page, climbed: str, failed: str, path: str
) -> None:
    page.goto(f"/pushtrain{path.format(climbed=climbed, failed=failed)}")
    # what is folded can not be reached before it is unfolded, which its summary does
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    wanted = page.evaluate(
        "[...document.querySelectorAll('a, button, input, select, summary, [tabindex]')].length"
    )
    page.evaluate("window.reached = new Set()")
    for _ in range(wanted):
        page.keyboard.press("Tab")
        outline = page.evaluate(
            "(reached.add(document.activeElement),"
            " getComputedStyle(document.activeElement).outlineStyle)"
        )
        assert outline != "none"
    assert page.evaluate("reached.size") == wanted
