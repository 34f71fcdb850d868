"""Firing rates estimated from spike counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import jaxtyping as jt
import numpy as np
from annotated_types import Ge, Le

from virtuallab.fields import Count, Fraction, NonNegativeFloat, PositiveFloat, setting
from virtuallab.probes.readouts.counts import draw_counts
from virtuallab.seeds import child, substream


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

    Counts need not be Poisson. :math:`F` is the Fano factor, the variance of a neuron's count over
    trials divided by its mean. After a spike a neuron is silent for an absolute refractory period
    :math:`\tau`. The rate that it would have without the period, :math:`f_0`, then becomes

    .. math:: f = \min\!\left(\frac{f_0}{1 + f_0 \tau}, r_\max\right), \qquad
              \frac{\mathrm{var}\, k}{\mathrm{mean}\, k} = 1 + (1 - m) [F (1 - f \tau)^2 - 1]

    so that counts are the more regular the higher the rate. (A renewal process with dead time has
    these moments in windows much longer than :math:`\tau`; spikes that are missed at random make
    any count more like a Poisson count.) Above a ratio of 1 counts are negative binomial, as if the
    rate varied from trial to trial, and below 1 binomial
    (:func:`~virtuallab.probes.readouts.counts.draw_counts`).

    Counts of the units of a layer may be correlated, as by an excitability :math:`z` that they have
    in common, drawn anew at each visit and stimulus from a gamma distribution with mean 0, standard
    deviation 1 and least value -2. A unit with a mean count of :math:`\mu` and a ratio of variance
    to mean of :math:`\varphi` then has a mean of :math:`\mu + a z`, where

    .. math:: a = \min(\sqrt{c\, \varphi \mu},\ \mu / 2)

    and so much less variance of its own that mean and variance stay as they are. Two units have a
    correlation of :math:`c`, and less where :math:`\mu < 4 c \varphi`: measured correlations are
    small when responses are weak. In one area of the cortex they are about 0.05 to 0.25 (Cohen and
    Kohn 2011).

    In the cortex the variance is in proportion to the mean, with a Fano factor of about 1 to 1.5
    (Shadlen and Newsome 1998); it falls at the onset of a stimulus (Churchland et al. 2010), is
    below 1 in the retina and thalamus (Kara et al. 2000) and rises along the visual pathway (Goris
    et al. 2014). An absolute refractory period lasts about 1 to 2 ms (order of magnitude; Berry and
    Meister 1998 fit it to retinal ganglion cells).

    References
    ----------
    Berry and Meister 1998, "Refractoriness and neural precision".
    Churchland et al. 2010, "Stimulus onset quenches neural variability: a widespread cortical
    phenomenon".
    Cohen and Kohn 2011, "Measuring and interpreting neuronal correlations".
    Goris et al. 2014, "Partitioning neuronal variability".
    Harris et al. 2000, "Accuracy of Tetrode Spike Separation".
    Kara et al. 2000, "Low response variability in simultaneously recorded retinal, thalamic, and
    cortical neurons".
    Rey et al. 2015, "Past, present and future of spike sorting techniques".
    Shadlen and Newsome 1998, "The variable discharge of cortical neurons: implications for
    connectivity, computation, and information coding".
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

    fano_factor: Annotated[float, Ge(0), Le(100)] = setting(
        1.0,
        doc="Variance of a neuron's spike count over trials divided by its mean; 1 is Poisson.",
        added=True,
    )
    refractory: NonNegativeFloat = setting(
        0.0,
        unit="s",
        doc="Absolute refractory period, in s, at most a tenth of the window. It lowers high rates "
        "and makes their counts regular.",
        added=True,
    )

    correlation: Fraction = setting(
        0.0,
        doc="Correlation of the counts of two units of a layer where a stimulus is repeated.",
        added=True,
    )

    def firing_rates(self, responses: np.ndarray, typical: float) -> np.ndarray:
        """Firing rates of responses, of any shape, in spikes/s and double precision.

        Values that are not finite stay as they are.

        Parameters
        ----------
        responses : array
        typical : float
            Response that fires at ``rate``, if not refractory.
        """
        above = np.maximum(responses, 0).astype(np.float64)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            gained = above * (self.rate / np.float64(typical))
            if self.refractory:
                gained = 1 / (1 / gained + self.refractory)
            gained = np.minimum(gained, self.ceiling)
        # A layer that is silent untrained has no typical response: any response is at the ceiling.
        rates = np.where(above > 0, gained, 0.0)
        found: np.ndarray = np.where(np.isfinite(responses), rates, above)
        return found

    def mistaken(
        self, size: int, count: int, generator: np.random.Generator
    ) -> jt.Int[np.ndarray, " unit"]:
        """Any unit of a layer for each recorded one, from which its wrongly sorted spikes come.

        Parameters
        ----------
        size : int
            Units of the layer.
        count : int
            Recorded units.
        generator : numpy.random.Generator
            That of :meth:`count`, from which nothing is drawn: both have streams of their own.
        """
        return child(generator, 0).integers(size, size=count)

    def count(
        self,
        recorded: jt.Float[np.ndarray, "visit stimulus unit"],
        typical: float,
        generator: np.random.Generator,
        others: jt.Float[np.ndarray, "visit stimulus unit"] | None = None,
    ) -> jt.Float[np.ndarray, "visit stimulus unit"]:
        """Firing rates from spike counts, in spikes/s and single precision.

        Parameters
        ----------
        recorded : array, (visit, stimulus, unit)
            Responses of the recorded units; NaN stays NaN.
        typical : float
            Response that fires at ``rate``.
        generator : numpy.random.Generator
        others : array, (visit, stimulus, unit), optional
            Responses of the units from which wrongly sorted spikes come; needed if there is
            contamination.
        """
        for_spikes = child(generator, 1)
        with np.errstate(invalid="ignore", over="ignore"):  # in a network about to diverge
            sorted_ = recorded * (1 - self.contamination)
            if self.contamination:
                assert others is not None
                sorted_ = sorted_ + self.contamination * others
        seconds = self.window * self.trials
        rates = self.firing_rates(sorted_, typical)
        expected = rates * (1 - self.missed) * seconds
        dispersion = self._dispersion(rates)
        if self.correlation:
            stream = substream(generator, "excitability that units have in common")
            expected, dispersion = self._with_excitability(expected, dispersion, stream)
        counts = draw_counts(expected, dispersion, for_spikes)
        return (counts / seconds).astype(np.float32)

    def _with_excitability(
        self, expected: np.ndarray, dispersion: float | np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Means that vary together, and the dispersion that is left to each unit."""
        excitability = generator.gamma(4, size=(*expected.shape[:-1], 1)) / 2 - 2
        finite = np.isfinite(expected)
        mean = np.where(finite, expected, 0)
        swing = np.minimum(np.sqrt(self.correlation * dispersion * mean), mean / 2)
        own = dispersion - swing**2 / np.where(mean > 0, mean, 1)
        return np.where(finite, mean + swing * excitability, expected), own

    def _dispersion(self, rates: np.ndarray) -> float | np.ndarray:
        """Variance of counts over their mean, for neurons that fire at these rates."""
        if self.fano_factor == 1 and not self.refractory:
            return 1.0
        with np.errstate(invalid="ignore", over="ignore"):  # rates that are not finite
            regularity = (1 - rates * self.refractory) ** 2
        found: np.ndarray = 1 + (1 - self.missed) * (self.fano_factor * regularity - 1)
        return found
