"""Every impossible design is told: the field, what was found, and what to do."""

from __future__ import annotations

import dataclasses

import pytest

from tests.probes import cat
from tests.probes.rat import N_STIMULI, N_SYNAPSES, N_VISITS, SIZES
from virtuallab.probes import Calcium, Contacts, GaussianNoise, Probe, Series, Spikes
from virtuallab.probes.validation import visit_problems
from virtuallab.vocabulary import OBSERVABLES


def problems(probe: Probe, **there: object) -> dict[str, str]:
    asked = {
        "layers": SIZES,
        "synapses": N_SYNAPSES,
        "n_visits": N_VISITS,
        "n_stimuli": N_STIMULI,
        **there,
    }
    return dict(probe.check(**asked))


POSSIBLE = [
    Probe(),
    Probe(units=24, synapses=188, visits=6, stimuli=10),
    Probe(units=1, synapses=1, visits=1, stimuli=1),
    Probe(units_per_layer=4, synapses_per_layer=32, layers=("third", "first")),
    Probe(units_per_layer=12, layers=("first",)),
    Probe(visits=(0, 5), noise=GaussianNoise(sigma=0.0)),
    Probe(noise=GaussianNoise(sigma=1.0, correlation=0.2)),
    Probe(spikes=Spikes(fano_factor=1.4, refractory=0.002)),
    Probe(calcium=Calcium(rise=0.05, photons=300.0, order="random")),
    Probe(noise=GaussianNoise(snr=0.01), observables=("activity",), keep="statistics"),
]


@pytest.mark.parametrize("probe", POSSIBLE, ids=range(len(POSSIBLE)))
def test_a_possible_design_is_let_pass(probe):
    assert problems(probe) == {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Voltage(Calcium):
    """An indicator that is calibrated in mV."""

    units = "mV"


IMPOSSIBLE = {
    "too many units": (
        Probe(units=25),
        "units",
        "25 units asked of 24 in all layers together (first 12, second 8, third 4). Lower it or "
        "use 'units: all'.",
    ),
    "too many units of the layers recorded": (
        Probe(units=13, layers=("second", "third")),
        "units",
        "13 units asked of 12 in all layers together (second 8, third 4).",
    ),
    "too many units in one layer": (
        Probe(units_per_layer=5),
        "units_per_layer",
        "5 units asked of layer 'third', which has 4. Lower it, choose other layers, or use "
        "'units: all'.",
    ),
    "too many units in several layers": (
        Probe(units_per_layer=9),
        "units_per_layer",
        "layer 'third', which has 4 (second 8, third 4).",
    ),
    "too many synapses": (Probe(synapses=1000), "synapses", "1000 synapses asked of 188"),
    "too many synapses in one layer": (
        Probe(synapses_per_layer=61),
        "synapses_per_layer",
        "61 synapses asked of layer 'third', which has 32 (first 60, third 32).",
    ),
    "units twice": (
        Probe(units=5, units_per_layer=2),
        "units_per_layer",
        "found both units: 5 and units_per_layer: 2. Give one of them.",
    ),
    "synapses twice": (
        Probe(synapses=5, synapses_per_layer=2),
        "synapses_per_layer",
        "found both synapses: 5 and synapses_per_layer: 2. Give one of them.",
    ),
    "no unit": (Probe(units=0), "units", "must be at least 1, found 0."),
    "no synapse": (Probe(synapses_per_layer=-1), "synapses_per_layer", "at least 1, found -1."),
    "an unknown layer": (
        Probe(layers=("first", "secnod")),
        "layers[1]",
        "there is no layer 'secnod'. Did you mean 'second'? Known: first, second, third.",
    ),
    "a layer twice": (
        Probe(layers=("first", "first")),
        "layers[1]",
        "layer 'first' is named twice. Name each layer once.",
    ),
    "no layer": (Probe(layers=()), "layers", "no layer is named. Known: first, second, third."),
    "too many visits": (
        Probe(visits=7),
        "visits",
        "7 visits asked of 6 that are preserved. Lower it, use 'all', or preserve more with "
        "subjects.visits.",
    ),
    "a visit beyond the last": (
        Probe(visits=(0, 3, 6)),
        "visits[2]",
        "visit 6 is after the end of training: the last visit is 5.",
    ),
    "a visit twice": (
        Probe(visits=(0, 3, 3)),
        "visits[2]",
        "visit 3 is named twice. Name each visit once.",
    ),
    "visits in disorder": (
        Probe(visits=(3, 1)),
        "visits[1]",
        "visits must ascend, found 1 after 3.",
    ),
    "a visit before the first": (Probe(visits=(-1,)), "visits[0]", "counted from 0, found -1."),
    "no listed visit": (Probe(visits=()), "visits", "no visit is named. Name one, or use 'all'."),
    "no visit": (Probe(visits=0), "visits", "must be at least 1, found 0."),
    "too many stimuli": (
        Probe(stimuli=11),
        "stimuli",
        "11 stimuli asked of a task that has 10. Lower it, raise the task's probe_images, or use "
        "'stimuli: all'.",
    ),
    "no stimulus": (Probe(stimuli=0), "stimuli", "must be at least 1, found 0."),
    "correlation without noise": (
        Probe(noise=GaussianNoise(correlation=0.1)),
        "noise.correlation",
        "there is no noise to share. Give sigma, snr, unit_snr.",
    ),
    "correlation of weights": (
        Probe(noise=GaussianNoise(snr=1.0, correlation=0.1), observables=("weights",)),
        "noise.correlation",
        "applies to 'activity', which this probe does not measure.",
    ),
    "correlation beyond 1": (
        Probe(noise=GaussianNoise(snr=1.0, correlation=1.5)),
        "noise.correlation",
        "must be a share between 0 and 1, found 1.5.",
    ),
    "long refractory period": (
        Probe(spikes=Spikes(window=0.01, refractory=0.002)),
        "spikes.refractory",
        "0.002 s is more than a tenth of the window, 0.01 s: the variance of counts in so short a "
        "window is not known. Lower it, or raise the window.",
    ),
    "photons of no fluorescence": (
        Probe(calcium=Voltage(photons=20.0)),
        "calcium.photons",
        "needs fluorescence in dF/F, found 'mV'. Leave it out.",
    ),
    "noise twice": (
        Probe(noise=GaussianNoise(sigma=1.0, snr=2.0)),
        "noise",
        "found sigma: 1.0 and snr: 2.0. Give one of them.",
    ),
    "a ratio of nothing": (
        Probe(noise=GaussianNoise(snr=0.0)),
        "noise.snr",
        "must be a number greater than 0, found 0.0. For no noise leave it out.",
    ),
    "a ratio that is no number": (
        Probe(noise=GaussianNoise(snr=float("nan"))),
        "noise.snr",
        "must be a number greater than 0, found nan.",
    ),
    "a negative deviation": (
        Probe(noise=GaussianNoise(sigma=-0.5)),
        "noise.sigma",
        "must be 0 or a positive number, found -0.5.",
    ),
    "no observable": (
        Probe(observables=()),
        "observables",
        "no observable is named. Known: weights, activity, activity_change.",
    ),
    "an observable twice": (
        Probe(observables=("weights", "weights")),
        "observables[1]",
        "observable 'weights' is named twice.",
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_an_impossible_design_is_told_with_its_field_and_the_way_out(case):
    probe, field, message = IMPOSSIBLE[case]
    found = problems(probe)
    assert list(found) == [field]
    assert message in found[field]


def test_all_that_is_impossible_is_told_at_once():
    probe = Probe(
        units_per_layer=50,
        synapses=9999,
        layers=("first", "thrid"),
        visits=(2, 9),
        stimuli=99,
        noise=GaussianNoise(snr=-1.0),
    )
    wanted = ["layers[1]", "noise.snr", "stimuli", "synapses", "units_per_layer", "visits[1]"]
    assert sorted(problems(probe)) == wanted


def test_a_probe_of_weights_alone_needs_neither_stimuli_nor_units():
    probe = Probe(observables=("weights",), synapses=10, stimuli=99, units=10_000)
    assert problems(probe, n_stimuli=0) == {}


def test_a_probe_of_responses_needs_stimuli():
    assert "no stimuli" in problems(Probe(), n_stimuli=0)["stimuli"]


def test_a_probe_of_responses_alone_needs_no_synapses():
    probe = Probe(observables=("activity",), synapses=10_000)
    assert problems(probe) == {}


@pytest.mark.parametrize("probe", POSSIBLE, ids=range(len(POSSIBLE)))
def test_every_setting_says_what_it_means(probe):
    for owner in (probe, probe.resolved.noise):
        for field in dataclasses.fields(owner):
            assert field.metadata["doc"].endswith((".", ")."))


IMPOSSIBLE_DEVICES = {
    "an unknown device": (Probe(device="utah_aray"), "device", "Did you mean 'utah_array'"),
    "more units than it finds": (
        Probe(device="tetrode", units=30),
        "units",
        "30 units asked of 20",
    ),
    "insertions of nothing": (Probe(insertions=2), "insertions", "no device"),
    "pools of contacts": (Probe(device="utah_array", pool=2), "pool", "each contact"),
    "contacts that hear weights": (
        Probe(device="utah_array", observables=("weights",), spikes=None),
        "device",
        "record 'activity'",
    ),
    "contacts in no layer": (
        Probe(
            device=Contacts(contacts=((0.0, 0.0),)), layers=("conv1",), observables=("activity",)
        ),
        "device",
        "not one unit",
    ),
    "too large a pool": (Probe(pool=1000, observables=("activity",)), "pool", "not one unit"),
    "turnover of voxels": (
        Probe(pool=2, turnover=0.5, observables=("activity",)),
        "turnover",
        "do not lose single",
    ),
    "turnover without others": (
        Probe(turnover=1.0, observables=("activity",)),
        "turnover",
        "none can replace a lost one",
    ),
    "turnover of an activity change": (
        Probe(units=20, turnover=0.5),
        "turnover",
        "single units followed",
    ),
    "an activity change of voxels": (Probe(pool=2), "pool", "single units followed"),
    "a negative turnover": (Probe(units=20, turnover=-0.5), "turnover", "between 0 and 1"),
    "two kinds of loss": (
        Probe(device="tetrode", turnover=0.3, daily_loss=0.3),
        "daily_loss",
        "found turnover: 0.3 too",
    ),
    "a return without a loss": (Probe(units=9, daily_return=0.1), "daily_return", "no unit is"),
    "more than all units in a day": (
        Probe(device="tetrode", daily_loss=0.7, daily_return=0.6),
        "daily_return",
        "0.6 and daily_loss: 0.7 are shares of the same day and must sum to at most 1",
    ),
    "a daily loss without others": (
        Probe(daily_loss=0.1, observables=("activity",)),
        "daily_loss",
        "none can replace a lost one",
    ),
    "drift of an activity change": (
        Probe(device="utah_array", daily_loss=0.0, drift=5.0, observables=OBSERVABLES),
        "drift",
        "single units followed",
    ),
    "drift of no device": (Probe(units=9, drift=5.0), "drift", "contacts and a pick-up radius"),
    "drift without a radius": (
        Probe(device="neuropixels_2", radius="none", drift=5.0),
        "drift",
        "contacts and a pick-up radius",
    ),
    "a radius around nothing": (Probe(units=9, radius=50.0), "radius", "no device with contacts"),
    "a radius without a neuron": (Probe(device="tetrode", radius=10.0), "radius", "found 10"),
    "a radius beyond all spikes": (Probe(device="tetrode", radius=300.0), "radius", "found 300"),
    "more units than neurons within reach": (
        Probe(device="tetrode", radius=20.0),
        "radius",
        "3 neurons each",
    ),
    "contacts outside the tissue": (
        Probe(
            device=Contacts(contacts=((0.0, 0.0), (5000.0, 0.0)), placement="within"),
            observables=("activity",),
        ),
        "device",
        "5000 um apart, in a tissue of 4000 um",
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE_DEVICES)
def test_an_impossible_device_is_told(case):
    probe, field, words = IMPOSSIBLE_DEVICES[case]
    found = dict(probe.check(cat.SIZES, cat.SYNAPSES, 3, 5))
    assert words in found.get(field, ""), found


@pytest.mark.parametrize(
    ("series", "place", "words"),
    [
        (Series(count=11), "visits", "would be 10; the last that is preserved is 9"),
        (Series(count=5, first=-2), "visits", "would be 12"),
        (Series(count=3, every=5), "visits", "would be 10"),
        (Series(count=1, first=10), "visits.first", "there is no visit 10"),
        (Series(count=1, first=-11), "visits.first", "there is no visit -11"),
        (Series(count=2, every=0), "visits.every", "at least 1"),
    ],
)
def test_a_series_that_training_does_not_hold_is_said(series, place, words):
    [(found, message)] = visit_problems(series, 10)
    assert found == place
    assert words in message


@pytest.mark.parametrize("noise", [{"sigma": 1e31}, {"snr": 1e-31}, {"unit_snr": 1e-300}])
def test_noise_beyond_single_precision_is_refused(noise: dict[str, float]) -> None:
    [(field, message)] = Probe(noise=GaussianNoise(**noise)).check({"a": 9}, {"a": 9}, 3, 4)
    assert field == f"noise.{next(iter(noise))}"
    assert "overflows single precision" in message


def test_weak_and_strong_noise_within_single_precision_is_accepted() -> None:
    for noise in ({"sigma": 0.0}, {"sigma": 1e29}, {"snr": 1e-29}, {"snr": 1e29}):
        assert not Probe(noise=GaussianNoise(**noise)).check({"a": 9}, {"a": 9}, 3, 4)
