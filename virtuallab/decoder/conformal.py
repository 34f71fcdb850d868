r"""Sets of rules that hold the true one as often as they say, whatever the classifier is worth.

A rule is put into the set of a recording unless the recording conforms to it less than almost all
that are known to be of that rule did, when the decoder had not seen them:

.. math:: p_k(x) = \frac{1 + \#\{i : y_i = k,\ a_i \ge a_k(x)\}}{1 + \#\{i : y_i = k\}},
          \qquad a_k(x) = 1 - \hat P(k \mid x)

An empty set says that the recording conforms to no rule that the decoder knows.

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

Probability = jt.Float[np.ndarray, "sample rule"]


@dataclass(frozen=True)
class Conformity:
    """How little samples of each rule conformed to it.

    Parameters
    ----------
    scores : sequence of array, (known,)
        For each rule one minus the probability given to it, of its own samples, ascending.
    """

    scores: Sequence[jt.Float[np.ndarray, " _"]]

    @classmethod
    def of(cls, probability: Probability, truth: jt.Int[np.ndarray, " sample"]) -> Conformity:
        """Learn it from samples that the classifier was not trained on."""
        rules = range(probability.shape[1])
        return cls(tuple(np.sort(1 - probability[truth == rule, rule]) for rule in rules))

    def p_values(self, probability: Probability) -> jt.Float[np.ndarray, "sample rule"]:
        """Share of each rule's samples that conformed no better than these do."""
        columns = [
            (1 + len(known) - np.searchsorted(known, 1 - probability[:, rule], side="left"))
            / (1 + len(known))
            for rule, known in enumerate(self.scores)
        ]
        return np.stack(columns, axis=1)


def not_excluded(
    p_values: jt.Float[np.ndarray, "sample rule"], coverage: float
) -> jt.Bool[np.ndarray, "sample rule"]:
    """Rules that cannot be excluded; the true one is among them as often as ``coverage``."""
    inside: np.ndarray = p_values > 1 - coverage
    return inside
