"""Base class of noise models: measurement noise that does not depend on the signal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from virtuallab.fields import Fraction, NonNegativeFloat, PositiveFloat, SectionPlugin, setting
from virtuallab.probes.noise.calibration import Spread
from virtuallab.registry import NOISE_MODELS
from virtuallab.seeds import substream


@dataclass(frozen=True, kw_only=True)
class NoiseModel(SectionPlugin, ABC):
    r"""Noise of an instrument, added to every measurement; at most one of the three strengths.

    A subclass defines :meth:`sample`, noise with a standard deviation of 1. It is not given the
    signal: noise that depends on the recorded signal would reveal how the population grows.

    The standard deviation is the same at all visits and in all subjects: a ratio refers to the
    signal in untrained reference networks (:mod:`virtuallab.probes.noise.calibration`). A
    population that learns to respond more strongly is then recorded with less relative noise, as
    in an experiment.

    The same absolute deviation disturbs weights (of about 0.01) far more than responses (of about
    1); a signal-to-noise ratio disturbs both alike.

    Noise of activity may be shared between units. With a correlation :math:`c`, noise :math:`u` of
    each unit and noise :math:`v` that all units of a layer have in common, drawn anew at each visit
    and stimulus and both with a standard deviation of 1, add to

    .. math:: \sqrt{1 - c}\, u + \sqrt{c}\, v

    so that the standard deviation stays as stated and the noise of two units has a correlation of
    :math:`c`. Units of different layers share nothing. Pairs of neurons in one area of the cortex
    have a mean correlation of about 0.05 to 0.25, depending on area, state and distance (Cohen and
    Kohn 2011).

    References
    ----------
    Cohen and Kohn 2011, "Measuring and interpreting neuronal correlations".
    """

    registry: ClassVar[Any] = NOISE_MODELS
    default_name: ClassVar[str] = "gaussian"

    sigma: NonNegativeFloat | None = setting(
        None, doc="Standard deviation, in the units of what is measured; the same in every layer."
    )
    snr: PositiveFloat | None = setting(
        None,
        doc="Signal-to-noise ratio of a layer: the standard deviation of its signal, over units "
        "and stimuli, in untrained networks, over that of the noise.",
    )
    unit_snr: PositiveFloat | None = setting(
        None,
        doc="Signal-to-noise ratio of a unit: the standard deviation of the median unit's signal, "
        "over stimuli, in untrained networks, over that of the noise. Of weights, and of activity "
        "change, it is that of the layer.",
    )
    correlation: Fraction = setting(
        0.0,
        doc="Noise correlation of two units of a layer: the share of the variance that is common "
        "to all of them at a visit and stimulus. Only of activity.",
        added=True,
    )

    @abstractmethod
    def sample(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Noise of one layer with mean 0 and standard deviation 1.

        Parameters
        ----------
        shape : tuple of int
            (visit, stimulus, unit) of activity, (visit, synapse) of weights, (visit, stimulus,
            input) of the activity change. For noise that units have in common, (visit, stimulus,
            1).
        generator : numpy.random.Generator
            The only source of random numbers.

        Returns
        -------
        array of float, with this shape
        """

    @property
    def ratio(self) -> float | None:
        """Signal-to-noise ratio of a layer or of a unit; None where none is given."""
        return self.unit_snr if self.snr is None else self.snr

    @property
    def given_by(self) -> str:
        """Name of the setting that gives the strength; empty where none is given."""
        named = ((name, getattr(self, name)) for name in ("snr", "unit_snr", "sigma"))
        return next((name for name, value in named if value is not None), "")

    @property
    def is_present(self) -> bool:
        """True if the noise has a strength greater than 0."""
        return self.ratio is not None or bool(self.sigma)

    @property
    def independent(self) -> NoiseModel:
        """The same noise without correlation between units."""
        return replace(self, correlation=0.0)

    def deviation(self, spread: Spread | None) -> float:
        """Standard deviation of the noise in one layer, in the units of the recording.

        Parameters
        ----------
        spread : Spread, optional
            Of the layer's signal in the reference networks; needed for a ratio.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If a ratio is given and no spread.
        """
        if self.ratio is None:
            return self.sigma or 0.0
        if spread is None:
            raise ValueError("a signal-to-noise ratio needs a calibration; see `Probe.calibrate`")
        return (spread.unit if self.snr is None else spread.layer) / self.ratio

    def add(
        self, values: np.ndarray, deviation: float, generator: np.random.Generator
    ) -> np.ndarray:
        """Values with noise of this standard deviation, in their own precision.

        Parameters
        ----------
        values : array, of a shape that :meth:`sample` takes
            Of one layer, in the units of the recording.
        deviation : float
            In the same units.
        generator : numpy.random.Generator

        Returns
        -------
        array, of the same shape
        """
        if not deviation:
            return values
        noise = self.sample(values.shape, generator).astype(np.float32, copy=False)
        if self.correlation:
            stream = substream(generator, "noise that units have in common")
            common = self.sample((*values.shape[:-1], 1), stream).astype(np.float32, copy=False)
            own, shared = np.sqrt([1 - self.correlation, self.correlation]).astype(np.float32)
            noise = own * noise + shared * common
        with np.errstate(over="ignore"):  # a tiny ratio gives noise beyond single precision
            noisy: np.ndarray = values + noise * np.float32(deviation)
        return noisy.astype(values.dtype, copy=False)
