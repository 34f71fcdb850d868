r"""Prediction sets that contain the true rule with a stated frequency, for any classifier.

A rule is in the set of a recording unless the recording conforms to it less than almost all of the
rule's own subjects do when they are held out of training:

.. math:: p_k(x) = \frac{1 + \#\{i : y_i = k,\ a_i \ge a_k(x)\}}{1 + \#\{i : y_i = k\}},
          \qquad a_k(x) = 1 - \hat P(k \mid x)

An empty set means that the recording conforms to none of the decoder's rules.

References
----------
Vovk, Gammerman and Shafer 2005, "Algorithmic Learning in a Random World", section 4.5 (a category,
here the rule, has its own scores). Vovk 2015, "Cross-conformal predictors".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jaxtyping as jt
import numpy as np

from virtuallab.decoder.uncertainty.calibration import Probability


@dataclass(frozen=True)
class Conformity:
    """Nonconformity scores of each rule's own samples.

    Parameters
    ----------
    scores : sequence of array, (known,)
        For each rule, one minus the probability that its own samples were given, ascending.
    """

    scores: Sequence[jt.Float[np.ndarray, " _"]]

    @classmethod
    def of(cls, probability: Probability, truth: jt.Int[np.ndarray, " sample"]) -> Conformity:
        """Return the scores of held-out samples, from the index of the true rule of each."""
        rules = range(probability.shape[1])
        return cls(tuple(np.sort(1 - probability[truth == rule, rule]) for rule in rules))

    def p_values(self, probability: Probability) -> jt.Float[np.ndarray, "sample rule"]:
        """Conformal p-value of each rule for each sample."""
        columns = [
            share_at_least(known, 1 - probability[:, rule])
            for rule, known in enumerate(self.scores)
        ]
        return np.stack(columns, axis=1)


def own_p_values(
    probability: Probability, truth: jt.Int[np.ndarray, " sample"], apart: np.ndarray
) -> jt.Float[np.ndarray, " sample"]:
    """P-value of each sample's true rule, compared with samples of other groups.

    Parameters
    ----------
    probability : array, (sample, rule)
    truth : array of int, (sample,)
    apart : array, (sample,)
        Group of each sample, such as its kind; samples of one group are not compared.
    """
    found = np.ones(len(truth))
    for group in np.unique(apart):
        mine = apart == group
        p_values = Conformity.of(probability[~mine], truth[~mine]).p_values(probability[mine])
        found[mine] = p_values[np.arange(int(mine.sum())), truth[mine]]
    return found


def can_hold_out(kinds: np.ndarray, labels: np.ndarray) -> bool:
    """Return whether every kind can be held out and leave samples of every rule."""
    rules = np.unique(labels)
    return all(len(np.unique(labels[kinds != kind])) == len(rules) for kind in np.unique(kinds))


def share_at_least(
    known: jt.Float[np.ndarray, " known"], values: jt.Float[np.ndarray, " sample"]
) -> jt.Float[np.ndarray, " sample"]:
    """Share of the known scores, ascending, that are at least as large; a sample counts as one."""
    smaller = np.searchsorted(known, values, side="left")
    share: np.ndarray = (1 + len(known) - smaller) / (1 + len(known))
    return share
