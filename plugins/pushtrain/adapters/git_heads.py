"""Asks a model repo for the commit of a branch, without blocking an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from pushtrain.adapters.git_arguments import shown_url
from pushtrain.adapters.mirror import git_environment
from pushtrain.errors import OutsideError

_SECONDS = 30


async def remote_head(
    url: str, branch: str, credentials: Mapping[str, str], *, allow_files: bool
) -> str | None:
    """Return the commit at the head of a branch, None if there is no such branch.

    Raises:
        OutsideError: The model repo can not be reached or did not answer in time.
    """
    wanted = f"refs/heads/{branch}"
    process = await asyncio.create_subprocess_exec(
        "git", "ls-remote", "--", url, wanted,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=git_environment(credentials, allow_files=allow_files),
    )  # fmt: skip
    try:
        out, said = await asyncio.wait_for(process.communicate(), _SECONDS)
    except TimeoutError as err:
        raise OutsideError(f"{shown_url(url)} did not answer within {_SECONDS} s") from err
    finally:
        if process.returncode is None:  # also when the caller was cancelled
            process.kill()
    if process.returncode:
        text = shown_url(said.decode("utf-8", "replace").strip())
        raise OutsideError(f"git ls-remote of {shown_url(url)}: {text}")
    # git compares the end of the name: `x/refs/heads/main` is listed for `main`, too
    listed = (line.split("\t", 1) for line in out.decode("utf-8", "replace").splitlines())
    return next((commit for commit, name in listed if name == wanted), None)
