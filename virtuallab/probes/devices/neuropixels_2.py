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

    References
    ----------
    Steinmetz et al. 2021, "Neuropixels 2.0: A miniaturized high-density probe for stable,
    long-term brain recordings": the same neurons over weeks.
    """

    units = 384
    presets = Presets(
        observables=(ACTIVITY,), spikes=Spikes(missed=0.1, contamination=0.05), turnover=0.05
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
