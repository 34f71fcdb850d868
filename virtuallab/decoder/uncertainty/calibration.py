"""Calibration of probabilities by temperature scaling.

A prediction with a calibrated probability of 0.8 is correct in 80 % of cases. scikit-learn's
``CalibratedClassifierCV(method="temperature")`` finds the same temperature (a test compares them)
but does not return the calibrated scores of its held-out samples, which prediction sets need.

References
----------
Guo et al. 2017, "On Calibration of Modern Neural Networks".
"""

from __future__ import annotations

import jaxtyping as jt
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

Probability = jt.Float[np.ndarray, "sample rule"]

# A forest gives 0 to a rule that none of its trees voted for. The floor is part of the model, since
# no temperature raises a probability of 0.
_FLOOR = 1e-3
_MAXIMUM = 20.0


def temperature(probability: Probability, truth: jt.Int[np.ndarray, " sample"]) -> float:
    r"""Temperature :math:`T` at which :math:`p_k^{1/T}`, normalised, has the largest likelihood.

    The samples must be held out of training; ``truth`` is the index of the true rule of each.
    """
    logits = _logits(probability)

    def negative_log_likelihood(log_temperature: float) -> float:
        scores = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-scores[np.arange(len(truth)), truth].mean())

    span = (-np.log(_MAXIMUM), np.log(_MAXIMUM))
    return float(np.exp(minimize_scalar(negative_log_likelihood, bounds=span, method="bounded").x))


def tempered(probability: Probability, temperature: float) -> Probability:
    """Probabilities at a temperature: less extreme above 1, more extreme below 1."""
    found: np.ndarray = softmax(_logits(probability) / temperature, axis=1)
    return found


def _logits(probability: Probability) -> Probability:
    floored: np.ndarray = np.log(np.maximum(probability, _FLOOR))
    return floored
