r"""Paired designs: subjects of different rules that share random streams.

Subjects of a pair resemble one another whatever their rules, so they are not independent: folds
keep a pair together, and an accuracy varies with the number of pairs as well as of subjects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeAlias

import jaxtyping as jt
import numpy as np

# One number or name a subject. A text, because `validate --syntax` reads the settings of analyses
# without importing numpy.
Pairs: TypeAlias = "np.ndarray"

_PRIOR = 1.0  # pairs with fully shared outcomes that are added to those observed


def count_rules(rules: Iterable[str], pairs: Iterable[Any] | None = None) -> Counter[str]:
    """Number of subjects of each rule, or of pairs in which the rule occurs.

    >>> count_rules(["a", "a", "b"], [0, 0, 0])
    Counter({'a': 1, 'b': 1})
    """
    if pairs is None:
        return Counter(rules)
    return Counter(rule for rule, _ in set(zip(rules, pairs, strict=True)))


def permuted(labels: np.ndarray, pairs: Pairs | None, stream: np.random.Generator) -> np.ndarray:
    """Labels permuted among subjects; within each pair, if every pair has two rules or more.

    Where a pair has one rule only, for example because the others diverged, permutations within
    pairs would leave it identified; the labels of all subjects are then permuted together.
    """
    if pairs is None:
        return stream.permutation(labels)
    members = [np.flatnonzero(pairs == pair) for pair in np.unique(pairs)]
    if any(len(set(labels[rows].tolist())) < 2 for rows in members):
        return stream.permutation(labels)
    found = labels.copy()
    for rows in members:
        found[rows] = stream.permutation(labels[rows])
    return found


def pair_scores(
    values: jt.Float[np.ndarray, "*row subject"],
    labels: np.ndarray,
    pairs: Pairs,
    weights: jt.Float[np.ndarray, " subject"] | None = None,
) -> jt.Float[np.ndarray, "*row pair"]:
    """Contribution of each pair to the deviation of a balanced mean from its expectation.

    Parameters
    ----------
    values : array, (..., subject)
    labels : array of str, (subject,)
    pairs : array, (subject,)
    weights : array, (subject,), optional
        Weights of the subjects, which sum to 1 in each rule; equal if not given.

    Returns
    -------
    array, (..., pair)
        They sum to 0; the sum of their squares estimates the variance of the mean.
    """
    share = _shares(labels, weights)
    rules = sorted(set(labels.tolist()))
    deviation = np.array(values, dtype=np.float64)
    for rule in rules:
        mine = labels == rule
        mean = (deviation[..., mine] * share[mine]).sum(-1, keepdims=True) * len(rules)
        deviation[..., mine] -= mean
    _, place = np.unique(pairs, return_inverse=True)
    member = np.eye(place.max() + 1)[place]
    found: np.ndarray = (deviation * share) @ member
    return found


def pair_effect(
    values: jt.Float[np.ndarray, " subject"],
    labels: np.ndarray,
    pairs: Pairs | None,
    *,
    variance: float | None = None,
    weights: jt.Float[np.ndarray, " subject"] | None = None,
) -> float:
    r"""Variance of the balanced mean of paired subjects, divided by that of independent subjects.

    .. math:: E = \left(\frac{t_{G-1}}{z}\right)^2 \max\left(1,\;
                  \frac{\frac{G}{G - 1} \sum_g \big(\sum_{i \in g} w_i e_i\big)^2 + m^2 v}
                       {\sum_i w_i^2 e_i^2 + m v}\right)

    for the deviations :math:`e_i` of values from the mean of their rule, the weights :math:`w_i`
    of subjects in the balanced mean, and :math:`G` pairs. The variance is estimated from few pairs,
    so the quantile 0.975 of Student's distribution, :math:`t`, replaces the normal one, :math:`z`.
    One pair of :math:`m` subjects whose outcomes are the same, each with the variance :math:`v` in
    the mean, is added: if all subjects were identified, the data do not show how alike pairs are,
    and each pair counts as one subject.

    The maximum is not below 1. A decoder that gives one answer to both subjects of a pair is right
    about exactly one of them, so pairs can make an accuracy more precise than independent subjects
    would; its interval and its test of chance are then wider than necessary.

    Parameters
    ----------
    values : array, (subject,)
        Share of draws in which each subject was identified, or a difference of two such shares.
    labels : array of str, (subject,)
    pairs : array, (subject,), optional
        None if subjects are independent; the effect is then 1.
    variance : float, optional
        Of one value; by default of an outcome with the mean of the values as its probability.
    weights : array, (subject,), optional
        Weights of the subjects, which sum to 1 in each rule; equal if not given.

    References
    ----------
    Kish 1965, "Survey Sampling" (design effect). Korn and Graubard 1998, "Confidence Intervals for
    Proportions with Small Expected Number of Positive Counts Estimated from Survey Data" (Student's
    distribution). Liang and Zeger 1986, "Longitudinal Data Analysis
    Using Generalized Linear Models" (variance of clustered data).
    """
    if pairs is None:
        return 1.0
    from scipy.stats import norm, t

    share, count = _shares(labels, weights), len(labels)
    if variance is None:
        mean = (float(values @ share) * count + 0.5) / (count + 1)  # never 0 or 1
        variance = mean * (1 - mean)
    alone = pair_scores(values, labels, np.arange(count), weights)
    together = pair_scores(values, labels, pairs, weights)
    groups = len(together)
    independent = float((share**2).sum())
    _, place = np.unique(pairs, return_inverse=True)
    # Subjects of a pair, and so the largest effect.
    size = float((np.bincount(place, share) ** 2).sum()) / independent
    added = _PRIOR * size * variance * independent / count
    observed = float((together**2).sum()) * (groups / max(groups - 1, 1))
    effect = max(1.0, (observed + size * added) / (float((alone**2).sum()) + added))
    few = float(t.ppf(0.975, max(groups - 1, 1)) / norm.ppf(0.975)) ** 2
    return few * effect


def _shares(
    labels: np.ndarray, weights: jt.Float[np.ndarray, " subject"] | None
) -> jt.Float[np.ndarray, " subject"]:
    """Weight of each subject in a mean over rules."""
    rules = sorted(set(labels.tolist()))
    share = np.zeros(len(labels))
    for rule in rules:
        mine = labels == rule
        share[mine] = (1 / mine.sum() if weights is None else weights[mine]) / len(rules)
    return share
