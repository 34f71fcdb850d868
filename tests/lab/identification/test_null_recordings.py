"""Null recordings are made of preserved subjects, the same ones whatever the order of work."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lab.stages.tiny import tiny_plan, trained_store
from virtuallab.decoder.features.samples import by_subject, stages
from virtuallab.lab.designs.design_evaluation import joined_features
from virtuallab.lab.identification.null_recordings import null_samples, total_change
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages.experiment import Experiment
from virtuallab.probes import Probe
from virtuallab.probes.statistics.features import change_observables, feature_arrays
from virtuallab.registry import NOISE_MODELS
from virtuallab.testing.planted_preparation import planted_preparation

PROBE = Probe(observables=("activity",), units=6, stimuli=6)
KINDS = ("frozen", "weight_walk")


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Eight trained subjects."""
    plan = tiny_plan("subjects.replicates=4", cohorts=[range(4), range(4, 8)])
    return Experiment(plan, trained_store(tmp_path_factory.mktemp("nulls"), plan))


def test_there_are_as_many_of_each_kind_spread_over_the_subjects(experiment: Experiment) -> None:
    found = null_samples(experiment, PROBE, range(8), KINDS, each=20, pool=LocalPool(1))
    assert {kind: int((found.kinds == kind).sum()) for kind in KINDS} == dict.fromkeys(KINDS, 20)
    for kind in KINDS:
        counts = np.bincount(found.owners[found.kinds == kind], minlength=8)
        assert (counts.min(), counts.max()) == (2, 3)
    assert np.isfinite(found.values).any(1).all()
    walks = found.values[found.kinds == "weight_walk"]
    assert len(np.unique(walks.round(9), axis=0)) == 20, "recordings of one subject differ"


def test_a_recording_does_not_depend_on_others_or_on_the_number_of_processes(
    experiment: Experiment,
) -> None:
    one = null_samples(experiment, PROBE, range(8), KINDS, each=8, pool=LocalPool(1))
    two = null_samples(experiment, PROBE, range(8), ("weight_walk",), each=8, pool=LocalPool(2))
    mine = one.kinds == "weight_walk"
    np.testing.assert_array_equal(one.values[mine], two.values)
    np.testing.assert_array_equal(one.owners[mine], two.owners)


def test_owners_are_places_among_the_members(experiment: Experiment) -> None:
    some = null_samples(experiment, PROBE, (2, 5, 7), ("frozen",), each=3, pool=LocalPool(1))
    assert some.owners.tolist() == [0, 1, 2]


def test_a_frozen_network_does_not_change_and_a_walk_does(experiment: Experiment) -> None:
    found = null_samples(experiment, PROBE, range(8), KINDS, each=8, pool=LocalPool(1))
    visits = len(stages(len(experiment.store.plan["visits"]) - 1))
    change = total_change(found.values, visits)
    np.testing.assert_allclose(change[found.kinds == "frozen"], 0.0, atol=1e-9)
    assert (change[found.kinds == "weight_walk"] > 1e-6).all()


def test_noise_alone_counts_as_change_and_more_noise_as_more(experiment: Experiment) -> None:
    visits = len(stages(len(experiment.store.plan["visits"]) - 1))
    medians = []
    for snr in (10.0, 1.0):
        noise = NOISE_MODELS["gaussian"](snr=snr)
        probe = Probe(observables=("activity",), units=6, stimuli=6, noise=noise)
        found = null_samples(experiment, probe, range(8), ("frozen",), each=8, pool=LocalPool(1))
        medians.append(float(np.median(total_change(found.values, visits))))
    assert 0 < medians[0] < medians[1]


def test_total_change_is_one_minus_the_cosine_to_the_first_visit() -> None:
    preparation = planted_preparation()
    stream = np.random.default_rng(1)
    probe = Probe(observables=("activity",), units="all")
    recording = probe.implant(preparation, stream).record(preparation, stream)
    samples = by_subject(
        joined_features(recording.coords.to_dataset(), [feature_arrays(recording)]), "activity"
    )
    by_third: dict[int, list[float]] = {}
    for layer, third in zip(
        recording["layer"].values, recording["depth_group"].values.tolist(), strict=True
    ):
        mine = recording["activity"].values[..., recording["unit_layer"].values == layer]
        first = mine[0].ravel().astype(float)
        last = stages(len(mine) - 1)[-1]
        each = [m.ravel().astype(float) for m in mine[1:][last]]
        cosine = [m @ first / np.linalg.norm(m) / np.linalg.norm(first) for m in each]
        by_third.setdefault(third, []).append(float(np.mean(cosine)))
    expected = np.mean([1 - np.mean(each) for each in by_third.values()])
    [found] = total_change(samples.values, samples.visits)
    assert found == pytest.approx(expected, rel=1e-5)


def test_change_is_unknown_where_nothing_was_measured() -> None:
    names = sum(of == "activity" for of in change_observables().values())
    assert np.isnan(total_change(np.full((1, 5 * names * 2), np.nan), 2)).all()
