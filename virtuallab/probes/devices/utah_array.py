"""A Utah array."""

from __future__ import annotations

import numpy as np
import probeinterface

from virtuallab.probes.device import Device, Presets
from virtuallab.probes.readouts.spikes import Spikes
from virtuallab.registry import DEVICES
from virtuallab.vocabulary import ACTIVITY


@DEVICES.register("utah_array")
class UtahArray(Device):
    """Utah array: 96 needles of equal depth, 400 um apart, one array in each layer.

    The array stays implanted for months. A part of the neurons changes from session to session.

    References
    ----------
    Maynard et al. 1997, "The Utah Intracortical Electrode Array".
    Dickey et al. 2009, "Single-unit stability using chronically implanted multielectrode arrays":
    three in five units were recorded again a week later.
    """

    placement = "within"
    units = 96
    presets = Presets(
        observables=(ACTIVITY,), spikes=Spikes(missed=0.2, contamination=0.1), turnover=0.1
    )

    def geometry(self) -> probeinterface.Probe:
        """Ten rows of ten needles, without the corners."""
        row, column = np.divmod(np.arange(100), 10)
        corner = np.isin(row, (0, 9)) & np.isin(column, (0, 9))
        where = 400.0 * np.column_stack([column, row])[~corner]
        probe = probeinterface.Probe(ndim=2, si_units="um")
        probe.set_contacts(positions=where, shapes="circle", shape_params={"radius": 10})
        return probe
