"""Verdicts on comparisons of accuracies.

A comparison has one of three verdicts. It holds if the whole interval is on the claimed side of a
bound, does not hold if the whole interval is on the other side, and is undecided otherwise. Two
accuracies are called equal if the interval of their difference lies within 0.05 of zero. A claim
with several parts holds if all of them hold, and does not hold if one of them does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from studies.factorial.accuracies import Accuracy
from virtuallab.decoder.equivalence import EQUIVALENCE_MARGIN

Verdict = Literal["holds", "does not hold", "undecided"]


@dataclass(frozen=True)
class Part:
    """One comparison of a claim.

    Parameters
    ----------
    text : str
        What is compared, and its value with an interval.
    verdict : {"holds", "does not hold", "undecided"}
    """

    text: str
    verdict: Verdict


def above(name: str, found: Accuracy, bound: float = 0.0, *, signed: bool = False) -> Part:
    """A value is above a bound."""
    verdict = verdict_of(found.low > bound, found.high <= bound)
    return Part(f"{name} {found.signed if signed else found}", verdict)


def not_below(name: str, found: Accuracy) -> Part:
    """A difference is not negative, or within the margin of equal accuracies."""
    verdict = verdict_of(found.low >= -EQUIVALENCE_MARGIN and found.high >= 0, found.high < 0)
    return Part(f"{name} {found.signed}", verdict)


def equal(name: str, found: Accuracy, margin: float = EQUIVALENCE_MARGIN) -> Part:
    """A difference lies within the margin of equal accuracies."""
    inside = -margin <= found.low and found.high <= margin
    outside = found.low > margin or found.high < -margin
    return Part(f"{name} {found.signed}", verdict_of(inside, outside))


def together(parts: Iterable[Part]) -> Verdict:
    """Verdict on a claim with these parts."""
    verdicts = [part.verdict for part in parts]
    return verdict_of(all(v == "holds" for v in verdicts), "does not hold" in verdicts)


def verdict_of(holds: bool, does_not: bool) -> Verdict:
    """Verdict on a comparison that is shown to hold, or shown not to."""
    if holds:
        return "holds"
    return "does not hold" if does_not else "undecided"
