"""Makes the demo's model repo: a bare repository, and a clone to work in."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pushtrain.errors import OutsideError
from pushtrain.local.paths import CHECKOUT, Home

BRANCH = "main"
WATCHED_PATH = "model_src"
EXAMPLES = CHECKOUT / "model_src"
SETTINGS = "pyproject.toml"
AUTHOR = ("Dana Scientist", "dana@example.com")
README = """# Models

Push a training script below `model_src/`; it trains until it is good.
"""


@dataclass(frozen=True)
class ModelRepo:
    """The bare repository that is watched, and the clone that is pushed from."""

    bare: Path
    clone: Path

    @property
    def url(self) -> str:
        """What Airflow watches."""
        return self.bare.as_uri()

    @property
    def exists(self) -> bool:
        """Whether it was made, as a whole."""
        return (self.clone / ".git").is_dir() and (self.bare / "HEAD").is_file()

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run git in the clone, apart from the user's own configuration and hooks.

        Raises:
            OutsideError: Git failed; with what it said.
        """
        name, address = AUTHOR
        apart = {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": address,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": address,
        }
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.clone,
            env={**inherited, **apart},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise OutsideError(f"git {' '.join(arguments)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout.strip()

    def make(self) -> None:
        """Make both anew, with one commit that holds no script yet."""
        for folder in (self.bare, self.clone):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        self.git("init", "-q", "--bare", "-b", BRANCH, cwd=self.bare)
        self.git("init", "-q", "-b", BRANCH)
        self.git("remote", "add", "origin", self.url)
        (self.clone / "README.md").write_text(README, encoding="utf-8")
        self.commit_and_push("Start the model repo")

    def lay_examples(self, examples: Path = EXAMPLES) -> list[str]:
        """Copy the example scripts and their settings into the clone.

        Returns:
            The paths of the scripts in the repo, sorted.
        """
        target = self.clone / WATCHED_PATH
        target.mkdir(exist_ok=True)
        for path in sorted(examples.glob("*.py")):
            shutil.copy(path, target / path.name)
        if (examples / SETTINGS).is_file():
            shutil.copy(examples / SETTINGS, self.clone / SETTINGS)
        return sorted(f"{WATCHED_PATH}/{path.name}" for path in target.glob("*.py"))

    def commit_and_push(self, message: str) -> str:
        """Commit all that changed in the clone, push it, and return the commit."""
        self.git("add", "--all")
        self.git("commit", "-q", "-m", message)
        self.git("push", "-q", "-u", "origin", BRANCH)
        return self.git("rev-parse", "HEAD")


def model_repo(home: Home) -> ModelRepo:
    """Return the model repo of a home; it may not exist yet."""
    return ModelRepo(bare=home.repo / "models.git", clone=home.repo / "models")
