"""Each training image, started by hand and started locked down, as people and Airflow do."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.trainer.lab import image_of

pytestmark = [pytest.mark.docker, pytest.mark.slow]

KNN = """
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
x, y = load_wine(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)
model = KNeighborsClassifier().fit(x_train, y_train)
model.score(x_test, y_test)
"""
KERAS = """
import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x / 16.0, y, random_state=0)
model = keras.Sequential([FIRST, keras.layers.Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=2)
model.evaluate(x_test, y_test)
"""
CNN = (
    'keras.layers.Reshape((8, 8, 1)), keras.layers.Conv2D(4, 3, activation="relu"), '
    "keras.layers.Flatten()"
)
SCRIPTS = {
    "sklearn": (KNN, "score"),
    "ann": (KERAS.replace("FIRST", 'keras.layers.Dense(16, activation="relu")'), "evaluate"),
    "cnn": (KERAS.replace("FIRST", CNN), "evaluate"),
}
FAMILIES = tuple(SCRIPTS)
# Only root can give folders away; others use their own.
OWNER = (1234, 4321) if os.getuid() == 0 else (os.getuid(), os.getgid())
# The limits that the training task sets.
LOCKED = (
    *("--read-only", "--tmpfs", "/tmp:rw,nosuid,nodev,noexec,size=512m,mode=1777"),
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none"),
    *("--pids-limit", "256", "-m", "1500m", "--memory-swap", "1500m", "--cpus", "1.5"),
    *("--init", "--ipc", "private", "--shm-size", "64m"),
)


def docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=240, check=False
    )


def output_of(*arguments: str) -> str:
    done = docker(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("family", FAMILIES)
def test_container_started_by_hand_trains_and_prints_its_accuracy(
    family: str, tmp_path: Path
) -> None:
    code, source = SCRIPTS[family]
    (tmp_path / "script.py").write_text(code)
    printed = output_of("run", "--rm", "-v", f"{tmp_path}:/work", image_of(family), "script.py")
    last = printed.splitlines()[-1]
    assert last.startswith("accuracy 0.")
    assert last.endswith(f" (test, {source})")
    # records go where they vanish with the container: the tree is the data scientist's
    assert os.listdir(tmp_path) == ["script.py"]


@pytest.mark.parametrize("family", FAMILIES)
def test_locked_down_container_trains(family: str, tmp_path: Path) -> None:
    work, records = tmp_path / "work", tmp_path / "output"
    for folder in (work, records):
        folder.mkdir()
        os.chown(folder, *OWNER)
    (work / "script.py").write_text(SCRIPTS[family][0])
    mounts = ["-v", f"{work}:/work", "-v", f"{records}:/output"]
    environment = ["-e", "PUSHTRAIN_OUTPUT=/output", "-e", "PUSHTRAIN_ATTEMPT=1"]
    user = ["--user", f"{OWNER[0]}:{OWNER[1]}"]
    image = image_of(family)
    output_of("run", "--rm", *LOCKED, *user, *mounts, *environment, image, "script.py")
    result = json.loads((records / "result.json").read_text())
    assert result["split"] == "test"
    artifact = records / result["artifact"]
    assert (artifact.stat().st_uid, artifact.stat().st_size) == (OWNER[0], result["artifact_bytes"])
    assert artifact.stat().st_mode & 0o020, "the group may not change it: umask 002 is lost"


def test_root_becomes_the_owner_of_the_tree(tmp_path: Path) -> None:
    code = (
        "import os\nopen('accuracy.txt', 'w').write('0.5')\nprint('user', os.getuid(), os.getgid())"
    )
    (tmp_path / "script.py").write_text(code)
    os.chown(tmp_path, *OWNER)
    image = image_of("sklearn")
    printed = output_of("run", "--rm", "-v", f"{tmp_path}:/work", image, "script.py")
    assert f"user {OWNER[0]} {OWNER[1]}" in printed
    assert (tmp_path / "accuracy.txt").stat().st_uid == OWNER[0]


def test_mounted_output_keeps_the_model(tmp_path: Path) -> None:
    work, records = tmp_path / "work", tmp_path / "output"
    work.mkdir()
    records.mkdir()
    (work / "script.py").write_text(KNN)
    mounts = ["-v", f"{work}:/work", "-v", f"{records}:/output"]
    printed = output_of("run", "--rm", *mounts, image_of("sklearn"), "script.py")
    assert "no output folder" not in printed
    assert (records / "model.joblib").stat().st_size > 0


def test_image_for_scikit_learn_has_no_tensorflow() -> None:
    code = "import importlib.util as u; print(*[n for n in %r if u.find_spec(n)])"
    names = ["keras", "sklearn", "tensorflow"]
    run = ["run", "--rm", "--entrypoint", "python"]
    assert output_of(*run, image_of("sklearn"), "-c", code % names).split() == ["sklearn"]
    assert output_of(*run, image_of("ann"), "-c", code % names).split() == names


def layers_of(family: str) -> list[str]:
    shown = output_of("image", "inspect", "-f", "{{json .RootFS.Layers}}", image_of(family))
    layers: list[str] = json.loads(shown)
    return layers


def test_large_layers_are_shared() -> None:
    sklearn, ann, cnn = (layers_of(family) for family in FAMILIES)
    common = [a for a, b in zip(sklearn, ann, strict=False) if a == b]
    keras = [a for a, b in zip(ann, cnn, strict=False) if a == b]
    # base, environment, list of requirements, libraries; then the same two for Keras
    assert len(common) >= 4
    assert len(keras) >= len(common) + 2


def test_data_set_of_the_mounted_folder_is_found(tmp_path: Path) -> None:
    work, data = tmp_path / "work", tmp_path / "datasets"
    work.mkdir()
    data.mkdir()
    make = """
import numpy as np
z = np.zeros((4, 28, 28), "uint8")
np.savez("/datasets/mnist.npz", x_train=z, y_train=z[:, 0, 0], x_test=z[:2], y_test=z[:2, 0, 0])
"""
    image = image_of("ann")
    folder = ["-v", f"{data}:/datasets"]
    output_of("run", "--rm", *folder, "--entrypoint", "python", image, "-c", make)
    # Keras checks the sum of its own file, which this small one can not have
    (work / "script.py").write_text(
        "import keras\nfrom keras.src.utils import file_utils\n"
        "file_utils.validate_file = lambda *a, **k: True\n"
        "print('found', keras.datasets.mnist.load_data()[0][0].shape)\n"
        "open('accuracy.txt', 'w').write('0.5')\n"
    )
    mounts = ["-v", f"{work}:/work", "-v", f"{data}:/datasets:ro", "--network", "none"]
    assert "found (4, 28, 28)" in output_of("run", "--rm", *mounts, image, "script.py")
