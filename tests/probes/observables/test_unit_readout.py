"""Chronic, acute and in between; averages of many."""

from __future__ import annotations

import numpy as np
import pytest

from tests.probes.rat import N_VISITS, SIZES, rat, set_on_rats, stream
from virtuallab.probes import GaussianNoise, Probe
from virtuallab.probes.observables.unit_readout import with_turnover
from virtuallab.probes.statistics.features import features

ACTIVITY = ("activity",)


def recorded(probe: Probe, seed: int = 1):
    tissue = rat()
    return probe.implant(tissue, stream(seed)).record(tissue, stream(2), set_on_rats(probe))


def test_without_turnover_nothing_says_who_was_matched():
    found = recorded(Probe(units_per_layer=3, observables=ACTIVITY))
    assert found["unit_index"].dims == ("unit",)
    assert "unit_matched" not in found


def test_a_turning_recording_is_what_its_indices_say():
    tissue = rat()
    found = recorded(Probe(units_per_layer=3, turnover=0.5, observables=ACTIVITY, stimuli=4))
    index, shown = found["unit_index"].values, found["stimulus_index"].values
    for layer in SIZES:
        mine = found["unit_layer"].values == layer
        for visit in range(N_VISITS):
            wanted = tissue.responses[layer][visit][shown][:, index[visit, mine]]
            np.testing.assert_array_equal(found["activity"].values[visit][:, mine], wanted)


@pytest.mark.parametrize(("share", "lost"), [(0.0, 0), (0.1, 10), (0.25, 25), (1.0, 100)])
def test_the_matched_fraction_is_what_was_asked_for(share, lost):
    pool = np.arange(1000)
    find = lambda _, anew: np.sort(anew.permutation(pool)[:100])  # noqa: E731
    found = with_turnover(share, 8, find, np.arange(100), stream(3))
    assert (found.matched[1:].sum(1) == 100 - lost).all()
    assert not found.matched[0].any()
    for visit in range(1, 8):
        kept = found.matched[visit]
        np.testing.assert_array_equal(found.index[visit, kept], found.index[visit - 1, kept])
        assert len(set(found.index[visit])) == 100, "one unit in two channels"


def test_over_several_visits_the_matched_fraction_decays_as_a_power():
    pool = np.arange(100_000)
    find = lambda _, anew: anew.choice(pool, 2000, replace=False)  # noqa: E731
    found = with_turnover(0.2, 6, find, np.arange(2000), stream(4))
    followed = found.matched[1:].cumprod(0).mean(1)
    spread = np.sqrt(0.8**3 * (1 - 0.8**3) / 2000)
    np.testing.assert_allclose(followed, 0.8 ** np.arange(1, 6), atol=5 * spread)


def test_of_an_acute_recording_each_visit_is_a_draw_like_the_first():
    probe = Probe(units_per_layer=4, turnover=1.0, observables=ACTIVITY, layers=("first",))
    drawn = np.stack([recorded(probe, seed)["unit_index"].values for seed in range(300)])
    frequency = np.stack([np.bincount(drawn[:, v].ravel(), minlength=12) for v in range(N_VISITS)])
    expected = 300 * 4 / 12
    deviation = np.sqrt(300 * (1 / 3) * (2 / 3))
    assert (abs(frequency - expected) < 4.5 * deviation).all()
    # Independent of the visit before: as many are met again as chance has it, 4 of 12.
    again = np.mean([np.isin(d[1], d[0]).mean() for d in drawn])
    assert again == pytest.approx(1 / 3, abs=0.05)


def test_a_smaller_turnover_does_not_move_the_first_units():
    chronic = recorded(Probe(units_per_layer=4, observables=ACTIVITY))["unit_index"].values
    for share in (0.25, 1.0):
        turned = recorded(Probe(units_per_layer=4, turnover=share, observables=ACTIVITY))
        np.testing.assert_array_equal(turned["unit_index"].values[0], chronic)


def test_a_channel_that_pools_hears_the_mean_of_its_members():
    tissue, found = rat(), recorded(Probe(pool=3, observables=ACTIVITY))
    index = found["unit_index"]
    assert index.dims == ("unit", "member")
    for layer in SIZES:
        mine = found["unit_layer"].values == layer
        members = index.values[mine]
        assert members.shape == (SIZES[layer] // 3, 3)
        assert len(np.unique(members)) == members.size, "patches overlap"
        wanted = tissue.responses[layer][..., members].mean(-1)
        np.testing.assert_allclose(found["activity"].values[..., mine], wanted, rtol=1e-5)


def test_noise_of_an_average_is_in_proportion_to_the_averages_of_the_reference():
    probe = Probe(pool=4, observables=ACTIVITY, noise=GaussianNoise(snr=0.5))
    plain = recorded(Probe(pool=4, observables=ACTIVITY))
    reference = rat(99)
    chosen = probe.implant(reference, stream(99))
    for layer in ("first", "second"):
        mine = plain["unit_layer"].values == layer
        noise = (recorded(probe)["activity"] - plain["activity"]).values[..., mine]
        averages = chosen.selection.units[layer].read(
            reference.responses[layer], chosen.selection.stimuli
        )
        assert noise.std() / np.sqrt(averages.var((1, 2)).mean()) == pytest.approx(2, rel=0.2)


def test_followed_units_alone_tell_of_movement():
    """A tissue that stands still must look as if it stood still, whoever is lost."""
    tissue = rat()
    for layer in tissue.layers:
        tissue.responses[layer][:] = tissue.responses[layer][:1]
    probe = Probe(units_per_layer=4, turnover=0.5, observables=ACTIVITY, layers=("first",))
    found = features(probe.implant(tissue, stream(5)).record(tissue, stream(2)))
    change = found["change"].sel(layer="first")
    for name in ("act_cosine_last", "act_tuned_cosine_last", "act_class_cosine_last"):
        np.testing.assert_allclose(change.sel(change_name=name), 1, rtol=1e-6)
    np.testing.assert_allclose(change.sel(change_name="act_switched"), 0)


def test_an_acute_recording_tells_nothing_of_single_units_and_all_of_the_population():
    acute = recorded(Probe(units_per_layer=4, turnover=1.0, observables=ACTIVITY))
    change = features(acute)["change"].isel(visit=slice(1, None))
    for name in ("act_cosine_start", "act_step", "act_tuned_turn", "act_evenness", "act_switched"):
        later = change.sel(change_name=name).isel(visit=slice(1, None))
        assert np.isnan(later).all(), name
    for name in ("actabs_mean_logratio", "act_similarity_start", "act_silent"):
        assert np.isfinite(change.sel(change_name=name)).all(), name


def test_whoever_is_never_lost_is_measured_as_in_a_chronic_recording():
    """A recording of which no unit was lost, told by its matches, gives the same features."""
    chronic = recorded(Probe(units_per_layer=4, observables=ACTIVITY))
    followed = chronic.assign(
        unit_matched=(("visit", "unit"), np.ones((N_VISITS, chronic.sizes["unit"]), np.int8))
    )
    np.testing.assert_allclose(
        features(followed)["change"], features(chronic)["change"], rtol=1e-6, atol=1e-7
    )
