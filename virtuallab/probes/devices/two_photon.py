"""A two-photon microscope."""

from __future__ import annotations

import probeinterface

from virtuallab.probes.device import Device, Presets
from virtuallab.probes.noise.models.gaussian import GaussianNoise
from virtuallab.probes.readouts.indicators.calcium import Calcium
from virtuallab.registry import DEVICES
from virtuallab.vocabulary import ACTIVITY


@DEVICES.register("two_photon")
class TwoPhoton(Device):
    """Two-photon calcium imaging: a field of 256 cells in each layer, slow and noisy.

    Four layers give about a thousand cells, as imaging of several areas does. A cell is
    found within 20 um of each point of a grid of 40 um, half the distance to the next. Fields of
    this size give 100 to 500 active cells (order of magnitude).

    The same field is imaged at each visit. A tenth of the cells is lost in a day and a fifth of the
    lost return, so that two thirds are recorded after weeks (order of magnitude). The share depends
    on the indicator and the area: 15 to 25 % of the cells that are active on two days overlap in
    the hippocampus (Ziv et al. 2013).

    References
    ----------
    Chen et al. 2013, "Ultrasensitive fluorescent proteins for imaging neuronal activity": decay.
    Sofroniew et al. 2016, "A large field of view two-photon mesoscope with subcellular resolution
    for in vivo imaging": several areas at once.
    Sheintuch et al. 2017, "Tracking the same neurons across multiple days in Ca2+ imaging data".
    Ziv et al. 2013, "Long-term dynamics of CA1 hippocampal place codes".
    """

    placement = "within"
    units = 256
    radius = 20.0
    presets = Presets(
        observables=(ACTIVITY,),
        calcium=Calcium(decay=0.7, interval=2.0, saturation=10.0),
        noise=GaussianNoise(unit_snr=1.0),
        daily_loss=0.1,
        daily_return=0.2,
    )

    def geometry(self) -> probeinterface.Probe:
        """Field of 640 um with a cell every 40 um."""
        return probeinterface.generate_multi_columns_probe(
            num_columns=16, num_contact_per_column=16, xpitch=40, ypitch=40
        )
