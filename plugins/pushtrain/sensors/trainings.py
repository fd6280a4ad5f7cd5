"""The first task of `mlops_monitor`: waits until a training died, hangs or was lost."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseSensorOperator
from airflow.sdk.definitions.context import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from pushtrain import settings
from pushtrain.errors import ConfigurationError
from pushtrain.sensors.begun_store import begun_store
from pushtrain.triggers.trainings import TrainingsTrigger


class TrainingsSensor(BaseSensorOperator):
    """Returns the findings as a list of dicts; a window without one ends as skipped.

    Args:
        window: How long one run watches.
        poll_seconds: Time between two looks at everything, for which Airflow is asked, too.
        watch_seconds: Time between two looks for trainings that have just ended.
    """

    def __init__(
        self,
        *,
        window: timedelta,
        poll_seconds: float = 5.0,
        watch_seconds: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.window = window
        self.poll_seconds = poll_seconds
        self.watch_seconds = watch_seconds

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Hand the watch to the triggerer."""
        try:
            config = settings.load()
            store = begun_store(config).root
        except ConfigurationError as err:
            raise AirflowFailException(str(err)) from err
        self.defer(
            trigger=TrainingsTrigger(
                store=str(store),
                deadline=time.time() + self.window.total_seconds(),
                poll_seconds=self.poll_seconds,
                watch_seconds=self.watch_seconds,
                limits={
                    "startup_seconds": config.startup_seconds,
                    "hang_factor": config.hang_factor,
                    "quiet_seconds": config.quiet_seconds,
                    "lost_seconds": config.lost_seconds,
                },
                restart_limit=config.restart_limit,
            ),
            method_name="on_findings",
        )
        raise AssertionError("defer() does not return")

    def on_findings(self, context: Context, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Pass the findings on, or skip the run if its window brought neither them nor mails."""
        if not event["findings"] and not event["mails"]:
            raise AirflowSkipException("all trainings were well in this window")
        findings: list[dict[str, Any]] = event["findings"]
        return findings
