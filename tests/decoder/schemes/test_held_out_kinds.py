"""Accuracy on a kind that is not in training, over all kinds."""

from __future__ import annotations

import numpy as np
import pytest

from tests.decoder.kinds import EACH, KINDS, RULES, subjects
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.pairs import pair_effect
from virtuallab.decoder.reference_choices import (
    ALL_RULES,
    FEW_RULES,
    NO_REFERENCES,
    OWN_RULE,
)
from virtuallab.decoder.schemes.cross_validation import HeldOutGroup
from virtuallab.decoder.schemes.held_out_kinds import cross_validate_kinds
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval
from virtuallab.registry import CLASSIFIERS


def found_in(samples: Samples, kinds: np.ndarray) -> dict[str, HeldOutGroup]:
    classifier = CLASSIFIERS["logistic_regression"]()
    return dict(cross_validate_kinds(classifier, samples, kinds, RULES, inner_folds=2, seed=3))


def part(count: int) -> tuple[Samples, np.ndarray]:
    """Subjects of the first kinds."""
    samples, kinds = subjects(spread=8.0)
    rows = np.flatnonzero(np.isin(kinds, KINDS[:count]))
    return samples.take(rows), kinds[rows]


def test_references_help_on_a_kind_that_lies_apart_unless_they_share_the_rule() -> None:
    found = found_in(*part(6))
    accuracy = {choice: balanced_accuracy(each.confusion) for choice, each in found.items()}
    assert list(accuracy) == [NO_REFERENCES, FEW_RULES, ALL_RULES, OWN_RULE]
    assert accuracy[ALL_RULES] > accuracy[NO_REFERENCES] + 0.2
    assert accuracy[FEW_RULES] > accuracy[NO_REFERENCES] + 0.1
    assert accuracy[OWN_RULE] == pytest.approx(1 / 3, abs=0.07)
    assert all(each.confusion.sum() == 6 * EACH * len(RULES) for each in found.values())


def test_with_two_kinds_it_is_not_known_what_references_change() -> None:
    [(choice, result)] = found_in(*part(2)).items()
    assert choice == NO_REFERENCES
    assert result.confusion.sum() == 2 * EACH * len(RULES)


def test_where_no_kind_can_be_held_out_nothing_is_known() -> None:
    samples, kinds = part(2)
    assert found_in(samples, np.full(len(kinds), "one")) == {}
    rows = np.flatnonzero((samples.labels != "sgd") | (kinds == KINDS[0]))
    assert found_in(samples.take(rows), kinds[rows]) == {}


def test_kinds_are_clusters_of_the_pooled_result() -> None:
    stream = np.random.default_rng(0)
    labels = np.tile(np.repeat([0, 1], 20), 4)
    kinds = np.repeat(np.arange(4), 40)
    correct = stream.random(160) < np.repeat([0.95, 0.3, 0.9, 0.2], 40)
    predicted = np.where(correct, labels, 1 - labels)
    groups = []
    for kind in range(4):
        counts = np.zeros((2, 2))
        np.add.at(counts, (labels[kinds == kind], predicted[kinds == kind]), 1)
        groups.append(HeldOutGroup(counts, 1.0))
    pooled = HeldOutGroup.pooled(groups)
    assert balanced_accuracy(pooled.confusion) == pytest.approx(correct.mean())
    assert pooled.pair_effect == pytest.approx(pair_effect(correct * 1.0, labels, kinds))
    low, high = interval(pooled.confusion, 0.95, repeats=None, effect=pooled.pair_effect)
    alone = interval(pooled.confusion, 0.95, repeats=None)
    assert high - low > 2 * (alone[1] - alone[0])
