"""A fitted decoder: calibrated probabilities, prediction sets, and novelty of unknown rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from tests.decoder.drawn import RULES, drawn
from tests.decoder.kinds import KINDS, subjects
from tests.decoder.kinds import RULES as RULES_OF_KINDS
from tests.decoder.synthetic import features
from virtuallab.decoder.diagnostics.reliability import reliability
from virtuallab.decoder.features.centring import Centres
from virtuallab.decoder.features.samples import Samples, by_subject
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.decoder.uncertainty.no_learning import NullSamples
from virtuallab.registry import CLASSIFIERS
from virtuallab.vocabulary import NO_LEARNING


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


def with_nulls(count: int = 60) -> tuple[FittedDecoder, NullSamples]:
    """A decoder of three rules, trained with recordings of two null models."""
    known = drawn(count, 1)
    stream = np.random.default_rng(4)
    values = stream.normal(0, 1, (80, known.values.shape[1])) - 6.0
    nulls = NullSamples(
        values, np.repeat(["frozen", "gain"], 40), np.arange(80) % len(known.labels)
    )
    known = replace(known, owners=np.arange(len(known.labels)))
    classifier = CLASSIFIERS["kernel_svm"]()
    decoder = FittedDecoder.train(classifier, known, RULES, inner_folds=2, seed=0, nulls=nulls)
    return decoder, nulls


def test_no_learning_is_one_of_its_answers() -> None:
    decoder, nulls = with_nulls()
    prediction = decoder.predict(nulls.values)
    assert prediction.probability["rule"].values.tolist() == [*RULES, NO_LEARNING]
    np.testing.assert_allclose(prediction.probability.sum("rule"), 1.0)
    sets = prediction.sets(0.9)
    assert sets.sel(rule=NO_LEARNING).mean() >= 0.95
    assert (prediction.rule == NO_LEARNING).mean() > 0.95
    assert sets.sel(rule=list(RULES)).mean() < 0.1, "rules are excluded where nothing was learned"


def test_subjects_that_learned_keep_their_rules_and_their_coverage() -> None:
    decoder, _ = with_nulls()
    asked = drawn(200, 2)
    prediction = decoder.predict(asked.values)
    truth = np.array([RULES.index(rule) for rule in asked.labels.tolist()])
    sets = prediction.sets(0.9).to_numpy()
    assert not sets[:, -1].mean() > 0.1, "no learning is excluded"
    assert sets[np.arange(len(truth)), truth].mean() == pytest.approx(0.9, abs=0.04)
    assert decoder.coverage(0.9) == pytest.approx(0.9, abs=0.04)


def test_a_recording_like_a_null_model_is_not_outside_its_range() -> None:
    decoder, nulls = with_nulls()
    assert np.median(decoder.predict(nulls.values).distance_p_value) > 0.3
    without = replace(decoder, no_learning=None)
    assert (without.predict(nulls.values).distance_p_value == 0).all()


def test_sets_calibrated_on_kinds_held_out_hold_for_a_kind_that_is_new() -> None:
    """Kinds differ in where they lie, so sets calibrated within kinds are too small for others."""

    def of_kind(kind: int, count: int, seed: int) -> Samples:
        samples = drawn(count, seed)
        shift = np.random.default_rng([kind, 5]).normal(0, 1.2, samples.values.shape[1])
        return replace(samples, values=samples.values + shift)

    parts = [of_kind(kind, 24, kind) for kind in range(6)]
    known = replace(
        parts[0],
        values=np.concatenate([each.values for each in parts]),
        labels=np.concatenate([each.labels for each in parts]),
        owners=np.arange(6 * len(parts[0].labels)),
    )
    kinds = np.repeat([f"kind {kind}" for kind in range(6)], len(parts[0].labels))
    classifier, held = CLASSIFIERS["kernel_svm"](), {}
    for name, given in (("within", None), ("across", kinds)):
        decoder = FittedDecoder.train(classifier, known, RULES, inner_folds=2, seed=0, kinds=given)
        inside = []
        for kind in range(20, 30):
            asked = of_kind(kind, 20, kind)
            truth = np.array([RULES.index(rule) for rule in asked.labels.tolist()])
            sets = decoder.predict(asked.values).sets(0.9).to_numpy()
            inside.append(sets[np.arange(len(truth)), truth].mean())
        held[name] = float(np.mean(inside))
    assert held["across"] > 0.84
    assert held["across"] > held["within"] + 0.05, held


def test_kinds_that_cannot_be_held_out_change_nothing() -> None:
    known = drawn(20, 1)
    classifier = CLASSIFIERS["kernel_svm"]()
    one = FittedDecoder.train(classifier, known, RULES, inner_folds=2, seed=0)
    kinds = np.where(known.labels == RULES[0], "a", "b")
    other = FittedDecoder.train(classifier, known, RULES, inner_folds=2, seed=0, kinds=kinds)
    xr.testing.assert_identical(
        one.predict(known.values).dataset, other.predict(known.values).dataset
    )


# References


def on_another_kind() -> tuple[FittedDecoder, FittedDecoder, Samples]:
    """Decoders without and with centres of five kinds, and subjects of a sixth, far from these."""
    samples, kinds = subjects(spread=8.0)
    rows = np.flatnonzero(kinds != KINDS[0])
    known, asked = samples.take(rows), samples.take(np.flatnonzero(kinds == KINDS[0]))
    centres = Centres.of(known.values, kinds[rows])
    relative = replace(known, values=centres.centred(known.values, kinds[rows]))
    plain, centred = (
        FittedDecoder.train(
            CLASSIFIERS["logistic_regression"](),
            each,
            RULES_OF_KINDS,
            inner_folds=2,
            seed=0,
            centres=own,
        )
        for each, own in ((known, None), (relative, centres))
    )
    return plain, centred, asked


def test_references_of_many_rules_recover_a_kind_that_lies_apart() -> None:
    plain, centred, asked = on_another_kind()
    rule = asked.labels

    def accuracy(references: np.ndarray | None, decoder: FittedDecoder = centred) -> float:
        answers = decoder.predict(asked.values[::2], references).rule.to_numpy()
        return float((answers == rule[::2]).mean())

    others = asked.take(np.arange(1, len(rule), 2))
    many = accuracy(others.values)
    assert many > 0.85
    assert accuracy(None, plain) < many - 0.3
    # The centre of all kinds is that of no references at all.
    assert accuracy(np.empty((0, asked.values.shape[1]))) < many - 0.3
    # References that share the rule of the recording remove what identifies it.
    correct = [
        centred.predict(asked.values[row][None], others.values[others.labels == rule[row]]).rule
        == rule[row]
        for row in range(0, len(rule), 2)
    ]
    assert np.mean(correct) < many - 0.3


def test_a_decoder_with_centres_needs_references_and_no_other_takes_them() -> None:
    plain, centred, asked = on_another_kind()
    with pytest.raises(ValueError, match="which need them"):
        centred.predict(asked.values)
    with pytest.raises(ValueError, match="which need them"):
        plain.predict(asked.values, asked.values)
