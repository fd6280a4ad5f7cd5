"""Makes sure of the base image: given, pulled, or bootstrapped from Debian's packages."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pushtrain.errors import ConfigurationError, OutsideError, PushtrainError
from pushtrain.local import docker_command, packages, registry
from pushtrain.local.paths import CHECKOUT, Home, current_home
from pushtrain.local.state_file import read_state, write_state

PUBLIC_BASE = "python:3.11-slim-bookworm"
RECIPE = CHECKOUT / "training_images" / "base"
SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
IN_IMAGE = "/etc/ssl/certs/ca-certificates.crt"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
LABEL = "pushtrain.image"


def ensure_base(home: Home) -> str:
    """Return the name of a local base image, making it where it is missing.

    `BASE_IMAGE` in the environment wins. Else it is `PUBLIC_BASE` if that is here or can be
    pulled, with the host's certificate authorities added where the host has its own; else
    what `training_images/base/bootstrap.sh` makes.

    Raises:
        ConfigurationError: `BASE_IMAGE` is neither here nor can be pulled.
        OutsideError: There is no registry and no way to bootstrap; says what to do.
    """
    if given := os.environ.get("BASE_IMAGE", ""):
        if not docker_command.image_id(given) and not registry.pull(given, home.logs):
            raise ConfigurationError(
                f"BASE_IMAGE is {given!r}: it is not here and could not be pulled; name another "
                "one or leave it out"
            )
        return given
    bootstrapped = _name("bootstrap.sh", _bundle() or SYSTEM_BUNDLE)
    if not docker_command.image_id(PUBLIC_BASE):
        # an earlier bootstrap saves the wait for a registry that does not answer
        if docker_command.image_id(bootstrapped):
            return bootstrapped
        if not registry.pull(PUBLIC_BASE, home.logs):
            return _bootstrap(bootstrapped, home)
    return _with_authorities(home)


def _bundle() -> Path | None:
    """Return the bundle of authorities that this host's user points programs to."""
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        path = Path(os.environ.get(variable, ""))
        if path.is_file():
            return path
    return None


def _name(recipe: str, *inputs: Path, extra: str = "") -> str:
    digest = hashlib.sha256(f"{os.uname().machine}\n{extra}\n".encode())
    for path in (RECIPE / recipe, *inputs):
        digest.update(path.read_bytes() if path.is_file() else b"")
        digest.update(b"\0")
    return f"pushtrain-base:{digest.hexdigest()[:12]}"


def _with_authorities(home: Home) -> str:
    bundle = _bundle()
    if bundle is None:
        return PUBLIC_BASE
    name = _name("Dockerfile", bundle, extra=docker_command.image_id(PUBLIC_BASE))
    if docker_command.image_id(name):
        return name
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(RECIPE / "Dockerfile", folder)
        shutil.copy(bundle, Path(folder) / "ca-certificates.crt")
        command = ["docker", "build", "-q", "-t", name, "--label", f"{LABEL}=base", folder]
        environment = docker_command.build_environment()
        docker_command.run_logged(command, home.logs / "base-image.log", environment)
    return name


def _bootstrap(name: str, home: Home) -> str:
    log = home.logs / "base-image.log"
    print(
        f"base image: {PUBLIC_BASE} is not here and no registry answers; making the same from "
        f"Debian's packages (about 45 s; log: {log})",
        flush=True,
    )
    _ensure_debootstrap(home)
    bundle = _bundle() or SYSTEM_BUNDLE
    if not bundle.is_file():
        raise OutsideError(f"{bundle} is missing: install ca-certificates")
    # not in /tmp: it may be small, or mounted without devices
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="pushtrain-base-") as folder:
        archive = Path(folder) / "root.tar"
        _make_archive(Path(folder) / "root", bundle, archive, log)
        settings = [f"ENV {v}={IN_IMAGE}" for v in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")]
        settings += [f"ENV PIP_CERT={IN_IMAGE}", "ENV LANG=C.UTF-8", 'CMD ["python3"]']
        settings += [f"LABEL {LABEL}=base"]
        changes = [part for each in settings for part in ("--change", each)]
        command = ["docker", "import", *changes, str(archive), name]
        docker_command.run_logged(command, home.logs / "base-import.log")
    return name


def _make_archive(root: Path, bundle: Path, archive: Path, log: Path) -> None:
    mirror = os.environ.get("PUSHTRAIN_DEBIAN_MIRROR", "http://deb.debian.org/debian")
    command = ["bash", str(RECIPE / "bootstrap.sh"), *map(str, (root, bundle, KEYRING)), mirror]
    with archive.open("wb") as target, log.open("wb") as sink:
        made = subprocess.run(command, stdout=target, stderr=sink, check=False)
    if made.returncode:
        raise OutsideError(
            f"the base image could not be bootstrapped from {mirror} (PUSHTRAIN_DEBIAN_MIRROR "
            f"names another mirror); whole log: {log}\n{docker_command.last_lines(log)}"
        )


def _ensure_debootstrap(home: Home) -> None:
    where = f"{PUBLIC_BASE} can not be pulled"
    if os.geteuid() != 0:
        raise OutsideError(
            f"{where}, and to make it from Debian's packages takes root: run `make base` once as "
            "root, or set BASE_IMAGE to a Debian image with Python 3.11 that is here"
        )
    if shutil.which("debootstrap") and KEYRING.is_file():
        return
    if reason := packages.why_not():
        raise OutsideError(
            f"{where}, and debootstrap can not be installed because {reason}: set BASE_IMAGE to "
            "a Debian image with Python 3.11 that is here"
        )
    packages.install(["debootstrap", "debian-archive-keyring"], home.logs / "apt.log")


def main() -> int:
    """Make sure of the base image and print its name, alone on stdout with `--print`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--print", action="store_true", help="print the last name, make nothing")
    home = current_home()
    home.make()
    if parser.parse_args().print:
        print(read_state(home.state / "base.json").get("image", ""))
        return 0
    started = time.monotonic()
    try:
        name = ensure_base(home)
    except PushtrainError as err:
        print(f"base image: {err}", file=sys.stderr)
        return 1
    write_state(home.state / "base.json", {"image": name})
    print(f"base image: {name} ({time.monotonic() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
