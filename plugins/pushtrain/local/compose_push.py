"""Pushes scripts to the model repo in the volume of the compose set-up; runs in Airflow's image."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pushtrain.local.model_repo import WATCHED_PATH, ModelRepo

REPO = ModelRepo(bare=Path("/repos/models.git"), clone=Path("/repos/models"))


def push(repo: ModelRepo, examples: Path) -> list[str]:
    """Push the scripts of a folder and return those that are new or changed, maybe none."""
    if not repo.exists:
        repo.make()
    repo.lay_examples(examples)
    repo.git("add", "--all")
    staged = repo.git("diff", "--cached", "--name-only").splitlines()
    if staged:
        repo.commit_and_push(f"Push {len(staged)} files")
    return [path for path in staged if path.startswith(f"{WATCHED_PATH}/")]


def main() -> int:
    """Push the scripts of one folder and print the commit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", type=Path, help="folder with scripts and a pyproject.toml")
    push(REPO, parser.parse_args().examples)
    print(REPO.git("rev-parse", "HEAD"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
