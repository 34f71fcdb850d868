"""Training: each subject is preserved at each visit, once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.lab.stages.tiny import WILD, tiny_plan, tiny_store, trained_store
from tests.store.toy import contents
from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages import train as stage
from virtuallab.lab.stages.nodes import TRAIN
from virtuallab.lab.stages.train import train_subjects
from virtuallab.store import Store
from virtuallab.subject.subject import Cohort
from virtuallab.subject.training.outcome import Visit
from virtuallab.subject.training.trainer import train
from virtuallab.vocabulary import DIVERGED, DONE

NODE = "snapshots/mlp"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return tiny_plan()


@pytest.fixture(scope="module")
def done(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The store of trained subjects; no test changes it."""
    return trained_store(tmp_path_factory.mktemp("done"), plan)


def copy(store: Store, to: Path) -> Store:
    return Store.open(shutil.copytree(store.path.parent, to / "copy") / "lab.zarr")


def forgotten(store: Store, index: int) -> None:
    """Remove the commit record of a subject, as if its writer had been killed."""
    (store.path.with_suffix(".records") / TRAIN / f"{index:06d}.json").unlink()


def test_a_node_of_snapshots_has_the_parameters_at_each_visit(plan: Plan, done: Store) -> None:
    node = done.read(NODE)
    [group] = plan.network_groups
    assert node["state"].dims == ("subject", "visit", "parameter")
    assert node["state"].shape == (4, 3, 64 * 4 + 4 + 4 * 10 + 10)
    assert node["step"].values.tolist() == [0, 2, 4]
    assert node["epoch"].values.tolist() == [0.0, 1.0, 2.0]
    assert node["rule"].values.tolist() == ["backprop", "backprop", "fa", "fa"]
    assert node.attrs["layout"] == group.layout().to_json()


def test_states_are_those_of_the_cohort_trained_alone(plan: Plan, done: Store) -> None:
    for cohort in ((0, 1), (2, 3)):
        seen: list[Visit] = []
        train(Cohort(tuple(plan.subjects[i] for i in cohort)), plan.visits, seen.append)
        for place, index in enumerate(cohort):
            kept = done.read(NODE, index)["state"].to_numpy()
            np.testing.assert_array_equal(kept, [visit.state[place] for visit in seen])
            truth = done.committed(TRAIN)[index]["truth"]
            accuracy = [float(visit.evaluation["validation_performance"][place]) for visit in seen]
            assert truth["validation_performance"] == pytest.approx(accuracy)


def test_a_record_says_what_became_of_the_subject(plan: Plan, done: Store) -> None:
    records = done.committed(TRAIN)
    assert sorted(records) == [0, 1, 2, 3]
    for index, record in records.items():
        assert record["key"] == plan.subjects[index].key
        assert (record["status"], record["diverged_at"], record["diverged_in"]) == (DONE, -1, None)
        assert record["checksums"].keys() == {NODE}
        assert {len(values) for values in record["truth"].values()} == {3}, "one for each visit"
        assert record["truth"]["train_loss"][0] is None, "there is no loss before the first step"
        assert record["truth"]["train_loss"][1] > 0


def test_a_subject_that_diverged_is_kept_with_step_and_layer(tmp_path: Path) -> None:
    plan = tiny_plan(WILD)
    store = trained_store(tmp_path, plan)
    records = store.committed(TRAIN)
    assert [records[i]["status"] for i in range(4)] == [DONE, DONE, DIVERGED, DIVERGED]
    lost = records[2]
    assert 0 < lost["diverged_at"] <= 4
    assert lost["diverged_in"] in ("fc1", "fc2")
    state = store.read(NODE, 2)["state"].to_numpy()
    assert np.isfinite(state[0]).all()
    assert np.isnan(state[-1]).all()
    assert lost["truth"]["validation_performance"][-1] is None


def test_only_a_missing_subject_is_stored_again_and_with_the_same_bytes(
    plan: Plan, done: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = copy(done, tmp_path)
    before = contents(store.path)
    forgotten(store, 2)
    cohorts: list[int] = []

    def counting(cohort: Cohort, *arguments: Any, **settings: Any) -> Any:
        cohorts.append(len(cohort.subjects))
        return train(cohort, *arguments, **settings)

    monkeypatch.setattr(stage, "train", counting)
    counts: list[int] = []
    train_subjects(plan, Store.open(store.path), LocalPool(1), "cpu", counts.append)
    assert cohorts == [2], "its cohort is trained whole, the other one is not trained"
    assert counts == [1]
    assert contents(store.path) == before
    train_subjects(plan, Store.open(store.path), LocalPool(1), "cpu", counts.append)
    assert (cohorts, counts) == ([2], [1]), "nothing is left to do"


EVERYTHING = (
    "subjects.curriculum={name: blocked, classes_per_block: 5}",
    "subjects.schedule=steps",
    "subjects.start_from={rule: backprop, optimizer: {name: sgd, learning_rate: 0.1}, steps: 3}",
)


@pytest.mark.parametrize("paired", [(), ("subjects.paired=initial_weights",)])
def test_curricula_schedules_and_pretraining_are_repeated_with_the_same_bytes(
    paired: tuple[str, ...], tmp_path: Path
) -> None:
    plan = tiny_plan(*EVERYTHING, *paired)
    store = trained_store(tmp_path, plan)
    before = contents(store.path)
    states = store.read(NODE)["state"].to_numpy()
    assert np.array_equal(states[0, 0], states[2, 0]) == bool(paired), "visit 0 of a pair"
    assert not np.array_equal(states[0, 0], states[1, 0])
    for index in (1, 2):
        forgotten(store, index)
    train_subjects(plan, Store.open(store.path), LocalPool(1), "cpu", lambda _: None)
    assert contents(store.path) == before
    assert set(store.read(NODE)["curriculum"].values) == {"blocked"}


def test_mixed_precision_is_repeated_with_the_same_bytes(tmp_path: Path) -> None:
    plan = tiny_plan("subjects.precision=mixed")
    store = trained_store(tmp_path, plan)
    before = contents(store.path)
    assert store.read(NODE)["state"].dtype == np.float32
    for index in (1, 2):
        forgotten(store, index)
    counts: list[int] = []
    train_subjects(plan, Store.open(store.path), LocalPool(1), "cpu", counts.append)
    assert counts == [1, 1]
    assert contents(store.path) == before


def test_workers_do_not_change_the_result_and_each_subject_is_counted(
    plan: Plan, done: Store, tmp_path: Path
) -> None:
    store, counts = tiny_store(tmp_path, plan), []
    train_subjects(plan, store, LocalPool(2), "cpu", counts.append)
    assert counts == [1, 1, 1, 1]
    for index in range(4):
        a, b = (each.committed(TRAIN)[index] for each in (done, store))
        assert a["checksums"] == b["checksums"]
        assert a["truth"] == b["truth"]


def test_after_a_failure_what_was_stored_stays_and_the_rest_is_not_begun(
    plan: Plan, tmp_path: Path
) -> None:
    store = tiny_store(tmp_path, plan)

    def failing(_: int) -> None:
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        train_subjects(plan, store, LocalPool(1), "cpu", failing)
    assert sorted(Store.open(store.path).committed(TRAIN)) == [0]
