r"""Geometry of weight changes: whether updates add to weights or multiply them.

In mirror descent with a potential :math:`\phi`, :math:`\phi'(w)` moves along the gradient, so a
small change of a weight is proportional to :math:`1 / \phi''(w)`. If :math:`\phi` is a power
:math:`|w|^p`, it grows as :math:`|w|^{2 - p}`: not at all in gradient descent (:math:`p = 2`), and
in proportion to the weight for the entropy (the limit :math:`p = 1`), whose updates are those of
the exponentiated gradient. The sum of many small changes is Gaussian in :math:`\phi'(w)`: in
:math:`w` itself or in :math:`\log |w|`.
"""

from __future__ import annotations

from typing import Final

import jaxtyping as jt
import numpy as np

from virtuallab.probes.statistics.inner_products import QUIET, STILL, PerVisit

_FEWEST: Final = 10  # synapses from which a slope or the shape of a distribution is estimated
_ALIKE: Final = np.sqrt(STILL)  # relative spread of which only rounding is left
_GAUSSIAN: Final = np.sqrt(2 / np.pi)  # mean absolute deviation over standard deviation


@QUIET
def weight_theory(weights: jt.Float[np.ndarray, "visit synapse"]) -> dict[str, PerVisit]:
    """Changes of one layer's synapses that distinguish additive from multiplicative updates.

    Parameters
    ----------
    weights : array, (visit, synapse)

    Returns
    -------
    dict
        ``slope_last``, ``slope_start`` : slope of the log size of the change since the visit before
        and since visit 0 on the log size of the weight at that visit: 0 if updates add, 1 if they
        multiply. ``correlation_last``, ``correlation_start`` : correlation of the same.
        ``sign_kept`` : share of weights with the sign that they had at visit 0.
        ``gaussian_additive``, ``gaussian_multiplicative`` : log of the ratio of mean absolute to
        standard deviation of the changes since visit 0, of weights and of the logs of their sizes,
        over that of a Gaussian: 0 if Gaussian, negative if a few changes are far larger than the
        others. ``gaussian_contrast`` : how much nearer to 0 the second is than the first. All begin
        with ``theory_weight_``. 0 at visit 0 (``sign_kept`` 1); NaN if fewer than ten weights
        have changed, and if all are alike.

    References
    ----------
    Pogodin et al. 2024, "Synaptic Weight Distributions Depend on the Geometry of Plasticity".
    Geary 1935, "The ratio of the mean deviation to the standard deviation as a test of normality".
    """
    exact = weights.astype(np.float64)
    visits = range(1, len(exact))
    last = [_proportionality(exact[visit - 1], exact[visit]) for visit in visits]
    start = [_proportionality(exact[0], exact[visit]) for visit in visits]
    additive = np.array([_shape(exact[visit] - exact[0]) for visit in visits])
    multiplicative = np.array([_shape(_log_ratio(exact[0], exact[visit])) for visit in visits])
    signed = exact[0] != 0
    kept = (np.sign(exact[1:]) == np.sign(exact[0]))[:, signed].sum(1) / signed.sum()
    found = {
        "slope_last": [slope for slope, _ in last],
        "slope_start": [slope for slope, _ in start],
        "correlation_last": [correlation for _, correlation in last],
        "correlation_start": [correlation for _, correlation in start],
        "gaussian_additive": additive,
        "gaussian_multiplicative": multiplicative,
        "gaussian_contrast": np.abs(additive) - np.abs(multiplicative),
    }
    return {
        **{f"theory_weight_{name}": np.array([0.0, *each]) for name, each in found.items()},
        "theory_weight_sign_kept": np.array([1.0, *kept]),
    }


def _proportionality(was: np.ndarray, now: np.ndarray) -> tuple[float, float]:
    """Slope and correlation of the log size of a change and the log size of what is changed."""
    change = now - was
    there = (change != 0) & (was != 0)
    if there.sum() < _FEWEST:
        return np.nan, np.nan
    x, y = np.log(np.abs(was[there])), np.log(np.abs(change[there]))
    if np.ptp(x) <= _ALIKE:
        return np.nan, np.nan
    x, y = x - x.mean(), y - y.mean()
    return float(x @ y / (x @ x)), float(x @ y / np.sqrt((x @ x) * (y @ y)))


def _log_ratio(was: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Change of the log size of the weights that are not 0."""
    there = (was != 0) & (now != 0)
    change: np.ndarray = np.log(np.abs(now[there])) - np.log(np.abs(was[there]))
    return change


def _shape(change: np.ndarray) -> float:
    """Log of the mean absolute over the standard deviation, less that of a Gaussian."""
    if np.count_nonzero(change) < _FEWEST:
        return np.nan
    deviation = change - change.mean()
    if deviation.std() <= _ALIKE * np.abs(change).mean():
        return np.nan
    return float(np.log(np.abs(deviation).mean() / deviation.std() / _GAUSSIAN))
