"""The task `tweak_model`: the next versions of the script, each as a commit of its own."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from pushtrain import settings
from pushtrain.adapters import oracle_process
from pushtrain.adapters.mirror import EXPERIMENT_REFS, Mirror
from pushtrain.adapters.store import Store
from pushtrain.analysis.knobs import find_knobs
from pushtrain.contract import Experiment, State, Step
from pushtrain.errors import ScriptError
from pushtrain.history import Refusal, RoundOutcome, Tweak
from pushtrain.operators.dry_building import refusal_of
from pushtrain.operators.fetching import run_of
from pushtrain.operators.notifying import give_up
from pushtrain.rules.budget import next_batch_size
from pushtrain.rules.commit_messages import go_back_message, tweak_message
from pushtrain.rules.memory import needs_more
from pushtrain.settings import Settings
from pushtrain.tuning.proposals import NothingLeft
from pushtrain.tuning.step import NextVersion, next_tweak

log = logging.getLogger(__name__)

# Proposals for one round that may turn out not to fit, before the search ends.
_MOST_REFUSALS = 5


def tweak_model(step: Step) -> list[dict[str, Any]]:
    """Write and commit the scripts of the next rounds, one per candidate.

    Doing it again after a crash makes no second commit of a round: its record is written before
    the ref leads to its commit, and a round with a record is not proposed again.

    Returns:
        One item: the arguments of TriggerDagRunOperator for the next step.

    Raises:
        AirflowSkipException: No knob is left; the experiment has ended.
        AirflowFailException: Nothing was measured, and no smaller version is left to try.
    """
    config = settings.load()
    store = Store(config.store_path)
    experiment = store.experiment(step.experiment)
    first = store.batch(step)[-1].round + 1
    following = Step(step.experiment, first, 1)
    if experiment.round >= first:  # a task that a person cleared sends no later step back
        return [run_of(store, following)]
    limits = experiment.settings
    count = next_batch_size(limits.candidates, limits.max_rounds, trained=first)
    mirror = Mirror(store.mirror_dir(experiment.repo), experiment.repo_url)
    tweaker = _Tweaker(config, store, mirror, experiment, first if count > 1 else None)
    for number in range(first, first + count):
        left = tweaker.make(number)
        if left is None:
            continue
        if number == first and experiment.best_round is None:
            reason = needs_more(experiment, store.rounds(experiment.id), left.reason)
            give_up(config, store, step, reason)
            raise AirflowFailException(reason)
        if number == first:
            reason = f"best accuracy {experiment.best_accuracy}; {left.reason}"
            store.update_experiment(experiment.id, state=State.NO_KNOB_LEFT, reason=reason)
            raise AirflowSkipException(f"no knob is left: {left.reason}")
        log.info("%d of %d candidates: %s", number - first, count, left.reason)
        break
    store.update_experiment(experiment.id, round=first, attempt=1)
    return [run_of(store, following)]


@dataclass(frozen=True)
class _Tweaker:
    """Makes the rounds of one batch, one after the other.

    Attributes:
        batch: Number of the first round that trains side by side with others, None if alone.
    """

    config: Settings
    store: Store
    mirror: Mirror
    experiment: Experiment
    batch: int | None

    def make(self, number: int) -> NothingLeft | None:
        """Make a round's commit and records, unless they are there; None if it is made."""
        tweak = self.store.tweak(self.experiment.id, number)
        if tweak is None:
            proposal = self._accepted(number)
            if isinstance(proposal, NothingLeft):
                return proposal
            tweak = self._committed(proposal)
        log.info("round %d: %s (%s)", number, tweak.summary, tweak.reason)
        self.mirror.advance(EXPERIMENT_REFS + self.experiment.id, tweak.commit)
        if not self.store.knobs(self.experiment.id, number):
            # the next candidate must see what this one tries
            found = find_knobs(self.experiment.script, self.mirror.sources(tweak.commit))
            self.store.save_knobs(self.experiment.id, number, found)
        return None

    def _accepted(self, number: int) -> NextVersion | NothingLeft:
        """Return a proposal for a round that can be built, as far as anybody knows."""
        experiment, store = self.experiment, self.store
        while True:
            refused = store.refusals(experiment.id, number)
            if len(refused) >= _MOST_REFUSALS:
                return NothingLeft(
                    f"{len(refused)} proposals in a row could not be built, the last one: "
                    f"{refused[-1].why}"
                )
            proposal = self._proposed(number)
            if isinstance(proposal, NothingLeft):
                return proposal
            base = _base_of(proposal.tweak)
            why = refusal_of(
                self.config, store, self.mirror, experiment, proposal, self._commit(base)
            )
            if not why:
                return proposal
            log.warning("refused: %s: %s", proposal.tweak.summary, why)
            changes = proposal.tweak.changes
            before = {k.id: k.value for k in store.knobs(experiment.id, base)}
            after = before | {c.knob: c.new for c in changes}
            store.add_refusal(experiment.id, Refusal(number, changes, after, why))

    def _proposed(self, number: int) -> NextVersion | NothingLeft:
        """Return the strategy's next proposal for a round.

        One that can not be written ends the search, not the experiment: its best model is there.
        """
        experiment = self.experiment
        try:
            return next_tweak(
                experiment.script,
                self._sources,
                self._history(number),
                number,
                strategy=experiment.settings.strategy,
                ask=oracle_process.ask,
                refused=self.store.all_refusals(experiment.id),
            )
        except (ScriptError, ValueError) as err:
            log.exception("round %d can not be written", number)
            return NothingLeft(f"the next change could not be written: {err}")

    def _committed(self, proposal: NextVersion) -> Tweak:
        """Commit a proposal on top of what was tried last and write its record."""
        number, base = proposal.tweak.round, _base_of(proposal.tweak)
        history = self._history(number)
        outcome = next((r for r in history if r.round == base), None)
        tip, start = self._commit(number - 1), self._commit(base)
        if outcome and self.mirror.tree(tip) != self.mirror.tree(start):
            # so that each tweak's own diff holds nothing but the tweak
            since = [r for r in history if r.round > base]
            tip = self.mirror.commit_tree_of(start, tip, go_back_message(outcome, since))
        commit = self.mirror.commit_files(
            tip, proposal.sources, tweak_message(self.experiment, proposal.tweak, outcome)
        )
        made = dataclasses.replace(proposal.tweak, commit=commit, base=base, batch=self.batch)
        self.store.save_tweak(self.experiment.id, made)
        return made

    def _history(self, number: int) -> list[RoundOutcome]:
        return [r for r in self.store.rounds(self.experiment.id) if r.round < number]

    def _commit(self, number: int) -> str:
        return self.store.commit_of(self.experiment, number)

    def _sources(self, number: int) -> Mapping[str, str]:
        return self.mirror.sources(self._commit(number))


def _base_of(tweak: Tweak) -> int:
    return tweak.round - 1 if tweak.base is None else tweak.base
