"""Reliability of stated probabilities: expected calibration error and Brier score."""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from virtuallab.decoder.uncertainty.calibration import Probability

Truth = jt.Int[np.ndarray, " sample"]


@dataclass(frozen=True)
class Reliability:
    """Observed accuracy of predictions, by their stated probability.

    Parameters
    ----------
    stated, observed : array, (bin,)
        Mean probability of the most probable rule, and share of predictions that were correct.
    count : array of int, (bin,)
    error : float
        Expected calibration error: mean absolute difference of the two, weighted by the counts.
    least_error : float
        Its expectation for exact probabilities, which is above 0 for a finite number of samples.
    brier : float
        Mean squared difference of the probabilities from the truth, summed over rules.
    """

    stated: jt.Float[np.ndarray, " bin"]
    observed: jt.Float[np.ndarray, " bin"]
    count: jt.Int[np.ndarray, " bin"]
    error: float
    least_error: float
    brier: float


def reliability(probability: Probability, truth: Truth, bins: int = 10) -> Reliability:
    """Reliability of predictions, in bins of equal counts.

    The samples must be held out of training and calibration; ``truth`` is the index of their rule.
    """
    stated, right = probability.max(1), probability.argmax(1) == truth
    observed, mean = calibration_curve(right, stated, n_bins=bins, strategy="quantile")
    edges = np.quantile(stated, np.linspace(0, 1, bins + 1))
    count = np.bincount(np.searchsorted(edges[1:-1], stated), minlength=bins)
    count = count[count > 0]
    stream = np.random.default_rng(0)
    # Predictions that are correct exactly as often as stated, in the same bins.
    drawn = np.abs(stream.binomial(count, np.clip(mean, 0, 1), (2_000, len(count))) / count - mean)
    return Reliability(
        stated=mean,
        observed=observed,
        count=count,
        error=float(np.average(np.abs(observed - mean), weights=count)),
        least_error=float(np.average(drawn, axis=1, weights=count).mean()),
        brier=float(
            brier_score_loss(
                truth, probability, labels=np.arange(probability.shape[1]), scale_by_half=False
            )
        ),
    )
