"""Airflow's own command line, with the environment of the embedded Airflow.

In a shell of its own `airflow` would read, and make, the user's own AIRFLOW_HOME.
"""

from __future__ import annotations

import os
import sys

from pushtrain.errors import PushtrainError
from pushtrain.local import mail_catcher
from pushtrain.local.airflow_env import airflow_environment, ports_from
from pushtrain.local.airflow_parts import process_of
from pushtrain.local.paths import CHECKOUT, current_home
from pushtrain.local.standalone import watched_by_operator


def main(arguments: list[str]) -> int:
    """Become `airflow <arguments>`; returns only if there is no embedded Airflow."""
    home = current_home()
    process = process_of(home)
    ports = ports_from(process.state)
    if not process.is_running() or ports is None:
        print("airflow: not running: say `make up` first", file=sys.stderr)
        return 1
    try:
        watched = watched_by_operator(home)
        environment = airflow_environment(home, ports, watched, mail_catcher.mailbox_port(home))
    except PushtrainError as err:
        print(err, file=sys.stderr)
        return 1
    program = CHECKOUT / ".venv" / "bin" / "airflow"
    os.execve(program, [str(program), *arguments], environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
