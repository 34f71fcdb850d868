"""Missing values, scale and outliers of feature columns."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from tests.decoder.contract import failed_checks
from virtuallab.decoder.features.preprocessing import Bounded, Finite, imputation, standardization


@pytest.mark.parametrize("estimator", [Finite(), Bounded()], ids=repr)
@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.usefixtures("own_random_streams")
def test_it_passes_the_estimator_checks_of_scikit_learn(estimator: BaseEstimator) -> None:
    assert failed_checks(estimator) == []


def test_what_is_not_finite_becomes_the_median_of_the_training_samples() -> None:
    training = np.array([[1.0, np.nan], [2.0, np.nan], [9.0, np.nan]])
    pipeline = Pipeline(imputation()).fit(training)
    filled = pipeline.transform(np.array([[np.inf, np.nan], [-np.inf, 5.0], [7.0, 5.0]]))
    assert filled[:, 0].tolist() == [2, 2, 7]
    assert filled.shape == (3, 2)  # a column that was never measured stays


def test_an_outlier_is_at_most_four_standard_deviations_away() -> None:
    training = np.array([[-1.0], [1.0]])
    pipeline = Pipeline(standardization()).fit(training)
    assert pipeline.transform(np.array([[-1e6], [0.5], [1e6]])).ravel().tolist() == [-4, 0.5, 4]
