"""How one attempt of a round looks as a container."""

from __future__ import annotations

import os
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
    OUTPUT_DIR,
    WORK_DIR,
    Experiment,
    Step,
    slug,
)
from pushtrain.settings import Settings


def container_name(step: Step) -> str:
    """Return the name of a step's container: the same step always has the same."""
    return f"pushtrain-{slug(step.run_id)}"


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
        name=container_name(step),
        image=image,
        command=(experiment.script,),
        environment={
            "PUSHTRAIN_OUTPUT": OUTPUT_DIR,
            "PUSHTRAIN_ATTEMPT": str(step.attempt),
            # processes in the container see all CPUs of the host, not their share
            "PUSHTRAIN_CPUS": str(max(1, round(wishes.cpus))),
        },
        labels={
            LABEL_EXPERIMENT: step.experiment,
            LABEL_ROUND: str(step.round),
            LABEL_ATTEMPT: str(step.attempt),
            "pushtrain.store": os.fspath(root),
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
