"""Makes sure that there is a browser for the test of Airflow's UI."""

from __future__ import annotations

import os
import shutil
import sys

from pushtrain.errors import OutsideError
from pushtrain.local import packages
from pushtrain.local.paths import current_home

# on Ubuntu `chromium` is no package but a hint to a snap, so any Chrome that is there will do
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str:
    """Return the path of a Chromium; empty if there is none. `PUSHTRAIN_BROWSER` wins."""
    found = (shutil.which(name) for name in (os.environ.get("PUSHTRAIN_BROWSER", ""), *NAMES))
    return next((path for path in found if path), "")


def main() -> int:
    """Install Debian's Chromium where none is there; say so where that is not possible."""
    if find_browser():
        return 0
    print("browser: none here; installing chromium", flush=True)
    log = current_home().logs / "browser.log"
    try:
        packages.install(["chromium"], log)
    except OutsideError as err:
        print(f"browser: {err}; the test of Airflow's UI will be skipped", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
