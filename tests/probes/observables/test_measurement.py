"""What the measurements of all observables share: noise, layers of entries and attributes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.probes.rat import rat, set_on_rats, stream
from virtuallab.probes import GaussianNoise, Probe
from virtuallab.probes.implant import MEASUREMENTS
from virtuallab.probes.noise.calibration import ProbeCalibration, Spread
from virtuallab.probes.observables.measurement import Measurement, coordinate
from virtuallab.vocabulary import OBSERVABLES, Observable, describe


def measurement(
    name: Observable, noise: GaussianNoise, calibration: ProbeCalibration | None = None
) -> Measurement:
    implant = Probe(noise=noise).implant(rat(), stream())
    return MEASUREMENTS[name](implant.probe, implant.selection, rat(), calibration)


@pytest.mark.parametrize("name", OBSERVABLES)
def test_noise_has_the_deviation_of_the_layer_and_observable(name: Observable) -> None:
    spreads = {
        each: {"first": Spread(2.0 * place, 0.0), "second": Spread(100.0, 0.0)}
        for place, each in enumerate(OBSERVABLES, 1)
    }
    of = measurement(name, GaussianNoise(snr=4.0), ProbeCalibration(spreads, {}))
    signal = np.full((5, 4000), 7.0, dtype=np.float32)
    noise = of.with_noise("first", signal, stream()) - signal
    assert noise.std() == pytest.approx(spreads[name]["first"].layer / 4, rel=0.03)
    assert noise.mean() == pytest.approx(0, abs=0.03)


def test_absolute_noise_needs_no_calibration_and_a_ratio_does() -> None:
    signal = np.zeros((2, 1000), dtype=np.float32)
    found = measurement("weights", GaussianNoise(sigma=0.5)).with_noise("first", signal, stream())
    assert found.std() == pytest.approx(0.5, rel=0.1)
    with pytest.raises(ValueError, match="needs a calibration"):
        measurement("weights", GaussianNoise(snr=1.0)).with_noise("first", signal, stream())


def test_each_entry_has_the_name_of_its_layer_in_the_order_of_the_selection() -> None:
    of = measurement("weights", GaussianNoise())
    found = of.owners({"third": 1, "first": 2, "second": 0})
    assert found.tolist() == ["first", "first", "third"]
    assert found.dtype == object


@pytest.mark.parametrize("name", OBSERVABLES)
def test_values_are_described_as_in_the_vocabulary(name: Observable) -> None:
    assert measurement(name, GaussianNoise()).attributes() == describe(name)


@pytest.mark.parametrize("name", OBSERVABLES)
def test_a_record_has_the_axes_that_its_class_names(name: Observable) -> None:
    of = measurement(name, GaussianNoise(), set_on_rats(Probe()))
    noise = stream()
    found = of.noisy("second", of.signal("second", noise), noise)
    assert found.ndim == len(of.dims)
    assert of.dims[0] == "visit"


def test_a_coordinate_has_the_attributes_of_its_name() -> None:
    found = coordinate("unit_depth", "unit", np.arange(3))
    assert found.dims == ("unit",)
    assert found.attrs == describe("unit_depth")
    assert found.attrs["units"]


@pytest.mark.parametrize("name", OBSERVABLES)
def test_only_units_have_noise_in_common(name: Observable) -> None:
    of = measurement(name, GaussianNoise(sigma=1.0, correlation=1.0))
    noise = of.with_noise("first", np.zeros((2, 3, 8), dtype=np.float32), stream())
    assert (np.ptp(noise, axis=-1) == 0).all() == (name == "activity")
