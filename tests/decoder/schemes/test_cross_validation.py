"""Every subject is identified once in each draw of the folds, by a decoder trained on others."""

from __future__ import annotations

import numpy as np

from tests.decoder.drawn import RULES, drawn
from virtuallab.decoder.schemes.cross_validation import (
    confusion_of,
    cross_validate,
    cross_validate_calibrated,
    cross_validate_groups,
)
from virtuallab.registry import CLASSIFIERS


def test_calibrated_cross_validation_identifies_the_same_subjects() -> None:
    samples = drawn(30)
    how = {"folds": 3, "inner_folds": 2, "seed": 4}
    for name in ("kernel_svm", "random_forest"):
        classifier = CLASSIFIERS[name]()
        plain = cross_validate(classifier, samples, RULES, **how)
        result, prediction = cross_validate_calibrated(classifier, samples, RULES, **how)
        np.testing.assert_array_equal(result.confusion, plain.confusion)
        assert prediction.probability.shape == prediction.p_value.shape == (90, 3)
        np.testing.assert_array_equal(
            prediction.probability.argmax("rule"), plain.probability.argmax(1)
        )


def test_a_result_is_the_mean_over_draws_of_the_folds() -> None:
    samples, classifier = drawn(12, apart=0.3), CLASSIFIERS["kernel_svm"]()
    how = {"folds": 3, "inner_folds": 2}
    one, other = (cross_validate(classifier, samples, RULES, seed=s, **how) for s in (4, 5))
    both = cross_validate(classifier, samples, RULES, seed=4, repeats=2, **how)
    assert not np.array_equal(one.correct, other.correct)
    np.testing.assert_array_equal(both.confusion, (one.confusion + other.confusion) / 2)
    np.testing.assert_array_equal(both.correct, (one.correct + other.correct) / 2)
    assert both.confusion.sum(1).tolist() == [12, 12, 12]


def test_a_group_is_identified_by_a_decoder_that_was_not_trained_on_it() -> None:
    samples = drawn(8, apart=10.0, rules=2)
    group = np.where(samples.owners % 2, "odd", "even")
    confused = samples.take(samples.owners)
    odd = group == "odd"
    confused.labels[odd] = np.roll(confused.labels[odd], 4)  # exchanges the two rules
    found = cross_validate_groups(
        CLASSIFIERS["kernel_svm"](), confused, group, RULES[:2], inner_folds=2, seed=0
    )
    assert list(found) == ["even", "odd"]
    assert [each.confusion.trace() for each in found.values()] == [0, 0]


def test_a_confusion_matrix_has_true_rules_in_rows() -> None:
    true = np.array(["adam", "adam", "sgdm"], dtype=object)
    predicted = np.array(["adam", "sgdm", "sgdm"], dtype=object)
    assert confusion_of(true, predicted, RULES).tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 1]]
