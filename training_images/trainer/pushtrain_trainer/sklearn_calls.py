"""Describes what the script asks of scikit-learn, so that it can be kept and recognised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pushtrain_trainer.sklearn_resume import Call, Resume
from pushtrain_trainer.sklearn_signatures import data_print, signature
from pushtrain_trainer.sklearn_states import parts_of

Arguments = dict[str, Any]


class Calls:
    """Lets the fits of a script, and the folds of its searches, be kept."""

    def __init__(self, resume: Resume) -> None:
        self.resume = resume
        self._prints: dict[int, tuple[Any, Any]] = {}

    def fit(
        self, method: str, estimator: Any, arguments: Arguments, work: Callable[[], Any]
    ) -> Any:
        """Do, or put back, an outermost fit.

        Args:
            method: The name of the method that is called.
            estimator: The object it is called on.
            arguments: What it is given, by name or place.
            work: Calls it.
        """
        call = Call(
            name=type(estimator).__name__,
            signature=lambda: signature(estimator, method, arguments),
            parts=lambda: parts_of(estimator, arguments),
            work=self._as_a_whole(estimator, work),
        )
        return self._outermost(call)

    def cross_validation(
        self, name: str, estimator: Any, arguments: Arguments, work: Callable[[], Any]
    ) -> Any:
        """Do, or put back, a cross validation; the arguments are as for `fit`."""
        call = Call(
            name=f"{name} of {type(estimator).__name__}",
            signature=lambda: signature(estimator, name, arguments),
            parts=lambda: parts_of(estimator, arguments),
            work=self._as_a_whole(arguments, work),
        )
        return self._outermost(call)

    def _outermost(self, call: Call) -> Any:
        try:
            return self.resume.do(call)
        finally:
            self._prints.clear()

    def fold(self, original: Any) -> Any:
        """Return a stand-in for `_fit_and_score` that keeps each candidate and fold.

        Other processes import scikit-learn's own function by its name: they work plain.
        """

        def fit_and_score(estimator: Any, x: Any, y: Any, **kwargs: Any) -> Any:
            def work() -> Any:
                return original(estimator, x, y, **kwargs)

            watched = getattr(kwargs.get("caller"), "_skl_callbacks", None)
            if not self.resume.is_within or watched:
                return work()

            def sign() -> dict[str, str]:
                data = {n: kwargs.get(n) for n in ("parameters", "train", "test")}
                prints = {"x": self._print(x), "y": self._print(y)}
                return signature(estimator, "fold", {**data, **prints})

            name = f"a fold of {type(estimator).__name__}"
            # before the work, which sets the candidate's parameters in the estimator
            signed = self.resume.safely(name, sign)
            if signed is None:
                return work()
            call = Call(name, lambda: signed, lambda: {"": estimator}, work)
            scored = self.resume.do(call)
            self.resume.run.beat.progress()
            return scored

        return fit_and_score

    def _print(self, data: Any) -> Any:
        # all folds of a search get the same data; the reference keeps its id from being reused
        if id(data) not in self._prints:
            self._prints[id(data)] = (data, data_print(data))
        return self._prints[id(data)][1]

    def _as_a_whole(self, asked: Any, work: Callable[[], Any]) -> Callable[[], Any]:
        """Let `work` say when its folds can not be kept one by one."""
        jobs = asked.get("n_jobs") if isinstance(asked, dict) else getattr(asked, "n_jobs", None)
        is_search = isinstance(asked, dict) or hasattr(asked, "_run_search")
        if not is_search or jobs in (None, 1):
            return work

        def whole() -> Any:
            self.resume.run.note(
                f"with n_jobs={jobs} other processes fit the candidates: a search that is "
                "interrupted begins anew, finished ones are kept"
            )
            return work()

        return whole
