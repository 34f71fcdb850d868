from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from virtuallab.accessor import geometry


def responses(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("shape", [(20, 5), (5, 20), (2, 2), (7, 1)])
def test_the_participation_ratio_is_that_of_the_eigenvalues_of_the_covariance(
    shape: tuple[int, int],
) -> None:
    values = responses(0, *shape)
    eigenvalues = np.linalg.eigvalsh(np.atleast_2d(np.cov(values, rowvar=False)))
    expected = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    np.testing.assert_allclose(geometry.participation_ratio(values), expected, rtol=1e-10)


def test_independent_units_of_equal_variance_have_as_many_dimensions_as_units() -> None:
    values = np.concatenate([np.eye(6), -np.eye(6)])
    np.testing.assert_allclose(geometry.participation_ratio(values), 6)


def test_one_pattern_has_one_dimension() -> None:
    values = np.outer(responses(1, 9), responses(2, 4)) + 5
    np.testing.assert_allclose(geometry.participation_ratio(values), 1)


@given(st.floats(-30, 30), st.integers(0, 100))
def test_the_participation_ratio_does_not_depend_on_scale(power: float, seed: int) -> None:
    values = responses(seed, 8, 3)
    scaled = geometry.participation_ratio(values * 10.0**power)
    np.testing.assert_allclose(scaled, geometry.participation_ratio(values), rtol=1e-9)


def test_what_does_not_vary_or_is_not_there_has_no_dimensions() -> None:
    assert np.isnan(geometry.participation_ratio(np.full((7, 3), 0.1)))
    assert np.isnan(geometry.participation_ratio(np.ones((1, 3))))
    assert np.isnan(geometry.participation_ratio(np.ones((4, 0))))
    assert np.isnan(geometry.participation_ratio(np.full((4, 2), np.nan)))


def test_a_stimulus_with_a_missing_response_does_not_count() -> None:
    values = responses(3, 10, 4)
    missing = values.copy()
    missing[[2, 7], [0, 3]] = np.nan
    expected = geometry.participation_ratio(np.delete(values, [2, 7], axis=0))
    np.testing.assert_allclose(geometry.participation_ratio(missing), expected)


@pytest.mark.parametrize("metric", geometry.METRICS)
@pytest.mark.parametrize("shape", [(20, 5), (5, 20), (2, 3)])
def test_dissimilarities_are_those_of_scipy(metric: str, shape: tuple[int, int]) -> None:
    values = responses(4, *shape) + 3
    expected = squareform(pdist(values, metric))
    np.testing.assert_allclose(geometry.dissimilarity(values, metric), expected, atol=1e-12)


@pytest.mark.parametrize("metric", geometry.METRICS)
def test_dissimilarities_of_many_are_those_of_each(metric: str) -> None:
    values = responses(5, 2, 3, 6, 4)
    found = geometry.dissimilarity(values, metric)
    for place in np.ndindex(2, 3):
        expected = squareform(pdist(values[place], metric))
        np.testing.assert_allclose(found[place], expected, atol=1e-12)


def test_a_flat_pattern_correlates_with_nothing_but_lies_at_a_distance() -> None:
    values = responses(6, 4, 5)
    values[1] = 0.1
    correlation = geometry.dissimilarity(values, "correlation")
    assert np.isnan(correlation[1]).all()
    assert np.isnan(correlation[:, 1]).all()
    assert np.isfinite(np.delete(np.delete(correlation, 1, 0), 1, 1)).all()
    expected = squareform(pdist(values))
    np.testing.assert_allclose(geometry.dissimilarity(values, "euclidean"), expected)


@pytest.mark.parametrize("metric", geometry.METRICS)
def test_a_missing_response_and_a_layer_without_units_have_no_dissimilarity(metric: str) -> None:
    values = responses(7, 4, 5)
    values[2, 0] = np.nan
    found = geometry.dissimilarity(values, metric)
    assert np.isnan(found[2]).all()
    assert np.isnan(found[:, 2]).all()
    assert np.isfinite(found[[0, 1, 3]][:, [0, 1, 3]]).all()
    assert np.isnan(geometry.dissimilarity(np.ones((4, 0)), metric)).all()


def test_equal_responses_lie_at_no_distance_even_far_from_zero() -> None:
    values = np.repeat(responses(8, 3, 4), 2, axis=0) + 1e6
    found = geometry.dissimilarity(values, "euclidean")
    assert (np.diagonal(found) == 0).all()
    np.testing.assert_allclose(found[[0, 2, 4], [1, 3, 5]], 0, atol=1e-6)


def test_correlations_are_those_of_numpy() -> None:
    rows = responses(9, 5, 40) * [[1.0], [1e-9], [1e9], [1.0], [1.0]] + 4
    np.testing.assert_allclose(geometry.correlations(rows), np.corrcoef(rows), rtol=1e-9)


def test_correlations_are_over_the_columns_that_both_rows_have() -> None:
    rows = responses(10, 3, 12)
    rows[0, :4] = np.nan
    rows[1, 8:] = np.nan
    found = geometry.correlations(rows)
    np.testing.assert_allclose(found[0, 1], np.corrcoef(rows[:2, 4:8])[0, 1])
    np.testing.assert_allclose(found[0, 2], np.corrcoef(rows[[0, 2], 4:])[0, 1])
    np.testing.assert_allclose(np.diagonal(found), 1)


def test_too_few_columns_or_a_constant_row_have_no_correlation() -> None:
    assert np.isnan(geometry.correlations(np.array([[1.0, 2.0], [3.0, 5.0]]))).all()
    assert np.isnan(geometry.correlations(np.ones((2, 0)))).all()
    rows = responses(11, 3, 9)
    rows[1] = 0.3
    rows[2, :7] = np.nan
    found = geometry.correlations(rows)
    assert found[0, 0] == 1
    assert np.isnan(found[1:]).all()
    assert np.isnan(found[:, 1:]).all()


def test_visits_are_compared_by_the_upper_triangles_of_their_matrices() -> None:
    values = responses(12, 3, 7, 5)
    triangles = np.stack([pdist(each, "correlation") for each in values])
    found = geometry.similarity_of_visits(values)
    np.testing.assert_allclose(found, np.corrcoef(triangles), rtol=1e-9)
