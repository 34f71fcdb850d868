"""A Neuropixels 2.0 probe."""

from __future__ import annotations

import probeinterface

from virtuallab.probes.device import Device, Presets
from virtuallab.probes.readouts.spikes import Spikes
from virtuallab.registry import DEVICES
from virtuallab.vocabulary import ACTIVITY


@DEVICES.register("neuropixels_2")
class Neuropixels2(Device):
    """Neuropixels 2.0: 384 sites in two columns, over 2.9 mm of one shank, left in for weeks.

    The shank is shorter than the tissue is deep, so fewer sites lie in the first and last layers.
    The yield is that of ``neuropixels_1``, which has as many channels (60 to 200, order of
    magnitude), and so is the pick-up radius.

    Units: 1.5 % are lost in a day and 6 % of the lost return, so that 92 % are recorded a week
    later, and 85 % on average over intervals of 1 to 47 days. Yuan et al. (2024) recovered 84 % of
    reference units over such intervals; Steinmetz et al. (2021) recorded the same neurons for more
    than two months. The shank moves by 5 um in a day (order of magnitude, 1 to 10 um); both studies
    correct for movement of the probe in the brain.

    References
    ----------
    Steinmetz et al. 2021, "Neuropixels 2.0: A miniaturized high-density probe for stable,
    long-term brain recordings": the same neurons over weeks, and movement of the probe.
    Yuan et al. 2024, "Multi-day neuron tracking in high-density electrophysiology recordings using
    earth mover's distance".
    """

    units = 110
    presets = Presets(
        observables=(ACTIVITY,),
        spikes=Spikes(missed=0.1, contamination=0.05),
        daily_loss=0.015,
        daily_return=0.06,
        drift=5.0,
    )

    def geometry(self) -> probeinterface.Probe:
        """Bank of sites that is recorded at once: rows 15 um apart."""
        return probeinterface.generate_multi_columns_probe(
            num_columns=2,
            num_contact_per_column=192,
            xpitch=32,
            ypitch=15,
            contact_shapes="square",
            contact_shape_params={"width": 12},
        )
