"""A fitted decoder: calibrated probabilities, prediction sets, and novelty of unknown rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from tests.decoder.synthetic import features
from virtuallab.decoder.diagnostics.reliability import reliability
from virtuallab.decoder.features.samples import Samples, by_subject
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.decoder.schemes.cross_validation import cross_validate, cross_validate_calibrated
from virtuallab.decoder.uncertainty.novelty import NoveltyDetector, open_set_auroc
from virtuallab.registry import CLASSIFIERS

RULES = ["adam", "feedback", "sgdm"]
COLUMNS = 30


def drawn(each: int, seed: int = 0, apart: float = 1.0, rules: int = 3) -> Samples:
    """Subjects of rules that differ in a few of many columns."""
    stream = np.random.default_rng(seed)
    number = np.repeat(np.arange(rules), each)
    names = np.array([*RULES, "oja", "hebbian"])
    values = stream.standard_normal((len(number), COLUMNS))
    centres = np.random.default_rng(99).standard_normal((5, 8)) * apart
    values[:, :8] += centres[number]
    return Samples(values, names[number], np.arange(len(number)), 1)


def test_what_it_states_of_new_subjects_comes_true() -> None:
    known, asked = drawn(60, 1), drawn(400, 2)
    decoder = FittedDecoder.train(CLASSIFIERS["kernel_svm"](), known, RULES, inner_folds=3, seed=0)
    prediction = decoder.predict(asked.values)
    truth = np.array([RULES.index(rule) for rule in asked.labels.tolist()])
    assert reliability(prediction.probability.to_numpy(), truth).error < 0.05
    inside = prediction.sets(0.9).to_numpy()[np.arange(len(truth)), truth]
    assert inside.mean() == pytest.approx(0.9, abs=0.04)
    assert (prediction.novelty_p_value < 0.05).mean() < 0.1
    assert (prediction.rule.to_numpy() == asked.labels).mean() > 0.8


@pytest.mark.parametrize(("apart", "uncalibrated"), [(0.15, 0.12), (0.7, -0.13)])
def test_on_average_decoders_are_right_as_often_as_they_state(
    apart: float, uncalibrated: float
) -> None:
    """Each learns its temperature from few subjects and is off by 0.04; their mean is not."""
    classifier, asked = CLASSIFIERS["kernel_svm"](), drawn(150, 1_000, apart)
    truth = np.array([RULES.index(rule) for rule in asked.labels.tolist()])
    excess = []
    for repeat in range(10):
        known = drawn(40, repeat, apart)
        fitted = FittedDecoder.train(classifier, known, RULES, inner_folds=3, seed=repeat)
        for decoder in (fitted, replace(fitted, temperature=1.0)):
            stated = decoder.predict(asked.values).probability.to_numpy()
            excess.append(stated.max(1).mean() - (stated.argmax(1) == truth).mean())
    assert abs(np.mean(excess[::2])) < 0.04
    assert np.mean(excess[1::2]) == pytest.approx(uncalibrated, abs=0.04)


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


def test_a_fold_depends_on_its_training_samples_alone() -> None:
    samples = drawn(20)
    test = np.arange(1, 60, 2)
    poisoned = replace(samples, values=np.where(np.arange(60)[:, None] % 2, 1e6, samples.values))
    classifier = CLASSIFIERS["kernel_svm"]()
    one, other = (
        FittedDecoder.train(
            classifier, each.take(np.arange(0, 60, 2)), RULES, inner_folds=2, seed=0
        ).predict(samples.values[test])
        for each in (samples, poisoned)
    )
    xr.testing.assert_identical(one.dataset, other.dataset)


def test_a_rule_that_was_never_seen_is_novel_where_outliers_were_known() -> None:
    known, others = drawn(50, 1, 1.5), drawn(50, 3, 1.5, rules=5)
    outliers = others.values[np.isin(others.labels, ["oja"])]
    detector = NoveltyDetector(outliers).fit(known.values, known.labels)
    asked = drawn(50, 4, 1.5, rules=5)
    score = detector.score(asked.values)[:, 0]
    of = {rule: score[asked.labels == rule].mean() for rule in ("adam", "oja", "hebbian")}
    assert of["adam"] < of["hebbian"]
    assert of["adam"] < of["oja"]


def test_recordings_of_another_setup_are_distant() -> None:
    known, asked = drawn(50, 1), drawn(50, 2)
    detector = NoveltyDetector().fit(known.values, known.labels)
    elsewhere = detector.score(asked.values + 6)[:, 1]
    near = detector.score(asked.values)
    assert np.median(elsewhere) > np.quantile(near[:, 1], 0.99)
    np.testing.assert_array_equal(near[:, 0], near[:, 1])


def test_a_rule_left_out_is_detected_as_far_as_it_differs() -> None:
    clear, none = drawn(40, 1, 2.0), drawn(40, 1, 0.0)
    others = drawn(20, 3, 2.0, rules=5)
    outliers = others.values[np.isin(others.labels, ["oja", "hebbian"])]
    assert open_set_auroc(clear, "adam", outliers, folds=4, seed=0) > 0.8
    assert open_set_auroc(none, "adam", None, folds=4, seed=0) == pytest.approx(0.5, abs=0.15)


def half() -> tuple[FittedDecoder, np.ndarray]:
    """A decoder fitted to one half of the subjects, and values of the other half."""
    samples = by_subject(features(each=40, signal=1.0), "activity")
    rows = np.arange(0, len(samples.labels), 2)
    classifier = CLASSIFIERS["kernel_svm"]()
    decoder = FittedDecoder.train(classifier, samples.take(rows), RULES, inner_folds=2, seed=1)
    return decoder, samples.values[1::2]


def test_distances_of_new_subjects_are_distributed_as_those_of_training_subjects() -> None:
    decoder, fresh = half()
    share = decoder.predict(fresh).distance_p_value.to_numpy()
    assert 0.4 < np.median(share) < 0.6
    assert (share < 0.05).mean() < 0.12
    assert share.max() <= 1


def test_a_subject_farther_than_all_training_subjects_has_a_share_of_zero() -> None:
    decoder, fresh = half()
    stream = np.random.default_rng(0)
    far = fresh[:20] + 10 * stream.choice([-1.0, 1.0], size=fresh[:20].shape)
    assert (decoder.predict(far).distance_p_value == 0).all()
