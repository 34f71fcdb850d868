"""Comparing decoders of the same subjects."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.decoder.uncertainty.comparison import (
    accuracy_interval,
    balanced,
    bootstrap_accuracies,
    bootstrap_means,
    difference,
    shortfall,
)

LABELS = np.repeat(["a", "b", "c"], [10, 20, 40])


def test_every_rule_counts_alike():
    right = np.concatenate([np.ones(10), np.zeros(20), np.full(40, 0.5)])
    assert balanced(right, LABELS) == pytest.approx(0.5)
    np.testing.assert_allclose(balanced(np.stack([right, 1 - right]), LABELS), 0.5)


def test_subjects_are_drawn_anew_within_their_rule():
    of_rule = np.stack([rule == LABELS for rule in "abc"]).astype(float)
    np.testing.assert_allclose(bootstrap_means(of_rule, LABELS, 50, seed=1), 1 / 3)
    numbers = bootstrap_means(np.arange(70.0)[None], LABELS, 50, seed=1)[0]
    assert len(np.unique(numbers)) == 50
    assert numbers.mean() == pytest.approx(balanced(np.arange(70.0), LABELS), abs=1)


def test_an_interval_of_subjects_who_share_no_decoder_is_wide_enough_and_not_twice_as_wide():
    """Rules that are identified unequally well have a surer mean than a single share."""
    stream, labels = np.random.default_rng(2), np.repeat(["a", "b"], 40)
    p = np.where(labels == "a", 0.95, 0.55)
    rights = (stream.random((300, 80)) < p).astype(float)
    bounds = np.array([accuracy_interval(each, labels, 0.9) for each in rights])
    assert ((bounds[:, 0] <= 0.75) & (bounds[:, 1] >= 0.75)).mean() >= 0.9
    needed = 2 * 1.645 * balanced(rights, labels).std()
    assert np.diff(bounds).mean() == pytest.approx(1.38 * needed, rel=0.1)


def test_a_difference_is_that_of_the_same_subjects_and_never_a_point():
    stream = np.random.default_rng(8)
    one, other = (stream.random((2, 70)) < 0.7).astype(float)
    value, low, high = difference(one, other, LABELS, 0.95)
    assert value == pytest.approx(balanced(one, LABELS) - balanced(other, LABELS))
    assert low < value < high
    back = difference(other, one, LABELS, 0.95)
    np.testing.assert_allclose(back, (-value, -high, -low))
    alike = difference(one, one, LABELS, 0.95)
    assert alike[0] == 0
    assert -0.1 < alike[1] < 0 < alike[2] < 0.1


def test_a_difference_holds_the_truth_as_often_as_it_says():
    """Subjects that are hard for one decoder are hard for the other."""
    stream, labels = np.random.default_rng(9), np.repeat(["a", "b"], 20)
    hard = stream.random((400, 40))
    one, other = (hard + stream.random((2, 400, 40))) / 2 < np.array([[[0.6]], [[0.5]]])
    truth = one.mean() - other.mean()
    pairs = zip(one.astype(float), other.astype(float), strict=True)
    bounds = np.array([difference(*pair, labels, 0.95) for pair in pairs])
    assert ((bounds[:, 1] <= truth) & (truth <= bounds[:, 2])).mean() >= 0.95


def test_accuracies_drawn_anew_scatter_as_their_interval_does():
    stream, labels = np.random.default_rng(10), np.repeat(["a", "b", "c"], 60)
    right = (stream.random((4, 3, 180)) < 0.7).mean(0)  # three designs, the mean of four seeds
    drawn = bootstrap_accuracies(right, labels, 3_000, 1, repeats=4)
    assert drawn.shape == (3_000, 3)
    np.testing.assert_allclose(drawn.mean(0), balanced(right, labels), atol=0.004)
    for each, values in zip(right, drawn.T, strict=True):
        low, high = accuracy_interval(each, labels, 0.95, repeats=4)
        assert np.subtract(*np.quantile(values, [0.975, 0.025])) == pytest.approx(
            high - low, rel=0.08
        )


def test_how_far_designs_fall_short_is_seen_in_the_same_subjects():
    """Two designs that differ in few subjects can be told apart, however hard the subjects are."""
    stream, labels = np.random.default_rng(3), np.repeat(["a", "b"], 100)
    best = (stream.random(200) < 0.7).astype(float)
    worse = best * (stream.random(200) < 0.9)
    [of_best, of_worse] = shortfall(np.stack([best, worse]), labels, 0.95)
    assert of_best.tolist() == [0, 0, 0]
    assert of_worse[0] == pytest.approx(balanced(best, labels) - balanced(worse, labels))
    assert 0 < of_worse[1] < of_worse[0] < of_worse[2]
    low, high = accuracy_interval(best, labels, 0.95)
    assert of_worse[2] - of_worse[1] < high - low


def test_designs_that_do_the_same_by_chance_are_tied():
    stream, labels = np.random.default_rng(6), np.repeat(["a", "b"], 100)
    right = (stream.random((2, 200)) < 0.7).astype(float)
    assert shortfall(right, labels, 0.95)[:, 1].max() <= 0
