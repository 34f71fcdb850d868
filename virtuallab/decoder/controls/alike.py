r"""Whether a recording still tells rules apart in subjects that are alike in something.

No subject is left out. Subjects are weighted so that what they have to be alike in is distributed
alike under every rule (overlap weights), and the recording's own answers are counted by these
weights. A decoder that reads nothing else is then right as often as by guessing: whatever share
of subjects it takes for rule :math:`k`, it is the same share under every rule, and these shares
sum to one.

References
----------
Li and Li 2019, "Propensity Score Weighting for Causal Inference with Multiple Treatments".
"""

from __future__ import annotations

from collections.abc import Sequence

import jaxtyping as jt
import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from scipy.stats import norm, rankdata
from sklearn.linear_model import LogisticRegression

from virtuallab.decoder.controls.chance import guessing
from virtuallab.decoder.controls.check import Check, not_asked
from virtuallab.decoder.controls.question import Question
from virtuallab.decoder.controls.survived import of_shares

_STRATA = ("architecture", "task")
_LOOSE = 10.0  # of the penalty on the regression
_GENTLE = 1e-2  # penalty on a tilt, which could grow without end where no weights balance
_POWER = 0.8
_FEWEST = 2.0  # effective subjects of a rule
_ALIKE = 0.25  # standard deviations that means may differ by


def alike(name: str, question: Question, values: np.ndarray, what: str) -> Check:
    """Count the recording's answers in subjects that are alike in something.

    Parameters
    ----------
    name : str
        Of the control.
    question : Question
    values : array, (subject, column)
        What subjects have to be alike in; subjects without a number do not count.
    what : str
        These, in words and in plural.
    """
    question = question.answered()
    assert question.outcome is not None
    known = np.isfinite(values).all(1)
    labels = question.labels[known]
    if set(labels.tolist()) != set(question.classes):
        return not_asked(name, "survive", int(known.sum()), f"{what} are not known of every rule")
    strata = _strata(question)[known]
    scores = _normal_scores(values[known], strata)
    weights = overlap_weights(scores, labels, strata)
    members = [labels == rule for rule in question.classes]
    effective = np.array([_effective(weights[mine]) for mine in members])
    least = detectable(effective, question.confidence)
    before, after = (_apart(scores, each, members) for each in (np.ones(len(labels)), weights))
    if effective.min() < _FEWEST or least >= 1 or after > _ALIKE:
        reason = (
            f"rules differ too much in {what}, by {before:.1f} standard deviations: no weights "
            "make enough of their subjects alike"
        )
        return not_asked(name, "survive", int(effective.sum()), reason)
    right = question.outcome.right[known]
    shares = np.array([np.average(right[mine], weights=weights[mine]) for mine in members])
    note = (
        f"{len(known)} subjects have the weight of {effective.sum():.0f}; rules' mean {what} "
        f"differ by {after:.2f} standard deviations among them, by {before:.2f} before; an "
        f"accuracy of {least:.2f} would be noticed with a probability of {_POWER:g}"
    )
    return of_shares(name, question, shares, effective, note)


def overlap_weights(
    values: jt.Float[np.ndarray, "subject column"], labels: np.ndarray, strata: np.ndarray
) -> jt.Float[np.ndarray, " subject"]:
    r"""Weights under which some numbers are distributed alike under every rule.

    .. math:: w_i \propto \frac{1}{e_{k_i}(x_i)} \Big/ \sum_k \frac{1}{e_k(x_i)}

    with :math:`e_k(x)` the probability of rule :math:`k` given the numbers, a logistic regression
    on them and their squares within each stratum. Where that leaves a difference, weights of each
    rule are tilted by as little as makes its means those of all (entropy balancing). They sum to 1
    in each rule.

    Parameters
    ----------
    values : array, (subject, column)
    labels, strata : array of str, (subject,)

    References
    ----------
    Hainmueller 2012, "Entropy Balancing for Causal Effects".
    """
    each = np.concatenate([np.ones((len(values), 1)), values, values**2], axis=1)
    read = np.concatenate([each * (strata == s)[:, None] for s in np.unique(strata)], axis=1)
    model = LogisticRegression(C=_LOOSE, max_iter=2_000).fit(read, labels)
    chance = np.maximum(model.predict_proba(read), 1e-9)
    places = np.searchsorted(model.classes_, labels)
    shared = 1 / (1 / chance).sum(1)
    weights = shared / chance[np.arange(len(labels)), places]
    wanted = np.average(read, axis=0, weights=shared)
    for rule in model.classes_:
        mine = labels == rule
        weights[mine] = _tilted(weights[mine], read[mine] - wanted)
    found: jt.Float[np.ndarray, " subject"] = weights
    return found


def _tilted(weights: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Change weights by as little as makes the means of some columns 0, as far as that can be."""
    logarithm = np.log(weights)

    def misfit(tilt: np.ndarray) -> tuple[float, np.ndarray]:
        exponent = logarithm + away @ tilt
        found = softmax(exponent)
        penalty = _GENTLE * tilt
        return float(logsumexp(exponent) + penalty @ tilt / 2), found @ away + penalty

    tilt = minimize(misfit, np.zeros(away.shape[1]), jac=True, method="BFGS").x
    tilted: np.ndarray = softmax(logarithm + away @ tilt)
    return tilted


def detectable(tested: jt.Float[np.ndarray, " rule"], confidence: float) -> float:
    """Return the lowest accuracy that would be told from guessing four times in five."""
    chance, sd = guessing(tested)
    return float(chance + (norm.ppf(confidence) + norm.ppf(_POWER)) * sd)


def _strata(question: Question) -> np.ndarray:
    known = [column for name in _STRATA if (column := question.column(name)) is not None]
    if not known:
        return np.full(len(question.labels), "")
    return np.array([" ".join(map(str, row)) for row in zip(*known, strict=True)])


def _effective(weights: np.ndarray) -> float:
    """Number of equally weighted subjects that would tell as much."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _normal_scores(
    values: jt.Float[np.ndarray, "subject column"], strata: np.ndarray
) -> jt.Float[np.ndarray, "subject column"]:
    """Ranks within each stratum as standard deviations: one outlier has no leverage then."""
    found = np.zeros(values.shape)
    for stratum in np.unique(strata):
        inside = strata == stratum
        ranks = rankdata(values[inside], axis=0)
        found[inside] = norm.ppf((ranks - 0.5) / inside.sum())
    return found


def _apart(scores: np.ndarray, weights: np.ndarray, members: Sequence[np.ndarray]) -> float:
    """Return the largest difference of two rules' weighted means, in any column."""
    means = [np.average(scores[mine], axis=0, weights=weights[mine]) for mine in members]
    return float(np.ptp(means, axis=0).max())
