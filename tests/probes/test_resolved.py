"""What is written wins over what a device presets, and that over the defaults."""

from __future__ import annotations

from dataclasses import fields

import pytest

from virtuallab.probes import Calcium, Device, GaussianNoise, Probe, Spikes
from virtuallab.probes.device import Presets
from virtuallab.registry import DEVICES
from virtuallab.vocabulary import OBSERVABLES

# What a probe does without a device, written out.
WRITTEN = {
    "units": "all",
    "turnover": 0.0,
    "drift": 0.0,
    "pool": 1,
    "synapses": "all",
    "noise": GaussianNoise(),
    "observables": OBSERVABLES,
}


@pytest.fixture
def presetting(monkeypatch: pytest.MonkeyPatch) -> type[Device]:
    class Presetting(Device):
        """A device that presets everything."""

        presets = Presets(
            units_per_layer=2,
            turnover=0.5,
            drift=2.0,
            pool=4,
            synapses_per_layer=3,
            noise=GaussianNoise(snr=2.0),
            calcium=Calcium(),
            observables=("activity",),
        )

    monkeypatch.setitem(DEVICES._classes, "presetting", Presetting)
    Presetting.name = "presetting"
    return Presetting


@pytest.mark.parametrize("setting", WRITTEN)
def test_a_setting_that_is_written_as_its_default_wins_over_the_device(presetting, setting):
    left_open = Probe(device="presetting").resolved
    written = Probe(device="presetting", **{setting: WRITTEN[setting]}).resolved
    assert getattr(Probe().resolved, setting) == WRITTEN[setting], "it is the default"
    assert getattr(written, setting) == WRITTEN[setting]
    assert written != left_open


@pytest.mark.parametrize("device", ["connectomics", "paired_recordings"])
def test_all_synapses_are_measured_where_all_are_asked_for(device):
    sizes = {"first": 4000, "second": 5000}
    whole = Probe(device=device, synapses="all").resolved
    assert whole.synapse_counts(sizes) == sizes
    assert Probe(device=device).resolved.synapse_counts(sizes) != sizes


def test_what_is_written_takes_the_place_of_a_preset_of_its_kind(presetting):
    for name in ("synapses", "units"):
        total = Probe(device="presetting", **{name: 50}).resolved
        assert getattr(total, name) == 50
        assert getattr(total, f"{name}_per_layer") is None
    daily = Probe(device="presetting", daily_loss=0.1).resolved
    assert (daily.turnover, daily.daily_loss) == (0.0, 0.1)
    share = Probe(device="two_photon", turnover=0.3).resolved
    assert (share.turnover, share.daily_loss, share.daily_return) == (0.3, 0.0, 0.0)
    assert Probe(device="neuropixels_2").resolved.drift == 5
    assert Probe(device="neuropixels_2", radius="none").resolved.drift == 0
    own = Probe(device="two_photon", daily_loss=0.3).resolved
    assert (own.daily_loss, own.daily_return) == (0.3, 0.0), "the rate of another loss is not kept"
    counted = Probe(device="presetting", spikes=Spikes()).resolved
    assert counted.calcium is None, "one way to read activity takes the place of another"


def test_photon_noise_takes_the_place_of_the_noise_that_a_device_presets():
    counted = Calcium(photons=300.0)
    assert not Probe(device="two_photon", calcium=counted).resolved.noise.is_present
    assert Probe(device="two_photon", calcium=Calcium()).resolved.noise.unit_snr == 1.0
    both = Probe(device="two_photon", calcium=counted, noise=GaussianNoise(unit_snr=3.0))
    assert both.resolved.noise.unit_snr == 3.0, "what is written is added"


def test_what_is_left_open_is_the_devices_or_the_default():
    assert Probe(device="two_photon").resolved.calcium is not None
    own = Probe(device="two_photon", noise=GaussianNoise(snr=3.0)).resolved
    assert (own.noise, own.daily_loss, own.daily_return) == (GaussianNoise(snr=3.0), 0.1, 0.2)
    assert Probe().resolved.units == "all"


@pytest.mark.parametrize("setting", [field.name for field in fields(Presets)])
def test_a_setting_that_a_device_may_preset_is_open_by_default(setting):
    assert getattr(Probe(), setting) is None


def test_a_device_cannot_preset_anything_else():
    with pytest.raises(TypeError, match="selection"):
        Presets(selection="active")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("probe", "noisy", "typical"),
    [
        (Probe(), False, False),
        (Probe(noise=GaussianNoise(snr=1.0)), True, False),
        (Probe(spikes=Spikes()), True, True),
        (Probe(calcium=Calcium(order="random")), False, False),
        (Probe(calcium=Calcium(photons=10.0)), True, False),
        (Probe(calcium=Calcium(amplitude=0.5)), False, True),
        (Probe(spikes=Spikes(), observables=("weights",)), False, False),
        (
            Probe(calcium=Calcium(photons=10.0, amplitude=0.5), observables=("weights",)),
            False,
            False,
        ),
    ],
)
def test_a_design_has_noise_and_typical_responses_where_it_uses_them(probe, noisy, typical):
    assert probe.resolved.is_noisy == noisy
    assert probe.resolved.uses_typical_responses == typical
    ordered = probe.calcium is not None and probe.calcium.order == "random"
    assert probe.resolved.orders_stimuli == ordered
