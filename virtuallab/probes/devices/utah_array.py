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

    The array stays implanted for months. It isolates 48 units, one on every second needle:
    published arrays have 0.3 to 0.8 units a needle (order of magnitude), fewer after months;
    signals last 622 days on average (Sponheim et al. 2021). The fall over months is not simulated.
    The pick-up radius is that of :class:`~virtuallab.probes.Device`.

    Units: 9.6 % are lost in a day and 4.2 % of the lost return, the least-squares fit to Dickey et
    al. (2009), where 57, 43 and 39 % of the first day's units were still recorded after 7, 10 and
    15 days (fitted 55, 46 and 38 %). Some neurons stay for more than 100 days (Fraser and Schwartz
    2012).

    References
    ----------
    Maynard et al. 1997, "The Utah Intracortical Electrode Array".
    Dickey et al. 2009, "Single-unit stability using chronically implanted multielectrode arrays":
    share of units followed.
    Fraser and Schwartz 2012, "Recording from the same neurons chronically in motor cortex".
    Sponheim et al. 2021, "Longevity and reliability of chronic unit recordings using the Utah,
    intracortical multi-electrode arrays".
    """

    placement = "within"
    units = 48
    presets = Presets(
        observables=(ACTIVITY,),
        spikes=Spikes(missed=0.2, contamination=0.1),
        daily_loss=0.096,
        daily_return=0.042,
    )

    def geometry(self) -> probeinterface.Probe:
        """Ten rows of ten needles, without the corners."""
        row, column = np.divmod(np.arange(100), 10)
        corner = np.isin(row, (0, 9)) & np.isin(column, (0, 9))
        where = 400.0 * np.column_stack([column, row])[~corner]
        probe = probeinterface.Probe(ndim=2, si_units="um")
        probe.set_contacts(positions=where, shapes="circle", shape_params={"radius": 10})
        return probe
