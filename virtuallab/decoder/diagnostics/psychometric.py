r"""Psychometric function: accuracy as a function of how much is recorded, fitted to designs.

.. math:: p(x) = \gamma + (1 - \gamma - \lambda)\,\sigma\Big(\alpha + \sum_j \beta_j x_j\Big),
          \qquad \beta_j \ge 0

with chance :math:`\gamma`, a lapse rate :math:`\lambda` that remains with any recording, and
settings :math:`x_j` in units in which accuracy increases, such as the logarithm of the number of
units. Its uncertainty comes from a bootstrap over subjects, each with the results of all designs,
with the variance of the interval of an accuracy
(:func:`~virtuallab.decoder.uncertainty.comparison.bootstrap_accuracies`).

References
----------
Wichmann and Hill 2001, "The psychometric function: I. Fitting, sampling, and goodness of fit" and
"II. Bootstrap-based confidence intervals and sampling".
"""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from virtuallab.decoder.pairs import Pairs
from virtuallab.decoder.uncertainty.comparison import balanced, bootstrap_accuracies

Settings = jt.Float[np.ndarray, "design setting"]

_DRAWS = 200
_MAX_LAPSE = 0.6
_RIDGE = 1e-7
_MAX_SLOPE = 20.0  # of a setting scaled to its range


@dataclass(frozen=True)
class PsychometricFit:
    """A fitted psychometric function, and fits to bootstrap samples of the subjects.

    Parameters
    ----------
    chance : float
    low, span : array, (setting,)
        Smallest value of each setting among the designs, and the width of its range.
    best : array, (parameter,)
        Intercept, lapse rate, and a slope for each setting.
    draws : array, (draw, parameter)
        The same for each bootstrap sample.
    """

    chance: float
    low: jt.Float[np.ndarray, " setting"]
    span: jt.Float[np.ndarray, " setting"]
    best: jt.Float[np.ndarray, " parameter"]
    draws: jt.Float[np.ndarray, "draw parameter"]

    @classmethod
    def fit(
        cls,
        settings: Settings,
        correct: jt.Float[np.ndarray, "design subject"],
        labels: np.ndarray,
        seed: int,
        draws: int = _DRAWS,
        *,
        repeats: int = 1,
        pairs: Pairs | None = None,
    ) -> PsychometricFit:
        """Return the function fitted to the accuracies of designs.

        Parameters
        ----------
        settings : array, (design, setting)
            Of each design, in units in which accuracy increases.
        correct : array, (design, subject)
            Share of the implantations in which each subject was identified.
        labels : array of str, (subject,)
        seed : int
        draws : int
            Number of bootstrap samples.
        repeats : int
            Implantations, each decoded with folds of its own, over which ``correct`` is a mean.
        pairs : array of int, (subject,), optional
            In a paired design; the bootstrap then draws pairs.
        """
        low = settings.min(0)
        span = np.where(np.ptp(settings, axis=0) > 0, np.ptp(settings, axis=0), 1.0)
        x = (settings - low) / span
        chance = 1 / len(set(labels.tolist()))
        best = _fit(x, balanced(correct, labels), chance, None)
        samples = bootstrap_accuracies(correct, labels, draws, seed, repeats=repeats, pairs=pairs)
        fits = [_fit(x, observed, chance, best) for observed in samples]
        return cls(chance, low, span, best, np.array(fits))

    def accuracy(self, settings: Settings) -> jt.Float[np.ndarray, " design"]:
        """Expected balanced accuracy of designs."""
        found: np.ndarray = _values(self.best[None], self._scaled(settings), self.chance)[0]
        return found

    def drawn(self, settings: Settings) -> jt.Float[np.ndarray, "draw design"]:
        """Expected balanced accuracy of designs, for each bootstrap sample."""
        return _values(self.draws, self._scaled(settings), self.chance)

    def _scaled(self, settings: Settings) -> Settings:
        scaled: np.ndarray = (settings - self.low) / self.span
        return scaled


def _values(parameters: np.ndarray, x: Settings, chance: float) -> np.ndarray:
    """Values of the function for each row of parameters, (row, design)."""
    drive = parameters[:, :1] + parameters[:, 2:] @ x.T
    found: np.ndarray = chance + (1 - chance - parameters[:, 1:2]) * expit(drive)
    return found


def _fit(x: Settings, observed: np.ndarray, chance: float, start: np.ndarray | None) -> np.ndarray:
    """Parameters of maximum likelihood, as if each design had as many subjects of its own."""
    bounds = [(-30.0, 30.0), (0.0, _MAX_LAPSE), *[(0.0, _MAX_SLOPE)] * x.shape[1]]
    starts = (
        [
            np.array([a, lapse, *[2.0] * x.shape[1]])
            for a in (-2.0, 0.0, 2.0)
            for lapse in (0.02, 0.2)
        ]
        if start is None
        else [start]
    )
    fits = [
        minimize(
            _negative_log_likelihood,
            each,
            (x, observed, chance),
            method="L-BFGS-B",
            jac=True,
            bounds=bounds,
        )
        for each in starts
    ]
    best: np.ndarray = min(fits, key=lambda fit: float(fit.fun)).x
    return best


def _negative_log_likelihood(
    parameters: np.ndarray, x: Settings, observed: np.ndarray, chance: float
) -> tuple[float, np.ndarray]:
    """Mean negative log-likelihood, and its gradient."""
    logistic = expit(parameters[0] + x @ parameters[2:])
    height = 1 - chance - parameters[1]
    p = np.clip(chance + height * logistic, 1e-6, 1 - 1e-6)
    loss = -(observed * np.log(p) + (1 - observed) * np.log1p(-p)).mean()
    slope = (p - observed) / (p * (1 - p)) / len(observed)
    drive = slope * height * logistic * (1 - logistic)
    # A weak penalty keeps slopes finite if the designs do not determine them.
    slopes = parameters[2:]
    ridge = _RIDGE * slopes
    return loss + 0.5 * _RIDGE * float(slopes @ slopes), np.concatenate(
        [[drive.sum()], [-(slope * logistic).sum()], x.T @ drive + ridge]
    )
