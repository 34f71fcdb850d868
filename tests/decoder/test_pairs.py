"""Paired designs: pairs stay together, count as pairs, and are no signal of a rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.model_selection import StratifiedGroupKFold

from tests.decoder.paired import paired
from virtuallab.decoder import Decoder
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.model_selection import fit, nested, splits_of
from virtuallab.decoder.pairs import count_rules, pair_effect, pair_scores, permuted
from virtuallab.decoder.schemes.cross_validation import cross_validate
from virtuallab.decoder.uncertainty.comparison import (
    accuracy_interval,
    balanced,
    bootstrap_accuracies,
    bootstrap_means,
    difference,
)
from virtuallab.errors import UserError
from virtuallab.registry import CLASSIFIERS

HOW = {"folds": 4, "inner_folds": 3, "seed": 2, "repeats": 2}


def interval_of(samples: Samples, classifier: str = "kernel_svm") -> tuple[float, float]:
    classes = sorted(set(samples.labels.tolist()))
    found = cross_validate(CLASSIFIERS[classifier](), samples, classes, **HOW)  # type: ignore[arg-type]
    return accuracy_interval(
        found.correct, samples.labels, 0.95, repeats=HOW["repeats"], pairs=samples.pairs
    )


@pytest.mark.parametrize(
    ("members", "ungrouped"), [(("ab",), "below"), (("abbbbb", "aaaaab"), "above")]
)
def test_what_a_pair_shares_is_no_rule_once_folds_keep_pairs_together(
    members: tuple[str, ...], ungrouped: str
) -> None:
    """No rule shows here. A decoder recognises the pair, and its own pairs tell it the others.

    Where pairs are complete, it names the rule of the training subject of the pair, which is not
    that of the subject that is tested; where most of a pair have one rule, it names that.
    """
    samples = paired(*members, count=40, shared=10.0)
    low, high = interval_of(samples)
    assert low <= 0.5 <= high
    low, high = interval_of(replace(samples, pairs=None))
    assert high < 0.4 if ungrouped == "below" else low > 0.6


def test_a_rule_that_shows_is_still_identified() -> None:
    low, _ = interval_of(paired("ab", count=40, signal=6.0, shared=1.0))
    assert low > 0.8


def test_a_decoder_takes_pairs_as_groups_or_from_a_coordinate() -> None:
    samples = paired("ab", count=30)
    decoder = Decoder("linear_svm", folds=3, inner_folds=2, repeats=1, permutations=1)
    grouped = decoder.evaluate(samples.values, samples.labels, groups=samples.pairs)
    low, high = grouped.interval
    assert low <= 0.5 <= high
    assert grouped.controls["control_passed"].sel(control="permuted_labels") == 1
    assert float(grouped.dataset["pair_effect"]) >= 1
    alone = decoder.evaluate(samples.values, samples.labels)
    assert alone.interval[1] < 0.5
    assert "pair_effect" not in alone.dataset
    fitted = decoder.fit(samples.values, samples.labels, groups=samples.pairs)
    assert fitted.predict(samples.values).probability.shape == (60, 2)


def test_groups_are_one_a_subject_and_enough() -> None:
    samples = paired("ab", count=10)
    with pytest.raises(UserError, match="groups: 19 for 20 subjects"):
        Decoder().fit(samples.values, samples.labels, groups=samples.pairs[1:])
    with pytest.raises(UserError, match=r"3 pairs of each rule, found \{'a': 2, 'b': 2\}"):
        Decoder().fit(samples.values, samples.labels, groups=samples.pairs % 2)


def test_a_fold_has_whole_pairs_and_all_rules_equally() -> None:
    samples = paired("abc", count=20)
    tested = []
    for train, test in splits_of(samples, 5, 3):
        assert not set(samples.pairs[train]) & set(samples.pairs[test])
        assert count_rules(samples.labels[test].tolist()) == {"a": 4, "b": 4, "c": 4}
        tested += test.tolist()
    assert sorted(tested) == list(range(60))


def test_inner_folds_keep_pairs_together() -> None:
    samples = paired("ab", count=12)
    search = nested(CLASSIFIERS["linear_svm"](), samples, 3, 0)
    assert isinstance(search.cv, StratifiedGroupKFold)
    assert len(fit(search, samples).predict(samples.values)) == 24


def test_outliers_of_a_pair_are_left_out_where_it_is_tested() -> None:
    samples = paired("ab", count=4)
    others = paired("cc", count=6)
    assert set(others.apart_from(samples.take(np.array([0, 1, 2]))).pairs) == {2, 3, 4, 5}
    assert others.apart_from(replace(samples, pairs=None)) is others


def test_labels_are_permuted_within_pairs_unless_one_has_a_single_rule() -> None:
    samples, stream = paired("abc", count=20), np.random.default_rng(0)
    found = permuted(samples.labels, samples.pairs, stream)
    assert (found != samples.labels).any()
    for pair in range(20):
        mine = samples.pairs == pair
        assert sorted(found[mine]) == sorted(samples.labels[mine])
    single = samples.take(np.arange(58))  # the last pair has rule "a" alone
    moved = [permuted(single.labels, single.pairs, stream)[-1] for _ in range(40)]
    assert {*moved} == {"a", "b", "c"}
    free = np.random.default_rng(1).permutation(samples.labels)
    np.testing.assert_array_equal(permuted(samples.labels, None, np.random.default_rng(1)), free)


def test_the_effect_of_pairs_is_one_where_they_are_independent_and_their_size_where_alike() -> None:
    samples, stream = paired("abcd", count=400), np.random.default_rng(3)
    alone = (stream.random(1_600) < 0.7).astype(float)
    assert pair_effect(alone, samples.labels, samples.pairs) == pytest.approx(1, abs=0.2)
    alike = (stream.random(400) < 0.7).astype(float)[samples.pairs]
    assert pair_effect(alike, samples.labels, samples.pairs) == pytest.approx(4, rel=0.03)
    assert pair_effect(np.ones(1_600), samples.labels, samples.pairs) == pytest.approx(4, rel=0.01)
    opposed = np.tile([1.0, 0.0, 1.0, 0.0], 400)
    opposed[:800] = 1 - opposed[:800]
    assert pair_effect(opposed, samples.labels, samples.pairs) == pytest.approx(1, abs=0.01)
    assert pair_effect(alike, samples.labels, None) == 1


def test_scores_of_pairs_are_those_of_the_subjects_added() -> None:
    samples = paired("abb", "ab", count=6)
    values = np.random.default_rng(0).random((2, len(samples.labels)))
    found = pair_scores(values, samples.labels, samples.pairs)
    for row, score in zip(values, found, strict=True):
        by_hand = np.zeros(6)
        for value, rule, pair in zip(row, samples.labels, samples.pairs, strict=True):
            mine = row[samples.labels == rule]
            by_hand[pair] += (value - mine.mean()) / len(mine) / 2
        np.testing.assert_allclose(score, by_hand, atol=1e-12)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_an_interval_holds_the_truth_although_pairs_are_alike(share: float) -> None:
    """As if each decoder were independent, to test the effect of pairs alone."""
    samples, stream = paired("abcd", count=20), np.random.default_rng(5)
    hits = {"pairs": 0, "subjects": 0}
    for _ in range(200):
        both = np.sqrt(0.8) * stream.standard_normal((20, 1)) + np.sqrt(0.2) * (
            stream.standard_normal((20, 4))
        )
        correct = (both < norm.ppf(share)).astype(float).ravel()
        for name, pairs in (("pairs", samples.pairs), ("subjects", None)):
            low, high = accuracy_interval(correct, samples.labels, 0.95, repeats=1_000, pairs=pairs)
            hits[name] += low <= share <= high
    assert hits["pairs"] >= 0.93 * 200
    assert hits["subjects"] < 0.85 * 200


def test_a_difference_of_decoders_counts_pairs() -> None:
    samples, stream = paired("abcd", count=30), np.random.default_rng(6)
    one = (stream.random(30) < 0.8).astype(float)[samples.pairs]
    other = (stream.random(30) < 0.5).astype(float)[samples.pairs]
    value, low, high = difference(one, other, samples.labels, 0.95, pairs=samples.pairs)
    plain = difference(one, other, samples.labels, 0.95)
    assert value == plain[0]
    assert high - low == pytest.approx(2 * (plain[2] - plain[1]), rel=0.1)


def test_a_bootstrap_draws_pairs() -> None:
    samples, stream = paired("abcd", count=50), np.random.default_rng(7)
    alike = (stream.random((2, 50)) < 0.7).astype(float)[:, samples.pairs]
    means = bootstrap_means(alike, samples.labels, 4_000, 1, samples.pairs)
    of_pairs = alike[:, samples.labels == "a"]
    np.testing.assert_allclose(means.std(1), of_pairs.std(1) / np.sqrt(50), rtol=0.05)
    assert np.abs(means.mean(1) - balanced(alike, samples.labels)).max() < 0.01
    with_pairs, without = (
        bootstrap_accuracies(alike, samples.labels, 2_000, 1, pairs=pairs).std(0)
        for pairs in (samples.pairs, None)
    )
    np.testing.assert_allclose(with_pairs / without, 2, rtol=0.1)
