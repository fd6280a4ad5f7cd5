"""Waits in the triggerer until the watched branch has a commit that is not known yet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from airflow.providers.git.hooks.git import GitHook
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from pushtrain.adapters.git_heads import remote_head
from pushtrain.errors import OutsideError

# configure_hook_env() changes os.environ: two interleaved uses in one triggerer would leave the
# token of one repository behind for another
_ENVIRONMENT = asyncio.Lock()


class PushTrigger(BaseTrigger):
    """Fires `{"commit": sha}` for a new head, `{"commit": None}` at the end of its window.

    A model repo that can not be reached is a passing fault: it is logged and asked again at the
    next poll. The trigger reads nothing but the repo's refs; what a commit means is decided by
    the task that it wakes.

    Args:
        repo_url: The model repo.
        branch: The watched branch.
        known: The head that was seen last, empty if none was.
        deadline: Unix time of the window's end; absolute, so that a restart does not begin a
            new window. The repo is asked at least once.
        poll_seconds: Time between two questions.
        git_conn_id: Airflow connection with the credentials, empty for none.
        allow_files: Whether git may use the file transport.
    """

    def __init__(
        self,
        *,
        repo_url: str,
        branch: str,
        known: str,
        deadline: float,
        poll_seconds: float,
        git_conn_id: str,
        allow_files: bool,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's base has no types
        self.repo_url = repo_url
        self.branch = branch
        self.known = known
        self.deadline = deadline
        self.poll_seconds = poll_seconds
        self.git_conn_id = git_conn_id
        self.allow_files = allow_files

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments that rebuild the trigger."""
        names = (
            "repo_url", "branch", "known", "deadline", "poll_seconds", "git_conn_id", "allow_files",
        )  # fmt: skip
        return (
            f"{type(self).__module__}.{type(self).__name__}",
            {name: getattr(self, name) for name in names},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask the model repo for its head until it is a new one or the window ends."""
        while True:
            try:
                head = await self._head()
            except OutsideError as err:
                self.log.warning("the model repo can not be asked, trying again: %s", err)
            else:
                if head and head != self.known:
                    yield _event(head)
                    return
            if time.time() + self.poll_seconds > self.deadline:
                yield _event(None)
                return
            await asyncio.sleep(self.poll_seconds)

    async def _head(self) -> str | None:
        if not self.git_conn_id:
            return await self._ask(self.repo_url, {}, nullcontext())
        hook = await sync_to_async(GitHook)(self.git_conn_id, self.repo_url)
        async with _ENVIRONMENT:
            return await self._ask(str(hook.repo_url), hook.env, hook.configure_hook_env())

    async def _ask(
        self, url: str, credentials: dict[str, str], prepared: AbstractContextManager[None]
    ) -> str | None:
        with prepared:
            return await remote_head(url, self.branch, credentials, allow_files=self.allow_files)


def _event(commit: str | None) -> TriggerEvent:
    return TriggerEvent({"commit": commit})  # type: ignore[no-untyped-call]  # no types there
