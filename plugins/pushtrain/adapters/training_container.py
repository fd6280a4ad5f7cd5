"""How one attempt of a round looks as a container."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from docker import APIClient

from pushtrain.adapters.engine import Bind, ContainerSpec, volume_path
from pushtrain.adapters.store import Store, training_user
from pushtrain.contract import (
    DATA_DIR,
    DATASETS_DIR,
    ENV_CHECKPOINT_SECONDS,
    LABEL_ATTEMPT,
    LABEL_DRY,
    LABEL_EXPERIMENT,
    LABEL_ROUND,
    LABEL_STORE,
    OUTPUT_DIR,
    WORK_DIR,
    Experiment,
    KerasApi,
    Step,
)
from pushtrain.settings import Settings
from pushtrain.slugs import slug


def container_name(config: Settings, step: Step) -> str:
    """Return the name of a step's container: in one store the same step always has the same.

    Two stores on one engine may hold the same experiment (the same commit of the same repo).
    """
    store = hashlib.sha256(_store_of(config).encode()).hexdigest()[:6]
    return f"pushtrain-{slug(step.run_id)}-{store}"


def round_labels(config: Settings, step: Step) -> dict[str, str]:
    """Return what all containers of a step's round, and no others, bear as labels."""
    return {
        LABEL_STORE: _store_of(config),
        LABEL_EXPERIMENT: step.experiment,
        LABEL_ROUND: str(step.round),
    }


def dry_labels(config: Settings, step: Step) -> dict[str, str]:
    """Return what the containers that only build a proposal for a round bear as labels."""
    return {**round_labels(config, step), LABEL_DRY: "1"}


def _store_of(config: Settings) -> str:
    return config.store_volume or str(config.store_path.absolute())


def spec_of(
    api: APIClient, config: Settings, store: Store, experiment: Experiment, step: Step, image: str
) -> ContainerSpec:
    """Return the container that trains a step.

    It sees the round's two folders, the data that the operator allows, and nothing else of the
    store.
    """
    number = str(step.attempt)
    return _spec(
        api,
        config,
        store,
        experiment,
        name=container_name(config, step),
        image=image,
        folders=(
            store.source_dir(step.experiment, step.round),
            store.output_dir(step.experiment, step.round),
        ),
        environment={"PUSHTRAIN_ATTEMPT": number},
        labels={**round_labels(config, step), LABEL_ATTEMPT: number},
    )


def dry_spec_of(
    api: APIClient,
    config: Settings,
    store: Store,
    experiment: Experiment,
    step: Step,
    image: str,
    folder: Path,
) -> ContainerSpec:
    """Return the container that builds a proposal for a step's round, without training it.

    It is as locked down as a training, and writes below `folder` only.
    """
    return _spec(
        api,
        config,
        store,
        experiment,
        name=f"{container_name(config, step)}.dry",
        image=image,
        folders=(folder / "source", folder / "output"),
        environment={"PUSHTRAIN_ATTEMPT": "1", "PUSHTRAIN_DRY": "1"},
        labels=dry_labels(config, step),
    )


def _spec(
    api: APIClient,
    config: Settings,
    store: Store,
    experiment: Experiment,
    *,
    name: str,
    image: str,
    folders: tuple[Path, Path],
    environment: dict[str, str],
    labels: dict[str, str],
) -> ContainerSpec:
    wishes = experiment.settings
    if experiment.api is KerasApi.LEGACY:
        environment["PUSHTRAIN_KERAS"] = "legacy"
    return ContainerSpec(
        name=name,
        image=image,
        command=(experiment.script,),
        environment={
            **environment,
            "PUSHTRAIN_OUTPUT": OUTPUT_DIR,
            # processes in the container see all CPUs of the host, not their share
            "PUSHTRAIN_CPUS": str(max(1, round(wishes.cpus))),
            ENV_CHECKPOINT_SECONDS: str(config.checkpoint_seconds),
        },
        labels=labels,
        user=training_user(folders[1]),
        binds=_binds(api, config, store, folders, wishes.data),
        memory_mib=wishes.memory,
        cpus=wishes.cpus,
        pids_limit=config.pids_limit,
        tmp_mib=config.tmp_mib,
        gpus=wishes.gpus,
        network=wishes.network,
    )


def _binds(
    api: APIClient,
    config: Settings,
    store: Store,
    folders: tuple[Path, Path],
    data: tuple[str, ...],
) -> tuple[Bind, ...]:
    root = volume_path(api, config.store_volume) if config.store_volume else store.root.absolute()
    work, output = (str(root / folder.relative_to(store.root)) for folder in folders)
    binds = [Bind(work, WORK_DIR), Bind(output, OUTPUT_DIR)]
    if config.datasets:
        binds.append(Bind(config.datasets, DATASETS_DIR, read_only=True))
    for folder in data:
        binds.append(Bind(folder, f"{DATA_DIR}/{PurePosixPath(folder).name}", read_only=True))
    return tuple(binds)
