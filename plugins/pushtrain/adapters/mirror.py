"""A bare mirror of the model repo, in which every round of an experiment is a commit."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pushtrain.adapters.disk_errors import clear_disk_errors
from pushtrain.adapters.git_arguments import PROTOCOLS, PROTOCOLS_WITH_FILES, shown_url
from pushtrain.errors import ConfigurationError, OutsideError
from pushtrain.slugs import slug

# Text files larger than this are data, not code; a notebook holds the pictures that it printed.
MAX_SOURCE_BYTES = 2**20
MAX_NOTEBOOK_BYTES = 2**23

# Refs of our own in the mirror: one per watched branch with the commit that was seen last, and
# one per experiment with its last round.
SEEN_REFS = "refs/pushtrain-seen/"
EXPERIMENT_REFS = "refs/pushtrain/"

_SECONDS = 300  # a first fetch over a slow line; git ends by itself when the line breaks
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "pushtrain"), ("EMAIL", "pushtrain@localhost"))
}


# git alone leaves new commits to the page cache: a power cut would take a tweak's commit, while
# the record that names it is on the disk
_DURABLY = ("-c", "core.fsync=all", "-c", "core.fsyncMethod=batch")

_COMMIT = re.compile(r"[0-9a-f]{4,40}")

# what `git rev-parse --local-env-vars` names, but for the configuration: it holds credentials
_AROUND_US = frozenset({
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_SHALLOW_FILE",
})  # fmt: skip


@dataclass(frozen=True)
class CommitInfo:
    """Who made a commit and what its first line says."""

    author_name: str
    author_email: str
    subject: str


def repo_slug(url: str) -> str:
    """Return a folder name for a model repo: its last part and a hash of the whole URL."""
    name = PurePosixPath(re.split(r"[:/]", url.rstrip("/"))[-1]).name.removesuffix(".git")
    return f"{slug(name)}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def _fetched(full: str) -> str:
    # flat: a branch `a` that was fetched once must not be in the way of a branch `a/b`
    return f"refs/pushtrain-fetched/{slug(full)}-{hashlib.sha256(full.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Mirror:
    """Runs git on one bare repository.

    Refs of our own lie below `refs/pushtrain/`; what is fetched goes to `refs/pushtrain-fetched/`.
    Submodules and LFS objects are not fetched.

    Attributes:
        path: Folder of the bare repository.
        url: The model repo, checked by `check_repo_url`.
        env: Variables that hold the credentials (GitHook's).
        allow_files: Whether git may use the file transport.
    """

    path: Path
    url: str
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow_files: bool = False

    # ----------------------------------------------------------------- fetch
    def fetch(self, ref: str) -> str:
        """Fetch a branch, a tag or a commit and return the commit.

        Raises:
            ConfigurationError: The model repo has no such ref.
            OutsideError: The model repo can not be reached, or the mirror's disk not be written.
        """
        with clear_disk_errors(self.path):
            self.path.parent.mkdir(exist_ok=True)
        with self._locked():
            if not (self.path / "HEAD").exists():
                self._git("init", "--quiet", "--bare", str(self.path), inside=False)
            full = self._full_name(ref)
            # any commit of any branch can be named, also by its first characters; a server does
            # not have to give out single commits, so all branches are fetched then
            spec = f"+{full}:{_fetched(full)}" if full else "+refs/heads/*:refs/remotes/origin/*"
            self._git("fetch", "--quiet", "--no-tags", "--prune", "--", self.url, spec)
        # no other name: it could be a ref of our own, or one that the model repo has no more
        name = _fetched(full) if full else ref if _COMMIT.fullmatch(ref) else ""
        commit = self._resolve(name) if name else None
        if commit is None:
            raise ConfigurationError(
                f"ref {ref!r}: {shown_url(self.url)} has no such branch, tag or commit"
            )
        return commit

    def _full_name(self, ref: str) -> str | None:
        """Return the full name of a branch or tag that the model repo has now."""
        listed = self._git("ls-remote", "--", self.url, inside=False)
        refs = {line.split("\t", 1)[1] for line in listed.splitlines()}
        names = (f"refs/heads/{ref}", f"refs/tags/{ref}")
        return next((name for name in names if name in refs), None)

    def _resolve(self, name: str) -> str | None:
        out = self._git("rev-parse", "--verify", "--quiet", "--end-of-options",
                        f"{name}^{{commit}}", ok=(0, 1, 128))  # fmt: skip
        return out.strip() or None

    # ------------------------------------------------------------------ read
    def parent(self, commit: str) -> str:
        """Return the first parent of a commit; of a root commit the empty tree."""
        return self._resolve(f"{commit}^1") or _EMPTY_TREE

    def info(self, commit: str) -> CommitInfo:
        """Return author and subject of a commit."""
        out = self._git("log", "-1", "--format=%an%x00%ae%x00%s", "--end-of-options", commit)
        name, email, subject = out.rstrip("\n").split("\0")
        return CommitInfo(name, email, subject)

    def sources(self, commit: str) -> dict[str, str]:
        """Return path -> text of all Python files and notebooks of a commit, and pyproject.toml.

        Bytes that are no UTF-8 stand as surrogates (`surrogateescape`); links, submodules and
        files over `MAX_SOURCE_BYTES` (notebooks: `MAX_NOTEBOOK_BYTES`) are left out.
        """
        listed = self._git("ls-tree", "-r", "-z", "--long", "--full-tree", commit)
        blobs = {}
        for entry in filter(None, listed.split("\0")):
            meta, path = entry.split("\t", 1)
            mode, _, sha, size = meta.split()
            most = MAX_NOTEBOOK_BYTES if path.endswith(".ipynb") else MAX_SOURCE_BYTES
            wanted = path.endswith((".py", ".ipynb")) or path == "pyproject.toml"
            if wanted and mode.startswith("100") and int(size) <= most:
                blobs[path] = sha
        return dict(zip(blobs, self._contents(list(blobs.values())), strict=True))

    def _contents(self, shas: list[str]) -> list[str]:
        raw = self._run("cat-file", "--batch", data="".join(f"{s}\n" for s in shas).encode())
        texts, at = [], 0
        for _ in shas:
            end = raw.index(b"\n", at)
            size = int(raw[at:end].split()[-1])
            texts.append(raw[end + 1 : end + 1 + size].decode("utf-8", "surrogateescape"))
            at = end + 1 + size + 1
        return texts

    def diff(self, old: str, new: str) -> str:
        """Return the unified diff between two commits."""
        return self._git("diff", "--no-color", "--no-ext-diff", "--no-textconv",
                         "--end-of-options", old, new)  # fmt: skip

    def export(self, commit: str, folder: Path) -> None:
        """Write the tree of a commit into an empty folder."""
        with tempfile.TemporaryDirectory(prefix="pushtrain-index-") as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index"), "GIT_LFS_SKIP_SMUDGE": "1"}
            self._git("read-tree", commit, env=index)
            tree = f"--work-tree={folder}"
            self._git(tree, "checkout-index", "--all", "--force", env=index)

    # ----------------------------------------------------------------- write
    def commit_files(
        self, parent: str, files: Mapping[str, str], message: str, ref: str = ""
    ) -> str:
        """Commit changed files on top of `parent` and return the commit.

        Args:
            parent: Commit whose tree is changed.
            files: New text by path; the files are there already.
            message: Of the commit.
            ref: A ref of our own that is to point at it; empty: the caller sets one, before git
                prunes what no ref leads to (two weeks).
        """
        with tempfile.TemporaryDirectory(prefix="pushtrain-index-") as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            self._git("read-tree", parent, env=index)
            for path, text in files.items():
                mode = self._git("ls-files", "--stage", "--", path, env=index).split()[0]
                content = text.encode("utf-8", "surrogateescape")
                sha = self._git("hash-object", "-w", "--stdin", data=content).strip()
                self._git("update-index", "--cacheinfo", f"{mode},{sha},{path}", env=index)
            tree = self._git("write-tree", env=index).strip()
        commit = self._commit(tree, parent, message)
        if ref:
            self.set_ref(ref, commit)
        return commit

    def commit_tree_of(self, commit: str, parent: str, message: str, *, when: str = "") -> str:
        """Commit the whole tree of another commit on top of `parent` and return the new one.

        Args:
            commit: Whose tree it is.
            parent: What it comes after.
            message: Of the new commit.
            when: Its date, such as `git log` writes it; the same one makes the same commit.
        """
        return self._commit(f"{commit}^{{tree}}", parent, message, when=when)

    def _commit(self, tree: str, parent: str, message: str, *, when: str = "") -> str:
        dates = {f"GIT_{who}_DATE": when for who in ("AUTHOR", "COMMITTER")} if when else {}
        return self._git(
            "commit-tree", tree, "-p", parent, "-F", "-",
            data=message.encode("utf-8", "replace"), env=_AUTHOR | dates,
        ).strip()  # fmt: skip

    def tree(self, commit: str) -> str:
        """Return the tree of a commit: equal for commits with equal files."""
        return self._git("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}").strip()

    def date(self, commit: str) -> str:
        """Return when a commit was made, for `commit_tree_of`."""
        return self._git("log", "-1", "--format=%cI", "--end-of-options", commit).strip()

    def advance(self, ref: str, commit: str) -> None:
        """Point a ref of our own at a commit, unless it is there or beyond it."""
        now = self._resolve(ref)
        if now is None or not self._contains(now, commit):
            self.set_ref(ref, commit)

    def _contains(self, commit: str, older: str) -> bool:
        return self._git("merge-base", commit, older, ok=(0, 1)).strip() == older

    def set_ref(self, ref: str, commit: str) -> None:
        """Point a ref of our own at a commit."""
        with self._locked():
            self._git("update-ref", ref, commit)

    def ref(self, ref: str) -> str | None:
        """Return the commit that a ref of our own points at, None if there is no such ref."""
        return self._resolve(ref)

    def push(self, commit: str, branch: str) -> None:
        """Point a branch of the model repo at a commit; it belongs to us and is overwritten.

        Raises:
            OutsideError: The model repo refused it or can not be reached.
        """
        listed = self._git("ls-remote", "--", self.url, f"refs/heads/{branch}", inside=False)
        if listed.split("\t")[0] == commit:
            return  # a push that changes nothing could still start somebody's hooks
        self._git("push", "--quiet", "--", self.url, f"+{commit}:refs/heads/{branch}")

    # ------------------------------------------------------------------- git
    @contextmanager
    def _locked(self) -> Iterator[None]:
        # two fetches at once fail on git's own ref locks
        with clear_disk_errors(self.path):
            file = self.path.with_suffix(".lock").open("w")
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _git(
        self,
        *arguments: str,
        data: bytes | None = None,
        env: Mapping[str, str] | None = None,
        ok: tuple[int, ...] = (0,),
        inside: bool = True,
    ) -> str:
        return self._run(*arguments, data=data, env=env, ok=ok, inside=inside).decode(
            "utf-8", "replace"
        )

    def _run(
        self,
        *arguments: str,
        data: bytes | None = None,
        env: Mapping[str, str] | None = None,
        ok: tuple[int, ...] = (0,),
        inside: bool = True,
    ) -> bytes:
        place = ["--git-dir", str(self.path)] if inside else []
        try:
            done = subprocess.run(
                ["git", *_DURABLY, *place, *arguments],
                input=data if data is not None else b"",
                capture_output=True,
                timeout=_SECONDS,
                check=False,
                env=git_environment(self.env, allow_files=self.allow_files) | dict(env or {}),
            )
        except (OSError, subprocess.TimeoutExpired) as err:
            raise OutsideError(f"git: {err}") from err
        if done.returncode not in ok:
            said = shown_url(done.stderr.decode("utf-8", "replace").strip())
            raise OutsideError(f"git of {shown_url(self.url)} ended with {done.returncode}: {said}")
        return done.stdout


def git_environment(credentials: Mapping[str, str], *, allow_files: bool) -> dict[str, str]:
    """Return the environment for git: no prompt, our transports only, no repository around us."""
    inherited = {k: v for k, v in os.environ.items() if k not in _AROUND_US}
    return inherited | {
        **credentials,
        "GIT_ALLOW_PROTOCOL": PROTOCOLS_WITH_FILES if allow_files else PROTOCOLS,
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
