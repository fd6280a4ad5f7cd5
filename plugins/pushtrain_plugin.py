"""The only file that Airflow's plugin loader sees."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

# What the DAG files import, imported here as well: tasks are forked from processes that have
# loaded the plugins, and would else import all of it anew, each for itself (half of a round's
# overhead, see `make bench-overhead`).
from airflow.providers.standard.operators import trigger_dagrun  # noqa: F401  # see above

from pushtrain.operators import training  # noqa: F401  # see above
from pushtrain.sensors import push, trainings  # noqa: F401  # see above


class PushtrainPlugin(AirflowPlugin):
    """Names the plugin; what it adds to Airflow's UI hangs here."""

    name = "pushtrain"
