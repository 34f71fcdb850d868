"""Base class of activity indicators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import jaxtyping as jt
import numpy as np
from annotated_types import Ge

from virtuallab.fields import PositiveFloat, SectionPlugin, setting
from virtuallab.probes.readouts.counts import draw_counts
from virtuallab.registry import INDICATORS


@dataclass(frozen=True, kw_only=True)
class Indicator(SectionPlugin, ABC):
    r"""An indicator that turns the responses of a unit into fluorescence, and its detection.

    A subclass defines :meth:`fluorescence`, which draws no random numbers. The order of stimuli and
    photon noise are the same for every indicator. Without ``photons`` the noise of the probe stands
    for photon noise.

    Layers of a network respond with different strengths. With an ``amplitude`` the responses of
    each layer are first divided by its typical response in untrained networks, as those of
    :class:`~virtuallab.probes.Spikes` are, so that all layers fluoresce alike. The typical response
    does not change as a subject learns. One action potential gives a dF/F of the order of 0.1 to
    0.3 with GCaMP6 (Chen et al. 2013), and a burst several times as much.

    A detector that counts :math:`K` photons in a measurement, of which there are :math:`N` on
    average without any response, gives at a fluorescence of :math:`F` in dF/F

    .. math:: \hat F = K / N - 1, \qquad K \sim \mathrm{Poisson}(N (1 + F))

    with mean :math:`F` and variance :math:`(1 + F) / N`. :math:`N` is of the instrument and the
    same for all units, visits and subjects. The noise level :math:`\nu` of Rupprecht et al. (2021),
    the median difference of successive frames divided by the root of the frame rate :math:`r`, is
    :math:`\nu = 0.954 / \sqrt{N r}` where nothing responds and one frame is a measurement. The
    noise of recordings is of the order of 1 to 8 % per root Hz; at 30 Hz these are about 300 and 5
    photons a frame.

    References
    ----------
    Chen et al. 2013, "Ultrasensitive fluorescent proteins for imaging neuronal activity".
    Rupprecht et al. 2021, "A database and deep learning toolbox for noise-optimized, generalized
    spike inference from calcium imaging".

    Attributes
    ----------
    units, long_name : str
        Of the recording.
    """

    registry: ClassVar[Any] = INDICATORS
    default_name: ClassVar[str] = "calcium"
    units: ClassVar[str] = "dF/F"
    long_name: ClassVar[str] = "relative change of fluorescence"

    amplitude: PositiveFloat | None = setting(
        None,
        doc="Fluorescence, before it saturates, of a lasting typical response of untrained "
        "networks. If not given, a response of 1 gives a fluorescence of 1 in every layer.",
        added=True,
    )
    photons: Annotated[float, Ge(1)] | None = setting(
        None,
        unit="photons",
        doc="Photons that are detected of a cell at rest in one measurement, from which photon "
        "noise follows. Without it there is no photon noise.",
        added=True,
    )
    order: Literal["fixed", "random"] = setting(
        "fixed",
        doc="Order of the stimuli: 'fixed', as they are stored, at all visits, or 'random', drawn "
        "for each visit. What is left of one stimulus in the next depends on it.",
        added=True,
    )

    @abstractmethod
    def fluorescence(
        self, responses: jt.Float[np.ndarray, "visit stimulus unit"]
    ) -> jt.Float[np.ndarray, "visit stimulus unit"]:
        """Fluorescence of the recorded units, in ``units`` and single precision.

        Parameters
        ----------
        responses : array, (visit, stimulus, unit)
            Of the recorded units, stimuli in the order of their presentation. Each unit and each
            visit is to be treated by itself.

        Returns
        -------
        array, (visit, stimulus, unit)
        """

    def scaled(
        self, responses: jt.Float[np.ndarray, "visit stimulus unit"], typical: float
    ) -> jt.Float[np.ndarray, "visit stimulus unit"]:
        """Responses in units of the fluorescence that they have if they last.

        Parameters
        ----------
        responses : array, (visit, stimulus, unit)
        typical : float
            Response whose fluorescence is ``amplitude``. At 0, of a layer that is silent untrained,
            and without an amplitude, responses stay as they are.

        Returns
        -------
        array, (visit, stimulus, unit), of the same precision
        """
        if self.amplitude is None or not typical:
            return responses
        with np.errstate(over="ignore"):
            scaled: np.ndarray = responses * np.float32(self.amplitude / typical)
        return scaled

    def in_order(
        self,
        responses: jt.Float[np.ndarray, "visit stimulus unit"],
        orders: jt.Int[np.ndarray, "visit stimulus"] | None,
    ) -> jt.Float[np.ndarray, "visit stimulus unit"]:
        """Fluorescence where each visit shows the stimuli in an order of its own.

        Parameters
        ----------
        responses : array, (visit, stimulus, unit)
        orders : array of int, (visit, stimulus), optional
            Places of the stimuli on the axis of ``responses``, in the order of their presentation.
            None if they are presented as they are stored.

        Returns
        -------
        array, (visit, stimulus, unit)
            With the stimuli where they are in ``responses``.
        """
        if orders is None:
            return self.fluorescence(responses)
        shown = np.take_along_axis(responses, orders[..., None], axis=1)
        places = np.argsort(orders, axis=1)[..., None]
        return np.take_along_axis(self.fluorescence(shown), places, axis=1)

    def detected(
        self,
        fluorescence: jt.Float[np.ndarray, "visit stimulus unit"],
        generator: np.random.Generator,
    ) -> jt.Float[np.ndarray, "visit stimulus unit"]:
        """Fluorescence with photon noise, in single precision; unchanged without ``photons``.

        Parameters
        ----------
        fluorescence : array, (visit, stimulus, unit)
            In dF/F; NaN stays NaN.
        generator : numpy.random.Generator

        Returns
        -------
        array, (visit, stimulus, unit)
        """
        if self.photons is None:
            return fluorescence
        expected = self.photons * (1 + np.maximum(fluorescence, -1).astype(np.float64))
        counts = draw_counts(expected, 1.0, generator)
        return (counts / self.photons - 1).astype(np.float32)
