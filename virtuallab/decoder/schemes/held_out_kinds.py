"""Accuracy on a kind that was not in training, from kinds that are held out in turn.

It is one number for all kinds, with and without references of the held-out kind. Its interval
treats kinds as clusters: it is that of the accuracy on a further kind, and few kinds make it wide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.pairs import count_rules
from virtuallab.decoder.reference_choices import (
    ALL_RULES,
    FEW_RULES,
    NO_REFERENCES,
    OWN_RULE,
)
from virtuallab.decoder.schemes.cross_validation import HeldOutGroup, cross_validate_groups
from virtuallab.decoder.schemes.referenced import cross_validate_referenced

CHOICES: Final = (FEW_RULES, ALL_RULES, OWN_RULE)
# How kinds differ is known from two training kinds or more, beside the one that is held out.
LEAST_REFERENCED: Final = 3


def cross_validate_kinds(
    classifier: Classifier,
    samples: Samples,
    kinds: np.ndarray,
    classes: list[str],
    *,
    inner_folds: int,
    seed: int,
) -> Mapping[str, HeldOutGroup]:
    """Result over all kinds, each tested by a decoder that was trained on the others.

    Parameters
    ----------
    classifier : Classifier
    samples : Samples
        One a subject, not centred.
    kinds : array of str, (sample,)
        Kind of each subject.
    classes : list of str
        All rules, sorted.
    inner_folds : int
        Groups of training subjects that choose settings.
    seed : int

    Returns
    -------
    mapping from choice of references to HeldOutGroup
        ``"none"``, and with three kinds or more :data:`CHOICES`, as far as two kinds or more can be
        tested with them. Empty if not every kind can be held out: there is one kind only, or the
        others have too few subjects of a rule.
    """
    if not _can_hold_out(kinds, samples, classes, inner_folds):
        return {}
    alone = cross_validate_groups(
        classifier, samples, kinds, classes, inner_folds=inner_folds, seed=seed
    )
    found = {NO_REFERENCES: HeldOutGroup.pooled(alone.values())}
    if len(alone) < LEAST_REFERENCED:
        return found
    referenced = cross_validate_referenced(
        classifier, samples, kinds, kinds, classes, inner_folds=inner_folds, seed=seed
    )
    for choice in CHOICES:
        groups = [result for (name, _), result in referenced.items() if name == choice]
        if len(groups) > 1:
            found[choice] = HeldOutGroup.pooled(groups)
    return found


def _can_hold_out(
    kinds: np.ndarray, samples: Samples, classes: list[str], inner_folds: int
) -> bool:
    """Return whether every rule has one subject, or pair, for each inner fold without any kind."""
    for kind in np.unique(kinds):
        rest = samples.take(np.flatnonzero(kinds != kind))
        pairs = None if rest.pairs is None else rest.pairs.tolist()
        count = count_rules(rest.labels.tolist(), pairs)
        if min(count[rule] for rule in classes) < inner_folds:
            return False
    return True
