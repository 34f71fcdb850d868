"""Recording during training: subjects that are not preserved."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.lab.stages.tiny import WILD, tiny_plan, tiny_store, trained_store
from tests.store.toy import contents
from virtuallab import seeds
from virtuallab.lab.planning import network_group
from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages.nodes import TRAIN, stage
from virtuallab.lab.stages.probe_recorder import ProbeRecorder
from virtuallab.lab.stages.record import declare, record_probes
from virtuallab.lab.stages.reference import Reference, untrained_states
from virtuallab.lab.stages.subject_recorder import PlannedRecording, SubjectRecorder
from virtuallab.lab.stages.train import train_subjects
from virtuallab.probes import GaussianNoise, Probe
from virtuallab.probes.readouts.spikes import Spikes
from virtuallab.registry import DEVICES, INDICATORS, NOISE_MODELS
from virtuallab.store import Store
from virtuallab.vocabulary import DIVERGED, DONE

PROBES = {
    "noisy": Probe(units=5, synapses=6, visits=2, noise=GaussianNoise(snr=2.0)),
    "acute": Probe(observables=("activity",), units=4, selection="active", turnover=0.5),
    "small": Probe(observables=("activity_change",), units=6, stimuli=4, keep="statistics"),
}
ONE_VISIT = 8_000  # bytes that one preparation may take, less than two visits of the network


def recorded_live(plan: Plan, folder: Path, probes: Mapping[str, Probe] = PROBES) -> Store:
    store = tiny_store(folder, plan, preserve=False)
    declare(plan, store, probes)
    train_live(plan, store, probes)
    return store


def train_live(plan: Plan, store: Store, probes: Mapping[str, Probe] = PROBES) -> list[int]:
    counts: list[int] = []
    recorder = ProbeRecorder(plan, store, probes)
    train_subjects(plan, store, LocalPool(1), "cpu", counts.append, recorder)
    return counts


def seen(store: Store) -> dict[str, bytes]:
    """Files of a store that do not depend on whether subjects are preserved."""
    found: dict[str, bytes] = contents(store.path)
    return {n: b for n, b in found.items() if not n.startswith("snapshots") and n != "zarr.json"}


@pytest.mark.parametrize("budget", [network_group._PREPARED, ONE_VISIT])
def test_recordings_made_during_training_are_those_of_preserved_subjects(
    budget: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_group, "_PREPARED", budget)
    plan = tiny_plan()
    preserved = trained_store(tmp_path / "preserved", plan)
    declare(plan, preserved, PROBES)
    record_probes(plan, preserved, PROBES, LocalPool(1), lambda _: None)
    live = recorded_live(plan, tmp_path / "live")
    assert not [node for node in live.nodes() if node.startswith("snapshots")]
    assert seen(live) == seen(preserved)
    for index in range(4):
        now, before = (each.committed(TRAIN)[index] for each in (live, preserved))
        assert now["truth"] == before["truth"]
        assert now["checksums"] == {}


def test_what_is_lost_after_a_kill_is_trained_again_with_the_same_bytes(tmp_path: Path) -> None:
    plan = tiny_plan()
    whole = recorded_live(plan, tmp_path / "whole")
    store = tiny_store(tmp_path / "killed", plan, preserve=False)
    declare(plan, store, PROBES)

    def killed(_: int) -> None:
        raise OSError("killed")

    with pytest.raises(OSError, match="killed"):
        train_subjects(plan, store, LocalPool(1), "cpu", killed, ProbeRecorder(plan, store, PROBES))
    store = Store.open(store.path)
    assert sorted(store.committed(TRAIN)) == [0]
    lost = store.path.with_suffix(".records") / stage("acute") / "000000.json"
    lost.unlink()  # a subject that is done, but not with every probe
    assert train_live(plan, Store.open(store.path)) == [1, 1, 1, 1]
    assert seen(Store.open(store.path)) == seen(whole)
    assert train_live(plan, Store.open(store.path)) == [], "nothing is left to do"


def test_a_probe_that_is_added_records_the_subjects_trained_again(tmp_path: Path) -> None:
    plan = tiny_plan()
    store = recorded_live(plan, tmp_path, {"noisy": PROBES["noisy"]})
    before = seen(store)
    declare(plan, store, PROBES)
    assert train_live(plan, Store.open(store.path)) == [1, 1, 1, 1]
    after = seen(Store.open(store.path))
    assert {name: after[name] for name in before} == before
    assert sorted(store.committed(stage("small"))) == [0, 1, 2, 3]


def test_a_subject_that_diverges_is_not_recorded(tmp_path: Path) -> None:
    store = recorded_live(tiny_plan(WILD), tmp_path)
    records = store.committed(TRAIN)
    assert [records[index]["status"] for index in range(4)] == [DONE, DONE, DIVERGED, DIVERGED]
    assert sorted(store.committed(stage("acute"))) == [0, 1]


CHOICES = {
    **{f"device {name}": Probe(device=name) for name in DEVICES},
    **{
        f"noise {name}": Probe(units=9, noise=NOISE_MODELS[name](unit_snr=2.0, correlation=0.1))
        for name in NOISE_MODELS
    },
    **{
        f"indicator {name}": Probe(units=9, calcium=INDICATORS[name](amplitude=0.5, order="random"))
        for name in INDICATORS
    },
    "spikes": Probe(units=9, stimuli=6, spikes=Spikes(contamination=0.2, correlation=0.1)),
    "neighbours": Probe(
        device="neuropixels_2",
        spikes=Spikes(contamination=0.2),
        daily_loss=0.2,
        drift=5.0,
        observables=("activity",),
    ),
    "pools": Probe(pool=4, units=9, selection="active", observables=("activity",)),
}


@pytest.mark.parametrize("name", CHOICES)
def test_states_as_they_come_give_the_bytes_of_states_read_at_once(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks, states = convolutional()
    monkeypatch.setattr(network_group, "_PREPARED", 150_000)
    assert networks.group.part_size(3) == (1, 10)
    probe = CHOICES[name]
    [calibration] = networks.calibrations([probe])
    choice, noise = (partial(seeds.generator, 1, purpose) for purpose in ("choice", "noise"))
    planned = [PlannedRecording(probe, calibration, choice, noise)]
    found = []
    for pieces in ([states], [state[None] for state in states]):
        recorder = SubjectRecorder(networks.of_subject("a subject"), 3, planned)
        for piece in pieces:
            recorder.add(piece)
        found += recorder.finish()
    (at_once, noise_at_once), (as_they_come, noise_as_they_come) = found
    assert at_once.identical(as_they_come)
    assert noise_at_once is noise_as_they_come or noise_at_once.identical(noise_as_they_come)


def convolutional() -> tuple[Reference, np.ndarray]:
    """Reference networks with feature maps, and the states of a subject at three visits."""
    [group] = tiny_plan("subjects.architectures=[knet4]").network_groups
    states = untrained_states(group, 3)
    return Reference(group, states, 3), states[:3]
