"""How one attempt of a round looks as a container."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from docker import APIClient

from pushtrain.adapters.engine import Bind, ContainerSpec, volume_path
from pushtrain.adapters.store import Store
from pushtrain.contract import (
    DATA_DIR,
    DATASETS_DIR,
    LABEL_ATTEMPT,
    LABEL_EXPERIMENT,
    LABEL_ROUND,
    LABEL_STORE,
    OUTPUT_DIR,
    WORK_DIR,
    Experiment,
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


def _store_of(config: Settings) -> str:
    return config.store_volume or str(config.store_path.absolute())


def spec_of(
    api: APIClient, config: Settings, store: Store, experiment: Experiment, step: Step, image: str
) -> ContainerSpec:
    """Return the container that trains a step.

    It sees the round's two folders, the data that the operator allows, and nothing else of the
    store.
    """
    wishes = experiment.settings
    root = volume_path(api, config.store_volume) if config.store_volume else store.root.absolute()

    def on_host(folder: Path) -> str:
        return str(root / folder.relative_to(store.root))

    binds = [
        Bind(on_host(store.source_dir(step.experiment, step.round)), WORK_DIR),
        Bind(on_host(store.output_dir(step.experiment, step.round)), OUTPUT_DIR),
    ]
    if config.datasets:
        binds.append(Bind(config.datasets, DATASETS_DIR, read_only=True))
    for folder in wishes.data:
        binds.append(Bind(folder, f"{DATA_DIR}/{PurePosixPath(folder).name}", read_only=True))
    return ContainerSpec(
        name=container_name(config, step),
        image=image,
        command=(experiment.script,),
        environment={
            "PUSHTRAIN_OUTPUT": OUTPUT_DIR,
            "PUSHTRAIN_ATTEMPT": str(step.attempt),
            # processes in the container see all CPUs of the host, not their share
            "PUSHTRAIN_CPUS": str(max(1, round(wishes.cpus))),
        },
        labels={
            **round_labels(config, step),
            LABEL_ATTEMPT: str(step.attempt),
        },
        user=store.training_user(step.experiment, step.round),
        binds=tuple(binds),
        memory_mib=wishes.memory,
        cpus=wishes.cpus,
        pids_limit=config.pids_limit,
        tmp_mib=config.tmp_mib,
        gpus=wishes.gpus,
        network=wishes.network,
    )
