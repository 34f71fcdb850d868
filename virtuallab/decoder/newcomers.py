"""Leave a rule out, and see whether it is told to be none of those that are known."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from virtuallab.decoder.familiarity import Familiarity, Values
from virtuallab.decoder.samples import Samples


def told_apart(
    samples: Samples, left_out: str, others: Values | None, *, folds: int, seed: int
) -> float:
    """How well subjects of a rule that was never seen are told from subjects of known rules.

    Known subjects are judged by what was learned from other subjects; those of the rule left out
    by all that was learned in any fold.

    Parameters
    ----------
    samples : Samples
        One a subject.
    left_out : str
        The rule of which no subject is known.
    others : array, (other, column), optional
        Samples of rules that are not named either.
    folds : int
    seed : int

    Returns
    -------
    float
        Area under the receiver operating characteristic: 1 if all are told apart, 0.5 by guessing.
    """
    new = samples.labels == left_out
    known, newcomers = np.flatnonzero(~new), np.flatnonzero(new)
    score = np.zeros(len(samples.labels))
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed % 2**32)
    for inside, outside in splitter.split(known, samples.labels[known]):
        rows = known[inside]
        learned = Familiarity.of(samples.values[rows], samples.labels[rows], others)
        tested = known[outside]
        score[tested] = learned.foreign(samples.values[tested])
        score[newcomers] += learned.foreign(samples.values[newcomers]) / folds
    return float(roc_auc_score(new, score))
