"""The only file that Airflow's plugin loader sees."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin


class PushtrainPlugin(AirflowPlugin):
    """Names the plugin; what it adds to Airflow's UI hangs here."""

    name = "pushtrain"
