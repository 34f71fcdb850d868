"""A subject that is recorded a few visits at a time, with and without its signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import xarray as xr

from tests.lab.stages.tiny import tiny_plan, trained_store
from virtuallab import seeds
from virtuallab.lab.planning import network_group
from virtuallab.lab.stages.reference import Reference, reference
from virtuallab.lab.stages.snapshots import preserved_states
from virtuallab.lab.stages.subject_recorder import PlannedRecording, SubjectRecorder
from virtuallab.probes import GaussianNoise, Probe
from virtuallab.store import Store
from virtuallab.subject.preparation import prepare

NOISY = Probe(observables=("activity",), units=5, noise=GaussianNoise(snr=1.0))
CLEAN = replace(NOISY, noise=None)
KEY = "a subject"

# One visit and three stimuli of the tiny network at a time; two visits; all of them.
BUDGETS = {5_000: (1, 3), 16_000: (2, 10), 2**29: (3, 10)}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return trained_store(tmp_path_factory.mktemp("recorder"), tiny_plan())


@pytest.fixture(scope="module")
def networks(store: Store) -> Reference:
    return reference(store, tiny_plan().network_groups[0], 3)


@pytest.fixture(scope="module")
def states(store: Store) -> np.ndarray:
    return np.concatenate(list(preserved_states(store, tiny_plan().network_groups[0], 1)))


def planned(networks: Reference, probe: Probe, *, alone: bool = True) -> PlannedRecording:
    [calibration] = networks.calibrations([probe])
    choice, noise = (partial(seeds.generator, 1, purpose) for purpose in ("choice", "noise"))
    return PlannedRecording(probe, calibration, choice, noise, alone)


def recorded(
    networks: Reference, states: Sequence[np.ndarray] | np.ndarray, probe: Probe, **how: bool
) -> tuple[xr.Dataset, xr.Dataset | None]:
    """Record a subject whose visits come one by one."""
    recorder = SubjectRecorder(
        networks.of_subject(KEY), len(states), [planned(networks, probe, **how)]
    )
    for state in states:
        recorder.add(state[None])
    [found] = recorder.finish()
    return found


def test_a_subject_is_recorded_as_the_implanted_probe_records_it(
    networks: Reference, states: np.ndarray
) -> None:
    whole = prepare(networks.group.architecture, networks.group.task, states, None)
    how = planned(networks, NOISY)
    expected = NOISY.implant(whole, how.choice()).record(whole, how.noise(), how.calibration)
    xr.testing.assert_identical(recorded(networks, states, NOISY)[0], expected)


PROBES = {
    "all": Probe(),
    "noisy": replace(NOISY, observables=None, synapses=7, stimuli=4),
    "active": replace(NOISY, selection="active", visits=(1, 2)),
    "replaced": replace(NOISY, selection="active", turnover=0.5),
    "weights": Probe(observables=("weights",), synapses=9, visits=(0, 2)),
}


@pytest.mark.parametrize("name", PROBES)
@pytest.mark.parametrize("budget", BUDGETS)
def test_a_recording_does_not_depend_on_how_many_visits_are_prepared_together(
    name: str,
    budget: int,
    networks: Reference,
    states: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = recorded(networks, states, PROBES[name])
    monkeypatch.setattr(network_group, "_PREPARED", budget)
    assert networks.group.part_size(3) == BUDGETS[budget]
    for one, whole in zip(recorded(networks, states, PROBES[name]), expected, strict=True):
        if one is None or whole is None:
            assert one is whole is None
            continue
        # A population of another size may round sums differently.
        xr.testing.assert_allclose(one, whole, rtol=1e-5, atol=1e-6)
        for chosen in ("unit_index", "synapse_index", "stimulus_index"):
            if chosen in whole.coords:
                np.testing.assert_array_equal(one[chosen], whole[chosen])


def test_states_may_change_after_they_were_added(networks: Reference, states: np.ndarray) -> None:
    recorder = SubjectRecorder(networks.of_subject(KEY), 3, [planned(networks, CLEAN)])
    for state in states:
        given = state[None].copy()
        recorder.add(given)
        given[:] = np.nan
    [(found, _)] = recorder.finish()
    xr.testing.assert_identical(found, recorded(networks, states, CLEAN)[0])


def test_without_noise_there_is_no_recording_of_noise(
    networks: Reference, states: np.ndarray
) -> None:
    recording, noise = recorded(networks, states, CLEAN)
    assert recording["activity"].shape == (3, 10, 5)
    assert noise is None


def test_noise_is_recorded_by_itself_only_if_wanted(
    networks: Reference, states: np.ndarray
) -> None:
    with_it, noise = recorded(networks, states, NOISY)
    without, nothing = recorded(networks, states, NOISY, alone=False)
    assert noise is not None
    assert nothing is None
    xr.testing.assert_identical(with_it, without)


def test_the_same_electrodes_have_the_same_noise_where_the_signal_is_removed(
    networks: Reference, states: np.ndarray
) -> None:
    noisy, alone = recorded(networks, states, NOISY)
    clean, _ = recorded(networks, states, CLEAN)
    assert alone is not None
    np.testing.assert_array_equal(noisy["unit_index"], alone["unit_index"])
    noise = noisy["activity"].values - clean["activity"].values
    outline, how = networks.group.outline(3), planned(networks, CLEAN)
    still = CLEAN.implant(outline, how.choice()).record(
        networks.of_subject(KEY).unchanging(3), how.noise(), None
    )
    values = still["activity"].values
    np.testing.assert_array_equal(values, np.broadcast_to(values[:1], values.shape))
    assert noise.std() > 0.01
    np.testing.assert_allclose(alone["activity"].values - values, noise, atol=1e-5)
    changing = clean["activity"].values
    assert (changing[0] != changing[2]).any(), "the subject itself has learned"


def test_units_depend_on_the_stream_of_choice_and_noise_on_its_own(
    networks: Reference, states: np.ndarray
) -> None:
    def record(choice: int, noise: int) -> xr.Dataset:
        how = replace(
            planned(networks, NOISY),
            choice=lambda: np.random.default_rng(choice),
            noise=lambda: seeds.generator(noise, "noise"),
        )
        recorder = SubjectRecorder(networks.of_subject(KEY), 3, [how])
        recorder.add(states)
        [(found, _)] = recorder.finish()
        return found

    one, other_noise, other_units = record(1, 1), record(1, 2), record(5, 1)
    np.testing.assert_array_equal(one["unit_index"], other_noise["unit_index"])
    assert (one["activity"].values != other_noise["activity"].values).all()
    assert one["unit_index"].values.tolist() != other_units["unit_index"].values.tolist()
