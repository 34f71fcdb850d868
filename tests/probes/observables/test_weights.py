"""Weights of synapses."""

from __future__ import annotations

import numpy as np

from tests.probes.rat import N_VISITS, SIZES, Mute, rat, stream
from virtuallab.probes import Probe
from virtuallab.probes.statistics.features import features


def test_a_probe_of_weights_alone_shows_nothing():
    tissue = Mute(layers=tuple(SIZES), weights=rat().weights)
    found = (
        Probe(observables=("weights",), synapses=20)
        .implant(tissue, stream())
        .record(tissue, stream())
    )
    assert set(found.data_vars) == {"weights"}
    assert found["synapse_index"].dims == ("synapse",)
    assert found.sizes == {"visit": N_VISITS, "synapse": 20, "layer": 3}
    assert np.isfinite(features(found)["stat"].sel(layer="first", statistic="weightraw_norm")).all()
