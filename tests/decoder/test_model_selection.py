"""Folds, and the choice of settings by inner folds."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier

from tests.decoder.drawn import RULES, drawn
from virtuallab.decoder.classifier import Classifier, Grid, GridName
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.model_selection import fit, grid_search, nested, stratified


class Tree(Classifier):
    name = "tree"

    def estimator(self, samples: Samples, seed: int) -> Any:
        return DecisionTreeClassifier(random_state=seed)

    def grid(self, name: GridName, samples: Samples) -> Grid:
        return [{"max_depth": 1}, {"max_depth": 4}]


def test_folds_are_stratified_by_rule_and_depend_on_the_seed_alone() -> None:
    samples = drawn(6)

    def tests(seed: int) -> list[list[int]]:
        splitter = stratified(3, seed)
        return [test.tolist() for _, test in splitter.split(samples.values, samples.labels)]

    assert tests(2**40) == tests(2**40) != tests(1)
    for rows in tests(1):
        assert sorted(samples.labels[rows]) == sorted([*RULES, *RULES])


def test_the_setting_with_the_highest_accuracy_in_inner_folds_is_fitted() -> None:
    samples = drawn(20, apart=3.0)  # one split cannot separate three rules
    assert fit(nested(Tree(), samples, 3, 0), samples).get_depth() > 1


def test_a_grid_of_one_setting_is_not_searched() -> None:
    samples = drawn(6)
    estimator = grid_search(Tree(), samples, [{"max_depth": 2}], stratified(2, 0), 0)
    assert not isinstance(estimator, GridSearchCV)
    assert fit(estimator, samples).get_depth() == 2


def test_a_setting_that_cannot_be_fitted_is_left_out_without_a_warning() -> None:
    samples = drawn(6)
    grid = [{"max_depth": -1}, {"max_depth": 2}]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chosen = fit(grid_search(Tree(), samples, grid, stratified(2, 0), 0), samples)
    assert chosen.max_depth == 2
    assert np.isfinite(chosen.predict_proba(samples.values)).all()
