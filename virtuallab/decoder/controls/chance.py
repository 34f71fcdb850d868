"""Judge an accuracy against guessing.

A decoder that guesses is right like a coin, but cross-validation scatters more than as many tosses:
its folds share training subjects, and what one lends by chance to a rule it lends to all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import jaxtyping as jt
import numpy as np
from scipy.stats import norm

from virtuallab.decoder.controls.check import Check
from virtuallab.decoder.intervals import balanced_accuracy, balanced_number

# Standard deviation of a cross-validated accuracy of noise, over that of as many independent
# guesses: 1.08 to 1.31 in simulations of linear machines, forests and convolutions over visits, of
# 12 to 100 subjects of two to four rules, in three or five folds, for Gaussian, heavy-tailed,
# discrete and low-rank noise. With 1.3, noise passes a bound of 5 % in 4.2 to 5.8 % of cases, and
# one of 1 % in 0.6 to 0.9 % (studies/coverage.py).
# The correction of Nadeau and Bengio 2003, "Inference for the Generalization Error", would be
# sqrt(1 + folds * test / train) = 1.5 for five folds.
INFLATION = 1.3


def guessing(tested: jt.Float[np.ndarray, " rule"]) -> tuple[float, float]:
    r"""Return the mean and the standard deviation of a guess's balanced accuracy.

    .. math:: \frac1K, \qquad f \sqrt{\frac1K \Big(1 - \frac1K\Big) \Big/ n}

    for :math:`K` rules with the number :math:`n` of subjects that
    :func:`~virtuallab.decoder.intervals.balanced_number` gives, and the inflation :math:`f`.

    Parameters
    ----------
    tested : array, (rule,)
        Subjects of each rule.
    """
    counts = tested[tested > 0]
    chance = 1 / len(counts)
    return chance, float(INFLATION * np.sqrt(chance * (1 - chance) / balanced_number(counts)))


def luck(accuracy: float, tested: jt.Float[np.ndarray, " rule"]) -> float:
    """Tell how often guessing does as well."""
    chance, sd = guessing(tested)
    return float(norm.sf((accuracy - chance) / sd))


def at_chance(
    name: str,
    confusion: jt.Float[np.ndarray, "true predicted"],
    confidence: float,
    note: str = "",
) -> Check:
    """Judge a control that must be at chance, alone.

    Lying below chance is no fault: what is dealt out evenly to rules is scarcest, among the others,
    for the rule of the subject left out.
    """
    accuracy = balanced_accuracy(confusion)
    return of_accuracy(name, accuracy, confusion.sum(1), confidence, note)


def of_accuracy(
    name: str,
    accuracy: float,
    tested: jt.Float[np.ndarray, " rule"],
    confidence: float,
    note: str = "",
) -> Check:
    """Judge an accuracy that must be at chance, of so many subjects of each rule."""
    sd = guessing(tested)[1]
    width = float(norm.ppf((1 + confidence) / 2)) * sd
    p_value = luck(accuracy, tested)
    return Check(
        name=name,
        kind="chance",
        accuracy=accuracy,
        low=max(accuracy - width, 0.0),
        high=min(accuracy + width, 1.0),
        # One-sided: an accuracy below chance is no failure.
        passed=p_value >= 1 - confidence,
        n_subjects=int(np.rint(tested.sum())),
        note=note,
        p_value=p_value,
    )


def nothing_to_tell(name: str, tested: jt.Float[np.ndarray, " rule"], note: str) -> Check:
    """Return a control that is at chance because all subjects are alike in what it reads."""
    chance, _ = guessing(tested)
    count = int(tested.sum())
    return Check(name, "chance", chance, chance, chance, True, count, note, p_value=1.0)


def judged(checks: Sequence[Check], confidence: float) -> list[Check]:
    """Judge all controls of an analysis together, so that luck has one chance and not many.

    Of those that must be at chance, each is judged more severely the more of them there are (Holm);
    the risk that any of them fails though nothing leaked is then that of one. Others stay as they
    are.

    Parameters
    ----------
    checks : sequence of Check
        All of a table: of every probe, observable and classifier.
    confidence : float

    References
    ----------
    Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".
    """
    found = list(checks)
    places = [i for i, each in enumerate(found) if each.kind == "chance" and each.asked]
    failing = True
    for rank, place in enumerate(sorted(places, key=lambda place: found[place].p_value)):
        failing = failing and found[place].p_value <= (1 - confidence) / (len(places) - rank)
        found[place] = replace(found[place], passed=not failing)
    return found
