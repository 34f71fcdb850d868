"""Firing rates estimated from spike counts."""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import numpy as np

from virtuallab.fields import Count, Fraction, PositiveFloat, setting


@dataclass(frozen=True, kw_only=True)
class Spikes:
    r"""Spikes counted over trials and sorted into units with errors.

    A response :math:`y` is a firing rate of :math:`f = \min(r \max(y, 0) / y_0, r_\max)`; the
    spikes of a window of :math:`T` seconds in each of :math:`n` trials are Poisson. The recording
    is the rate estimated from them, in spikes/s:

    .. math:: \hat r = \frac{k}{T n}, \qquad
              k \sim \mathrm{Poisson}\!\left((1 - m)\, T n\, f[(1 - c)\, y + c\, y']\right)

    with mean :math:`f` and variance :math:`f / T n` where sorting is perfect. :math:`y_0` is the
    typical response of the layer in untrained networks (the root mean square of what lies above
    zero), and does not change as a subject learns: responses that grow are higher rates, up to the
    ceiling :math:`r_\max`. :math:`m` is the share of spikes that are missed; :math:`c` of those
    sorted into a unit come from another neuron, :math:`y'`, the same at all visits: a neighbour in
    the tissue if a device with a pick-up radius records, otherwise any unit of the same layer.
    Responses below zero give no spikes.

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

    def firing_rates(self, responses: np.ndarray, typical: float) -> np.ndarray:
        """Firing rates of responses, of any shape, in spikes/s and double precision.

        Values that are not finite stay as they are.

        Parameters
        ----------
        responses : array
        typical : float
            Response that fires at ``rate``.
        """
        above = np.maximum(responses, 0).astype(np.float64)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            gained = np.minimum(above * (self.rate / np.float64(typical)), self.ceiling)
        # A layer that is silent untrained has no typical response: any response is at the ceiling.
        rates = np.where(above > 0, gained, 0.0)
        found: np.ndarray = np.where(np.isfinite(responses), rates, above)
        return found

    def count(
        self,
        recorded: jt.Float[np.ndarray, "visit stimulus unit"],
        layer: jt.Float[np.ndarray, "visit stimulus other"],
        typical: float,
        generator: np.random.Generator,
        neighbours: jt.Float[np.ndarray, "visit stimulus unit"] | None = None,
    ) -> jt.Float[np.ndarray, "visit stimulus unit"]:
        """Firing rates from Poisson spike counts, in spikes/s and single precision.

        Parameters
        ----------
        recorded : array, (visit, stimulus, unit)
            Responses of the recorded units; NaN stays NaN.
        layer : array, (visit, stimulus, other)
            Responses of the whole layer, from which wrongly sorted spikes come.
        typical : float
            Response that fires at ``rate``.
        generator : numpy.random.Generator
        neighbours : array, (visit, stimulus, unit), optional
            Responses of each unit's neighbour, from which its wrongly sorted spikes come instead.
        """
        for_sorting, for_spikes = generator.spawn(2)
        mistaken = for_sorting.integers(layer.shape[-1], size=recorded.shape[-1])
        with np.errstate(invalid="ignore", over="ignore"):  # in a network about to diverge
            sorted_ = recorded * (1 - self.contamination)
            if self.contamination:
                others = layer[..., mistaken] if neighbours is None else neighbours
                sorted_ = sorted_ + self.contamination * others
        seconds = self.window * self.trials
        expected = self.firing_rates(sorted_, typical) * (1 - self.missed) * seconds
        countable = expected < _MOST  # false for NaN
        counts = np.where(countable, for_spikes.poisson(np.where(countable, expected, 0)), expected)
        return (counts / seconds).astype(np.float32)


_MOST = 1e15  # larger counts are beyond the generator, and their noise beyond single precision
