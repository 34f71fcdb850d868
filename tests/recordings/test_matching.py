"""A probe that sees of the lab's subjects as much as a recording shows of another."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
import xarray as xr

from tests.probes.rat import N_VISITS, rat, set_on_rats, stream
from virtuallab.errors import UserError
from virtuallab.probes import GaussianNoise, Probe
from virtuallab.recordings import at_steps, matching_probe, signal_to_noise_of

DIMS = ("visit", "stimulus", "unit")


STEPS = range(0, 401, 20)  # 21 visits


def recording(visits: int = 3, step: list[float] | None = None, **attributes: object) -> xr.Dataset:
    values = np.random.default_rng(0).standard_normal((visits, 8, 9)).astype("f4")
    found = xr.Dataset({"activity": (DIMS, values)}, attrs=attributes)
    return found if step is None else found.assign_coords(step=("visit", step))


def test_it_has_as_many_units_visits_and_stimuli_and_the_same_noise():
    found = matching_probe(recording(snr=1.5), STEPS)
    assert found == Probe(
        units=9,
        division="even",
        noise=GaussianNoise(snr=1.5),
        visits=3,
        stimuli=8,
        observables=("activity",),
    )


def test_without_repeats_no_noise_is_added():
    assert matching_probe(recording(), STEPS).noise is None


def test_a_recording_of_this_laboratory_is_read_out_as_its_probe_did():
    probe = Probe(device="two_photon", units=9)
    found = matching_probe(recording(probe=json.dumps(asdict(probe))), STEPS)
    assert found.calcium == probe.resolved.calcium
    assert found.noise == GaussianNoise(unit_snr=1.0)
    assert found.device is None
    assert signal_to_noise_of(recording(probe=json.dumps(asdict(probe)))) == 1.0
    clean = recording(probe=json.dumps(asdict(Probe(units=9))), snr=7.0)
    assert signal_to_noise_of(clean) is None
    assert matching_probe(clean, STEPS).noise == GaussianNoise()


@pytest.mark.parametrize("written", ["{", "[1]", '{"noise": {"loud": 1}}', "[" * 100_000])
def test_an_attribute_that_is_no_probe_of_ours_says_nothing(written):
    assert matching_probe(recording(probe=written, snr=1.5), STEPS).noise == GaussianNoise(snr=1.5)


def test_what_it_records_of_a_subject_has_the_shape_of_the_recording():
    tissue = rat()
    probe = matching_probe(recording(snr=2.0), range(N_VISITS))
    ours = probe.implant(tissue, stream()).record(tissue, stream(), set_on_rats(probe))
    assert ours["activity"].sizes == recording()["activity"].sizes
    assert ours["n_units"].values.tolist() == [3, 3, 3]
    assert ours["visit"].values.tolist() == [0, 2, 5]


def test_visits_lie_at_the_same_fractions_of_longer_learning():
    found = matching_probe(recording(4, [0, 100, 500, 1000]), STEPS)
    assert found.visits == (0, 2, 10, 20)
    late = matching_probe(recording(3, [0.5, 0.9, 1.0]), STEPS[::2])
    assert late.visits == (5, 9, 10)
    uneven = matching_probe(recording(3, [0, 500, 1000]), [0, 10, 20, 100, 190, 400])
    assert uneven.visits == (0, 4, 5)


def test_visits_lie_at_the_same_steps_if_subjects_learned_as_long():
    short = recording(4, [0, 19, 42, 160])
    assert matching_probe(short, STEPS).visits == (0, 1, 2, 8)
    assert matching_probe(short, STEPS, fractions=True).visits == (0, 2, 5, 20)
    assert matching_probe(recording(2, [0, 409]), STEPS).visits == (0, 20)
    # Days, say: all of them fall on the first visit.
    assert matching_probe(recording(4, [0, 1, 5, 9]), STEPS).visits == (0, 2, 11, 20)


def test_visits_at_the_steps_of_a_recording_are_found_only_if_they_exist():
    assert at_steps(np.array([0, 19, 42]), np.arange(0, 101.0, 20)).tolist() == [0, 1, 2]
    assert at_steps(np.array([0, 1000]), np.arange(0, 101.0, 20)) is None
    assert at_steps(np.array([0, 1, 2]), np.arange(0, 101.0, 20)) is None


def test_visits_that_would_fall_together_are_refused():
    with pytest.raises(
        UserError, match=r"visits 0 and 1 of the recording \(steps 0 and 10 of 1000"
    ):
        matching_probe(recording(3, [0, 10, 1000]), STEPS)
    with pytest.raises(UserError, match="has 7 visits, and subjects were preserved at 6"):
        matching_probe(recording(7), range(6))


def test_a_recording_without_signal_is_refused():
    with pytest.raises(UserError, match="there is no signal to match"):
        matching_probe(recording(snr=0.0), STEPS)


def test_units_that_were_lost_are_lost_in_the_lab_too():
    matched = np.ones((3, 9), dtype=np.int8)
    assert (
        matching_probe(recording().assign(unit_matched=(DIMS[::2], matched)), STEPS).turnover
        is None
    )
    matched[0] = 0  # of the first visit it does not matter
    matched[1, :3] = 0
    found = matching_probe(recording().assign(unit_matched=(DIMS[::2], matched)), STEPS)
    assert found.turnover == pytest.approx(3 / 18)
