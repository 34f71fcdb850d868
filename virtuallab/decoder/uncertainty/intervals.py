"""How sure one can be of an accuracy."""

from __future__ import annotations

import jaxtyping as jt
import numpy as np

_SHARED, _FOLDS = 1.4, 0.5  # see `dependence`
_PULL = 2.0  # subjects by which a rule's share is drawn to the mean, to judge its variance


def balanced_accuracy(confusion: jt.Float[np.ndarray, "true predicted"]) -> float:
    """Mean over classes of the share identified; classes that were never tested do not count."""
    tested = confusion.sum(1)
    shares = np.diag(confusion)[tested > 0] / tested[tested > 0]
    return float(shares.mean())


def dependence(repeats: int | None = 1) -> float:
    r"""Variance of a cross-validated accuracy, over that of as many independent subjects.

    .. math:: D = c + f / R, \qquad c = 1.4, \quad f = 0.5

    for the mean over :math:`R` draws of the folds. Subjects that are tested by decoders with
    training subjects in common are right or wrong together (:math:`c`), and a draw of the folds
    moves the accuracy (:math:`f`). No estimate from one sample is unbiased for this variance, so
    both are bounds from simulations (``make study-coverage``) of discriminants, nearest centroids
    and kernel machines, 5 to 60 columns, 40 and 160 subjects: the largest ratios of standard
    deviations were 1.37, 1.22, 1.23 and 1.15 for 1, 3, 5 and 10 draws, and these bounds give 1.38,
    1.25, 1.22 and 1.20.

    Parameters
    ----------
    repeats : int, optional
        Draws of the folds over which the accuracy is averaged; None where none were drawn, as for a
        group of subjects that was held out of training.

    References
    ----------
    Bengio and Grandvalet 2004, "No Unbiased Estimator of the Variance of K-Fold Cross-Validation".
    Nadeau and Bengio 2003, "Inference for the Generalization Error".
    """
    return _SHARED if repeats is None else _SHARED + _FOLDS / repeats


def interval(
    confusion: jt.Float[np.ndarray, "true predicted"], confidence: float, *, repeats: int | None = 1
) -> tuple[float, float]:
    """Interval of the balanced accuracy; see :func:`mean_interval`.

    Parameters
    ----------
    confusion : array, (true, predicted)
        Counts of subjects, each of them counted once: the mean over draws of the folds.
    confidence : float
    repeats : int, optional
        Draws of the folds, as for :func:`dependence`.
    """
    tested = confusion.sum(1)
    there = tested > 0
    shares = np.diag(confusion)[there] / tested[there]
    return mean_interval(shares, tested[there], confidence, repeats=repeats)


def mean_interval(
    shares: jt.Float[np.ndarray, " rule"],
    tested: jt.Float[np.ndarray, " rule"],
    confidence: float,
    *,
    repeats: int | None = 1,
) -> tuple[float, float]:
    r"""Interval of the mean over rules of the share identified.

    What it is an interval of: the accuracy on new subjects, averaged over samples, of a decoder
    trained on a sample of this size. It is the posterior of a proportion under Jeffreys' prior,

    .. math:: \mathrm{Beta}\big(n \hat p + \tfrac12,\; n (1 - \hat p) + \tfrac12\big), \qquad
              n = \frac{\tilde p (1 - \tilde p)}
                       {D \, K^{-2} \sum_k \tilde p_k (1 - \tilde p_k) / n_k}

    for the mean :math:`\hat p` of the shares of :math:`K` rules. The effective number :math:`n` is
    that of independent subjects that would scatter as much; :math:`D` is the :func:`dependence`,
    and a tilde marks shares drawn a little towards their mean. Unlike a bootstrap, the interval
    does not shrink to nothing when all predictions are right; its upper bound is 1 then. The prior
    has the weight of a single subject in all: one for each rule would draw each share towards one
    half.

    Parameters
    ----------
    shares : array, (rule,)
        Of the subjects of each rule, identified; the mean over draws of the folds.
    tested : array, (rule,)
        Number of subjects of each rule.
    confidence : float
    repeats : int, optional
        Draws of the folds, as for :func:`dependence`.

    References
    ----------
    Korn and Graubard 1998, "Confidence Intervals for Proportions with Small Expected Number of
    Positive Counts Estimated from Survey Data". Franco et al. 2019, "Comparative Study of
    Confidence Intervals for Proportions in Complex Sample Surveys". Brown, Cai and DasGupta 2001,
    "Interval Estimation for a Binomial Proportion".
    """
    from scipy.stats import beta

    mean = float(shares.mean())
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = beta.ppf(tails, *posterior(shares, tested, repeats=repeats))
    return (0.0 if mean == 0 else float(low)), (1.0 if mean == 1 else float(high))


def posterior(
    shares: jt.Float[np.ndarray, " rule"],
    tested: jt.Float[np.ndarray, " rule"],
    *,
    repeats: int | None = 1,
) -> tuple[float, float]:
    """Parameters of the beta distribution whose quantiles :func:`mean_interval` returns."""
    mean = float(shares.mean())
    number = effective_number(shares, tested) / dependence(repeats)
    return mean * number + 0.5, (1 - mean) * number + 0.5


def effective_number(
    shares: jt.Float[np.ndarray, " rule"], tested: jt.Float[np.ndarray, " rule"]
) -> float:
    """Return the size of one sample whose share would scatter as the mean of these shares does.

    It is the number of subjects where rules have equally many and are identified equally well.
    """
    mean = (shares.mean() * tested.sum() + 0.5) / (tested.sum() + 1)  # never 0 or 1
    drawn = (shares * tested + _PULL * mean) / (tested + _PULL)
    variance = (drawn * (1 - drawn) / tested).sum() / len(shares) ** 2
    return float(drawn.mean() * (1 - drawn.mean()) / variance)


def balanced_number(tested: jt.Float[np.ndarray, " rule"]) -> float:
    r"""Return how many subjects, as many of each rule, would scatter as much as these.

    .. math:: n = K^2 \Big/ \sum_k \frac1{n_k}

    for :math:`n_k` subjects of each of :math:`K` rules that are identified equally well.
    """
    return float(len(tested) ** 2 / (1 / tested).sum())


def bonferroni(confidence: float, count: int) -> float:
    """Confidence of each of several intervals, of which all are to hold at once.

    >>> round(bonferroni(0.95, 10), 6)
    0.995
    """
    return 1 - (1 - confidence) / max(count, 1)


def standard_error_interval(
    values: jt.Float[np.ndarray, " split"], confidence: float
) -> tuple[float, float]:
    """Mean plus and minus standard errors over random splits, as published.

    Splits share subjects, so this says how much the split matters, not how sure the accuracy is.
    """
    from scipy.stats import norm

    width = norm.ppf((1 + confidence) / 2) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - width), float(values.mean() + width)
