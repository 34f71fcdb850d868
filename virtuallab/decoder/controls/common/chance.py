"""Tests of a cross-validated accuracy against chance.

The accuracy of cross-validated noise varies more than that of independent guesses, since folds
share training subjects.
"""

from __future__ import annotations

import jaxtyping as jt
import numpy as np
from scipy.stats import norm

from virtuallab.decoder.controls.common.control import ControlResult
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, balanced_number

# Standard deviation of a cross-validated accuracy of noise divided by that of as many independent
# guesses: 1.08 to 1.31 in simulations of linear machines, forests and convolutions over visits, of
# 12 to 100 subjects of two to four rules, in three or five folds, for Gaussian, heavy-tailed,
# discrete and low-rank noise. With 1.3, noise exceeds a bound of 5 % in 4.2 to 5.8 % of cases, and
# one of 1 % in 0.6 to 0.9 % (studies/coverage.py).
# The correction of Nadeau and Bengio 2003, "Inference for the Generalization Error", would be
# sqrt(1 + folds * test / train) = 1.5 for five folds.
INFLATION = 1.3


def guessing(tested: jt.Float[np.ndarray, " rule"], effect: float = 1.0) -> tuple[float, float]:
    r"""Mean and standard deviation of the balanced accuracy of guessing.

    .. math:: \frac1K, \qquad f \sqrt{E \, \frac1K \Big(1 - \frac1K\Big) \Big/ n}

    for :math:`K` rules, the number :math:`n` of subjects by
    :func:`~virtuallab.decoder.uncertainty.intervals.balanced_number`, the inflation :math:`f`, and
    the ``effect`` :math:`E` of pairs in a paired design.
    """
    counts = tested[tested > 0]
    chance = 1 / len(counts)
    variance = effect * chance * (1 - chance) / balanced_number(counts)
    return chance, float(INFLATION * np.sqrt(variance))


def chance_p_value(
    accuracy: float, tested: jt.Float[np.ndarray, " rule"], effect: float = 1.0
) -> float:
    """Probability that guessing reaches an accuracy, from the number of subjects of each rule."""
    chance, sd = guessing(tested, effect)
    return float(norm.sf((accuracy - chance) / sd))


def at_chance(
    name: str,
    confusion: jt.Float[np.ndarray, "true predicted"],
    confidence: float,
    note: str = "",
    *,
    effect: float = 1.0,
) -> ControlResult:
    """Result of a control that must be at chance, from its confusion matrix.

    An accuracy below chance is no failure: a value that is equally frequent in all rules is rarest,
    among the training subjects, in the rule of the subject that is held out. ``effect`` is the
    :attr:`~virtuallab.decoder.schemes.cross_validation.CrossValidated.pair_effect` of the result.
    """
    accuracy = balanced_accuracy(confusion)
    return accuracy_at_chance(name, accuracy, confusion.sum(1), confidence, note, effect=effect)


def accuracy_at_chance(
    name: str,
    accuracy: float,
    tested: jt.Float[np.ndarray, " rule"],
    confidence: float,
    note: str = "",
    *,
    effect: float = 1.0,
) -> ControlResult:
    """Result of a control that must be at chance, from its accuracy and subjects of each rule."""
    _, sd = guessing(tested, effect)
    width = float(norm.ppf((1 + confidence) / 2)) * sd
    p_value = chance_p_value(accuracy, tested, effect)
    return ControlResult(
        name=name,
        kind="chance",
        accuracy=accuracy,
        low=max(accuracy - width, 0.0),
        high=min(accuracy + width, 1.0),
        passed=p_value >= 1 - confidence,
        n_subjects=int(np.rint(tested.sum())),
        note=note,
        p_value=p_value,
    )


def all_alike(name: str, tested: jt.Float[np.ndarray, " rule"], note: str) -> ControlResult:
    """Result of a control that is at chance because all subjects have the same values."""
    chance, _ = guessing(tested)
    count = int(tested.sum())
    return ControlResult(name, "chance", chance, chance, chance, True, count, note, p_value=1.0)


def holm(
    p_values: jt.Float[np.ndarray, " test"], confidence: float
) -> jt.Bool[np.ndarray, " test"]:
    """Rejected null hypotheses of several tests, by Holm's method.

    The probability that any of them is rejected although all hold is one minus the confidence.

    References
    ----------
    Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".
    """
    order = np.argsort(p_values, kind="stable")
    limits = (1 - confidence) / np.arange(len(p_values), 0, -1)
    rejected = np.zeros(len(p_values), dtype=bool)
    rejected[order] = np.logical_and.accumulate(p_values[order] <= limits)
    return rejected
