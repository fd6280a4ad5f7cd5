"""Opens the mirror of a model repo with the credentials of its Airflow connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.git.hooks.git import GitHook

from pushtrain.adapters.git_arguments import check_repo_url
from pushtrain.adapters.mirror import Mirror, repo_slug
from pushtrain.adapters.store import Store
from pushtrain.settings import Settings


@contextmanager
def opened(config: Settings, url: str) -> Iterator[Mirror]:
    """Yield the mirror of a model repo; credentials live only as long as the context.

    Args:
        config: The operator's settings.
        url: The model repo. Credentials are used for the watched repo only: a run that names
            another repo must not get them.

    Raises:
        ConfigurationError: The URL is not allowed.
    """
    check_repo_url(url, allow_files=config.allow_file_urls)
    path = Store(config.store_path).mirror_dir(repo_slug(url))
    if not config.git_conn_id or url != config.repo_url:
        yield Mirror(path, url, allow_files=config.allow_file_urls)
        return
    hook = GitHook(config.git_conn_id, url)
    with hook.configure_hook_env():
        yield Mirror(path, str(hook.repo_url), dict(hook.env), config.allow_file_urls)
