"""Averages of repeated presentations of a stimulus, and the signal-to-noise ratio."""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import numpy as np

Presented = jt.Float[np.ndarray, "visit stimulus trial unit"]


@dataclass(frozen=True)
class AveragedRepeats:
    """Responses averaged over the presentations of each stimulus.

    Parameters
    ----------
    responses : array, (visit, stimulus, unit)
        NaN where no presentation was measured.
    scatter : array, (visit, stimulus, unit)
        Variance between presentations over their number, the noise variance of the average. NaN
        where there were fewer than two.
    counts : array, (visit, stimulus, unit)
        Measured presentations.
    """

    responses: jt.Float[np.ndarray, "visit stimulus unit"]
    scatter: jt.Float[np.ndarray, "visit stimulus unit"]
    counts: jt.Int[np.ndarray, "visit stimulus unit"]

    @property
    def repeats(self) -> int:
        """Median number of presentations of a stimulus at a visit."""
        return int(np.median(self.counts[self.counts > 0]))

    def part(
        self, stimuli: jt.Int[np.ndarray, " stimulus"], units: jt.Int[np.ndarray, " unit"]
    ) -> AveragedRepeats:
        """Return the averages of some stimuli and units."""
        chosen = np.ix_(np.arange(len(self.responses)), stimuli, units)
        return AveragedRepeats(self.responses[chosen], self.scatter[chosen], self.counts[chosen])


def average_repeats(presented: Presented, same: jt.Int[np.ndarray, " stimulus"]) -> AveragedRepeats:
    """Average the presentations of each stimulus.

    Parameters
    ----------
    presented : array, (visit, stimulus, trial, unit)
        NaN if a response is missing. Stimuli may have different numbers of presentations.
    same : array of int, (stimulus,)
        Number of the stimulus at each index of the axis: 0, 1, ..., by first appearance.
    """
    parts = [_of_one(presented[:, same == stimulus]) for stimulus in range(int(same.max()) + 1)]
    means, scatters, counts = zip(*parts, strict=True)
    return AveragedRepeats(np.stack(means, 1), np.stack(scatters, 1), np.stack(counts, 1))


def _of_one(presented: Presented) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shown = presented.reshape(len(presented), -1, presented.shape[-1])
    there = ~np.isnan(shown)
    counts = there.sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(there, shown, 0).sum(1) / counts
        squares = (np.where(there, shown - mean[:, None], 0) ** 2).sum(1)
        scatter = squares / ((counts - 1) * counts)
    return mean, np.where(counts > 1, scatter, np.nan), counts


def signal_to_noise(of_layer: AveragedRepeats) -> float:
    r"""Return the signal-to-noise ratio of one layer's averaged responses.

    Defined as in :class:`virtuallab.probes.NoiseModel`: the standard deviation of the signal over
    stimuli and units of a layer before learning (here: at the first visit with repeats), over that
    of the noise in a measured response (here: over all visits). With :math:`m_i` the :math:`N`
    averages of a visit, and :math:`s_i^2` the variance between presentations over their number,

    .. math:: \mathrm{noise}^2 = \overline{s^2}, \qquad
              \mathrm{signal}^2 = \mathrm{Var}(m) - (1 - 1/N)\, \overline{s^2},

    the unbiased estimators of an analysis of variance, for any noise of the units.

    Returns
    -------
    float
        0 if the variance of the first visit is not larger than the noise explains; NaN if no
        stimulus was repeated or there is no noise.
    """
    signals: list[float] = []
    noises: list[float] = []
    for responses, scatter, counts in zip(
        of_layer.responses, of_layer.scatter, of_layer.counts, strict=True
    ):
        measured, repeated = counts > 0, counts > 1
        if not repeated.any():
            continue
        # The noise of a single presentation is that of the unit's repeated stimuli, or of other
        # units if it has none.
        single = np.where(repeated, scatter * counts, 0)
        often = repeated.sum(0)
        own = single.sum(0) / np.maximum(often, 1)
        own = np.where(often > 0, own, single.sum() / repeated.sum())
        each = np.where(repeated, scatter, own / np.maximum(counts, 1))[measured]
        noise = float(each.mean())
        there = responses[measured]
        signal = float(there.var()) - (1 - 1 / there.size) * noise
        signals.append(signal)
        noises.append(noise)
    mean = float(np.mean(noises)) if noises else 0.0
    return float(np.sqrt(max(signals[0] / mean, 0.0))) if mean > 0 else np.nan
