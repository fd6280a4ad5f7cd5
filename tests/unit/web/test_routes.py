from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.unit import records
from tests.unit.model_repos import ModelRepo

from pushtrain.adapters.mirror import Mirror, repo_slug
from pushtrain.adapters.records import write_json
from pushtrain.adapters.store import Store
from pushtrain.contract import Result, Split, State
from pushtrain.history import Change, Tweak
from pushtrain.web import routes
from pushtrain.web.access import MAY_SEE
from pushtrain.web.app import make_app

NAME = "cnn_digits-0123abcd"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    store = Store(tmp_path / "store")
    store.begin()
    store.create_experiment(records.experiment(id=NAME, subject="<script>alert(1)</script>"))
    output = store.output_dir(NAME, 0)
    output.mkdir(parents=True)
    result = Result(1, 0.5, Split.TEST, artifact="model.keras")
    write_json(output / "result.json", result.to_dict())
    (output / "model.keras").write_bytes(b"the model")
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__STORE", str(store.root))
    routes._reader.cache_clear()
    yield store
    routes._reader.cache_clear()


@pytest.fixture
def client(store: Store) -> TestClient:
    app = make_app()
    # who may see it is asked of a running Airflow in tests/system
    app.dependency_overrides[MAY_SEE.dependency] = lambda: None
    return TestClient(app)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?text=nobody",
        "/?fragment=true",
        f"/experiments/{NAME}",
        f"/experiments/{NAME}?fragment=true",
        f"/runs/{NAME}.r0.a1",
        "/compare",
        f"/compare?left={NAME}.0&right={NAME}.0",
    ],
)
def test_a_page_is_shown_escaped_and_under_a_policy(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/experiments/nobody-1",
        "/experiments/..%2F..%2Fetc",
        "/experiments/.hidden",
        f"/experiments/{NAME}/rounds/7/artifact",
        f"/compare?left=nobody.0&right={NAME}.0",
        "/static/../app.py",
        "/static/app.py",
        "/docs",
        "/openapi.json",
    ],
)
def test_what_is_not_there_is_a_clear_404(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("name", ["page.css", "page.js"])
def test_the_page_s_own_files_are_served(client: TestClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 200


def test_a_model_comes_as_a_download(client: TestClient) -> None:
    answer = client.get(f"/experiments/{NAME}/rounds/0/artifact")
    assert answer.content == b"the model"
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="{NAME}.r0.model.keras"'
    )
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_a_model_that_is_a_link_is_not_sent(client: TestClient, store: Store) -> None:
    model = store.output_dir(NAME, 0) / "model.keras"
    model.unlink()
    model.symlink_to("/etc/hostname")
    assert client.get(f"/experiments/{NAME}/rounds/0/artifact").status_code == 404


@pytest.mark.parametrize("name", ["../../../../secret", "/etc/hostname", "..", 'a"b\r\nX: y'])
def test_a_model_s_name_can_not_lead_out_of_its_folder(
    client: TestClient, store: Store, tmp_path: Path, name: str
) -> None:
    (tmp_path / "secret").write_text("secret")
    result = Result(1, 0.5, Split.TEST, artifact=name)
    write_json(store.output_dir(NAME, 0) / "result.json", result.to_dict())
    assert client.get(f"/experiments/{NAME}/rounds/0/artifact").status_code == 404


def test_a_damaged_experiment_says_which_file(client: TestClient, store: Store) -> None:
    path = store.experiment_dir(NAME) / "experiment.json"
    path.write_text("{")
    assert str(path) in client.get("/").text
    answer = client.get(f"/experiments/{NAME}")
    assert answer.status_code == 404
    assert str(path) in answer.text


def test_a_comparison_shows_what_changed_in_the_source(
    client: TestClient, store: Store, tmp_path: Path
) -> None:
    repo = ModelRepo(tmp_path / "models")
    repo.commit({"a.py": "x = 1\n"})
    slug = repo_slug(repo.url)
    mirror = Mirror(store.mirror_dir(slug), repo.url, allow_files=True)
    pushed = mirror.fetch("main")
    tweaked = mirror.commit_files(pushed, {"a.py": "x = 2\n"}, "Grow\n", "refs/pushtrain/e")
    one = records.experiment(id="a-1", repo=slug, repo_url=repo.url, commit=pushed)
    store.create_experiment(one)
    for number in (0, 1):
        store.save_attempt(one.id, number, records.attempt())
    store.save_tweak(one.id, Tweak(1, (Change("k", "x 1 -> 2", 1, 2),), commit=tweaked))
    page = client.get(f"/compare?left={one.id}.0&right={one.id}.1").text
    assert "What changed in the source" in page
    assert '<span class="gi">+x = 2' in page
    back = client.get(f"/compare?left={one.id}.1&right={one.id}.0").text
    assert '<span class="gi">+x = 1' in back
    assert "What changed" not in client.get(f"/compare?left={one.id}.0&right={NAME}.0").text


def test_going_on_by_hand_is_told_where_airflow_has_no_address_for_it(
    client: TestClient, store: Store
) -> None:
    store.update_experiment(NAME, state=State.ROUNDS_USED_UP)
    page = html.unescape(client.get(f"/experiments/{NAME}").text)
    assert '"max_rounds": 16' in page
    assert "airflow dags trigger mlops_train" in page
    assert "/trigger?" not in page


def test_a_run_that_trains_nothing_says_so(client: TestClient) -> None:
    assert "trains nothing itself" in client.get("/runs/scheduled__2026-01-01T00:00:00").text


def test_every_route_asks_who_is_looking() -> None:
    app = make_app()
    paths = [route for route in app.routes if hasattr(route, "dependencies")]
    assert len(paths) >= 5
    assert all(MAY_SEE in route.dependencies for route in paths)
