"""Sees what scikit-learn fits and scores, from outside the script."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pushtrain_trainer.contract import HEARTBEAT_FILE, Split
from pushtrain_trainer.dry_build import DryBuild
from pushtrain_trainer.durable_files import read_json
from pushtrain_trainer.measurements import Origin
from pushtrain_trainer.patches import Patches
from pushtrain_trainer.run_state import Run, say

_patches = Patches()
FITS = ("fit", "fit_transform", "fit_predict")
DRY_FITS = ("fit", "partial_fit")


class Watch:
    """Watches the outermost calls only: what an estimator does inside is its own matter."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.dry = DryBuild(run) if run.dry else None
        self.calls: Any = None
        self.growths: Any = None
        self.steps: Any = None
        self.depth = 0
        self.fits = 0
        self._lock = threading.Lock()

    @contextmanager
    def outermost(self) -> Iterator[bool]:
        """Yield whether no other watched call is under way."""
        # estimators may fit in threads of their own
        with self._lock:
            self.depth += 1
            is_outermost = self.depth == 1
        try:
            yield is_outermost
        finally:
            with self._lock:
                self.depth -= 1

    def look(self, look: Callable[[], None]) -> None:
        """Run `look`; an error in it must not reach the script."""
        try:
            look()
        except Exception as error:  # estimators and data of any kind
            self.run.give_up("watching scikit-learn", error)

    def fit_context(self, original: Any) -> Any:
        """Return a stand-in for `sklearn.base._fit_context` that watches `fit`."""

        def context(*, prefer_skip_nested_validation: bool) -> Any:
            decorate = original(prefer_skip_nested_validation=prefer_skip_nested_validation)

            def decorator(method: Any) -> Any:
                inner = decorate(method)
                if method.__name__ in (DRY_FITS if self.run.dry else FITS):
                    return self._watched_fit(method, inner)
                if method.__name__ == "partial_fit":
                    return self._watched_step(method, inner)
                return inner

            return decorator

        return context

    def _watched_fit(self, method: Any, inner: Any) -> Any:
        @functools.wraps(method)
        def fit(estimator: Any, *args: Any, **kwargs: Any) -> Any:
            with self.outermost() as outermost:
                if outermost and self.dry is not None:
                    self.dry.check_estimator(estimator)
                if not outermost:
                    self._touched(estimator)
                    return self._grow(inner, estimator, args, kwargs)
                self._begin()
                is_step = self._is_step(method.__name__, estimator)
                fitted = self._keep(is_step, method.__name__, inner, estimator, args, kwargs)
            self.look(lambda: self._note_fit(estimator, args, kwargs))
            if is_step:
                self.steps.watch(estimator)
            return fitted

        return fit

    def _watched_step(self, method: Any, inner: Any) -> Any:
        @functools.wraps(method)
        def partial_fit(estimator: Any, *args: Any, **kwargs: Any) -> Any:
            with self.outermost() as outermost:
                if not outermost:
                    self._touched(estimator)
                    return inner(estimator, *args, **kwargs)
                # no new phase: a step may take less than writing one
                self.fits += 1
                is_step = self._is_step("partial_fit", estimator)
                fitted = self._keep(is_step, "partial_fit", inner, estimator, args, kwargs)
                self.run.beat.progress()
            if hasattr(estimator, "predict"):
                self.run.estimator = estimator
            if is_step:
                self.steps.watch(estimator)
            return fitted

        return partial_fit

    def _begin(self) -> None:
        self.fits += 1
        self.run.beat.phase("fit", fit=self.fits, epoch=0, epochs=0, batch=0, batches=0)

    def _touched(self, estimator: Any) -> None:
        if self.steps is not None:
            self.steps.touched(estimator)

    def _is_step(self, method: str, estimator: Any) -> bool:
        if self.steps is None:
            return False
        return bool(self.calls.resume.safely(
            method, lambda: self.steps.takes(method, estimator)
        ))  # fmt: skip

    def _keep(
        self, is_step: bool, method: str, inner: Any, estimator: Any,
        args: tuple[Any, ...], kwargs: Any,
    ) -> Any:  # fmt: skip
        def work() -> Any:
            return self._grow(inner, estimator, args, kwargs)

        if self.calls is None:
            return work()
        if is_step:
            return self.steps.do(method, estimator, _named(args, kwargs), work)
        return self.calls.fit(method, estimator, _named(args, kwargs), work)

    def _grow(self, inner: Any, estimator: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
        def work() -> Any:
            return inner(estimator, *args, **kwargs)

        if self.growths is None:
            return work()
        return self.growths.fit(estimator, _named(args, kwargs), work)

    def _note_fit(self, estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.run.beat.phase("script")
        if not hasattr(estimator, "predict"):
            return
        self.run.estimator = estimator
        data = [*args[:2], kwargs.get("X"), kwargs.get("y")]
        for part in data:
            self.run.seen.note(part, Split.TRAIN)
        say(f"fitted {type(estimator).__name__}")
        if hasattr(estimator, "best_score_") and is_accuracy(
            estimator, getattr(estimator, "scoring", "unknown")
        ):
            self.add(estimator.best_score_, Split.VALIDATION, "best_score_")

    def score(self, original: Any) -> Any:
        """Return a `score` method that is watched."""

        # X is scikit-learn's name, and scripts pass it as a keyword
        def score(estimator: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
            with self.outermost() as outermost:
                value = original(estimator, X, *args, **kwargs)
            if outermost and is_accuracy(estimator, getattr(estimator, "scoring", None)):
                self.look(lambda: self.add(value, self.run.seen.split_of(X), "score"))
            return value

        return score

    def accuracy_score(self, original: Any) -> Any:
        """Return an `accuracy_score` that is watched."""

        def accuracy_score(y_true: Any, y_pred: Any, **kwargs: Any) -> Any:
            with self.outermost() as outermost:
                value = original(y_true, y_pred, **kwargs)
            if outermost and kwargs.get("normalize", True):
                self.look(lambda: self.add(value, self.run.seen.split_of(y_true), "accuracy_score"))
            return value

        return accuracy_score

    def cross_validation(self, original: Any) -> Any:
        """Return a cross validation that is watched as a whole."""

        def validated(estimator: Any, *args: Any, **kwargs: Any) -> Any:
            with self.outermost() as outermost:
                if outermost and self.dry is not None:
                    self.dry.check_estimator(estimator)
                result = self._validated(original, outermost, estimator, args, kwargs)
            if outermost and is_accuracy(estimator, kwargs.get("scoring")):
                self.look(lambda: self._note_folds(result, original.__name__))
            return result

        return validated

    def _validated(
        self, original: Any, outermost: bool, estimator: Any, args: tuple[Any, ...], kwargs: Any
    ) -> Any:
        def work() -> Any:
            return original(estimator, *args, **kwargs)

        if not outermost or self.calls is None:
            return work()
        self._begin()
        name = original.__name__
        result = self.calls.cross_validation(name, estimator, _named(args, kwargs), work)
        self.run.beat.phase("script")
        return result

    def _note_folds(self, result: Any, name: str) -> None:
        scores = result.get("test_score") if isinstance(result, dict) else result
        if scores is not None:
            self.add(scores.mean(), Split.VALIDATION, name)

    def add(self, value: Any, split: Split, source: str) -> None:
        """Keep a figure that the script evaluated."""
        self.run.measured.add(value, split, source, Origin.EVALUATED)
        say(f"{source} {float(value):.4f} ({split})")


def _named(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return arguments by name, those without one by their place."""
    return {**{str(place): value for place, value in enumerate(args)}, **kwargs}


def is_accuracy(estimator: Any, scoring: Any) -> bool:
    """Return whether the score of `estimator` is an accuracy (regressors measure R2)."""
    from sklearn.base import is_classifier  # here: this module is loaded without scikit-learn

    return scoring in (None, "accuracy") and bool(is_classifier(estimator))


def replace_function(module: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replace a function where scripts import it from.

    Where it is defined it stays, for what holds it already: a function is pickled, and sent to
    other processes, by its name, which has to lead to the very same object.
    """
    _patches.wrap(module, name, make)
    getattr(module, name).__module__ = module.__name__


def fit_under_way(run: Run) -> int | None:
    """Return the fit that the attempt before was at; asked before this one's first heartbeat."""
    beat = read_json(run.output / HEARTBEAT_FILE)
    return beat.get("fit") if isinstance(beat, dict) and beat.get("phase") == "fit" else None


def keeping(run: Run, interrupted: int | None) -> Any:
    """Return what keeps the fits that are done; None, and a note, if that is impossible."""
    try:
        # here: they need NumPy, which a script without scikit-learn must not pay for
        from pushtrain_trainer.sklearn_calls import Calls
        from pushtrain_trainer.sklearn_resume import Resume

        return Calls(Resume(run, interrupted))
    except Exception as error:  # fits are then done and not kept
        run.note(f"fits of scikit-learn are not kept: {type(error).__name__}: {error}")
        return None


def growing(run: Run, calls: Any) -> Any:
    """Return what keeps the parts of growing ensembles; None, and a note, if that is impossible."""
    if calls is None:
        return None
    try:
        # here, as for `keeping`
        import wrapt

        from pushtrain_trainer.sklearn_growth import Growths
        from pushtrain_trainer.sklearn_parts import PARTS

        growths = Growths(calls.resume)

        def hook(keep: Any) -> Callable[[Any], None]:
            return lambda module: calls.resume.safely(
                module.__name__, lambda: keep(module, growths, _patches)
            )

        for name, keep in PARTS.items():
            wrapt.register_post_import_hook(hook(keep), name)
        return growths
    except Exception as error:  # fits are then done and kept as a whole only
        run.note(f"ensembles of scikit-learn are kept as a whole: {type(error).__name__}: {error}")
        return None


def stepping(run: Run, calls: Any) -> Any:
    """Return what keeps growing loops; None, and a note, if that is impossible."""
    if calls is None:
        return None
    try:
        from pushtrain_trainer.sklearn_steps import Steps  # here, as for `keeping`

        return Steps(calls.resume)
    except Exception as error:  # each call is then kept as a fit
        run.note(f"growing loops are not followed: {type(error).__name__}: {error}")
        return None


def install(run: Run) -> None:
    """Arrange the patches for the moment that the parts of scikit-learn are imported."""
    import wrapt  # here: unit tests of the other modules run without it

    watch = Watch(run)
    interrupted = fit_under_way(run)

    def hook(patch: Callable[[Any], None]) -> Callable[[Any], None]:
        return lambda module: watch.look(lambda: patch(module))

    def base(module: Any) -> None:
        if not run.dry:
            watch.calls = keeping(run, interrupted)
            watch.growths = growing(run, watch.calls)
            watch.steps = stepping(run, watch.calls)
        _patches.wrap(module, "_fit_context", watch.fit_context)
        _patches.wrap(module.ClassifierMixin, "score", watch.score)

    def validation(module: Any) -> None:
        for name in ("cross_val_score", "cross_validate"):
            replace_function(module, name, watch.cross_validation)
        _patches.wrap(module.GridSearchCV.__mro__[1], "score", watch.score)
        if watch.calls is not None:
            # also where it is defined: cross validations call it there, and nothing holds it
            _patches.wrap(module._search, "_fit_and_score", watch.calls.fold)
            home = sys.modules[module._search._fit_and_score.__module__]
            _patches.set(home, "_fit_and_score", module._search._fit_and_score)

    hooks: dict[str, Callable[[Any], None]] = {
        "sklearn.base": base,
        "sklearn.metrics": lambda m: replace_function(m, "accuracy_score", watch.accuracy_score),
        "sklearn.pipeline": lambda m: _patches.wrap(m.Pipeline, "score", watch.score),
        "sklearn.model_selection": validation,
    }
    for name, patch in hooks.items():
        wrapt.register_post_import_hook(hook(patch), name)


def uninstall() -> None:
    """Put scikit-learn's own functions back."""
    _patches.undo()
