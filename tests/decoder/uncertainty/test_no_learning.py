"""No learning is answered for null models, known ones and others, and seldom for learners."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from virtuallab.decoder.uncertainty.no_learning import LEVEL, NoLearningTest, NullSamples

KINDS = ("drift", "frozen", "gain")
COLUMNS = 12


def learners(count: int, seed: int, amount: float = 4.0) -> np.ndarray:
    """Recordings that moved along the first column."""
    values = np.random.default_rng([seed, 1]).standard_normal((count, COLUMNS))
    values[:, 0] += amount
    return values


def nulls(each: int, seed: int, kinds: tuple[str, ...] = KINDS) -> NullSamples:
    """Recordings of which each kind has moved along a column of its own, not the first."""
    stream = np.random.default_rng([seed, 2])
    kind = np.repeat(kinds, each)
    values = stream.standard_normal((len(kind), COLUMNS))
    for place, name in enumerate(kind.tolist()):
        values[place, 1 + sorted((*KINDS, "new")).index(name)] += 4.0
    return NullSamples(values, kind, np.arange(len(kind)) % each)


def trained(kinds: tuple[str, ...] = KINDS, count: int = 60) -> NoLearningTest:
    test, _ = NoLearningTest.train(learners(count, 0), np.arange(count), nulls(40, 0, kinds), 5)
    return test


@pytest.fixture(scope="module")
def known() -> NoLearningTest:
    return trained()


def excluded(test: NoLearningTest, values: np.ndarray) -> float:
    return float((test.p_value(test.score(values)) <= LEVEL).mean())


def test_it_is_excluded_in_learners_and_not_in_null_recordings(known: NoLearningTest) -> None:
    assert excluded(known, learners(200, 7)) > 0.8
    assert excluded(known, nulls(100, 7).values) <= 0.05


def test_it_is_not_excluded_in_a_kind_that_was_not_in_training(known: NoLearningTest) -> None:
    assert excluded(known, nulls(200, 7, ("new",)).values) <= 0.1


def test_subjects_that_did_not_learn_are_not_told_from_null_recordings() -> None:
    """With labels that mean nothing, no learning is excluded as often as the level allows."""
    kinds = nulls(40, 3)
    shuffled = np.random.default_rng(0).permutation(kinds.values)
    test, _ = NoLearningTest.train(shuffled[:60], np.arange(60), kinds, 5)
    assert excluded(test, np.random.default_rng(1).permutation(nulls(200, 9).values)) <= 0.08


def test_probability_is_high_for_null_recordings_and_low_for_learners(
    known: NoLearningTest,
) -> None:
    assert known.probability(known.score(nulls(50, 7).values)).mean() > 0.9
    assert known.probability(known.score(learners(100, 7))).mean() < 0.1
    ordered = known.probability(np.array([-1.0, 0.0, 1.0]))
    assert (np.diff(ordered) < 0).all()


def test_a_recording_that_looks_less_like_learning_than_learners_is_never_excluded(
    known: NoLearningTest,
) -> None:
    highest = max(scores[-1] for scores in known.nulls.values())
    between = np.array([(highest + known.learners[0]) / 2])
    apart = replace(known, learners=known.learners + 100.0)
    assert apart.p_value(between + 50.0) == 1.0, "above all null recordings, below all learners"
    assert apart.p_value(known.learners[-1:] + 100.0) <= LEVEL


def test_a_null_model_is_compared_by_machines_that_did_not_have_it() -> None:
    """A kind that is like learners scores higher if it was not in training."""
    alike = nulls(40, 0)
    alike.values[alike.kinds == "gain"] = learners(40, 9, amount=2.0)
    test, _ = NoLearningTest.train(learners(60, 0), np.arange(60), alike, 5)
    in_training = test.score(alike.values[alike.kinds == "gain"])
    assert np.median(test.nulls["gain"]) > np.median(in_training) + 0.2


def test_recordings_of_one_subject_are_held_out_together() -> None:
    """A null recording that repeats a learner's values cannot score by what its machine knows."""
    values = learners(60, 0)
    twins = nulls(40, 0)
    twins.values[twins.kinds == "gain"] = values[:40]
    _, together = NoLearningTest.train(values, np.arange(60), twins, 5)
    apart = NullSamples(twins.values, twins.kinds, twins.owners + 1000)
    _, leaked = NoLearningTest.train(values, np.arange(60), apart, 5)
    assert not np.allclose(together, leaked)


def test_the_share_excluded_is_stated_for_learners_and_each_kind(known: NoLearningTest) -> None:
    shares = known.excluded
    assert set(shares) == {"learning", *KINDS}
    assert shares["learning"] > 0.8
    assert np.mean([shares[kind] for kind in KINDS]) <= 0.1


def test_one_null_model_is_enough() -> None:
    test = trained(("frozen",))
    assert excluded(test, learners(100, 7)) > 0.8
    assert excluded(test, nulls(100, 7, ("frozen",)).values) <= 0.05
    assert set(test.excluded) == {"learning", "frozen"}


def test_few_null_recordings_exclude_nothing() -> None:
    few = nulls(18, 0)
    test, _ = NoLearningTest.train(learners(60, 0), np.arange(60), few, 5)
    assert excluded(test, learners(100, 7)) == 0.0, "1 of 19 is more than 5 %"


def test_distance_is_small_within_the_null_models_and_large_outside(known: NoLearningTest) -> None:
    inside = known.distance_p_value(nulls(100, 7).values)
    assert 0.3 < np.median(inside) < 0.7
    assert (known.distance_p_value(nulls(20, 7).values * 10) == 0).all()
