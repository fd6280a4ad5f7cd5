"""Keeps what loops over `partial_fit`, or over `fit` with `warm_start`, have reached.

Such a loop may call thousands of times for milliseconds. Not each call is kept, but the estimator
after some of them: where the script looks at it, as far as that is worth it, and by time. A
restart leaves out the calls up to a kept one, if nobody looked in between.
"""

from __future__ import annotations

import os
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy

from pushtrain_trainer.saving_budget import checkpoint_seconds
from pushtrain_trainer.sklearn_records import Entry
from pushtrain_trainer.sklearn_resume import Resume
from pushtrain_trainer.sklearn_sight import unwatch, watch
from pushtrain_trainer.sklearn_signatures import RANDOM, signature, works_in_place
from pushtrain_trainer.sklearn_states import (
    Parts,
    dump,
    generator_state,
    load,
    parts_of,
    set_generator_state,
    states_of,
    take_states,
)

COST = 30  # keeping may take one part in so many of the time
COST_OF_SIGNING = 100
SECONDS_BETWEEN_SAVES = 2.0
LEAST_SECONDS = 0.02
DONE_AGAIN = "PUSHTRAIN_DONE_AGAIN"  # set for the process that takes the place of this one
GLOBAL = "numpy.random"


@dataclass
class Chain:
    """The calls on one estimator, in their order."""

    number: int
    name: str
    method: str
    calls: int = 0
    run: list[int] = field(default_factory=list)
    signs: dict[int, str] = field(default_factory=dict)
    draws: dict[int, dict[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0
    worked: float = 0.0
    signing: float = 0.0
    cost: float = 0.0
    seen: bool = False
    hollow: bool = False
    usable: bool = True

    def begin(self) -> None:
        """Begin a new run behind a call that is kept."""
        self.run, self.signs, self.draws = [], {}, {}
        self.seconds, self.seen, self.hollow = 0.0, False, False


class Steps:
    """Does, leaves out or puts back the calls of a script's own growing loops.

    Args:
        resume: Keeps the fits of the script; calls are numbered with them.
    """

    def __init__(self, resume: Resume) -> None:
        self._resume = resume
        self._chains: weakref.WeakKeyDictionary[Any, Chain] = weakref.WeakKeyDictionary()
        self._number = 0
        leave_out = not os.environ.get(DONE_AGAIN)
        self._kept: dict[int, dict[str, Any]] = {}
        self._hollow: dict[int, int] = {}
        for entry in resume.records.entries():
            about = entry.about.get("steps")
            if about:
                self._kept[entry.key[0]] = about
                if leave_out:
                    self._hollow.update({n: entry.key[0] for n in about["run"]})
        if not leave_out:
            resume.run.note(
                "the script looked at an estimator where it did not before: calls between those "
                "that are kept are done again"
            )
        self._loaded: tuple[int, Any] | None = None

    def takes(self, method: str, estimator: Any) -> bool:
        """Return whether a call is one of a growing loop that can be followed.

        Args:
            method: The name of the method that is called.
            estimator: The object it is called on; from now on looks at it are not told any more.
        """
        look = unwatch(estimator)
        if not self._resume.is_usable:
            return self._changed(look)
        chain = self._chains.get(estimator)
        if chain is not None and chain.method == method == "partial_fit":
            return True
        if not type(estimator).__module__.startswith("sklearn."):
            return False
        parameters = estimator.get_params(deep=False)
        grows = method == "partial_fit" or (
            method == "fit" and parameters.get("warm_start") is True
        )
        # of parts that are fitted within an estimator nothing is known
        is_alone = not any(hasattr(value, "get_params") for value in parameters.values())
        if grows and is_alone and not works_in_place(estimator):
            return True
        if look is not None:
            look(False)
        return False

    def touched(self, estimator: Any) -> None:
        """Note that an estimator may be changed by more than the calls that are followed."""
        self._changed(unwatch(estimator))

    def _changed(self, look: Callable[[bool], None] | None) -> bool:
        if look is not None:
            look(True)
        return False

    def do(self, method: str, estimator: Any, given: Parts, work: Callable[[], Any]) -> Any:
        """Return what the call returns, whether or not it is done.

        Args:
            method: The name of the method that is called.
            estimator: The object it is called on.
            given: The arguments.
            work: Calls it.
        """
        chain = self._chain(estimator, method)
        number = self._resume.count()
        chain.calls += 1
        left_out = self._resume.safely(
            chain.name, lambda: self._leave_out(chain, number, estimator, given)
        )
        if left_out:
            return estimator
        if chain.hollow:
            self._start_over()
        sign = self._resume.safely(chain.name, lambda: self._sign(chain, estimator, given))
        generators = self._resume.safely(chain.name, lambda: _generators(estimator)) or {}
        before = {name: generator_state(g) for name, g in generators.items()}
        start = time.perf_counter()
        value = work()
        seconds = time.perf_counter() - start
        chain.seconds += seconds
        chain.worked += seconds
        chain.run.append(number)
        if sign:
            chain.signs[number] = sign
        after = {name: generator_state(g) for name, g in generators.items()}
        if any(not _same(before[name], after[name]) for name in after):
            chain.draws[number] = after
        if value is not estimator:
            chain.usable = False
        return value

    def watch(self, estimator: Any) -> None:
        """Keep what a call has reached if it is time, and wait for the script to look at it."""
        chain = self._chains.get(estimator)
        if chain is None or not chain.usable:
            return
        seconds = min(SECONDS_BETWEEN_SAVES, checkpoint_seconds())
        if chain.seconds >= max(seconds, COST * chain.cost):
            self._resume.safely(chain.name, lambda: self._save(chain, estimator))
        itself = weakref.ref(estimator)
        self._resume.safely(
            chain.name,
            lambda: watch(
                estimator, chain.method, lambda shares: self._told(chain, itself, shares)
            ),
        )

    def _chain(self, estimator: Any, method: str) -> Chain:
        chain = self._chains.get(estimator)
        if chain is None or chain.method != method:
            self._number += 1
            chain = Chain(self._number, type(estimator).__name__, method)
            self._chains[estimator] = chain
        return chain

    def _told(self, chain: Chain, itself: Callable[[], Any], shares: bool) -> None:
        self._resume.safely(chain.name, lambda: self._look(chain, itself, shares))

    def _look(self, chain: Chain, itself: Callable[[], Any], shares: bool) -> None:
        estimator = itself()
        if chain.hollow:
            self._start_over()
        if shares and chain.usable:
            # putting a record back would part the script from what it holds
            chain.usable = False
            self._resume.run.note(
                f"the script holds on to parts of its {chain.name}: a restart does those calls "
                f"of {chain.method} again"
            )
        worth = max(LEAST_SECONDS, COST * chain.cost)
        if chain.run and self._resume.is_usable and chain.seconds >= worth and not shares:
            self._resume.safely(chain.name, lambda: self._save(chain, estimator))
        chain.seen = bool(chain.run)

    def _sign(self, chain: Chain, estimator: Any, given: Parts) -> str:
        if chain.worked and chain.signing * COST_OF_SIGNING > chain.worked:
            return ""
        start = time.perf_counter()
        sign = _signed(chain, estimator, given)
        chain.signing += time.perf_counter() - start
        return sign

    def _save(self, chain: Chain, estimator: Any) -> None:
        start = time.perf_counter()
        number = chain.run[-1]
        parts = parts_of(estimator, {})
        content = (states_of(parts), chain.draws)
        raw = dump(parts, content, self._resume.records.room)
        about = {
            "chain": [chain.number, chain.name, chain.method],
            "call": chain.calls,
            "run": [] if chain.seen else chain.run[:-1],
            "signs": {str(n): s for n, s in chain.signs.items() if n == number or not chain.seen},
        }
        self._resume.run.fence.check()
        entry = Entry((number,), {"steps": about, "signature": {}}, round(chain.seconds, 6))
        self._resume.records.add(entry, raw)
        chain.begin()
        chain.cost = time.perf_counter() - start

    def _leave_out(self, chain: Chain, number: int, estimator: Any, given: Parts) -> bool:
        at = number if number in self._kept else self._hollow.get(number)
        if at is None:
            return False
        about = self._kept[at]
        sign = about["signs"].get(str(number))
        same = about["chain"] == [chain.number, chain.name, chain.method]
        if not same or (sign and sign != _signed(chain, estimator, given)):
            self._other_call(chain, number)
            return False
        content = self._content(at, estimator)
        if content is None:
            self._other_call(chain, number)
            return False
        states, draws = content
        for name, generator in _generators(estimator).items():
            if number in draws:
                set_generator_state(generator, draws[number][name])
        chain.hollow = number != at
        if number == at:
            take_states(parts_of(estimator, {}), states)
            self._loaded = None
            calls, chain.calls = chain.calls, about["call"]
            chain.begin()
            self._tell(chain, calls)
        return True

    def _content(self, at: int, estimator: Any) -> Any:
        if self._loaded is None or self._loaded[0] != at:
            found = self._resume.records.find((at,))
            if found is None:
                return None
            self._loaded = (at, load(parts_of(estimator, {}), found[1]))
        return self._loaded[1]

    def _tell(self, chain: Chain, call: int) -> None:
        run = self._resume.run
        run.resumed = True
        last = max(a["call"] for a in self._kept.values() if a["chain"][0] == chain.number)
        run.note(
            f"{chain.method} of {chain.name} goes on behind its call {last}, which an earlier "
            "attempt did; those before it are skipped"
        )

    def _other_call(self, chain: Chain, number: int) -> None:
        resume = self._resume
        resume.run.note(
            f"call {chain.calls} of {chain.method} of {chain.name} is another than in the attempt "
            "before: it is done anew"
        )
        resume.records.drop(lambda key: key >= (number,))
        self._kept = {n: about for n, about in self._kept.items() if n < number}
        self._hollow = {n: at for n, at in self._hollow.items() if at < number}
        if chain.hollow:
            self._start_over()

    def _start_over(self) -> NoReturn:
        """Begin the attempt anew: what the script asks for has been left out."""
        run = self._resume.run
        os.environ[DONE_AGAIN] = "1"
        print(
            "pushtrain: the script looks at an estimator where it did not before: it is started "
            "anew, and calls that were left out are done",
            flush=True,
        )
        sys.stderr.flush()
        os.chdir(run.root)
        os.execv(sys.executable, sys.orig_argv)


def _signed(chain: Chain, estimator: Any, given: Parts) -> str:
    return " ".join(signature(estimator, chain.method, given).values())


def _generators(estimator: Any) -> dict[str, Any]:
    """Return the generators that a call may draw from."""
    state = getattr(estimator, "random_state", 0)
    if isinstance(state, RANDOM):
        return {"random_state": state}
    return {} if isinstance(state, int) else {GLOBAL: numpy.random.mtrand._rand}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(numpy.array_equal(one["state"][n], v) for n, v in other["state"].items()) and all(
        one[n] == v for n, v in other.items() if n != "state"
    )
