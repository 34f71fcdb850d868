"""Designs tried in preserved subjects are what recording and decoding them one by one gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import virtuallab as vl
from tests.journeys.conftest import PROTOCOL
from virtuallab import seeds
from virtuallab.decoder.features.samples import by_subject
from virtuallab.lab.designs import design_evaluation as benches
from virtuallab.lab.designs.design_evaluation import DesignRun, PreservedSubjects
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages.experiment import resume
from virtuallab.lab.stages.reference import reference
from virtuallab.probes import GaussianNoise, Probe
from virtuallab.probes.statistics.features import FeatureArrays, feature_arrays, features
from virtuallab.probes.statistics.theory.activity import activity_theory
from virtuallab.store import Store
from virtuallab.subject.preparation import prepare


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    (folder / "small.yaml").write_text(PROTOCOL)
    vl.run(folder / "small.yaml", store=folder / "small.zarr", workers=1)
    return folder / "small.zarr"


@pytest.fixture
def bench(store: Path) -> PreservedSubjects:
    return PreservedSubjects.of(resume(Store.open(store)), LocalPool(1))


DESIGNS = (
    DesignRun(
        Probe(units=20, observables=("activity",), noise=GaussianNoise(snr=1.0)),
        0,
        ("activity",),
        True,
    ),
    DesignRun(Probe(units=9, synapses=30, visits=3), 1, ("activity", "weights", "all")),
    DesignRun(Probe(device="tetrode", observables=("activity",)), 0, ("activity",)),
)


def test_a_row_is_what_a_decoder_reads_of_that_recording(bench: PreservedSubjects) -> None:
    [seen] = bench.record(DESIGNS[:1])
    experiment = resume(bench.store)
    for group in experiment.plan.network_groups:
        index = group.members[0]
        key = bench.plan.subjects[index].key
        states = bench.store.read(f"snapshots/{group.name}", index)["state"].to_numpy()
        preparation = prepare(group.architecture, group.task, states, None)
        owner = (key, "design 0")
        probe = DESIGNS[0].probe
        implant = probe.implant(preparation, seeds.generator(3, *owner, seeds.PROBE_CHOICE))
        recording = implant.record(
            preparation,
            seeds.generator(3, *owner, seeds.PROBE_NOISE),
            *reference(bench.store, group, 3).calibrations([probe]),
        )
        found = features(recording).expand_dims(subject=["one"])
        found = found.assign_coords(
            rule=("subject", ["?"]),
            depth_group=(("subject", "layer"), found["depth_group"].values[None]),
        )
        row = bench.members.index(index)
        np.testing.assert_allclose(
            seen.samples["activity"].values[row], by_subject(found, "activity").values[0], rtol=1e-6
        )
    assert (seen.samples["activity"].labels == bench.labels).all()


def test_batches_and_company_change_nothing(
    bench: PreservedSubjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = list(bench.record(DESIGNS))
    monkeypatch.setattr(benches, "_MEMORY", 1)
    monkeypatch.setattr(benches, "_PIECE", 3)
    for alone, trial in zip(bench.record(DESIGNS), DESIGNS, strict=True):
        there = together[DESIGNS.index(trial)]
        for name in trial.observables:
            np.testing.assert_array_equal(alone.samples[name].values, there.samples[name].values)
        asked = set(trial.observables) if trial.control else set()
        assert {name: of.keys() for name, of in alone.controls.items()} == {
            "visit_0": asked,
            "signal_removed": asked,
        }


def test_who_was_not_there_before_learning_has_no_visit_0(bench: PreservedSubjects) -> None:
    """The first of later visits is no control: the rule has acted by then."""
    later = Probe(units=9, visits=(2, 3), observables=("activity",))
    [seen] = bench.record([DesignRun(later, 0, ("activity",), True)])
    assert not seen.controls["visit_0"]


def test_a_design_without_noise_has_no_noise_to_read(bench: PreservedSubjects) -> None:
    clean = Probe(units=9, observables=("activity",))
    [seen] = bench.record([DesignRun(clean, 0, ("activity",), True)])
    assert seen.controls["visit_0"].keys() == {"activity"}
    assert not seen.controls["signal_removed"]


def test_more_workers_change_nothing(bench: PreservedSubjects) -> None:
    from dataclasses import replace

    [one] = bench.record(DESIGNS[:1])
    [other] = replace(bench, pool=LocalPool(2)).record(DESIGNS[:1])
    np.testing.assert_array_equal(one.samples["activity"].values, other.samples["activity"].values)


def test_implantations_differ_by_their_seed_and_designs_share_their_electrodes(
    bench: PreservedSubjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[xr.Dataset] = []

    def listening(
        recording: xr.Dataset, statistics: tuple[str, ...], *, theory: bool
    ) -> FeatureArrays:
        seen.append(recording)
        return feature_arrays(recording, statistics, theory=theory)

    monkeypatch.setattr(benches, "feature_arrays", listening)

    def units(count: int, seed: int) -> list[set[tuple[str, int]]]:
        seen.clear()
        list(
            bench.record(
                [DesignRun(Probe(units=count, observables=("activity",)), seed, ("activity",))]
            )
        )
        return [set(zip(r["unit_layer"].values, r["unit_index"].values, strict=True)) for r in seen]

    few, many, elsewhere = units(9, 0), units(20, 0), units(20, 1)
    assert all(one <= other for one, other in zip(few, many, strict=True))
    assert all(one != other for one, other in zip(many, elsewhere, strict=True))
    assert len({frozenset(each) for each in many}) > 1, "each subject has its own"


def test_what_is_recorded_while_training_is_what_snapshots_give_later(store: Path) -> None:
    """A probe that looks on at each visit sees what it would see in the preserved subject."""
    from virtuallab.subject.subject import Cohort
    from virtuallab.subject.training.trainer import train

    experiment = resume(Store.open(store))
    kept = experiment.store
    cohort = kept.plan["cohorts"][0]
    members = Cohort(tuple(experiment.plan.subjects[index] for index in cohort))
    looked: list[np.ndarray] = []
    train(members, kept.plan["visits"], lambda visit: looked.append(visit.state.copy()))
    [group] = [a for a in experiment.plan.network_groups if cohort[0] in a.members]
    for place, index in enumerate(cohort):
        during = [
            prepare(group.architecture, group.task, states[place][None], None) for states in looked
        ]
        later = prepare(
            group.architecture,
            group.task,
            kept.read(f"snapshots/{group.name}", index)["state"].to_numpy(),
            None,
        )
        for layer in later.layers:
            at_visits = np.concatenate([each.responses[layer] for each in during])
            np.testing.assert_allclose(at_visits, later.responses[layer], rtol=1e-5, atol=1e-6)
            at_visits = np.concatenate([each.weights[layer] for each in during])
            np.testing.assert_array_equal(at_visits, later.weights[layer])


@pytest.mark.parametrize("asked", ["activity", "theory"])
def test_theories_are_computed_where_they_are_read(
    bench: PreservedSubjects, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    computed = []

    def noticed(*arguments: object) -> dict[str, np.ndarray]:
        computed.append(arguments)
        return activity_theory(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("virtuallab.probes.statistics.features.activity_theory", noticed)
    [seen] = bench.record([DesignRun(Probe(units=9, observables=("activity",)), 0, (asked,))])
    assert bool(computed) == (asked == "theory")
    assert np.isfinite(seen.samples[asked].values).any()
