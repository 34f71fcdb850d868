"""Whether a recording is from a setup like those that a decoder knows, whatever the rule."""

from __future__ import annotations

import numpy as np

from tests.decoder.synthetic import features
from virtuallab.decoder.samples import by_subject
from virtuallab.decoder.trained import Trained, train
from virtuallab.registry import CLASSIFIERS

SAMPLES = by_subject(features(each=40, signal=1.0), "activity")


def half() -> tuple[Trained, np.ndarray]:
    """A decoder trained on one half of the samples, and the other half."""
    rules = sorted(set(SAMPLES.labels.tolist()))
    rows = np.arange(0, len(SAMPLES.labels), 2)
    found = train(CLASSIFIERS["kernel_svm"](), SAMPLES, rows, rules, inner_folds=2, seed=1)
    return found, SAMPLES.values[1::2]


def test_samples_like_those_known_are_as_typical_as_any() -> None:
    trained, fresh = half()
    typical = trained.typical(fresh)
    assert 0.4 < np.median(typical) < 0.6
    assert (typical < 0.05).mean() < 0.12
    assert typical.max() <= 1


def test_a_sample_farther_than_all_is_not_typical_at_all() -> None:
    trained, fresh = half()
    stream = np.random.default_rng(0)
    far = fresh[:20] + 10 * stream.choice([-1.0, 1.0], size=fresh[:20].shape)
    assert (trained.typical(far) == 0).all()
