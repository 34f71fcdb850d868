"""Comparing decoders of the same subjects."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.decoder.comparison import accuracy_interval, balanced, resampled, shortfall

LABELS = np.repeat(["a", "b", "c"], [10, 20, 40])


def test_every_rule_counts_alike():
    right = np.concatenate([np.ones(10), np.zeros(20), np.full(40, 0.5)])
    assert balanced(right, LABELS) == pytest.approx(0.5)
    np.testing.assert_allclose(balanced(np.stack([right, 1 - right]), LABELS), 0.5)


def test_subjects_are_drawn_anew_within_their_rule():
    drawn = resampled(LABELS, 50, seed=1)
    assert drawn.shape == (50, 70)
    assert (LABELS[drawn] == LABELS).all()
    assert len(np.unique(drawn[:, 0])) > 3


def test_an_interval_holds_the_truth_as_often_as_it_says():
    stream, labels = np.random.default_rng(2), np.repeat(["a", "b"], 40)
    covered = 0
    for seed in range(300):
        p = np.where(labels == "a", 0.9, 0.6)
        low, high = accuracy_interval((stream.random(80) < p).astype(float), labels, 0.9, seed)
        covered += low <= 0.75 <= high
    assert 0.85 <= covered / 300 <= 0.95


def test_how_far_designs_fall_short_is_seen_in_the_same_subjects():
    """Two designs that differ in few subjects can be told apart, however hard the subjects are."""
    stream, labels = np.random.default_rng(3), np.repeat(["a", "b"], 100)
    best = (stream.random(200) < 0.7).astype(float)
    worse = best * (stream.random(200) < 0.9)
    [of_best, of_worse] = shortfall(np.stack([best, worse]), labels, 0.95, seed=4)
    assert of_best.tolist() == [0, 0, 0]
    assert of_worse[0] == pytest.approx(balanced(best, labels) - balanced(worse, labels))
    assert 0 < of_worse[1] < of_worse[0] < of_worse[2]
    low, high = accuracy_interval(best, labels, 0.95, seed=5)
    assert of_worse[2] - of_worse[1] < high - low


def test_designs_that_do_the_same_by_chance_are_tied():
    stream, labels = np.random.default_rng(6), np.repeat(["a", "b"], 100)
    right = (stream.random((2, 200)) < 0.7).astype(float)
    assert shortfall(right, labels, 0.95, seed=7)[:, 1].max() <= 0
