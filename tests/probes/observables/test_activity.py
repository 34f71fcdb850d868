"""Activity: what a value means, and where its unit lies."""

from __future__ import annotations

import numpy as np
import pytest

from tests.probes import cat
from tests.probes.rat import rat, set_on_rats, stream
from virtuallab.probes import Calcium, Probe, Spikes
from virtuallab.probes.tissue_geometry import unit_positions


@pytest.mark.parametrize(
    ("settings", "units", "name"),
    [
        ({}, "1", "activation"),
        ({"spikes": Spikes()}, "spikes/s", "firing rate"),
        ({"calcium": Calcium()}, "dF/F", "relative change of fluorescence"),
    ],
)
def test_values_say_what_they_are(settings, units, name):
    probe = Probe(observables=("activity",), **settings)
    found = probe.implant(rat(), stream()).record(rat(), stream(), set_on_rats(probe))
    assert found["activity"].attrs == {"units": units, "long_name": name}


def test_a_pool_lies_in_the_middle_of_its_members():
    found = cat.recorded(Probe(device="fmri"))
    mine = found["unit_layer"].values == "conv2"
    where = unit_positions(cat.MAPS["conv2"], 1, len(cat.MAPS))
    middle = where[found["unit_index"].values[mine]].mean(1)
    for place, name in enumerate(("unit_x", "unit_y", "unit_depth")):
        np.testing.assert_allclose(found[name].values[mine], middle[:, place], rtol=1e-6)


def test_spikes_without_a_calibration_are_refused():
    implant = Probe(spikes=Spikes()).implant(rat(), stream())
    with pytest.raises(ValueError, match="firing rates need a calibration"):
        implant.record(rat(), stream())
