"""Contacts from a probeinterface file beside the protocol."""

from __future__ import annotations

import json

import numpy as np
import probeinterface
import pytest

from tests.protocol.texts import small
from virtuallab.errors import ProtocolError
from virtuallab.probes import Contacts
from virtuallab.protocol import read, read_text


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "p.yaml").write_text(small(("units: 20", "device: mine.json")))
    return tmp_path


def written(folder, *probes: probeinterface.Probe) -> None:
    group = probeinterface.ProbeGroup()
    for probe in probes:
        group.add_probe(probe)
    probeinterface.write_probeinterface(folder / "mine.json", group)


def test_contacts_are_read_from_the_file_beside_the_protocol(folder):
    written(folder, probeinterface.generate_linear_probe(num_elec=3, ypitch=50))
    device = read(folder / "p.yaml").probes["sparse"].device
    assert device == Contacts(contacts=((0.0, 0.0), (0.0, 50.0), (0.0, 100.0)))


def test_what_is_resolved_needs_the_file_no_more(folder):
    written(folder, probeinterface.generate_linear_probe(num_elec=3, ypitch=50))
    first = read(folder / "p.yaml")
    (folder / "mine.json").unlink()
    again = read_text(json.dumps(first.resolved()))
    assert again.probes == first.probes


def test_contacts_that_are_not_wired_are_left_out_and_millimetres_are_read(folder):
    probe = probeinterface.Probe(ndim=2, si_units="mm")
    probe.set_contacts(positions=np.array([[0.0, 0.0], [0.0, 0.5], [0.0, 1.0]]), shapes="circle")
    probe.set_device_channel_indices([0, -1, 1])
    written(folder, probe)
    device = read(folder / "p.yaml").probes["sparse"].device
    assert device == Contacts(contacts=((0.0, 0.0), (0.0, 1000.0)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "mine.json: there is no such file beside the protocol."),
        ("{", "mine.json: cannot be read as JSON"),
        ("{}", "mine.json: is no probeinterface file"),
        ('{"specification": "probeinterface", "probes": [{}]}', "mine.json: holds no probe"),
        ('{"specification": "probeinterface", "probes": []}', "mine.json: holds no contact"),
    ],
)
def test_a_file_that_holds_no_probe_is_told_with_its_line(folder, text, words):
    if text is not None:
        (folder / "mine.json").write_text(text)
    with pytest.raises(ProtocolError) as caught:
        read(folder / "p.yaml")
    assert f"p.yaml:21: probes.sparse.device: {words}" in str(caught.value)
