"""The engine adapter with real containers."""

from __future__ import annotations

import signal
import threading
import uuid
from pathlib import Path

import pytest
from docker import APIClient
from docker.errors import NotFound
from tests.integration.containers import RUN, Start, ended, lines_of, python, spec

from pushtrain.adapters import engine
from pushtrain.adapters.container_ends import end_of
from pushtrain.adapters.container_lines import Line, follow, last_lines
from pushtrain.adapters.engine import Bind
from pushtrain.contract import LABEL_ATTEMPT, Cause
from pushtrain.errors import ConfigurationError, EngineUnreachableError, OutsideError
from pushtrain.settings import Settings

pytestmark = pytest.mark.docker


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (0, Cause.FINISHED), (10, Cause.SCRIPT_ERROR), (11, Cause.NO_METRIC),
        (12, Cause.SCRIPT_ERROR), (13, Cause.SUPERSEDED), (1, Cause.KILLED),
        (255, Cause.HOST_LOST),
    ],
)  # fmt: skip
def test_exit_codes_tell_the_cause(api: APIClient, start: Start, code: int, cause: Cause) -> None:
    end = ended(api, start("sh", "-c", f"exit {code}"))
    assert (end.exit_code, end.cause) == (code, cause)
    assert end.message == ("" if code == 0 else f"exit code {code}")


def test_lines_come_while_the_training_runs(api: APIClient, start: Start, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    text = "echo first; while ! test -e /output/go; do sleep 0.05; done; echo second; echo third"
    made = start("sh", "-c", text, binds=(Bind(str(tmp_path), "/output"),))
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if line == "first":  # the container goes on only when this line has come
            (tmp_path / "go").touch()

    follow(api, made, on_line)
    assert lines == ["first", "second", "third"]


def test_the_lines_of_a_training_that_has_ended_can_be_followed(
    api: APIClient, start: Start
) -> None:
    made = start("sh", "-c", "echo out; echo err >&2")
    api.wait(made)
    assert sorted(lines_of(api, made)) == ["err", "out"]
    assert sorted(last_lines(api, made, 10)) == ["err", "out"]
    assert last_lines(api, made, 1) in (["out"], ["err"])


def test_a_training_that_is_killed_is_judged_as_killed(api: APIClient, start: Start) -> None:
    made = start("sh", "-c", "echo up; sleep 600")
    assert follow(api, made, lambda line: engine.kill(api, made)) is Line.HELD
    end = end_of(api, made)
    assert (end.cause, end.exit_code) == (Cause.KILLED, 137)
    assert end.message == "by SIGKILL, exit code 137"
    assert end.tells_memory  # it would have said so
    assert follow(api, made, lambda line: None) is Line.LATE


@pytest.mark.parametrize("name", ["SEGV", "ABRT", "TERM"])
def test_a_program_that_a_signal_ended_is_judged_as_killed(
    api: APIClient, start: Start, name: str
) -> None:
    """It repeats itself often, as a fault in native code does, but not always."""
    end = ended(api, start(*python(f"import os, signal; os.kill(os.getpid(), signal.SIG{name})")))
    code = 128 + signal.Signals[f"SIG{name}"]
    assert (end.cause, end.exit_code) == (Cause.KILLED, code)
    assert end.message == f"by SIG{name}, exit code {code}"


def test_a_training_that_is_removed_is_judged_as_lost(api: APIClient, start: Start) -> None:
    made = start("sh", "-c", "echo up; sleep 600")
    with pytest.raises(NotFound):
        follow(api, made, lambda line: engine.remove(api, made))
    end = end_of(api, made)
    assert (end.cause, end.message) == (Cause.LOST, "the container was removed")
    assert last_lines(api, made, 10) == []


def test_a_training_that_was_never_started_is_lost(api: APIClient, image: str) -> None:
    made = engine.create(api, spec(image, "true"))
    end = end_of(api, made)
    assert end.cause is Cause.LOST
    assert "never started" in end.message


def test_a_training_that_still_runs_is_not_judged(api: APIClient, start: Start) -> None:
    made = start("sleep", "600")
    with pytest.raises(OutsideError, match="still runs"):
        end_of(api, made)
    engine.remove(api, made)


def test_a_container_is_found_by_its_name(api: APIClient, image: str) -> None:
    wanted = spec(image, "true")
    assert engine.find(api, wanted.name) is None
    made = engine.create(api, wanted)
    found = engine.find(api, wanted.name)
    assert found is not None
    assert found["Id"] == made
    assert found["Config"]["Labels"]["pushtrain.test"] == RUN


def test_a_name_is_given_once(api: APIClient, image: str) -> None:
    wanted = spec(image, "true")
    engine.create(api, wanted)
    refused = pytest.raises(OutsideError, match="already in use")
    with refused as caught, engine.clear_errors("unix://x"):
        engine.create(api, wanted)
    assert not isinstance(caught.value, EngineUnreachableError), "it answered"


def test_more_processors_than_there_are_is_a_wrong_setting(api: APIClient, image: str) -> None:
    with pytest.raises(ConfigurationError, match="CPUs"), engine.clear_errors("unix://x"):
        engine.create(api, spec(image, "true", cpus=100_000.0))


def test_others_of_the_same_round_are_removed_running_or_not(
    api: APIClient, image: str, start: Start
) -> None:
    labels = {"pushtrain.test": RUN, "pushtrain.round": uuid.uuid4().hex}
    other = {"pushtrain.test": RUN, "pushtrain.round": "another"}
    start("sleep", "600", labels=labels)
    engine.create(api, spec(image, "true", labels=labels))
    kept, foreign = start("sleep", "600", labels=labels), start("sleep", "600", labels=other)
    name = api.inspect_container(kept)["Name"].lstrip("/")
    assert len(engine.remove_others(api, labels, keep=name)) == 2
    assert engine.remove_others(api, labels, keep=name) == []
    assert engine.find(api, foreign) is not None
    assert engine.remove_others(api, labels, keep="") == [name]


def test_containers_of_later_attempts_are_left_alone(api: APIClient, image: str) -> None:
    labels = {"pushtrain.test": RUN, "pushtrain.round": uuid.uuid4().hex}
    marks = [{}, *({LABEL_ATTEMPT: str(number)} for number in (1, 2, 3))]
    made = [engine.create(api, spec(image, "true", labels=labels | mark)) for mark in marks]
    assert len(engine.remove_others(api, labels, keep="", up_to=2)) == 3
    assert engine.find(api, made[3]) is not None
    assert len(engine.remove_others(api, labels, keep="")) == 1


def test_what_is_gone_or_has_ended_can_be_killed_and_removed(api: APIClient, start: Start) -> None:
    made = start("true")
    api.wait(made)
    for _ in range(2):
        engine.kill(api, made)
        engine.remove(api, made)
    assert engine.find(api, made) is None


def test_an_image_that_is_not_there_is_named(api: APIClient, image: str) -> None:
    engine.require_image(api, image)
    with pytest.raises(ConfigurationError, match="'no-such-image:1' is not in the engine: `make"):
        engine.require_image(api, "no-such-image:1")


def test_the_folder_of_a_volume_is_found(api: APIClient) -> None:
    name = f"pushtrain-test-{RUN}"
    api.create_volume(name)
    try:
        assert engine.volume_path(api, name).name == "_data"
    finally:
        api.remove_volume(name)
    with pytest.raises(ConfigurationError, match="has no such volume"):
        engine.volume_path(api, name)


def test_an_engine_that_is_down_says_what_to_do(tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/docker.sock"
    with pytest.raises(EngineUnreachableError, match=f"container engine at {url}.*make engine"):
        engine.require_engine(url)
    engine.require_engine(Settings().docker_url)


def test_followers_of_two_containers_do_not_mix(api: APIClient, start: Start) -> None:
    names = ("a", "b")
    made = {n: start("sh", "-c", f"for i in 1 2 3; do echo {n}$i; sleep 0.1; done") for n in names}
    got: dict[str, list[str]] = {}

    def follow(name: str) -> None:
        client = APIClient(base_url=Settings().docker_url, version="auto")
        got[name] = lines_of(client, made[name])

    threads = [threading.Thread(target=follow, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {name: [f"{name}{i}" for i in (1, 2, 3)] for name in names}
