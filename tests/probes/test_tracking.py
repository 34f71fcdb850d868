"""Which units are lost and found again between visits."""

from __future__ import annotations

import numpy as np
import pytest

from tests.probes.cat import Cat, recorded
from tests.probes.rat import stream
from virtuallab.probes import Contacts, Probe
from virtuallab.probes.device import find_device
from virtuallab.probes.tracking import follow, loss_and_return

COUNT = 4000


def share_followed(daily_loss: float, daily_return: float, days: list[float]) -> np.ndarray:
    """Share of the first visit's units that is recorded after so many days."""
    losses, returns = loss_and_return(daily_loss, daily_return, np.diff([0.0, *days]))
    fresh = iter(range(COUNT, 10**9))
    recorded, _ = follow(
        np.arange(COUNT),
        losses,
        returns,
        lambda visit, count, busy, generator: np.array([next(fresh) for _ in range(count)], int),
        lambda visit, units: np.ones(len(units), dtype=bool),
        stream(1),
    )
    return (recorded[1:] == recorded[0]).mean(axis=1)


def test_the_share_followed_is_that_of_the_equation_whatever_the_visits():
    days = np.array([1.0, 7.0, 10.0, 15.0])
    expected = 0.3 + 0.7 * 0.9**days  # a loss of 0.07 and a return of 0.03 a day
    five_errors = 5 * np.sqrt(0.25 / COUNT)
    assert share_followed(0.07, 0.03, list(days)) == pytest.approx(expected, abs=five_errors)
    [late] = share_followed(0.07, 0.03, [15.0])
    assert late == pytest.approx(expected[-1], abs=five_errors), "without the visits between"


def test_without_a_return_no_unit_comes_back():
    found = share_followed(0.2, 0.0, [1.0, 2.0, 3.0, 4.0])
    assert (np.diff(found) < 0).all()
    assert share_followed(0.0, 0.0, [1.0, 50.0]).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("name", "days", "measured", "within"),
    [
        ("utah_array", [7.0, 10.0, 15.0], [0.57, 0.43, 0.39], 0.035),  # Dickey et al. 2009
        ("neuropixels_2", list(np.arange(1.0, 48.0)), 0.84, 0.02),  # Yuan et al. 2024, the mean
    ],
)
def test_a_device_follows_as_many_units_as_were_measured(name, days, measured, within):
    presets = find_device(name).presets
    lost, _ = loss_and_return(presets.daily_loss, presets.daily_return, np.array(days))
    found = 1 - lost
    assert (found if isinstance(measured, list) else found.mean()) == pytest.approx(
        measured, abs=within
    )


def test_a_lost_unit_takes_its_channel_back():
    reached = [None, [False, True], [True, True]]
    found, matched = follow(
        np.array([5, 6]),
        np.zeros(2),
        np.zeros(2),
        lambda visit, count, busy, generator: np.setdiff1d(np.arange(10), busy)[:count],
        lambda visit, units: np.where(units == 5, reached[visit][0], reached[visit][1]),
        stream(),
    )
    assert found.tolist() == [[5, 6], [0, 6], [5, 6]]
    assert matched.tolist() == [[False, False], [False, True], [False, True]]


def test_a_channel_keeps_its_unit_where_no_other_is_left():
    found, _ = follow(
        np.arange(3),
        np.ones(1),
        np.zeros(1),
        lambda visit, count, busy, generator: np.array([7])[:count],
        lambda visit, units: np.ones(len(units), dtype=bool),
        stream(),
    )
    assert found[1].tolist() == [7, 1, 2]


def test_no_unit_is_recorded_twice_without_a_device():
    probe = Probe(units_per_layer=100, daily_loss=0.3, daily_return=0.2, observables=("activity",))
    found = recorded(probe)
    index, layer = found["unit_index"].values, found["unit_layer"].values
    for name in Cat().layers:
        for visit in index[:, layer == name]:
            assert len(set(visit)) == 100
    kept = found["unit_matched"].values[1:]
    assert 0.5 < kept[:, layer != "fc"].mean() < 0.9
    assert (index[1:] == index[:-1])[kept == 1].all()


def test_more_days_between_visits_lose_more_units():
    probes = [
        Probe(device="utah_array", daily_return=0.0, visit_interval=days) for days in (1.0, 10.0)
    ]
    near, far = (recorded(probe)["unit_matched"].values[1:].mean() for probe in probes)
    assert near == pytest.approx(1 - 0.096, abs=0.05)
    assert far == pytest.approx((1 - 0.096) ** 10, abs=0.1)


def test_visits_left_out_count_as_days():
    every = recorded(Probe(device="utah_array", daily_loss=0.3, daily_return=0.0))
    ends = recorded(Probe(device="utah_array", daily_loss=0.3, daily_return=0.0, visits=(0, 2)))
    assert every["unit_matched"].values[1].mean() == pytest.approx(0.7, abs=0.1)
    assert ends["unit_matched"].values[1].mean() == pytest.approx(0.49, abs=0.1)


def test_drift_moves_neurons_out_of_reach_and_none_is_recorded_beyond_it():
    one = Contacts(contacts=((0.0, 0.0), (0.0, 400.0)))
    still = Probe(device=one, observables=("activity",), layers=("conv2", "conv3"))
    assert "unit_matched" not in recorded(still), "without drift the same units at all visits"
    moved = [
        recorded(Probe(device=one, drift=drift, **vars_of(still)), seed)
        for seed in range(12)
        for drift in (1.0, 400.0)
    ]
    matched = [found["unit_matched"].values[1:].mean() for found in moved]
    assert np.mean(matched[::2]) > 0.9
    assert np.mean(matched[1::2]) < 0.4
    for found in moved:
        depth = found["unit_depth"].values
        assert (np.ptp(found["unit_x"].values, axis=0) <= 100.1).all(), "two radii at most"
        assert ((depth >= 1000) & (depth <= 3000)).all(), "in its layer"


def vars_of(probe: Probe) -> dict[str, object]:
    return {"observables": probe.observables, "layers": probe.layers}


def test_an_acute_device_is_at_another_place_at_each_visit():
    acute = recorded(Probe(device="neuropixels_1"))
    assert (acute["unit_matched"].values == 0).all()
    assert np.ptp(acute["unit_x"].values, axis=0).min() > 200
    chronic = recorded(Probe(device="neuropixels_2"))
    assert np.ptp(chronic["unit_x"].values, axis=0).max() < 200
