"""Random splits, of layers or of whole subjects."""

from __future__ import annotations

from collections import Counter

import numpy as np

from tests.decoder.paired import paired
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.pairs import count_rules
from virtuallab.decoder.schemes.random_splits import splits_by_layer, splits_by_subject

LAYERS = 3


def samples() -> Samples:
    """Three layers each of eight subjects of one rule and of twelve subjects of another."""
    owners = np.repeat(np.arange(20), LAYERS)
    labels = np.where(owners < 8, "adam", "oja").astype(object)
    return Samples(np.zeros((len(owners), 2)), labels, owners, visits=1)


def test_a_quarter_of_the_layers_of_the_rarest_rule_is_tested_for_each_rule() -> None:
    of = samples()
    for train, test in splits_by_layer(of, 5, seed=0):
        assert Counter(of.labels[test].tolist()) == {"adam": 6, "oja": 6}
        assert Counter(of.labels[train].tolist()) == {"adam": 18, "oja": 18}
        assert not set(train.tolist()) & set(test.tolist())
        assert (np.diff(train) > 0).all()
        assert (np.diff(test) > 0).all()


def test_all_layers_of_a_subject_are_on_one_side_of_a_split_by_subject() -> None:
    of = samples()
    for train, test in splits_by_subject(of, 5, seed=0):
        assert not set(of.owners[train].tolist()) & set(of.owners[test].tolist())
        assert set(Counter(of.owners[np.concatenate([train, test])].tolist()).values()) == {LAYERS}
        assert Counter(of.labels[test].tolist()) == {"adam": 2 * LAYERS, "oja": 2 * LAYERS}
        assert Counter(of.labels[train].tolist()) == {"adam": 6 * LAYERS, "oja": 6 * LAYERS}


def test_a_split_by_layer_has_layers_of_one_subject_on_both_sides() -> None:
    of = samples()
    [(train, test)] = splits_by_layer(of, 1, seed=0)
    assert set(of.owners[train].tolist()) & set(of.owners[test].tolist())


def test_splits_are_determined_by_the_seed_and_differ_from_one_another() -> None:
    def tested(seed: int) -> list[list[int]]:
        return [test.tolist() for _, test in splits_by_layer(samples(), 3, seed)]

    assert tested(1) == tested(1)
    assert tested(1) != tested(2)
    assert len({tuple(test) for test in tested(1)}) == 3
    assert tested(2**32 + 1) == tested(1), "a seed beyond 32 bits is accepted"


def test_splits_by_subject_keep_pairs_together_and_rules_equal() -> None:
    subjects = paired("ab", "abb", count=16)
    rows = np.repeat(np.arange(len(subjects.labels)), 3)  # three layers a subject
    layers = subjects.take(rows)
    for train, test in splits_by_subject(layers, 5, 3):
        assert not set(layers.pairs[train]) & set(layers.pairs[test])
        assert len(set(layers.pairs[test])) == 4
        for part in (train, test):
            assert len(set(count_rules(layers.labels[part].tolist()).values())) == 1
            assert set(np.bincount(layers.owners[part])) <= {0, 3}
