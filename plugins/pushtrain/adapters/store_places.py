"""Where the store's folders and files lie."""

from __future__ import annotations

from pathlib import Path


class StorePlaces:
    """Names the places below one root folder; reads and writes none of them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def experiments_dir(self) -> Path:
        """Folder of the experiments; a store has it from its first day on."""
        return self.root / "experiments"

    def mirror_dir(self, repo: str) -> Path:
        """Folder of the bare mirror of a model repo."""
        return self.root / "repos" / f"{repo}.git"

    def experiment_dir(self, experiment: str) -> Path:
        """Folder of an experiment."""
        return self.experiments_dir / experiment

    def round_dir(self, experiment: str, round_number: int) -> Path:
        """Folder of a round."""
        return self.experiment_dir(experiment) / "rounds" / str(round_number)

    def source_dir(self, experiment: str, round_number: int) -> Path:
        """The tree that is trained; user code can write to it."""
        return self.round_dir(experiment, round_number) / "source"

    def output_dir(self, experiment: str, round_number: int) -> Path:
        """What the trainer writes; user code can write to it."""
        return self.round_dir(experiment, round_number) / "output"

    def attempt_log(self, experiment: str, round_number: int, attempt: int) -> Path:
        """The last lines that an attempt's container printed."""
        return self.round_dir(experiment, round_number) / "attempts" / f"{attempt}.log"

    def attempt_stack(self, experiment: str, round_number: int, attempt: int) -> Path:
        """Where every thread of an attempt stood that hung; there only if it could be told."""
        return self.round_dir(experiment, round_number) / "attempts" / f"{attempt}.stack.txt"

    def kept_result(self, experiment: str, round_number: int, attempt: int) -> Path:
        """What an attempt left as its result, out of reach of all trainings."""
        return self.round_dir(experiment, round_number) / "results" / f"{attempt}.json"

    def models_dir(self, script_slug: str) -> Path:
        """Folder of the published models of a script."""
        return self.root / "models" / script_slug

    def dry_dir(self, experiment: str, round_number: int, number: int) -> Path:
        """Folder of a dry build of a proposal for a round; user code can write below it."""
        return self.round_dir(experiment, round_number) / "dry" / str(number)
