"""Probabilities that mean what they say: of verdicts given with 0.8, four in five are right.

References
----------
Guo et al. 2017, "On Calibration of Modern Neural Networks".
"""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

Probability = jt.Float[np.ndarray, "sample rule"]
Truth = jt.Int[np.ndarray, " sample"]

# A vote of no tree, or of no neighbour, is no proof; the floor is a part of the model, since a
# temperature cannot raise what is 0.
_FLOOR = 1e-3
_HOTTEST = 20.0


def temperature(probability: Probability, truth: Truth) -> float:
    r"""Find the :math:`T` for which :math:`p_k^{1/T}`, normalised, fits what is true best.

    Parameters
    ----------
    probability : array, (sample, rule)
        Of samples that the classifier was not trained on.
    truth : array of int, (sample,)
        Number of the true rule.
    """
    logits = _logits(probability)

    def misfit(log_temperature: float) -> float:
        scores = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-scores[np.arange(len(truth)), truth].mean())

    span = (-np.log(_HOTTEST), np.log(_HOTTEST))
    return float(np.exp(minimize_scalar(misfit, bounds=span, method="bounded").x))


def tempered(probability: Probability, temperature: float) -> Probability:
    """Probabilities at a temperature: above 1 less sure, below 1 surer; the order is kept."""
    found: np.ndarray = softmax(_logits(probability) / temperature, axis=1)
    return found


def _logits(probability: Probability) -> Probability:
    floored: np.ndarray = np.log(np.maximum(probability, _FLOOR))
    return floored


@dataclass(frozen=True)
class Reliability:
    """How often verdicts were right, by how sure they were.

    Parameters
    ----------
    stated, observed : array, (bin,)
        Mean probability given to the rule that was named, and the share of these that were right.
    count : array of int, (bin,)
    error : float
        Expected calibration error: the mean distance of the two, weighted by the counts.
    least_error : float
        What it would be on average if the probabilities were exact: so few samples scatter.
    brier : float
        Mean squared distance of the probabilities from what is true, summed over rules.
    """

    stated: jt.Float[np.ndarray, " bin"]
    observed: jt.Float[np.ndarray, " bin"]
    count: jt.Int[np.ndarray, " bin"]
    error: float
    least_error: float
    brier: float


def reliability(probability: Probability, truth: Truth, bins: int = 10) -> Reliability:
    """Compare what was stated with what came true, in bins of as many verdicts each.

    Parameters
    ----------
    probability : array, (sample, rule)
        Of samples that had no part in training or calibrating.
    truth : array of int, (sample,)
    bins : int
    """
    stated, right = probability.max(1), probability.argmax(1) == truth
    observed, mean = calibration_curve(right, stated, n_bins=bins, strategy="quantile")
    edges = np.quantile(stated, np.linspace(0, 1, bins + 1))
    count = np.bincount(np.searchsorted(edges[1:-1], stated), minlength=bins)
    count = count[count > 0]
    stream = np.random.default_rng(0)
    # Verdicts that come true exactly as often as stated, in the same bins.
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
