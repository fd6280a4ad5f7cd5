"""The full set-up by hand: `up`, `demo` and `down` of docker-compose.airflow.yml.

Run as `python -m pushtrain.local.compose up` (`make compose-up`).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from pushtrain.errors import ConfigurationError, OutsideError, PushtrainError
from pushtrain.local import compose_env, engine
from pushtrain.local.base_image import ensure_base
from pushtrain.local.compose_images import ensure_airflow_image, ensure_service_images
from pushtrain.local.compose_stack import Stack, compose_command, one_shot
from pushtrain.local.images import ensure_images
from pushtrain.local.model_repo import EXAMPLES
from pushtrain.local.paths import CHECKOUT, Home, current_home

PROJECT = "pushtrain"
ENV_FILE = CHECKOUT / ".env"
# an address of this kind follows WEB_PORT; any other was chosen by the operator
LOCAL_PAGE = "http://localhost:"


def prepare(env_file: Path, home: Home) -> dict[str, str]:
    """Make the env file and every image that it names; return its variables.

    Raises:
        PushtrainError: No engine, or an image can neither be pulled nor built.
    """
    home.make()
    _check_readable()
    report = engine.ensure_engine(home.logs)
    if report.state is not engine.EngineState.UP:
        raise OutsideError(report.line)
    chosen = compose_env.ensure(env_file, engine.engine_url())
    base = ensure_base(home)
    values = {
        f"AIRFLOW__PUSHTRAIN__IMAGE_{family.upper()}": name
        for family, name in ensure_images(home, base).items()
    }
    values["AIRFLOW_IMAGE"] = ensure_airflow_image(base, home)
    values |= ensure_service_images(chosen, base, home)
    if chosen.get("PAGE_URL", LOCAL_PAGE).startswith(LOCAL_PAGE):
        values["PAGE_URL"] = f"{LOCAL_PAGE}{chosen.get('WEB_PORT', '8080')}"
    compose_env.update(env_file, values)
    return chosen | values


def _check_readable() -> None:
    for name in ("dags", "plugins", "model_src"):
        if (CHECKOUT / name).stat().st_mode & 0o005 != 0o005:
            raise ConfigurationError(
                f"{CHECKOUT / name} is closed to others, but the containers read it as user "
                f"50000: say `chmod -R o+rX {CHECKOUT / name}`"
            )


def up(home: Home) -> dict[str, str]:
    """Start the set-up, wait until all is healthy, and say where the page is."""
    started = time.monotonic()
    stack = Stack(compose_command(home), PROJECT, ENV_FILE)
    variables = prepare(ENV_FILE, home)
    prepared = time.monotonic()
    healthy_seconds = stack.up()
    print(
        f"healthy: {variables['PAGE_URL']}, user admin, password {variables['ADMIN_PASSWORD']} "
        f"(images {prepared - started:.0f} s, start {healthy_seconds:.0f} s)"
    )
    return variables


def demo(home: Home) -> bool:
    """Start the set-up, push the examples, and follow them; True if all reached their target."""
    variables = up(home)
    mounts = {
        variables.get("STORE_VOLUME", "pushtrain_store"): "/store:ro",
        variables.get("REPOS_VOLUME", "pushtrain_repos"): "/repos",
        str(EXAMPLES): "/examples:ro",
    }
    command = ["python3", "-m", "pushtrain.local.compose_follow", "/examples"]
    if minutes := os.environ.get("PUSHTRAIN_DEMO_MINUTES"):
        command += ["--minutes", minutes]
    image = variables["AIRFLOW_IMAGE"]
    is_good = one_shot(image, mounts, *command, terminal=True).returncode == 0
    print(
        f"  page   {variables['PAGE_URL']}   user admin, password {variables['ADMIN_PASSWORD']}\n"
        f"  mails  volume {variables.get('MAIL_VOLUME', 'pushtrain_mail')}\n"
        "  it goes on watching; `make compose-down` stops it"
    )
    return is_good


def down(home: Home, *, volumes: bool) -> None:
    """Stop and remove the containers; with `volumes` the store, the repo and the mails too."""
    if not ENV_FILE.exists():
        print(f"nothing to stop: there is no {ENV_FILE}")
        return
    Stack(compose_command(home), PROJECT, ENV_FILE).down(volumes=volumes)


def main() -> int:
    """Do what the first argument says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=["up", "demo", "down"])
    parser.add_argument("--volumes", action="store_true", help="with down: remove what is stored")
    arguments = parser.parse_args()
    home = current_home()
    try:
        if arguments.verb == "down":
            down(home, volumes=arguments.volumes)
        elif arguments.verb == "demo":
            return 0 if demo(home) else 1
        else:
            up(home)
    except PushtrainError as err:
        print(f"compose: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("compose: interrupted; what runs goes on, `make compose-down` stops it")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
