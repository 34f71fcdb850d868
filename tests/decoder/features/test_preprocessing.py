"""Missing values, scale and outliers of feature columns."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from tests.decoder.contract import failed_checks
from virtuallab.decoder.features.preprocessing import (
    Bounded,
    MedianImputer,
    imputation,
    standardization,
)


@pytest.mark.parametrize("estimator", [MedianImputer(), Bounded()], ids=repr)
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


@pytest.mark.parametrize("samples", [1, 2, 9, 40])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_medians_are_those_of_scikit_learn_to_the_last_bit(samples: int, missing: float) -> None:
    stream = np.random.default_rng(samples)
    training, other = stream.standard_normal((2, samples, 12))
    for values in (training, other):
        values[stream.random(values.shape) < missing] = np.nan
    wanted = SimpleImputer(strategy="median", keep_empty_features=True).fit(training)
    found = MedianImputer().fit(training)
    np.testing.assert_array_equal(found.medians_, wanted.statistics_)
    np.testing.assert_array_equal(found.transform(other), wanted.transform(other))


def test_an_outlier_is_at_most_four_standard_deviations_away() -> None:
    training = np.array([[-1.0], [1.0]])
    pipeline = Pipeline(standardization()).fit(training)
    assert pipeline.transform(np.array([[-1e6], [0.5], [1e6]])).ravel().tolist() == [-4, 0.5, 4]
