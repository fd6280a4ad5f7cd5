"""Stands in for what builds the parts of scikit-learn's ensembles.

Each stand-in leaves the part, and all that building it changes beside it, as building it would.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pushtrain_trainer.patches import Patches
from pushtrain_trainer.sklearn_growth import Growth, Growths
from pushtrain_trainer.sklearn_signatures import generator_print
from pushtrain_trainer.sklearn_states import generator_state, set_generator_state

SLICE_SECONDS = 0.1


def forests(module: Any, growths: Growths, patches: Patches) -> None:
    """Keep the trees of forests; a tree depends on its own seed and the data only."""

    def make(original: Any) -> Any:
        def build(
            tree: Any,
            bootstrap: Any,
            X: Any,
            y: Any,
            weight: Any,
            place: int,
            trees: int,
            **kw: Any,
        ) -> Any:
            growth = growths.under_way("BaseForest")
            if growth is None:
                return original(tree, bootstrap, X, y, weight, place, trees, **kw)
            seed = tree.random_state
            kept = growth.kept(place)
            if kept is not None and kept["random_state"] == seed:
                tree.__dict__.clear()
                tree.__dict__.update(kept)
                growth.is_given(trees)
                return tree
            tree = original(tree, bootstrap, X, y, weight, place, trees, **kw)
            growth.add(place, vars(tree), trees)
            return tree

        return build

    patches.wrap(module, "_parallel_build_trees", make)


def bagging(module: Any, growths: Growths, patches: Patches) -> None:
    """Keep the estimators of bagging; each depends on its own seed and the data only."""

    def make(original: Any) -> Any:
        def build(n: int, ensemble: Any, X: Any, y: Any, weight: Any, seeds: Any, total: int,
                  verbose: int, check_input: Any, fit_params: Any) -> Any:  # fmt: skip
            def plain(start: int, stop: int) -> Any:
                part = seeds[start:stop]
                return original(stop - start, ensemble, X, y, weight, part, total,
                                verbose, check_input, fit_params)  # fmt: skip

            growth = growths.under_way("BaseBagging")
            # what it prints counts the estimators of a call
            if growth is None or growth.estimator is not ensemble or verbose > 1:
                return plain(0, n)
            first = (seeds.ctypes.data - ensemble._seeds.ctypes.data) // max(1, seeds.itemsize)
            return _sliced(growth, plain, seeds, first, total)

        return build

    patches.wrap(module, "_parallel_build_estimators", make)


def _sliced(
    growth: Growth, plain: Callable[[int, int], Any], seeds: Any, first: int, total: int
) -> tuple[list[Any], list[Any]]:
    built: list[tuple[Any, Any]] = []
    size = 1
    while len(built) < len(seeds):
        at = len(built)
        kept = growth.kept(first + at)
        if kept is not None and kept[0] == int(seeds[at]):
            built.append(kept[1:])
            growth.is_given(total)
            continue
        start = time.perf_counter()
        made = list(zip(*plain(at, min(at + size, len(seeds))), strict=True))
        # a call of its own for each would cost more than many a small estimator
        size = 2 * size if time.perf_counter() - start < SLICE_SECONDS else max(1, size // 2)
        for place, (estimator, features) in enumerate(made, at):
            growth.add(first + place, (int(seeds[place]), estimator, features), total)
        built += made
    return [estimator for estimator, _ in built], [features for _, features in built]


def boosting(module: Any, growths: Growths, patches: Patches) -> None:
    """Keep the stages of gradient boosting, with the random numbers that each drew."""

    def make(original: Any) -> Any:
        def fit_stage(self: Any, i: int, X: Any, y: Any, raw: Any, weight: Any, mask: Any,
                      random_state: Any, X_csc: Any = None, X_csr: Any = None) -> Any:  # fmt: skip
            growth = growths.under_way("BaseGradientBoosting")
            if growth is None or growth.estimator is not self:
                return original(self, i, X, y, raw, weight, mask, random_state, X_csc, X_csr)
            growth.share("draws", random_state)
            before = generator_print(random_state)
            kept = growth.kept(i)
            if kept is not None and kept[0] == before:
                _put_stage(module, self, i, kept[2], X if X_csr is None else X_csr, y, raw, weight)
                set_generator_state(random_state, kept[1])
                growth.is_given(self.n_estimators)
                return raw
            raw = original(self, i, X, y, raw, weight, mask, random_state, X_csc, X_csr)
            part = (before, generator_state(random_state), list(self.estimators_[i]))
            growth.add(i, part, self.n_estimators)
            return raw

        return fit_stage

    patches.wrap(module.BaseGradientBoosting, "_fit_stage", make)


def _put_stage(
    module: Any, model: Any, i: int, trees: list[Any], X: Any, y: Any, raw: Any, weight: Any
) -> None:
    # in the order of `_fit_stage`: Huber's loss is set by the predictions before the stage
    if isinstance(model._loss, module.HuberLoss):
        module.set_huber_delta(loss=model._loss, y_true=y, raw_prediction=raw, sample_weight=weight)
    for k, tree in enumerate(trees):
        leaves = tree.tree_.apply(X)
        # as the last lines of `_update_terminal_regions`, so that every bit is the same
        raw[:, k] += model.learning_rate * tree.tree_.value[:, 0, 0].take(leaves, axis=0)
        model.estimators_[i, k] = tree


class _Grown:
    """A tree of histogram gradient boosting that an earlier attempt grew."""

    total_apply_split_time = total_find_split_time = total_compute_hist_time = 0.0
    finalized_leaves = ()  # their values are those that the earlier attempt updated

    def __init__(self, predictor: Any, asked: dict[str, Any]) -> None:
        self._predictor = predictor
        self._asked = asked

    def grow(self) -> None:
        """Do nothing: it is grown."""

    def make_predictor(self, binning_thresholds: Any) -> Any:
        """Return the tree."""
        return self._predictor

    def add_to(self, raw: Any) -> None:
        """Add what the tree says of the samples that it was grown on."""
        asked = self._asked
        raw += self._predictor.predict_binned(
            asked["X_binned"], asked["n_bins"] - 1, asked["n_threads"]
        )


def histograms(module: Any, growths: Growths, patches: Patches) -> None:
    """Keep the trees of histogram gradient boosting, with the random numbers that each drew."""
    plain: Any = module.TreeGrower

    class Watched(plain):  # type: ignore[misc]  # known at run time only
        def make_predictor(self, binning_thresholds: Any) -> Any:
            made = super().make_predictor(binning_thresholds)
            self.take(made)
            return made

    def grower(**asked: Any) -> Any:
        growth = growths.under_way("BaseHistGradientBoosting")
        if growth is None:
            return plain(**asked)
        place = growth.turn()
        parts = growth.estimator.max_iter * growth.estimator.n_trees_per_iteration_
        before = generator_print(asked["rng"])
        kept = growth.kept(place)
        if kept is not None and kept[0] == before:
            set_generator_state(asked["rng"], kept[1])
            growth.is_given(parts)
            return _Grown(kept[2], asked)
        rng = asked["rng"]
        grown = Watched(**asked)
        grown.take = lambda tree: growth.add(place, (before, generator_state(rng), tree), parts)
        return grown

    def make_update(original: Any) -> Any:
        def update(raw: Any, grown: Any, n_threads: int) -> None:
            if isinstance(grown, _Grown):
                grown.add_to(raw)
            else:
                original(raw, grown, n_threads)

        return update

    patches.set(module, "TreeGrower", grower)
    patches.wrap(module, "_update_raw_predictions", make_update)


PARTS = {
    "sklearn.ensemble._forest": forests,
    "sklearn.ensemble._bagging": bagging,
    "sklearn.ensemble._gb": boosting,
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting": histograms,
}
