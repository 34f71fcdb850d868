"""Firing rates by spike counts in the place of responses."""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import numpy as np

from virtuallab.fields import Count, Fraction, PositiveFloat, setting


@dataclass(frozen=True, kw_only=True)
class Spikes:
    r"""Spikes counted over trials, sorted into units with some error.

    A response :math:`y` is a firing rate of :math:`f = \min(r \max(y, 0) / y_0, r_\max)`; the
    spikes of a window of :math:`T` seconds in each of :math:`n` trials are Poisson. What is
    recorded is the rate that they give, in spikes/s:

    .. math:: \hat r = \frac{k}{T n}, \qquad
              k \sim \mathrm{Poisson}\!\left((1 - m)\, T n\, f[(1 - c)\, y + c\, y']\right)

    with mean :math:`f` and variance :math:`f / T n` where sorting is perfect. :math:`y_0` is the
    typical response of the layer in untrained networks (the root mean square of what lies above
    zero), and does not change as a subject learns: responses that grow are higher rates, up to the
    ceiling :math:`r_\max`. :math:`m` is the share of spikes that are missed; :math:`c` of those
    sorted into a unit come from another of the same layer, :math:`y'`, the same at all visits. What
    a neuron suppresses below zero gives no spikes: of a layer without a rectifier only the positive
    half is seen.

    References
    ----------
    Harris et al. 2000, "Accuracy of Tetrode Spike Separation".
    Rey et al. 2015, "Past, present and future of spike sorting techniques".
    """

    rate: PositiveFloat = setting(
        10.0, unit="Hz", doc="Firing rate of a typical response of untrained networks, in Hz."
    )
    ceiling: PositiveFloat = setting(
        200.0, unit="Hz", doc="Highest firing rate, in Hz; stronger responses give no more."
    )
    window: PositiveFloat = setting(0.2, unit="s", doc="Time over which spikes are counted, in s.")
    trials: Count = setting(10, doc="Presentations of each stimulus.")
    missed: Fraction = setting(0.0, doc="Share of spikes that are not detected.")
    contamination: Fraction = setting(
        0.0, doc="Share of a unit's spikes that belong to another neuron, were both as active."
    )

    def firing(self, responses: np.ndarray, typical: float) -> np.ndarray:
        """Return the firing rates of responses, of any shape, in spikes/s and double precision.

        What is not finite stays as it is.

        Parameters
        ----------
        responses : array
        typical : float
            The response that fires at ``rate``.
        """
        above = np.maximum(responses, 0).astype(np.float64)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            gained = np.minimum(above * (self.rate / np.float64(typical)), self.ceiling)
        # A layer that is silent untrained has no typical response: any response is at the ceiling.
        rates = np.where(above > 0, gained, 0.0)
        found: np.ndarray = np.where(np.isfinite(responses), rates, above)
        return found

    def rates(
        self,
        seen: jt.Float[np.ndarray, "visit stimulus unit"],
        layer: jt.Float[np.ndarray, "visit stimulus other"],
        typical: float,
        stream: np.random.Generator,
    ) -> jt.Float[np.ndarray, "visit stimulus unit"]:
        """Return firing rates in spikes/s, single precision.

        Parameters
        ----------
        seen : array, (visit, stimulus, unit)
            Responses of the recorded units. What is not a number stays as it is.
        layer : array, (visit, stimulus, other)
            Responses of all of the layer, among which are the neurons mistaken for them.
        typical : float
            The response that fires at ``rate``.
        stream : numpy.random.Generator
        """
        of_sorting, of_spikes = stream.spawn(2)
        mistaken = of_sorting.integers(layer.shape[-1], size=seen.shape[-1])
        with np.errstate(invalid="ignore", over="ignore"):  # of a network about to diverge
            fired = seen * (1 - self.contamination)
            if self.contamination:
                fired = fired + self.contamination * layer[..., mistaken]
        counted = self.window * self.trials
        expected = self.firing(fired, typical) * (1 - self.missed) * counted
        countable = expected < _MOST  # false also where it is not a number
        counts = np.where(countable, of_spikes.poisson(np.where(countable, expected, 0)), expected)
        return (counts / counted).astype(np.float32)


_MOST = 1e15  # above it a count is beyond the generator, and its noise beyond single precision
