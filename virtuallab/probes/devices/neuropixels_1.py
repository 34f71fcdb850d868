"""A Neuropixels 1.0 probe."""

from __future__ import annotations

import numpy as np
import probeinterface

from virtuallab.probes.device import Device, Presets
from virtuallab.probes.readouts.spikes import Spikes
from virtuallab.registry import DEVICES
from virtuallab.vocabulary import ACTIVITY


@DEVICES.register("neuropixels_1")
class Neuropixels1(Device):
    """Neuropixels 1.0: 384 sites in four staggered columns, over 3.8 mm of one shank.

    The probe is removed after each session, as is usual, and records other neurons at the next. It
    isolates 110 units: 75,708 well isolated ones were published of 699 insertions (International
    Brain Laboratory 2025), 108 for each. Stricter and looser criteria give from 60 to 200 (order of
    magnitude). The pick-up radius is that of :class:`~virtuallab.probes.Device`.

    References
    ----------
    International Brain Laboratory et al. 2025, "A brain-wide map of neural activity during complex
    behaviour": units for each insertion.
    Jun et al. 2017, "Fully integrated silicon probes for high-density recording of neural
    activity".
    """

    units = 110
    presets = Presets(
        observables=(ACTIVITY,), spikes=Spikes(missed=0.1, contamination=0.05), turnover=1.0
    )

    def geometry(self) -> probeinterface.Probe:
        """Bank of sites that is recorded at once: two sites a row, rows 20 um apart."""
        row, side = np.divmod(np.arange(384), 2)
        where = np.column_stack([16 * (1 - row % 2) + 32 * side, 20 * row]).astype(float)
        probe = probeinterface.Probe(ndim=2, si_units="um")
        probe.set_contacts(positions=where, shapes="square", shape_params={"width": 12})
        return probe
