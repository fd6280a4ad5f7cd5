"""Pushes scripts to the model repo in the volume of the compose set-up; runs in Airflow's image.

Prints the commit, or nothing if the scripts that lie in the repo are these already.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pushtrain.local.model_repo import ModelRepo

REPOS = Path("/repos")


def push(repo: ModelRepo, examples: Path) -> str:
    """Push what `examples` holds; return the commit, empty if nothing is new."""
    if not repo.exists:
        repo.make()
    repo.lay_examples(examples)
    if not repo.git("status", "--porcelain"):
        return ""
    return repo.commit_and_push("Push training scripts")


def main() -> int:
    """Push the scripts of one folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", type=Path, help="folder with scripts and a pyproject.toml")
    given = parser.parse_args()
    print(push(ModelRepo(bare=REPOS / "models.git", clone=REPOS / "models"), given.examples))
    return 0


if __name__ == "__main__":
    sys.exit(main())
