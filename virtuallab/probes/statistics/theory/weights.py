r"""Geometry of weight changes: whether updates add to weights or multiply them.

In mirror descent with a potential :math:`\phi`, :math:`\phi'(w)` moves along the gradient, so a
small change of a weight is proportional to :math:`1 / \phi''(w)`. If :math:`\phi` is a power
:math:`|w|^p`, it grows as :math:`|w|^{2 - p}`: not at all in gradient descent (:math:`p = 2`), and
in proportion to the weight for the entropy (the limit :math:`p = 1`), whose updates are those of
the exponentiated gradient. The sum of many small changes is Gaussian in :math:`\phi'(w)`: in
:math:`w` itself or in :math:`\log |w|`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import jaxtyping as jt
import numpy as np

from virtuallab.probes.statistics.inner_products import QUIET, STILL, PerVisit

_FEWEST: Final = 10  # synapses from which a slope or the shape of a distribution is estimated
_ALIKE: Final = np.sqrt(STILL)  # relative spread of which only rounding is left
_GAUSSIAN: Final = np.sqrt(2 / np.pi)  # mean absolute deviation over standard deviation

Change = jt.Float[np.ndarray, "_ synapse"]
PerChange = jt.Float[np.ndarray, " _"]


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
    sizes, changes = np.log(np.abs(exact)), exact[1:] - exact[0]
    slope_last, correlation_last = _proportionality(exact[:-1], np.diff(exact, axis=0), sizes[:-1])
    slope_start, correlation_start = _proportionality(exact[:1], changes, sizes[:1])
    additive = _shape(changes, np.ones(changes.shape, dtype=bool))
    multiplicative = _shape(sizes[1:] - sizes[0], (exact[0] != 0) & (exact[1:] != 0))
    signed = exact[0] != 0
    kept = (np.sign(exact[1:]) == np.sign(exact[0]))[:, signed].sum(1) / signed.sum()
    found = {
        "slope_last": slope_last,
        "slope_start": slope_start,
        "correlation_last": correlation_last,
        "correlation_start": correlation_start,
        "gaussian_additive": additive,
        "gaussian_multiplicative": multiplicative,
        "gaussian_contrast": np.abs(additive) - np.abs(multiplicative),
    }
    return {
        **{f"theory_weight_{name}": np.array([0.0, *each]) for name, each in found.items()},
        "theory_weight_sign_kept": np.array([1.0, *kept]),
    }


def _proportionality(was: Change, change: Change, sizes: Change) -> tuple[PerChange, PerChange]:
    """Slope and correlation of the log size of a change and the log size of what is changed.

    Parameters
    ----------
    was, sizes : array, (change, synapse)
        Weights before the change, and the log of their sizes; one row stands for all.
    change : array, (change, synapse)
    """
    slope, correlation = np.full((2, len(change)), np.nan)
    was, sizes = (np.broadcast_to(each, change.shape) for each in (was, sizes))
    there = (change != 0) & (was != 0)
    logs = np.log(np.abs(change))
    for rows, mine in _measured(there):
        x, y = (each[rows][:, mine] for each in (sizes, logs))
        varied = np.ptp(x, axis=1) > _ALIKE
        rows, x, y = rows[varied], x[varied], y[varied]
        x, y = (each - each.mean(1, keepdims=True) for each in (x, y))
        across, own = np.vecdot(x, y), np.vecdot(x, x)
        slope[rows], correlation[rows] = across / own, across / np.sqrt(own * np.vecdot(y, y))
    return slope, correlation


def _shape(change: Change, there: jt.Bool[np.ndarray, "change synapse"]) -> PerChange:
    """Log of the mean absolute over the standard deviation, less that of a Gaussian."""
    found = np.full(len(change), np.nan)
    for rows, mine in _measured(there):
        each = change[rows][:, mine]
        deviation, size = each - each.mean(1, keepdims=True), np.abs(each).mean(1)
        spread = deviation.std(1)
        varied = (np.count_nonzero(each, axis=1) >= _FEWEST) & (spread > _ALIKE * size)
        shape = np.log(np.abs(deviation).mean(1) / spread / _GAUSSIAN)
        found[rows] = np.where(varied, shape, np.nan)
    return found


def _measured(
    there: jt.Bool[np.ndarray, "change synapse"],
) -> Iterator[tuple[np.ndarray, np.ndarray | slice]]:
    """Yield rows that have the same entries, and these; rows with too few are left out."""
    whole = there.all(1)
    if whole.any() and there.shape[1] >= _FEWEST:
        yield np.flatnonzero(whole), slice(None)
    for row in np.flatnonzero(~whole & (there.sum(1) >= _FEWEST)):
        yield np.array([row]), there[row]
