"""What a probe records."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from tests.probes.rat import N_STIMULI, N_SYNAPSES, N_VISITS, SIZES, rat, set_on_rats, stream
from virtuallab.probes import GaussianNoise, Probe
from virtuallab.probes.statistics.features import features


def recorded(probe: Probe, seed: int = 1, noise_seed: int = 2) -> xr.Dataset:
    tissue = rat()
    implant = probe.implant(tissue, stream(seed))
    return implant.record(tissue, stream(noise_seed), set_on_rats(probe))


def of_layer(found: xr.Dataset, variable: str, layer: str) -> np.ndarray:
    dim = "unit" if variable in ("activity", "unit_index") else "synapse"
    return found[variable].values[..., found[f"{dim}_layer"].values == layer]


def test_a_whole_recording_is_the_tissue():
    tissue, found = rat(), recorded(Probe())
    for layer in tissue.layers:
        np.testing.assert_array_equal(of_layer(found, "activity", layer), tissue.responses[layer])
        np.testing.assert_array_equal(of_layer(found, "weights", layer), tissue.weights[layer])


def test_a_sample_is_what_its_indices_say():
    tissue = rat()
    found = recorded(Probe(units=9, synapses=30, visits=(1, 4), stimuli=3))
    shown = found["stimulus_index"].values
    for layer in tissue.layers:
        units = of_layer(found, "unit_index", layer)
        synapses = of_layer(found, "synapse_index", layer)
        np.testing.assert_array_equal(
            of_layer(found, "activity", layer),
            tissue.responses[layer][np.ix_([1, 4], shown, units)],
        )
        np.testing.assert_array_equal(
            of_layer(found, "weights", layer), tissue.weights[layer][np.ix_([1, 4], synapses)]
        )
    np.testing.assert_array_equal(found["stimulus_label"], tissue.labels[shown])
    assert found["visit"].values.tolist() == [1, 4]


def test_a_recording_is_in_single_precision_with_the_names_of_the_vocabulary():
    found = recorded(Probe())
    assert {found[name].dtype for name in ("activity", "weights", "activity_change")} == {
        np.dtype(np.float32)
    }
    assert found["activity"].dims == ("visit", "stimulus", "unit")
    assert found["weights"].dims == ("visit", "synapse")
    assert found["activity_change"].dims == ("visit", "stimulus", "layer")
    assert found["activity"].attrs == {"units": "1", "long_name": "activation"}


def test_depth_is_that_in_the_network_whichever_layers_are_recorded():
    found = recorded(Probe(layers=("third", "second")))
    assert found["layer"].values.tolist() == ["second", "third"]
    np.testing.assert_array_equal(found["layer_depth"], [0.5, 1])
    np.testing.assert_array_equal(found["depth_group"], [1, 2])


def test_equal_streams_give_equal_recordings_and_others_do_not():
    probe = Probe(units=9, synapses=30, noise=GaussianNoise(snr=1.0))
    xr.testing.assert_identical(recorded(probe), recorded(probe))
    assert not recorded(probe).identical(recorded(probe, seed=5))
    assert not recorded(probe).identical(recorded(probe, noise_seed=5))


def test_noise_in_one_observable_does_not_depend_on_what_else_is_recorded():
    noise = GaussianNoise(sigma=0.5)
    together = recorded(Probe(noise=noise))
    alone = recorded(Probe(noise=noise, observables=("weights",)))
    np.testing.assert_array_equal(together["weights"], alone["weights"])


@pytest.mark.parametrize("variable", ["activity", "weights", "activity_change"])
def test_noise_is_added_to_all_that_is_measured(variable):
    clean, noisy = recorded(Probe()), recorded(Probe(noise=GaussianNoise(sigma=0.5)))
    difference = (noisy[variable] - clean[variable]).values
    # The noise of an activity change is summed over inputs and divided by the number of units.
    inputs = np.array([5, 12, 8])
    wanted = 0.5 * np.sqrt(inputs) / np.array(list(SIZES.values()))
    expected = wanted if variable == "activity_change" else 0.5
    axes = (0, 1) if variable == "activity_change" else None
    np.testing.assert_allclose(difference.std(axis=axes), expected, rtol=0.35)


def test_stimuli_without_classes_can_be_shown():
    class Unlabelled:
        def __init__(self) -> None:
            whole = rat()
            self.layers, self.responses = whole.layers, whole.responses
            self.weights, self.inputs, self.jacobian = whole.weights, whole.inputs, whole.jacobian

    tissue = Unlabelled()
    found = Probe().implant(tissue, stream()).record(tissue, stream())
    assert "stimulus_label" not in found
    change = features(found)["change"]
    assert np.isnan(change.sel(change_name="act_separation")).all()
    assert np.isfinite(change.sel(change_name="act_tuned_step")).all()


@pytest.mark.parametrize(
    "probe",
    [
        Probe(),
        Probe(units=9, synapses=7, visits=3, stimuli=2),
        Probe(units_per_layer=2, layers=("first", "third"), observables=("activity",)),
    ],
)
def test_the_size_of_a_recording_is_known_before_it_is_made(probe):
    found = recorded(probe)
    counted = sum(found[name].size for name in probe.resolved.observables)
    assert probe.resolved.n_values(SIZES, N_SYNAPSES, N_VISITS, N_STIMULI) == counted


def test_a_recording_lies_in_memory_as_it_is_read():
    found = recorded(Probe(units=9, stimuli=4, noise=GaussianNoise(snr=1.0)))
    assert found["activity"].values.flags["C_CONTIGUOUS"]
