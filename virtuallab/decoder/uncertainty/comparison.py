"""Compare decoders of the same subjects: who was identified by which.

Subjects vary from one experiment to another; that all designs were tried in the same ones makes a
difference of two sharper than their accuracies. Decoders of one sample have training subjects in
common, so that differences scatter more than those of independent subjects would, as accuracies do.
"""

from __future__ import annotations

import jaxtyping as jt
import numpy as np
from scipy.stats import norm

from virtuallab.decoder.uncertainty.intervals import balanced_number, dependence, mean_interval

Right = jt.Float[
    np.ndarray, "*design subject"
]  # share of the implantations in which it was identified

_DISAGREE = 0.5  # added to the number of subjects that only one of two decoders identified


def balanced(right: Right, labels: np.ndarray) -> jt.Float[np.ndarray, "*design"]:
    """Mean over rules of the share identified.

    Parameters
    ----------
    right : array, (..., subject)
    labels : array of str, (subject,)
    """
    shares = [right[..., labels == rule].mean(-1) for rule in sorted(set(labels.tolist()))]
    return np.asarray(np.mean(shares, axis=0))


def accuracy_interval(
    right: jt.Float[np.ndarray, " subject"],
    labels: np.ndarray,
    confidence: float,
    *,
    repeats: int = 1,
) -> tuple[float, float]:
    """Interval of the balanced accuracy, by ``intervals.mean_interval``.

    Averaging several implantations or draws of the folds makes the accuracy surer up to a point:
    they are in the same subjects.

    Parameters
    ----------
    right : array, (subject,)
    labels : array of str, (subject,)
    confidence : float
    repeats : int
        Draws of the folds over which ``right`` is a mean.
    """
    shares, counts = _by_rule(right, labels)
    return mean_interval(shares, counts, confidence, repeats=repeats)


def difference(
    one: jt.Float[np.ndarray, " subject"],
    other: jt.Float[np.ndarray, " subject"],
    labels: np.ndarray,
    confidence: float,
    *,
    repeats: int = 1,
) -> tuple[float, float, float]:
    r"""How much better one decoder does than another in the same subjects, with an interval.

    .. math:: \delta \pm z \sqrt{(p_+ + p_- - \delta^2) / (n + 1)}, \qquad
              \delta = p_+ - p_-, \quad p_\pm = (n \hat p_\pm + \tfrac12) / (n + 1)

    for the shares :math:`\hat p_+` and :math:`\hat p_-` (means over rules) that one decoder alone
    and the other alone identified. Half a subject is added to each, so that the interval does not
    shrink to nothing where the two never disagree. :math:`n` is the number of independent subjects
    that would scatter as much (:func:`~virtuallab.decoder.uncertainty.intervals.dependence`).

    Parameters
    ----------
    one, other : array, (subject,)
        Of several draws of the folds or implantations, their mean.
    labels : array of str, (subject,)
    confidence : float
    repeats : int
        Draws of the folds over which they are means.

    Returns
    -------
    (difference, low, high)

    References
    ----------
    Agresti and Min 2005, "Simple Improved Confidence Intervals for Comparing Matched Proportions".
    Bonett and Price 2012, "Adjusted Wald Confidence Interval for a Difference of Binomial
    Proportions Based on Paired Data".
    """
    counts = _by_rule(one, labels)[1]
    number = balanced_number(counts) / dependence(repeats)
    # As if draws were independent of one another: pairing them would make these shares smaller.
    ahead, behind = (
        (number * float(balanced(each, labels)) + _DISAGREE) / (number + 2 * _DISAGREE)
        for each in (one * (1 - other), other * (1 - one))
    )
    middle = ahead - behind
    deviation = np.sqrt((ahead + behind - middle**2) / (number + 2 * _DISAGREE))
    width = float(norm.ppf((1 + confidence) / 2) * deviation)
    return float(balanced(one - other, labels)), middle - width, middle + width


def _by_rule(
    right: jt.Float[np.ndarray, " subject"], labels: np.ndarray
) -> tuple[jt.Float[np.ndarray, " rule"], jt.Float[np.ndarray, " rule"]]:
    """Share identified, and number of subjects, of each rule."""
    of = [right[labels == rule] for rule in sorted(set(labels.tolist()))]
    return np.array([each.mean() for each in of]), np.array([float(len(each)) for each in of])


def resampled(labels: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Draw subjects anew, as many of each rule as there are: indices (draw, subject)."""
    stream = np.random.default_rng(seed)
    found = np.empty((draws, len(labels)), dtype=np.int64)
    for rule in sorted(set(labels.tolist())):
        mine = np.flatnonzero(labels == rule)
        found[:, mine] = stream.choice(mine, size=(draws, len(mine)))
    return found


def drawn_means(
    values: jt.Float[np.ndarray, "row subject"], labels: np.ndarray, draws: int, seed: int
) -> jt.Float[np.ndarray, "row draw"]:
    """Balanced means over subjects drawn anew, as many of each rule as there are.

    Parameters
    ----------
    values : array, (row, subject)
    labels : array of str, (subject,)
    draws, seed : int
    """
    drawn = resampled(labels, draws, seed)
    times = np.stack([np.bincount(each, minlength=len(labels)) for each in drawn])
    rules, rule, size = np.unique(labels, return_inverse=True, return_counts=True)
    found: np.ndarray = values @ (times / (len(rules) * size[rule])).T
    return found


def redrawn(
    right: jt.Float[np.ndarray, "design subject"],
    labels: np.ndarray,
    draws: int,
    seed: int,
    *,
    repeats: int = 1,
) -> jt.Float[np.ndarray, "draw design"]:
    """Balanced accuracies of designs as other samples of subjects might have given them.

    Subjects are drawn anew, which keeps what designs have in common, and each accuracy's departures
    are widened to the scatter that its interval has: subjects drawn anew would keep their decoders.

    Parameters
    ----------
    right : array, (design, subject)
    labels : array of str, (subject,)
    draws, seed : int
    repeats : int
        Draws of the folds over which ``right`` is a mean.
    """
    mean = balanced(right, labels)
    drawn = drawn_means(right, labels, draws, seed).T
    of = [right[:, labels == rule] for rule in sorted(set(labels.tolist()))]
    # Variances of subjects drawn anew, and of what each of them says when asked once.
    own = sum(mine.var(-1) / mine.shape[-1] for mine in of)
    once = sum(mine.mean(-1) * (1 - mine.mean(-1)) / mine.shape[-1] for mine in of)
    ratio = np.divide(once, own, out=np.ones_like(mean), where=own > 0)
    wider = np.sqrt(ratio * dependence(repeats))
    found: np.ndarray = np.clip(mean + wider * (drawn - mean), 0, 1)
    return found


def shortfall(
    right: jt.Float[np.ndarray, "design subject"],
    labels: np.ndarray,
    confidence: float,
    *,
    repeats: int = 1,
) -> jt.Float[np.ndarray, "design 3"]:
    """How far each design falls short of the best: the difference, and an interval of it.

    The best is that of highest accuracy, and luck had a part in its being so: an interval that
    reaches 0 says that a design cannot be told from it.

    Returns
    -------
    array, (design, 3)
        Difference (0 or more), low, high; all 0 for the best itself.
    """
    best = int(balanced(right, labels).argmax())
    found = [difference(right[best], each, labels, confidence, repeats=repeats) for each in right]
    found[best] = (0.0, 0.0, 0.0)
    return np.array(found)
