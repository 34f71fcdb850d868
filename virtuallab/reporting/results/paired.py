"""Differences between rules in a paired design, tested in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import xarray as xr
from scipy.stats import ttest_rel

from virtuallab.decoder.uncertainty.intervals import bonferroni
from virtuallab.labels import label_text
from virtuallab.vocabulary import DONE, PAIR, PERFORMANCE, RULE, VISIT

_CONFIDENCE: Final = 0.95
_FEWEST: Final = 2  # pairs of which a variance can be estimated


@dataclass(frozen=True)
class PairedDifference:
    """Difference in final validation performance of two rules, in the same pairs.

    Parameters
    ----------
    rule, other : str
    mean : float
        Of the performance under ``rule`` minus that under ``other``, over pairs.
    low, high : float
        Interval of the mean, by Student's distribution of the differences of pairs. All intervals
        of an experiment hold together in 95 % of experiments (Bonferroni).
    pairs : int
        Pairs of which both subjects are done.
    """

    rule: str
    other: str
    mean: float
    low: float
    high: float
    pairs: int

    @property
    def is_shown(self) -> bool:
        """True if the interval does not include zero."""
        return self.low > 0 or self.high < 0


def paired_differences(tree: xr.DataTree, rules: Sequence[str]) -> list[PairedDifference]:
    """Differences between all rules of a paired design.

    Parameters
    ----------
    tree : xr.DataTree
        An experiment.
    rules : sequence of str

    Returns
    -------
    list of PairedDifference
        Empty without pairs, without ``/truth``, or for rules that share fewer than two pairs.
    """
    subjects = tree["subjects"].to_dataset()
    if PAIR not in subjects or "truth" not in tree.children:
        return []
    truth = tree["truth"]
    if PERFORMANCE not in truth:
        return []
    final = truth[PERFORMANCE].isel({VISIT: -1}).to_numpy().astype(float)
    usable = (subjects["status"].to_numpy() == DONE) & np.isfinite(final)
    of, pair = label_text(subjects[RULE]), subjects[PAIR].to_numpy()
    reached = {rule: _by_pair(pair, final, usable & (of == rule)) for rule in rules}
    compared = list(combinations(rules, 2))
    confidence = bonferroni(_CONFIDENCE, len(compared))
    found = []
    for rule, other in compared:
        shared = sorted(set(reached[rule]) & set(reached[other]))
        if len(shared) < _FEWEST:
            continue
        one, two = (np.array([reached[name][each] for each in shared]) for name in (rule, other))
        mean = float((one - two).mean())
        low = high = mean
        if (one - two).std() > 0:
            low, high = map(float, ttest_rel(one, two).confidence_interval(confidence))
        found.append(PairedDifference(rule, other, mean, low, high, len(shared)))
    return found


def _by_pair(pair: np.ndarray, final: np.ndarray, members: np.ndarray) -> dict[int, float]:
    """Mean accuracy of some subjects in each pair; a rule may have several subjects in one."""
    return {int(each): float(final[members & (pair == each)].mean()) for each in set(pair[members])}
