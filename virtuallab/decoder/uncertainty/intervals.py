"""Confidence intervals of balanced accuracies."""

from __future__ import annotations

import jaxtyping as jt
import numpy as np

_TRAINING, _FOLDS = 1.4, 0.5  # see `dependence`
_SHRINKAGE = 2.0  # subjects with the mean share that are added to a rule, for its variance


def balanced_accuracy(confusion: jt.Float[np.ndarray, "true predicted"]) -> float:
    """Mean over rules of the share identified; rules that were never tested do not count."""
    return float(shares_of(confusion)[0].mean())


def shares_of(
    confusion: jt.Float[np.ndarray, "true predicted"],
) -> tuple[jt.Float[np.ndarray, " rule"], jt.Float[np.ndarray, " rule"]]:
    """Share identified and number of subjects of each rule that was tested."""
    tested = confusion.sum(1)
    there = tested > 0
    return np.diag(confusion)[there] / tested[there], tested[there]


def dependence(repeats: int | None = 1) -> float:
    r"""Variance of a cross-validated accuracy divided by that of as many independent subjects.

    .. math:: D = c + f / R, \qquad c = 1.4, \quad f = 0.5

    for the mean over :math:`R` draws of the folds. Decoders share training subjects, so their
    errors are correlated (:math:`c`), and a draw of the folds changes the accuracy (:math:`f`). No
    estimate from one sample is unbiased for this variance, so both are bounds from simulations
    (``make study-coverage``) of discriminants, nearest centroids and kernel machines, 5 to 60
    columns, 40 and 160 subjects: the largest ratios of standard deviations were 1.37, 1.22, 1.23
    and 1.15 for 1, 3, 5 and 10 draws, and these bounds give 1.38, 1.25, 1.22 and 1.20.

    Parameters
    ----------
    repeats : int, optional
        Draws of the folds over which the accuracy is averaged; None if there are no folds, as for
        a group of subjects that was held out of training.

    References
    ----------
    Bengio and Grandvalet 2004, "No Unbiased Estimator of the Variance of K-Fold Cross-Validation".
    Nadeau and Bengio 2003, "Inference for the Generalization Error".
    """
    return _TRAINING if repeats is None else _TRAINING + _FOLDS / repeats


def interval(
    confusion: jt.Float[np.ndarray, "true predicted"],
    confidence: float,
    *,
    repeats: int | None = 1,
    effect: float = 1.0,
) -> tuple[float, float]:
    """Interval of the balanced accuracy; see :func:`mean_interval`.

    The confusion matrix is the mean over draws of the folds, so that each subject counts once.
    """
    return mean_interval(*shares_of(confusion), confidence, repeats=repeats, effect=effect)


def mean_interval(
    shares: jt.Float[np.ndarray, " rule"],
    tested: jt.Float[np.ndarray, " rule"],
    confidence: float,
    *,
    repeats: int | None = 1,
    effect: float = 1.0,
) -> tuple[float, float]:
    r"""Interval of the mean over rules of the share identified.

    It estimates the accuracy on new subjects of a decoder trained on a sample of this size,
    averaged over samples. It is the posterior of a proportion under Jeffreys' prior,

    .. math:: \mathrm{Beta}\big(n \hat p + \tfrac12,\; n (1 - \hat p) + \tfrac12\big), \qquad
              n = \frac{\tilde p (1 - \tilde p)}
                       {D E \, K^{-2} \sum_k \tilde p_k (1 - \tilde p_k) / n_k}

    for the mean :math:`\hat p` of the shares of :math:`K` rules. The effective number :math:`n` is
    that of independent subjects with the same variance; :math:`D` is the :func:`dependence`,
    :math:`E` the :func:`~virtuallab.decoder.pairs.pair_effect`, and a tilde marks shares that are
    shrunk slightly towards their mean. Unlike a bootstrap interval, it
    keeps a width when all predictions are correct; its upper bound is 1 then. The prior has the
    weight of one subject in total; one prior for each rule would move each share towards one half.

    Parameters
    ----------
    shares : array, (rule,)
        Share of the subjects of each rule that are identified; the mean over draws of the folds.
    tested : array, (rule,)
        Number of subjects of each rule.
    confidence : float
    repeats : int, optional
        Draws of the folds, as for :func:`dependence`.
    effect : float
        Of pairs, in a paired design.

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
    low, high = beta.ppf(tails, *posterior(shares, tested, repeats=repeats, effect=effect))
    return (0.0 if mean == 0 else float(low)), (1.0 if mean == 1 else float(high))


def posterior(
    shares: jt.Float[np.ndarray, " rule"],
    tested: jt.Float[np.ndarray, " rule"],
    *,
    repeats: int | None = 1,
    effect: float = 1.0,
) -> tuple[float, float]:
    """Parameters of the beta distribution whose quantiles :func:`mean_interval` returns."""
    mean = float(shares.mean())
    number = effective_number(shares, tested) / (dependence(repeats) * effect)
    return mean * number + 0.5, (1 - mean) * number + 0.5


def effective_number(
    shares: jt.Float[np.ndarray, " rule"], tested: jt.Float[np.ndarray, " rule"]
) -> float:
    """Size of a single sample whose share has the variance of the mean of these shares.

    It is the number of subjects if rules have equally many and are identified equally well.
    """
    mean = (shares.mean() * tested.sum() + 0.5) / (tested.sum() + 1)  # never 0 or 1
    shrunk = (shares * tested + _SHRINKAGE * mean) / (tested + _SHRINKAGE)
    variance = (shrunk * (1 - shrunk) / tested).sum() / len(shares) ** 2
    return float(shrunk.mean() * (1 - shrunk.mean()) / variance)


def balanced_number(tested: jt.Float[np.ndarray, " rule"]) -> float:
    r"""Number of subjects, equally many of each rule, with the same variance as these.

    .. math:: n = K^2 \Big/ \sum_k \frac1{n_k}

    for :math:`n_k` subjects of each of :math:`K` rules that are identified equally well.
    """
    return float(len(tested) ** 2 / (1 / tested).sum())


def bonferroni(confidence: float, count: int) -> float:
    """Confidence of each of several intervals that hold simultaneously.

    >>> round(bonferroni(0.95, 10), 6)
    0.995
    """
    return 1 - (1 - confidence) / max(count, 1)


def standard_error_interval(
    values: jt.Float[np.ndarray, " split"], confidence: float
) -> tuple[float, float]:
    """Mean plus and minus standard errors over random splits, as published.

    Splits share subjects, so it measures the effect of the split, not the accuracy's uncertainty.
    """
    from scipy.stats import norm

    width = norm.ppf((1 + confidence) / 2) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - width), float(values.mean() + width)
