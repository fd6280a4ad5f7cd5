from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "plugins"
TRAINER = ROOT / "training_images" / "trainer"
DAGS = ROOT / "dags"
PACKAGE = PLUGINS / "pushtrain"

# What a layer may load beside the standard library, as top-level modules of distributions.
LIBCST = {"libcst", "yaml", "_yaml", "typing_extensions"}
JINJA = {"jinja2", "markupsafe"}
DOCKER = {
    "docker", "requests", "urllib3", "certifi", "charset_normalizer", "idna", "cython_runtime",
}  # fmt: skip
TERMINAL = {"rich", "pygments", "markdown_it", "mdurl"}
FORBIDDEN = {"airflow", "keras", "tensorflow", "sklearn", "keras_tuner"}

LAYERS = {
    "L0": (("contract", "history", "details", "errors", "settings", "record", "slugs"), set[str]()),
    "analysis": (("analysis",), LIBCST),
    "tuning": (("tuning", "analysis"), LIBCST),
    "rules": (("rules",), set[str]()),
    "pages": (
        ("pages",),
        JINJA | {"pygal", "pygments", "lazy_importer", "importlib_metadata", "zipp"},
    ),
    "adapters": (("adapters",), DOCKER),
    "commands": (("commands", "tuning", "analysis"), LIBCST | TERMINAL),
}

# Prints what importing some modules loads, as a fresh interpreter sees it.
PROBE = """
import importlib, json, sys
before = set(sys.modules)
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted({name.partition('.')[0] for name in set(sys.modules) - before})))
print(json.dumps(sorted(name for name in sys.modules if name.startswith('pushtrain'))))
"""


def modules_below(folder: Path, package: str) -> list[str]:
    """Return the dotted names of the modules in a folder, all levels."""
    if folder.with_suffix(".py").is_file():
        return [package]
    paths = sorted(folder.rglob("*.py"))
    names = (".".join(path.relative_to(folder).with_suffix("").parts) for path in paths)
    return [f"{package}.{name}".removesuffix(".__init__").rstrip(".") for name in names]


@cache
def loaded_by(names: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """Return the foreign top-level modules and our own modules that importing loads."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(names)],
        env={"PYTHONPATH": f"{PLUGINS}:{TRAINER}", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    top, ours = (set(json.loads(line)) for line in done.stdout.splitlines())
    known = sys.stdlib_module_names | {"pushtrain", "pushtrain_trainer"}
    return {name for name in top - known if not name.startswith("_")}, ours


def modules_of(layer: str) -> tuple[str, ...]:
    parts, _ = LAYERS[layer]
    return tuple(n for part in parts for n in modules_below(PACKAGE / part, f"pushtrain.{part}"))


def test_the_probe_sees_what_is_loaded() -> None:
    foreign, ours = loaded_by(("pushtrain.adapters.engine",))
    assert {"docker", "requests"} <= foreign
    assert "pushtrain.contract" in ours


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_loads_only_what_it_is_allowed_to(layer: str) -> None:
    names = modules_of(layer)
    assert names
    foreign, _ = loaded_by(names)
    assert foreign - LAYERS[layer][1] == set()


@pytest.mark.parametrize(
    ("layer", "lower"),
    [
        ("L0", set[str]()),
        ("analysis", set[str]()),
        ("tuning", {"analysis"}),
        ("rules", set[str]()),
        ("pages", {"rules"}),
        ("adapters", {"rules"}),
        ("commands", {"analysis", "tuning", "rules", "pages", "adapters"}),
    ],
)
def test_arrows_point_down_only(layer: str, lower: set[str]) -> None:
    _, ours = loaded_by(modules_of(layer))
    packages = {name.split(".")[1] for name in ours if name.count(".") > 0}
    assert packages - lower - set(LAYERS[layer][0]) - set(LAYERS["L0"][0]) == set()


def test_the_trainer_imports_nothing_of_airflow_s_side() -> None:
    # some of its modules can only be imported where Keras is, so the text is searched
    texts = {path.name: path.read_text() for path in TRAINER.rglob("*.py")}
    assert texts
    wrong = [
        f"{name}: {line.strip()}"
        for name, text in texts.items()
        for line in text.splitlines()
        if line.strip().startswith(("import ", "from "))
        and line.split()[1].split(".")[0] in {"airflow", "docker", "pushtrain"}
    ]
    assert wrong == []


def test_the_trainer_s_words_load_the_standard_library_only() -> None:
    foreign, _ = loaded_by(("pushtrain_trainer.contract", "pushtrain_trainer.command"))
    assert foreign == set()


@pytest.mark.parametrize("folder", [PACKAGE, DAGS, TRAINER, PLUGINS], ids=lambda p: p.name)
def test_no_file_is_named_like_an_importable_module(folder: Path) -> None:
    """Where a folder is on sys.path, or its files are run as modules, `docker.py` hides docker."""
    foreign = {name for name in packages_distributions() if name not in {"tests", "dags"}}
    taken = sys.stdlib_module_names | foreign | FORBIDDEN | {"joblib", "numpy", "git"}
    stems = {p.stem if p.is_file() else p.name for p in folder.rglob("*") if _is_ours(p)}
    assert stems & taken == set()


def _is_ours(path: Path) -> bool:
    hidden = any(part.startswith((".", "__")) for part in path.parts)
    return not hidden and (path.suffix == ".py" or path.is_dir())


@pytest.mark.parametrize(
    ("folder", "most"), [(PLUGINS, 400), (TRAINER, 400), (DAGS, 150)], ids=lambda v: str(v)
)
def test_no_module_grows_too_large(folder: Path, most: int) -> None:
    lengths = {p.name: len(p.read_text().splitlines()) for p in folder.rglob("*.py")}
    assert lengths
    assert {name: n for name, n in lengths.items() if n > most} == {}


def test_the_dags_hold_no_logic() -> None:
    """A DAG file imports the words and its operators, nothing of the layers between."""
    allowed = ("pushtrain.contract", "pushtrain.operators", "pushtrain.sensors", "airflow")
    wrong = [
        line
        for path in DAGS.glob("*.py")
        for line in map(str.strip, path.read_text().splitlines())
        if line.startswith(("import ", "from "))
        and line.split()[1].split(".")[0] not in sys.stdlib_module_names
        and not line.split()[1].startswith(allowed)
    ]
    assert wrong == []
