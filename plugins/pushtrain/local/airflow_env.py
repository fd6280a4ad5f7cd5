"""The environment of the embedded Airflow, set as a whole: nothing of the user's own is in it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from pushtrain.local.engine import engine_url
from pushtrain.local.free_port import LOCALHOST
from pushtrain.local.images import built_images
from pushtrain.local.paths import CHECKOUT, Home

USER = "admin"
# an operator may set these for `make up`; all other AIRFLOW variables are some other Airflow's
PASSED_ON = ("AIRFLOW_CONN_GIT_DEFAULT", "AIRFLOW_CONN_SMTP_DEFAULT")
PASSED_ON_PREFIX = "AIRFLOW__PUSHTRAIN__"

# Whatever dies is noticed within 60 s, and healthy things may be late on a busy machine: all of
# them give a sign of life every 5 s, and the shortest of these waits is three of them.
# docker-compose.airflow.yml has the same.
NOTICED: Mapping[str, Mapping[str, object]] = {
    "scheduler": {
        # A task whose worker died is tried again after 40 + 10 s (the default is 300 + 10), and a
        # training that goes on meanwhile is only adopted by that next try. Eight signs of life.
        "task_instance_heartbeat_timeout": 40,
        "task_instance_heartbeat_timeout_detection_interval": 10,
        # Tasks of a scheduler that died are tried again by the next one after 30 + 10 s (the
        # default is 30 + 300): only the scheduler that queued a task looks at its heartbeat.
        "scheduler_health_check_threshold": 30,
        "orphaned_tasks_check_interval": 10,
    },
    # Triggers of a triggerer that died are taken over by the next one after this; the default is
    # 30, in which no push and no dead training is seen.
    "triggerer": {"triggerer_health_check_threshold": 15},
    # While the api-server is started again (10-30 s) tasks ask again, 35 s in the mean; the default
    # is 5 times within 10 s, and then a task that ended well is forgotten until its heartbeat is
    # missed. The short wait: once it is back they are heard within 5 s, before they count as dead.
    "workers": {"execution_api_retries": 15, "execution_api_retry_wait_max": 5},
}


@dataclass(frozen=True)
class Ports:
    """Where the parts of the embedded Airflow listen, all on this machine only."""

    api: int
    worker_log: int
    trigger_log: int

    @property
    def base_url(self) -> str:
        """Address of the UI."""
        return f"http://localhost:{self.api}"


@dataclass(frozen=True)
class Watched:
    """What the embedded Airflow watches.

    Attributes:
        repo_url: The model repo.
        poll_seconds: How often it is asked for its head.
        is_local: Whether it is a repository on this machine: allows file URLs, pushes results.
        is_apart: Whether settings and connections of the caller's environment are ignored.
    """

    repo_url: str
    poll_seconds: int = 15
    is_local: bool = False
    is_apart: bool = False


def airflow_environment(
    home: Home, ports: Ports, watched: Watched, smtp_port: int | None
) -> dict[str, str]:
    """Return the whole environment of the embedded Airflow's processes."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")}
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL"):
        inherited.pop(name, None)
    settings = {
        **_airflow_settings(home, ports),
        **_pushtrain_settings(home, ports, watched),
        **_connections(smtp_port),
        **({} if watched.is_apart else _passed_on(os.environ)),
    }
    if "AIRFLOW_CONN_GIT_DEFAULT" in settings:
        settings.setdefault("AIRFLOW__PUSHTRAIN__GIT_CONN_ID", "git_default")
    path = f"{CHECKOUT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    # Airflow refuses to run as a user without a name, which a container may well give us
    inherited.setdefault("LOGNAME", "pushtrain")
    return {**inherited, **_without_proxy(), **settings, "PATH": path, "NO_COLOR": "1"}


def _airflow_settings(home: Home, ports: Ports) -> dict[str, str]:
    sections: dict[str, Mapping[str, object]] = {
        "core": {
            "dags_folder": home.dags,
            "plugins_folder": CHECKOUT / "plugins",
            "load_examples": False,
            "dags_are_paused_at_creation": False,
            "executor": "LocalExecutor",
            # slots, not processes at rest: trainings wait in them, their work is in containers
            "parallelism": 16,
            "simple_auth_manager_users": f"{USER}:admin",
        },
        "api": {"host": LOCALHOST, "port": ports.api, "base_url": ports.base_url},
        "logging": {
            "worker_log_server_port": ports.worker_log,
            "trigger_log_server_port": ports.trigger_log,
        },
        "scheduler": {
            # the gap between two tasks falls from 0.95 s to 0.25 s, for 4-8 % of a processor
            "scheduler_idle_sleep_time": 0.2,
            **NOTICED["scheduler"],
        },
        "triggerer": NOTICED["triggerer"],
        "workers": NOTICED["workers"],
        # a changed DAG file is seen after seconds; the default is 300
        "dag_processor": {"refresh_interval": 10},
        "usage_data_collection": {"enabled": False},
    }
    return {
        "AIRFLOW_HOME": str(home.airflow),
        **{
            f"AIRFLOW__{section.upper()}__{name.upper()}": str(value)
            for section, options in sections.items()
            for name, value in options.items()
        },
    }


def _pushtrain_settings(home: Home, ports: Ports, watched: Watched) -> dict[str, str]:
    images = {f"image_{family}": name for family, name in built_images(home).items()}
    options: dict[str, object] = {
        "store": home.store,
        "repo_url": watched.repo_url,
        "branch": "main",
        "watched_path": "model_src",
        "poll_seconds": watched.poll_seconds,
        "allow_file_urls": watched.is_local,
        "push_results": watched.is_local,
        "docker_url": engine_url(),
        "datasets": home.datasets,
        "smtp_conn_id": "smtp_default",
        "mail_to": "team@example.com" if watched.is_local else "",
        "page_url": ports.base_url,
        **images,
    }
    return {f"AIRFLOW__PUSHTRAIN__{k.upper()}": str(v) for k, v in options.items()}


def _connections(smtp_port: int | None) -> dict[str, str]:
    if smtp_port is None:
        return {}
    extra = {
        "disable_ssl": True,
        "disable_tls": True,
        "from_email": "pushtrain@example.com",
        "timeout": 5,
        "retry_limit": 1,
    }
    connection = {"conn_type": "smtp", "host": LOCALHOST, "port": smtp_port, "extra": extra}
    return {"AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(connection)}


def _passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        k: v for k, v in environment.items() if k in PASSED_ON or k.startswith(PASSED_ON_PREFIX)
    }


def _without_proxy() -> dict[str, str]:
    """Return settings that keep the parts' talk with each other away from a proxy."""
    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = ",".join(filter(None, (given, LOCALHOST, "localhost")))
    return {"no_proxy": hosts, "NO_PROXY": hosts}


def fingerprint(environment: Mapping[str, str]) -> str:
    """Return a hash of all that a running Airflow only takes over when it is started anew."""
    digest = hashlib.sha256()
    for name, value in sorted(environment.items()):
        if name.startswith("AIRFLOW"):
            digest.update(f"{name}={value}\0".encode())
    for path in sorted((CHECKOUT / "plugins").rglob("*.py")):
        if "local" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def ports_from(state: Mapping[str, object]) -> Ports | None:
    """Return the ports that were written down by `dataclasses.asdict`, None if none were."""
    try:
        return Ports(**{f.name: int(str(state[f.name])) for f in dataclasses.fields(Ports)})
    except (KeyError, ValueError):
        return None
