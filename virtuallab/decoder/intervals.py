"""How sure one can be of an accuracy."""

from __future__ import annotations

import jaxtyping as jt
import numpy as np

_DRAWS = 20_000
_MOST_DRAWS = 200_000


def balanced_accuracy(confusion: jt.Float[np.ndarray, "true predicted"]) -> float:
    """Mean over classes of the share identified; classes that were never tested do not count."""
    tested = confusion.sum(1)
    shares = np.diag(confusion)[tested > 0] / tested[tested > 0]
    return float(shares.mean())


def interval(
    confusion: jt.Float[np.ndarray, "true predicted"], confidence: float, seed: int
) -> tuple[float, float]:
    """Credible interval of the balanced accuracy.

    Each class's share identified has the posterior of a proportion under Jeffreys' prior; the
    interval is that of their mean. Unlike a bootstrap it does not shrink to nothing when all
    predictions are right.

    Parameters
    ----------
    confusion : array, (true, predicted)
        Counts of independent units, here subjects.
    confidence : float
    seed : int
        Of the draws.

    References
    ----------
    Brodersen et al. 2010, "The Balanced Accuracy and Its Posterior Distribution".
    """
    tested = confusion.sum(1)
    right, wrong = np.diag(confusion)[tested > 0], (tested - np.diag(confusion))[tested > 0]
    stream = np.random.default_rng(seed)
    # Of as many draws a hundred lie beyond each bound, as far as there is time for them.
    draws = int(min(max(_DRAWS, 200 / (1 - confidence)), _MOST_DRAWS))
    means = stream.beta(right + 0.5, wrong + 0.5, size=(draws, len(right))).mean(1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


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
