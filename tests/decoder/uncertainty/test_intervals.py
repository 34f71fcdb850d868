"""Intervals hold the accuracy on new subjects, though folds make subjects dependent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from tests.decoder.drawn import RULES, drawn
from virtuallab.decoder.schemes import cross_validation as strict
from virtuallab.decoder.uncertainty.comparison import accuracy_interval, balanced, difference
from virtuallab.decoder.uncertainty.intervals import (
    dependence,
    effective_number,
    interval,
    mean_interval,
)
from virtuallab.registry import CLASSIFIERS

TRUTH = np.repeat([0, 1], 20)
EXPERIMENTS, DRAWS, COLUMNS = 400, 5, 30


def cross_validated_noise(recordings: int) -> np.ndarray:
    """Whom nearest centroids identify in noise, (recording, experiment, draw, subject)."""
    stream = np.random.default_rng(4)
    values = stream.standard_normal((recordings, EXPERIMENTS, len(TRUTH), COLUMNS))
    order = stream.random((EXPERIMENTS, DRAWS, 2, 20)).argsort(-1)
    folds = (order % 5).reshape(EXPERIMENTS, DRAWS, -1)
    right = np.zeros((recordings, *folds.shape))
    for draw in range(DRAWS):
        for number in range(5):
            test = folds[:, draw] == number
            kept = (~test[..., None] * np.eye(2)[TRUTH]) / 16
            centres = np.einsum("enk,rend->rekd", kept, values)
            distance = -2 * np.einsum("rend,rekd->renk", values, centres)
            named = (distance + (centres**2).sum(-1)[:, :, None]).argmin(-1)
            right[:, :, draw] += test * (named == TRUTH)
    return right


def held(bounds: np.ndarray, truth: float) -> float:
    """How often intervals, (experiment, bound), hold the truth."""
    return float(((bounds[:, 0] <= truth) & (truth <= bounds[:, 1])).mean())


def test_intervals_of_cross_validated_noise_hold_chance_and_those_of_independent_subjects_do_not():
    [right] = cross_validated_noise(1)
    hits = right[:, 0].sum(1)
    independent = beta.ppf([[0.025], [0.975]], hits + 0.5, len(TRUTH) - hits + 0.5).T
    assert held(independent, 0.5) < 0.91
    for draws in (1, DRAWS):
        mean = right[:, :draws].mean(1)
        bounds = [accuracy_interval(each, TRUTH, 0.95, repeats=draws) for each in mean]
        assert held(np.array(bounds), 0.5) >= 0.94
    wider = np.diff(bounds).mean() / np.diff(independent).mean()
    assert wider == pytest.approx(np.sqrt(dependence(DRAWS)), abs=0.03)


def test_differences_of_cross_validated_noise_hold_nothing_and_a_bootstrap_does_not():
    right = cross_validated_noise(2)
    one, other = right[:, :, 0]
    stream = np.random.default_rng(0)
    drawn_anew = stream.integers(0, 20, (300, 40)) + 20 * TRUTH
    bootstrap = np.quantile((one - other)[:, drawn_anew].mean(-1), [0.025, 0.975], axis=1).T
    assert held(bootstrap, 0) < 0.91
    for draws in (1, DRAWS):
        pairs = zip(*right[:, :, :draws].mean(2), strict=True)
        bounds = [difference(*pair, TRUTH, 0.95, repeats=draws)[1:] for pair in pairs]
        assert held(np.array(bounds), 0) >= 0.94


def test_more_draws_of_the_folds_are_surer_up_to_a_point() -> None:
    widths = [np.diff(interval(np.full((2, 2), 20.0), 0.95, repeats=r))[0] for r in (1, 3, 10)]
    assert widths[0] > widths[1] > widths[2]
    assert dependence(1) > dependence(5) > dependence(1_000) > dependence(None) > 1


def test_the_effective_number_is_that_of_subjects_who_scatter_as_much() -> None:
    alike, ten = np.full(4, 0.8), np.full(4, 10.0)
    assert effective_number(alike, ten) == pytest.approx(40)
    assert effective_number(np.ones(4), ten) == pytest.approx(40)
    # Few subjects of one rule make the mean over rules unsure.
    assert effective_number(alike, np.array([4.0, 12, 12, 12])) == pytest.approx(32, rel=0.01)
    # A mean of shares that differ scatters less than one share of their mean.
    assert effective_number(np.array([1.0, 1, 0.6, 0.6]), np.full(4, 500.0)) > 2_000


def test_where_all_are_right_the_interval_reaches_one_and_is_no_point() -> None:
    low, high = mean_interval(np.ones(4), np.full(4, 10.0), 0.95)
    assert 0.8 < low < 0.95
    assert high == 1
    assert mean_interval(np.zeros(2), np.full(2, 10.0), 0.95)[0] == 0


def test_an_outcome_is_the_mean_over_draws_of_the_folds() -> None:
    samples, classifier = drawn(12, apart=0.4), CLASSIFIERS["logistic_regression"]()
    how = {"folds": 3, "inner_folds": 2}
    each = [
        strict.cross_validate(classifier, samples, RULES, seed=7 + draw, **how) for draw in range(3)
    ]
    mean = strict.cross_validate(classifier, samples, RULES, seed=7, repeats=3, **how)
    assert len({float(one.confusion.trace()) for one in each}) > 1
    np.testing.assert_allclose(mean.confusion, np.mean([one.confusion for one in each], axis=0))
    np.testing.assert_allclose(mean.correct, np.mean([one.correct for one in each], axis=0))
    np.testing.assert_allclose(mean.confusion.sum(1), 12)
    shares = np.diag(mean.confusion) / 12
    assert balanced(mean.correct, samples.labels) == pytest.approx(shares.mean())
    steps: list[int] = []
    believed, answer = strict.cross_validate_calibrated(
        classifier, samples, RULES, seed=7, repeats=3, step=lambda: steps.append(1), **how
    )
    np.testing.assert_allclose(believed.confusion, mean.confusion)
    np.testing.assert_allclose(believed.correct, mean.correct)
    assert len(steps) == 3 + 2
    first, _ = strict.cross_validate_calibrated(classifier, samples, RULES, seed=7, **how)
    np.testing.assert_array_equal(answer.probability, first.probability)


def test_intervals_cover_at_least_as_often_as_they_say() -> None:
    """Subjects here are independent, so that an interval is wider than needed by its dependence."""
    stream = np.random.default_rng(0)
    shares, size, covered = np.array([0.5, 0.8, 0.95]), 20, 0
    for _ in range(200):
        right = stream.binomial(size, shares)
        confusion = np.diag(right).astype(float)
        confusion[np.arange(3), [1, 2, 0]] = size - right
        low, high = interval(confusion, 0.95, repeats=None)
        covered += low <= shares.mean() <= high
    assert 0.95 <= covered / 200 <= 0.995


def test_an_interval_of_perfect_predictions_is_no_point() -> None:
    low, high = interval(np.eye(4) * 10, 0.95)
    assert low < 0.97 < high
