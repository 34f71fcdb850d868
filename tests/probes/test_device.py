"""Devices as such: contacts of one's own, and geometry in the format of probeinterface."""

from __future__ import annotations

import json

import numpy as np
import probeinterface
import pytest

from tests.probes.cat import recorded
from virtuallab.probes import Contacts, Probe
from virtuallab.probes.device import probeinterface_json


def test_geometry_goes_out_as_probeinterface_reads_it(tmp_path):
    text = probeinterface_json("neuropixels_1")
    assert text is not None
    file = tmp_path / "probe.json"
    file.write_text(text)
    [probe] = probeinterface.read_probeinterface(file).probes
    assert probe.get_contact_count() == 384
    assert json.loads(text)["specification"] == "probeinterface"
    rows = np.unique(probe.contact_positions[:, 1])
    assert len(rows) == 192
    np.testing.assert_allclose(np.diff(rows), 20)
    assert probeinterface_json("fmri") is None


def test_contacts_of_ones_own_are_a_device():
    own = Contacts(contacts=((0.0, 0.0), (0.0, 1000.0), (0.0, 2000.0)))
    found = recorded(Probe(device=own, observables=("activity",)))
    # Centred at 2000 um of depth, at 1000, 2000 and 3000: the top of layers 1, 2 and 3.
    np.testing.assert_array_equal(found["n_units"], [0, 1, 1, 1])


def test_two_contacts_at_one_place_are_refused():
    with pytest.raises(ValueError, match=r"contacts 0 and 2 are both at \[0, 20\]"):
        Contacts(contacts=((0.0, 20.0), (0.0, 0.0), (0.0, 20.0)))
