"""What may be handed to git: checked before any command runs."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pushtrain.errors import ConfigurationError

# The transports that git may use for us, whatever its own configuration says: `ext::` runs
# commands.
PROTOCOLS = "https:ssh"
PROTOCOLS_WITH_FILES = "https:ssh:file"

_SCP_LIKE = re.compile(r"git@[A-Za-z0-9][A-Za-z0-9.-]*:[^-].*")
# a user may stand in the URL, a password may not: it would end in records and logs
_HOST = re.compile(
    r"(?:https|ssh)://(?:[^@:/\s-][^@:/\s]*@)?[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?/\S+"
)


def check_repo_url(url: str, *, allow_files: bool) -> str:
    """Return `url` if it names a model repo by an allowed transport.

    Raises:
        ConfigurationError: Another transport, an option, or a file where files are not allowed.
    """
    if _HOST.fullmatch(url) or _SCP_LIKE.fullmatch(url):
        return url
    is_file = url.startswith(("file:///", "/")) and not any(c.isspace() for c in url)
    if is_file and allow_files:
        return url
    allowed = "https://, ssh:// and git@host:path" + (", file://" if allow_files else "")
    hint = "; file:// needs [pushtrain] allow_file_urls = true" if is_file else ""
    if shown_url(url) != url:
        hint = "; put the password into an Airflow connection of type git ([pushtrain] git_conn_id)"
    raise ConfigurationError(f"repo_url {shown_url(url)!r}: give one of {allowed}{hint}")


def shown_url(url: str) -> str:
    """Return `url` without a password, for messages and logs."""
    return re.sub(r"(?<=://)([^/@:]*):[^/@]*@", r"\1:***@", url)


def check_ref(ref: str) -> str:
    """Return `ref` if it can be a branch, a tag or a commit.

    Raises:
        ConfigurationError: It starts with `-` or holds what git allows in no ref.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_./+@-]*", ref) or ".." in ref or "@{" in ref:
        raise ConfigurationError(
            f"ref {ref!r}: give a branch, a tag or a commit (letters, digits and _./+@-, "
            "not starting with '-', no '..')"
        )
    return ref


def check_path(path: str, what: str = "script") -> str:
    """Return `path` if it stays inside the model repo's tree.

    Raises:
        ConfigurationError: It is absolute, starts with `-` or leaves the tree.
    """
    parts = PurePosixPath(path).parts
    odd = any(ord(c) < 32 for c in path) or "\\" in path
    if not parts or path.startswith(("-", "/", ":")) or ".." in parts or ".git" in parts or odd:
        raise ConfigurationError(
            f"{what} {path!r}: give a path inside the model repo, such as model_src/train.py"
        )
    return str(PurePosixPath(path))
