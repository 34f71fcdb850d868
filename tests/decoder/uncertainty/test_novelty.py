"""Recordings of unknown rules and of other setups are told from those of known rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.decoder.drawn import drawn
from tests.decoder.paired import paired
from virtuallab.decoder.uncertainty.novelty import NoveltyDetector, open_set_auroc


def test_a_rule_that_was_never_seen_is_novel_where_outliers_were_known() -> None:
    known, others = drawn(50, 1, 1.5), drawn(50, 3, 1.5, rules=5)
    outliers = others.take(np.flatnonzero(others.labels == "oja"))
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
    outliers = others.take(np.flatnonzero(np.isin(others.labels, ["oja", "hebbian"])))
    assert open_set_auroc(clear, "adam", outliers, folds=4, seed=0) > 0.8
    assert open_set_auroc(none, "adam", None, folds=4, seed=0) == pytest.approx(0.5, abs=0.15)


def test_a_left_out_rule_is_not_familiar_because_its_pair_was_trained_on() -> None:
    """Rules do not differ here, so nothing is to be detected but the pair."""
    samples = paired("abc", count=40, shared=10.0)
    assert open_set_auroc(samples, "c", None, folds=4, seed=0) == pytest.approx(0.5, abs=0.12)
    divided = replace(samples, pairs=None)
    assert open_set_auroc(divided, "c", None, folds=4, seed=0) < 0.4
