"""A preserved subject that is prepared again, and recorded with and without its signal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from tests.lab.stages.tiny import tiny_plan, trained_store
from virtuallab import seeds
from virtuallab.lab.stages.reference import reference
from virtuallab.lab.stages.restored_subject import RestoredSubject
from virtuallab.probes import GaussianNoise, Probe
from virtuallab.store import Store
from virtuallab.subject.network.parameter_layout import parameter_layout

NOISY = Probe(observables=("activity",), units=5, noise=GaussianNoise(snr=1.0))
CLEAN = replace(NOISY, noise=None)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return trained_store(tmp_path_factory.mktemp("restored"), tiny_plan())


@pytest.fixture(scope="module")
def subject(store: Store) -> RestoredSubject:
    plan = tiny_plan()
    return RestoredSubject.of(
        store, reference(store, plan.network_groups[0], 3), 1, plan.subjects[1].key
    )


def stream() -> np.random.Generator:
    return np.random.default_rng(7)


def recorded(
    subject: RestoredSubject, probe: Probe, *, alone: bool = True
) -> tuple[xr.Dataset, xr.Dataset | None]:
    [calibration] = subject.reference.calibrations([probe])
    return subject.record(probe, calibration, np.random.default_rng(1), stream, alone=alone)


def test_a_subject_has_its_preserved_weights_at_each_visit(
    store: Store, subject: RestoredSubject
) -> None:
    group = subject.reference.group
    states = store.read("snapshots/mlp", 1)["state"].to_numpy()
    assert subject.visits == len(states) == 3
    layout = parameter_layout(group.architecture, group.task)
    assert subject.preparation.layers == layout.layers == ("fc1", "fc2")
    start = states[:, : 64 * 4]
    np.testing.assert_array_equal(subject.preparation.weights["fc1"], start)
    assert len(subject.preparation.labels) == 10


def test_without_noise_there_is_no_recording_of_noise(subject: RestoredSubject) -> None:
    recording, noise = recorded(subject, CLEAN)
    assert recording["activity"].shape == (3, 10, 5)
    assert noise is None


def test_noise_is_recorded_by_itself_only_if_wanted(subject: RestoredSubject) -> None:
    with_it, noise = recorded(subject, NOISY)
    without, nothing = recorded(subject, NOISY, alone=False)
    assert noise is not None
    assert nothing is None
    xr.testing.assert_identical(with_it, without)


def test_the_same_electrodes_have_the_same_noise_where_the_signal_is_removed(
    subject: RestoredSubject,
) -> None:
    noisy, alone = recorded(subject, NOISY)
    clean, _ = recorded(subject, CLEAN)
    assert alone is not None
    np.testing.assert_array_equal(noisy["unit_index"], alone["unit_index"])
    noise = noisy["activity"].values - clean["activity"].values
    still = CLEAN.implant(subject.preparation, np.random.default_rng(1)).record(
        subject.reference.unchanging(subject.key, 3), stream(), None
    )
    assert noise.std() > 0.01
    np.testing.assert_allclose(
        alone["activity"].values - still["activity"].values, noise, atol=1e-5
    )


def test_without_the_signal_nothing_changes_but_the_noise(subject: RestoredSubject) -> None:
    still = subject.reference.unchanging(subject.key, 3)
    implant = CLEAN.implant(subject.preparation, np.random.default_rng(1))
    values = implant.record(still, stream(), None)["activity"].values
    np.testing.assert_array_equal(values, np.broadcast_to(values[:1], values.shape))
    changing = recorded(subject, CLEAN)[0]["activity"].values
    assert (changing[0] != changing[2]).any(), "the subject itself has learned"


def test_units_depend_on_the_stream_of_choice_and_noise_on_its_own(
    subject: RestoredSubject,
) -> None:
    [calibration] = subject.reference.calibrations([NOISY])

    def record(choice: int, noise: int) -> xr.Dataset:
        return subject.record(
            NOISY,
            calibration,
            np.random.default_rng(choice),
            lambda: seeds.generator(noise, "noise"),
            alone=False,
        )[0]

    one, other_noise, other_units = record(1, 1), record(1, 2), record(5, 1)
    np.testing.assert_array_equal(one["unit_index"], other_noise["unit_index"])
    assert (one["activity"].values != other_noise["activity"].values).all()
    assert one["unit_index"].values.tolist() != other_units["unit_index"].values.tolist()
