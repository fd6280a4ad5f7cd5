"""Asks a running Airflow over HTTP: far quicker than its command line (2-5 s a call)."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pushtrain.errors import OutsideError

TIMEOUT_SECONDS = 30.0
# what /monitor/health has an entry for, and what a person calls it
PARTS = {
    "metadatabase": "database",
    "scheduler": "scheduler",
    "triggerer": "triggerer",
    "dag_processor": "dag-processor",
}
# asked directly: a proxy of the environment has no business with this machine
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class AirflowApi:
    """A small client of one Airflow.

    Attributes:
        base_url: Address of the UI.
        user: Name of the user.
        password: Its password; None: only what needs no user can be asked.
    """

    base_url: str
    user: str = "admin"
    password: str | None = field(default=None, repr=False)
    _token: str = field(default="", repr=False)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request and return the JSON of the answer, None for an empty one.

        Raises:
            OutsideError: No answer, or a status of 400 and above; with the status in it.
        """
        headers = {"Content-Type": "application/json"}
        if self.password is not None and path != "/auth/token":
            headers["Authorization"] = f"Bearer {self._get_token()}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(
            f"{self.base_url}{path}", data=data, headers=headers, method=method
        )
        try:
            with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as err:
            detail = err.read().decode(errors="replace")[:500]
            raise OutsideError(f"{method} {path}: HTTP {err.code}: {detail}") from err
        except (OSError, http.client.HTTPException) as err:
            raise OutsideError(f"{method} {self.base_url}{path}: {err}") from err
        return json.loads(text) if text else None

    def _get_token(self) -> str:
        if not self._token:
            login = {"username": self.user, "password": self.password}
            self._token = str(self.call("POST", "/auth/token", login)["access_token"])
        return self._token

    def log_in(self) -> None:
        """Get a token, which only the Airflow that the password belongs to gives."""
        self._get_token()

    def sick_parts(self) -> dict[str, str]:
        """Return the parts that are not healthy, with what Airflow says of them.

        Raises:
            OutsideError: The api-server does not answer.
        """
        health = self.call("GET", "/api/v2/monitor/health")
        states = {name: (health.get(name) or {}).get("status") for name in PARTS}
        return {PARTS[n]: str(s or "not seen") for n, s in states.items() if s != "healthy"}

    def import_errors(self) -> list[str]:
        """Return what is wrong with DAG files, one text a file."""
        found = self.call("GET", "/api/v2/importErrors?limit=20")["import_errors"]
        return [f"{e['filename']}: {e['stack_trace']}" for e in found]

    def dag_ids(self) -> set[str]:
        """Return the ids of the DAGs that were read."""
        return {str(d["dag_id"]) for d in self.call("GET", "/api/v2/dags?limit=100")["dags"]}

    def warm_execution_api(self) -> None:
        """Have the api-server build what it otherwise builds at the first task (5-6 CPU s)."""
        # without a user: tokens of the UI are not for the execution API, and it logs an error
        AirflowApi(self.base_url).call("GET", "/execution/health")


def read_password(airflow_home: Path, user: str = "admin") -> str | None:
    """Return the password that Airflow made up for a user, None before its first start."""
    path = airflow_home / "simple_auth_manager_passwords.json.generated"
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))[user])
    except (OSError, ValueError, KeyError):
        return None
