"""The operator's settings: the `[pushtrain]` section of Airflow's configuration.

Every field can be set as `AIRFLOW__PUSHTRAIN__<FIELD>`; nothing is read at import time.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from dataclasses import dataclass
from pathlib import Path

from pushtrain.contract import ImageKind
from pushtrain.errors import ConfigurationError

SECTION = "pushtrain"

# The best version of a script is pushed to `pushtrain/<script>`; these branches are ours alone.
RESULT_BRANCHES = "pushtrain/"


@dataclass(frozen=True)
class Settings:
    """What an operator sets.

    Attributes:
        store: Folder of the store, shared by all Airflow processes.
        store_volume: Name of the engine's volume that the store lies in; empty when `store`
            is a folder of the engine's host.
        repo_url: The model repo; empty: there is nothing to watch, runs name their repo.
        branch: The watched branch.
        watched_path: Folder of the scripts in the model repo, empty for its root.
        git_conn_id: Airflow connection of type git (https token, SSH key, GitHub App); empty:
            the repo needs no credentials.
        allow_file_urls: Whether `file://` URLs and absolute paths are accepted as model repos.
        push_results: Whether the tweaked source is pushed as a branch `pushtrain/<script>`.
        poll_seconds: How often the model repo is asked for its head, at least 1.
        docker_url: Address of the container engine.
        image_ann: Image that trains dense Keras scripts.
        image_cnn: Image that trains convolutional Keras scripts.
        image_sklearn: Image that trains scikit-learn scripts.
        pids_limit: Processes and threads in one training container.
        tmp_mib: Size of a training container's `/tmp`; it counts against its memory.
        datasets: Folder of the engine's host with files for `keras.datasets`, empty for none.
        allowed_data: Folders of the engine's host below which scripts may ask for data.
        max_memory: MiB that a script may ask for at most.
        smtp_conn_id: Airflow connection of type smtp; where it does not exist no mail is sent.
        mail_to: Addresses that hear of every experiment, beside the commit's author.
        page_url: Address of Airflow's UI as people reach it, for links in mails.
        restart_limit: Starts in a row without progress after which a training is given up.
        startup_seconds: The least time without progress that counts as hung.
        hang_factor: A fit hangs after this many times its own pace without progress: that of its
            batches in the middle of the first epoch, that of whole epochs from the second on.
        quiet_seconds: How long a training may be silent where its pace can not be known: while
            it loads data, at the end of the first epoch, in one long `fit` of scikit-learn. The
            end of an epoch counts as known once one was seen.
        lost_seconds: A step without a living run is lost after this time.
        checkpoint_seconds: Time between two checkpoints inside a long epoch: the most of its
            training that a kill costs.
    """

    store: str = ""
    store_volume: str = ""
    repo_url: str = ""
    branch: str = "main"
    watched_path: str = "model_src"
    git_conn_id: str = ""
    allow_file_urls: bool = False
    push_results: bool = False
    poll_seconds: float = 15.0
    docker_url: str = "unix://var/run/docker.sock"
    image_ann: str = ""
    image_cnn: str = ""
    image_sklearn: str = ""
    pids_limit: int = 512
    tmp_mib: int = 512
    datasets: str = ""
    allowed_data: tuple[str, ...] = ()
    max_memory: int = 16384
    smtp_conn_id: str = "smtp_default"
    mail_to: tuple[str, ...] = ()
    page_url: str = ""
    restart_limit: int = 3
    startup_seconds: float = 120.0
    hang_factor: float = 10.0
    quiet_seconds: float = 3600.0
    lost_seconds: float = 60.0
    checkpoint_seconds: float = 60.0

    @property
    def store_path(self) -> Path:
        """The store's folder.

        Raises:
            ConfigurationError: It is not set.
        """
        if not self.store:
            raise ConfigurationError(
                f"[{SECTION}] store is empty: set AIRFLOW__PUSHTRAIN__STORE to a folder that all "
                "of Airflow's processes share"
            )
        return Path(self.store)

    def image(self, kind: ImageKind) -> str:
        """Return the name of a training image.

        Raises:
            ConfigurationError: None is set for it.
        """
        image = str(getattr(self, f"image_{kind}", ""))
        if not image:
            raise ConfigurationError(
                f"[{SECTION}] image_{kind} is empty: `make images` builds it and prints its name"
            )
        return image


def parse(raw: typing.Mapping[str, str]) -> Settings:
    """Build the settings from text values; what is missing keeps its default.

    Args:
        raw: Option name (any case) to text, as a configuration section holds them.

    Raises:
        ConfigurationError: An option is unknown, or a value is not of its type or range.
    """
    hints = typing.get_type_hints(Settings)
    values: dict[str, object] = {}
    for name, text in ((k.lower(), v.strip()) for k, v in raw.items()):
        if name not in hints:
            raise ConfigurationError(
                f"[{SECTION}] {name!r} is no setting; allowed are {', '.join(sorted(hints))}"
            )
        if text or hints[name] is str:
            values[name] = _convert(name, hints[name], text)
    settings = Settings(**values)  # type: ignore[arg-type]  # converted by their type hints
    _check(settings)
    return settings


def load() -> Settings:
    """Read the settings from Airflow's configuration (file and environment)."""
    # inside: L0 stays importable without Airflow, and nothing is read before it is needed
    from airflow.configuration import conf

    # getsection() lists what stands in the file; an option that is only in the environment
    # has to be asked for by its name
    names = [f.name for f in dataclasses.fields(Settings)]
    raw = {n: conf.get(SECTION, n, fallback=None) for n in names}
    return parse({n: v for n, v in raw.items() if v is not None})


def _convert(name: str, kind: object, text: str) -> object:
    try:
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        if kind in (int, float):
            return kind(text)
        if kind is str:
            return text
        return tuple(part.strip() for part in text.split(",") if part.strip())
    except (KeyError, ValueError) as err:
        wanted = "true or false" if kind is bool else getattr(kind, "__name__", str(kind))
        raise ConfigurationError(f"[{SECTION}] {name} = {text!r}: give {wanted}") from err


def _check(settings: Settings) -> None:
    if settings.branch.startswith(RESULT_BRANCHES):  # each result would start the next experiment
        raise ConfigurationError(
            f"[{SECTION}] branch = {settings.branch!r}: results are pushed there; watch the branch "
            "that they are merged into"
        )
    least = {
        "poll_seconds": 1,
        "pids_limit": 16,
        "tmp_mib": 16,
        "max_memory": 64,
        "restart_limit": 1,
        "startup_seconds": 1,
        "hang_factor": 1,
        "quiet_seconds": 1,
        "lost_seconds": 1,
        "checkpoint_seconds": 1,
    }
    for name, low in least.items():
        value = getattr(settings, name)
        if not (value >= low and math.isfinite(value)):  # nan compares as neither
            raise ConfigurationError(f"[{SECTION}] {name} = {value!r}: give at least {low}")
