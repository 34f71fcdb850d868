r"""Repeated presentations of a stimulus: their average, and how much of it is signal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

Presented = Float[np.ndarray, "visit stimulus trial unit"]


@dataclass(frozen=True)
class Averaged:
    """Responses averaged over the presentations of each stimulus.

    Parameters
    ----------
    responses : array, (visit, stimulus, unit)
        NaN where a stimulus was never shown, or a unit was missed in one of its presentations.
    scatter : array, (visit, stimulus, unit)
        Variance between presentations, divided by their number: that of the noise that is left in
        the average. NaN where there were fewer than two.
    counts : array, (visit, stimulus)
        Presentations.
    """

    responses: Float[np.ndarray, "visit stimulus unit"]
    scatter: Float[np.ndarray, "visit stimulus unit"]
    counts: Int[np.ndarray, "visit stimulus"]

    @property
    def repeats(self) -> int:
        """How often a stimulus was shown at a visit: the median."""
        return int(np.median(self.counts))


def averaged(presented: Presented, same: Int[np.ndarray, " stimulus"]) -> Averaged:
    """Average the presentations of each stimulus.

    Parameters
    ----------
    presented : array, (visit, stimulus, trial, unit)
        A presentation that is NaN in every unit was not held: not all stimuli need be shown
        equally often.
    same : array of int, (stimulus,)
        Which places on the axis are one stimulus: 0, 1, ..., in the order in which they first come.
    """
    parts = [_of_one(presented[:, same == stimulus]) for stimulus in range(int(same.max()) + 1)]
    means, scatters, counts = zip(*parts, strict=True)
    return Averaged(np.stack(means, 1), np.stack(scatters, 1), np.stack(counts, 1))


def _of_one(presented: Presented) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shown = presented.reshape(len(presented), -1, presented.shape[-1])
    held = ~np.isnan(shown).all(-1)
    counts = held.sum(1)
    there = held[:, :, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(there, shown, 0).sum(1) / counts[:, None]
        squares = (np.where(there, shown - mean[:, None], 0) ** 2).sum(1)
        scatter = squares / ((counts - 1) * counts)[:, None]
    return mean, np.where(counts[:, None] > 1, scatter, np.nan), counts


def signal_to_noise(of_layer: Averaged) -> float:
    r"""Signal-to-noise ratio of one layer's averaged responses.

    It is that of :class:`virtuallab.probe.Noise`: at each visit, the standard deviation of the
    signal over the stimuli and units of a layer, over that of the noise in a measured response.
    With :math:`m_i` the averages, :math:`N` of them, and :math:`s_i^2` the variance between the
    presentations over their number,

    .. math:: \mathrm{noise}^2 = \overline{s^2}, \qquad
              \mathrm{signal}^2 = \mathrm{Var}(m) - (1 - 1/N)\, \overline{s^2},

    the estimators of an analysis of variance: neither is biased, whatever the noise of each unit.
    Their ratio is averaged over visits.

    Returns
    -------
    float
        0 where averages differ by no more than noise makes them differ; NaN where the noise cannot
        be known (nothing was repeated) or there is none.
    """
    ratios = []
    for responses, scatter, counts in zip(
        of_layer.responses, of_layer.scatter, of_layer.counts, strict=True
    ):
        repeated = counts > 1
        if not repeated.any():
            continue
        # Of what was shown once, a unit's noise is taken from what it was shown more often.
        each = (scatter[repeated] * counts[repeated, None]).mean(0) / counts[:, None]
        noise = float(np.where(repeated[:, None], scatter, each).mean())
        signal = float(responses.var()) - (1 - 1 / responses.size) * noise
        if noise > 0:
            ratios.append(signal / noise)
    return float(np.sqrt(max(np.mean(ratios), 0.0))) if ratios else np.nan
