"""Comparison of two accuracies that distinguishes no difference from too few subjects.

That no difference was found does not show that there is none: with few subjects the interval of a
difference is wide. An accuracy is called no higher than another only if the interval of the
difference ends below a margin (a test of non-superiority), and equivalent only if the interval lies
within the margin on both sides (two one-sided tests).

References
----------
Schuirmann 1987, "A Comparison of the Two One-Sided Tests Procedure and the Power Approach for
Assessing the Equivalence of Average Bioavailability".
"""

from __future__ import annotations

from enum import Enum
from typing import Final

EQUIVALENCE_MARGIN: Final = 0.05
"""Largest difference of two balanced accuracies that are called equivalent."""


class Comparison(Enum):
    """Outcome of a comparison of one accuracy with another."""

    HIGHER = "higher"
    EQUIVALENT = "equivalent"
    NO_HIGHER = "equivalent or lower"
    UNDECIDED = "undecided"

    @property
    def is_no_higher(self) -> bool:
        """True if the first accuracy is shown to be equivalent or lower."""
        return self in (Comparison.EQUIVALENT, Comparison.NO_HIGHER)


def compare_accuracies(low: float, high: float) -> Comparison:
    """Outcome of a comparison, from the bounds of the difference of two accuracies.

    With 95 % intervals, each one-sided test has a level of 2.5 %.

    Parameters
    ----------
    low, high : float
        Bounds of the first accuracy minus the second, in the same subjects.

    Returns
    -------
    Comparison
        Of the first accuracy with the second.

    Examples
    --------
    >>> compare_accuracies(0.02, 0.30).value, compare_accuracies(-0.03, 0.04).value
    ('higher', 'equivalent')
    >>> compare_accuracies(-0.30, 0.02).value, compare_accuracies(-0.03, 0.20).value
    ('equivalent or lower', 'undecided')
    """
    if low > 0:
        return Comparison.HIGHER
    if high <= EQUIVALENCE_MARGIN:
        within = low >= -EQUIVALENCE_MARGIN
        return Comparison.EQUIVALENT if within else Comparison.NO_HIGHER
    return Comparison.UNDECIDED
