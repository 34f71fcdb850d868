"""A fitted decoder: calibrated probabilities, prediction sets, and novelty of unknown rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from tests.decoder.drawn import RULES, drawn
from tests.decoder.synthetic import features
from virtuallab.decoder.diagnostics.reliability import reliability
from virtuallab.decoder.features.samples import by_subject
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.registry import CLASSIFIERS


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
