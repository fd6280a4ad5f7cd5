from __future__ import annotations

import pytest

from pushtrain.adapters.git_arguments import check_path, check_ref, check_repo_url, shown_url
from pushtrain.errors import ConfigurationError


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/team/models.git",
        "https://example.com:8443/models",
        "https://ann@example.com/models.git",
        "ssh://git@example.com:2222/team/models.git",
        "ssh://example.com/models.git",
        "git@example.com:team/models.git",
    ],
)
def test_allowed_transports_pass_unchanged(url: str) -> None:
    assert check_repo_url(url, allow_files=False) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://example.com/models.git",
        "git://example.com/models.git",
        "ext::sh -c touch% /tmp/x",
        "fd::17",
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=touch /tmp/x",
        "ssh://-oProxyCommand=touch/x",
        "ssh://git@-oProxyCommand=touch/x",
        "ssh://-oProxyCommand=x@example.com/models.git",
        "git@-oProxyCommand=touch:x",
        "git@example.com:-x",
        "someone@example.com:models.git",
        "https://example.com/models.git\n--upload-pack=x",
        "https://example.com/a b",
        "https:///models.git",
        "file:///srv/models.git",
        "/srv/models.git",
        "models.git",
        "../models.git",
        "C:\\models",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="repo_url"):
        check_repo_url(url, allow_files=False)


@pytest.mark.parametrize("url", ["file:///srv/models.git", "/srv/models.git"])
def test_files_pass_only_where_they_are_enabled(url: str) -> None:
    assert check_repo_url(url, allow_files=True) == url
    with pytest.raises(ConfigurationError, match="allow_file_urls = true"):
        check_repo_url(url, allow_files=False)


@pytest.mark.parametrize("url", ["file://host/models.git", "models.git", "ext::sh", "-x", "/a\n/b"])
def test_enabled_files_let_nothing_else_pass(url: str) -> None:
    with pytest.raises(ConfigurationError):
        check_repo_url(url, allow_files=True)


def test_a_password_in_a_url_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError, match="git_conn_id") as caught:
        check_repo_url("https://ann:s3cret@example.com/models.git", allow_files=False)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ann:s3cret@example.com/m", "https://ann:***@example.com/m"),
        ("https://:s3cret@example.com/m", "https://:***@example.com/m"),
        ("fatal: 'https://a:b@example.com/m': no", "fatal: 'https://a:***@example.com/m': no"),
        ("https://ann@example.com:8443/m", "https://ann@example.com:8443/m"),
        ("git@example.com:m", "git@example.com:m"),
    ],
)
def test_shown_url_has_no_password(url: str, shown: str) -> None:
    assert shown_url(url) == shown


@pytest.mark.parametrize("ref", ["main", "feature/cnn-2", "v1.0", "0123abc", "user@home", "a+b"])
def test_refs_of_git_pass(ref: str) -> None:
    assert check_ref(ref) == ref


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "-x",
        "--all",
        "a..b",
        "a b",
        "a:b",
        "a^",
        "a~1",
        "main@{1}",
        "a\n",
        "*",
        "/a",
        ".a",
        "$(x)",
    ],
)
def test_what_is_no_ref_is_refused(ref: str) -> None:
    with pytest.raises(ConfigurationError, match="give a branch, a tag or a commit"):
        check_ref(ref)


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("model_src/a.py", "model_src/a.py"),
        ("./a.py", "a.py"),
        ("a//b.py", "a/b.py"),
        ("a b/ü.py", "a b/ü.py"),
        ("a..b.py", "a..b.py"),
    ],
)
def test_paths_inside_the_tree_pass(path: str, clean: str) -> None:
    assert check_path(path) == clean


@pytest.mark.parametrize(
    "path",
    ["", ".", "/etc/passwd", "../a.py", "a/../../b.py", "-x.py", ":(top)a.py", ".git/config",
     "a/.git/hooks/x", "a\\b.py", "a\nb.py", "a\0b.py"],
)  # fmt: skip
def test_paths_that_leave_the_tree_are_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^data '.*inside the model repo"):
        check_path(path, "data")
