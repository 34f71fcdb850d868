"""A trained decoder, how sure it says it is, and what it makes of rules it never saw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from virtuallab.decoder import strict
from virtuallab.decoder.calibration import reliability
from virtuallab.decoder.familiarity import Familiarity
from virtuallab.decoder.newcomers import told_apart
from virtuallab.decoder.samples import Samples
from virtuallab.decoder.trained import train
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
    trained = train(
        CLASSIFIERS["kernel_svm"](),
        known,
        np.arange(len(known.labels)),
        RULES,
        inner_folds=3,
        seed=0,
    )
    answer = trained.answer(asked.values)
    truth = np.array([RULES.index(rule) for rule in asked.labels.tolist()])
    assert reliability(answer.probability, truth).error < 0.05
    inside = answer.sets(0.9)[np.arange(len(truth)), truth]
    assert inside.mean() == pytest.approx(0.9, abs=0.04)
    assert (answer.familiar < 0.05).mean() < 0.1


@pytest.mark.parametrize(("apart", "uncalibrated"), [(0.15, 0.12), (0.7, -0.13)])
def test_on_average_decoders_are_right_as_often_as_they_state(
    apart: float, uncalibrated: float
) -> None:
    """Each learns its temperature from few subjects and is off by 0.04; their mean is not."""
    classifier, asked = CLASSIFIERS["kernel_svm"](), drawn(150, 1_000, apart)
    truth = np.array([RULES.index(rule) for rule in asked.labels.tolist()])
    rows, excess = np.arange(120), []
    for repeat in range(10):
        known = drawn(40, repeat, apart)
        trained = train(classifier, known, rows, RULES, inner_folds=3, seed=repeat)
        for decoder in (trained, replace(trained, heat=1.0)):
            stated = decoder.answer(asked.values).probability
            excess.append(stated.max(1).mean() - (stated.argmax(1) == truth).mean())
    assert abs(np.mean(excess[::2])) < 0.04
    assert np.mean(excess[1::2]) == pytest.approx(uncalibrated, abs=0.04)


def test_believing_names_whom_cross_validation_names() -> None:
    samples = drawn(30)
    how = {"folds": 3, "inner_folds": 2, "seed": 4}
    for name in ("kernel_svm", "random_forest"):
        classifier = CLASSIFIERS[name]()
        plain = strict.cross_validated(classifier, samples, RULES, **how)
        outcome, answer = strict.believed(classifier, samples, RULES, **how)
        np.testing.assert_array_equal(outcome.confusion, plain.confusion)
        assert answer.probability.shape == answer.p_value.shape == (90, 3)
        np.testing.assert_array_equal(answer.probability.argmax(1), plain.probability.argmax(1))


def test_nothing_of_the_rows_left_out_is_looked_at() -> None:
    samples = drawn(20)
    rows = np.arange(0, 60, 2)
    poisoned = samples.values.copy()
    poisoned[1::2] = 1e6
    classifier = CLASSIFIERS["kernel_svm"]()
    how = {"inner_folds": 2, "seed": 0}
    one = train(classifier, samples, rows, RULES, **how)
    other = train(
        classifier, Samples(poisoned, samples.labels, samples.owners, 1), rows, RULES, **how
    )
    np.testing.assert_array_equal(
        one.answer(samples.values).probability, other.answer(samples.values).probability
    )


def test_a_rule_that_was_never_seen_looks_foreign_where_others_were_known() -> None:
    known, others = drawn(50, 1, 1.5), drawn(50, 3, 1.5, rules=5)
    strangers = others.values[np.isin(others.labels, ["oja"])]
    learned = Familiarity.of(known.values, known.labels, strangers)
    asked = drawn(50, 4, 1.5, rules=5)
    score = learned.foreign(asked.values)
    of = {rule: score[asked.labels == rule].mean() for rule in ("adam", "oja", "hebbian")}
    assert of["adam"] < of["hebbian"]
    assert of["adam"] < of["oja"]


def test_distance_tells_a_setup_unlike_those_known() -> None:
    known, asked = drawn(50, 1), drawn(50, 2)
    learned = Familiarity.of(known.values, known.labels)
    elsewhere = asked.values + 6
    assert np.median(learned.distance(elsewhere)) > np.quantile(
        learned.distance(asked.values), 0.99
    )
    np.testing.assert_array_equal(learned.foreign(asked.values), learned.distance(asked.values))


def test_a_rule_left_out_is_told_apart_as_far_as_it_differs() -> None:
    clear, none = drawn(40, 1, 2.0), drawn(40, 1, 0.0)
    others = drawn(20, 3, 2.0, rules=5)
    strangers = others.values[np.isin(others.labels, ["oja", "hebbian"])]
    assert told_apart(clear, "adam", strangers, folds=4, seed=0) > 0.8
    assert told_apart(none, "adam", None, folds=4, seed=0) == pytest.approx(0.5, abs=0.15)
