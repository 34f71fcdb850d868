"""Linear support vector machines, with scores that sum to 1."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from tests.decoder.contract import failed_checks
from tests.decoder.drawn import drawn
from virtuallab.decoder.estimators.linear_machine import LinearMachine


@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.usefixtures("own_random_streams")
def test_it_passes_the_estimator_checks_of_scikit_learn() -> None:
    assert failed_checks(LinearMachine()) == []


def test_scores_are_logistic_functions_of_the_decision_values_divided_by_their_sum() -> None:
    samples = drawn(15)
    machine = LinearMachine(random_state=0).fit(samples.values, samples.labels)
    logistic = 1 / (1 + np.exp(-machine.decision_function(samples.values)))
    expected = logistic / logistic.sum(1, keepdims=True)
    np.testing.assert_allclose(machine.predict_proba(samples.values), expected)


def test_a_fit_that_does_not_converge_warns_of_nothing() -> None:
    samples, settings = drawn(15), {"C": 1e6, "max_iter": 1, "random_state": 0}
    with pytest.warns(ConvergenceWarning):
        LinearSVC(**settings).fit(samples.values, samples.labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LinearMachine(**settings).fit(samples.values, samples.labels)
