"""The first task of `mlops_train`: waits for a push, or passes a run on that was given its work."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseSensorOperator
from airflow.sdk.definitions.context import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from pushtrain import settings
from pushtrain.adapters.git_arguments import check_path, check_ref, check_repo_url
from pushtrain.adapters.mirror import SEEN_REFS, Mirror, repo_slug
from pushtrain.adapters.store import Store
from pushtrain.errors import ConfigurationError
from pushtrain.rules.request import Request, request_of
from pushtrain.sensors.begun_store import begun_store
from pushtrain.triggers.push import PushTrigger


class PushSensor(BaseSensorOperator):
    """Returns the `Request` of the run as a dict; defers only where there is a push to wait for.

    A run on the schedule watches the branch until the end of its window and is skipped if
    nothing was pushed. A run that was triggered by hand, and a step of an experiment, pass at
    once. The known gap: a push that comes between two windows is seen by the next one.

    Args:
        window: How long a run on the schedule watches.
    """

    def __init__(self, *, window: timedelta, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.window = window

    def execute(self, context: Context) -> dict[str, Any]:
        """Check what the run was given; wait for a push if it was given nothing."""
        try:
            request, config = self._request(context), settings.load()
            store = Store(config.store_path)
            if not store.is_there():
                begun_store(config)
            if request.kind != "push":
                check_request(request, config)
                return request.to_dict()
            if not config.repo_url:
                raise AirflowSkipException("[pushtrain] repo_url is empty: nothing to watch")
            url = check_repo_url(config.repo_url, allow_files=config.allow_file_urls)
            check_ref(config.branch)
        except ConfigurationError as err:
            raise AirflowFailException(str(err)) from err
        mirror = Mirror(store.mirror_dir(repo_slug(url)), url)
        known = mirror.ref(SEEN_REFS + config.branch) if mirror.path.exists() else None
        self.defer(
            trigger=PushTrigger(
                repo_url=url,
                branch=config.branch,
                known=known or "",
                deadline=request.until,
                poll_seconds=config.poll_seconds,
                git_conn_id=config.git_conn_id,
                allow_files=config.allow_file_urls,
            ),
            method_name="on_push",
        )
        raise AssertionError("defer() does not return")

    def on_push(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Pass the pushed commit on, or skip the run if the window ended without one."""
        if not event["commit"]:
            raise AirflowSkipException("nothing was pushed in this window")
        request = self._request(context)
        self.log.info("the branch is at %s now", event["commit"])
        return request.to_dict()

    def _request(self, context: Context) -> Request:
        run = context["dag_run"]
        started = run.run_after.timestamp() if run.run_after else time.time()
        return request_of(
            params=dict(context["params"]),
            conf=dict(run.conf or {}),
            scheduled=run.run_type == "scheduled",  # an enum of strings
            until=started + self.window.total_seconds(),
        )


def check_request(request: Request, config: settings.Settings) -> None:
    """Refuse what must not reach git or a path.

    Raises:
        ConfigurationError: It says what was given and what is allowed.
    """
    if request.kind != "manual":
        return
    check_repo_url(request.repo_url or config.repo_url, allow_files=config.allow_file_urls)
    check_ref(request.ref or config.branch)
    if request.script:
        check_path(request.script)
