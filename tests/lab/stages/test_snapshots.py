"""Preserved states: in one node, or for large networks in one for each visit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.lab.stages.tiny import tiny_plan, tiny_store, trained_store
from tests.store.toy import contents
from virtuallab.errors import MachineError
from virtuallab.lab.planning import network_group
from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages import train as training
from virtuallab.lab.stages.nodes import TRAIN
from virtuallab.lab.stages.snapshots import preserved_states, snapshot_nodes
from virtuallab.lab.stages.train import train_subjects
from virtuallab.store import Store
from virtuallab.subject.training.outcome import Visit

VISITS = ["snapshots/mlp/visit-0", "snapshots/mlp/visit-1", "snapshots/mlp/visit-2"]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return tiny_plan()


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the states of the tiny network for large ones."""
    monkeypatch.setattr(network_group, "_LARGE", 4 * 309)


def test_a_state_is_large_above_a_limit(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    [group] = plan.network_groups
    assert snapshot_nodes(group, 3) == ["snapshots/mlp"]
    for limit, nodes in ((4 * 310, ["snapshots/mlp"]), (4 * 309, VISITS)):
        monkeypatch.setattr(network_group, "_LARGE", limit)
        assert snapshot_nodes(group, 3) == nodes
    assert snapshot_nodes(group, 11)[2] == "snapshots/mlp/visit-02"


@pytest.mark.usefixtures("large")
def test_large_states_are_those_of_one_node_and_lie_in_one_for_each_visit(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = trained_store(tmp_path / "large", plan)
    assert [node for node in store.nodes() if node.startswith("snapshots")] == VISITS
    by_visit = [np.concatenate(list(preserved_states(store, plan.network_groups[0], i)))
                for i in range(4)]  # fmt: skip
    last = store.read(VISITS[2])
    assert last["state"].dims == ("subject", "parameter")
    assert (int(last["visit"]), int(last["step"]), float(last["epoch"])) == (2, 4, 2.0)
    assert last["rule"].values.tolist() == ["backprop", "backprop", "fa", "fa"]
    monkeypatch.setattr(network_group, "_LARGE", 2**20)
    small = trained_store(tmp_path / "small", plan)
    for index in range(4):
        [whole] = preserved_states(small, plan.network_groups[0], index)
        np.testing.assert_array_equal(by_visit[index], whole)


@pytest.mark.usefixtures("large")
def test_a_large_state_is_written_when_its_visit_happens(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, seen = tiny_store(tmp_path, plan), list[int]()
    whole = training.train

    def watching(cohort: object, visits: object, look: object, **how: object) -> object:
        def then(visit: Visit) -> None:
            look(visit)  # type: ignore[operator]
            seen.append(len(list(store.path.glob("snapshots/mlp/*/state/c.0.0"))))

        return whole(cohort, visits, then, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "train", watching)
    train_subjects(plan, store, LocalPool(1), "cpu", lambda _: None)
    assert seen[:3] == [1, 2, 3]


@pytest.mark.usefixtures("large")
def test_a_run_that_was_killed_between_visits_continues_to_the_same_bytes(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, store = trained_store(tmp_path / "whole", plan), tiny_store(tmp_path / "killed", plan)
    write = Store.write

    def killed(self: Store, node: str, *values: object) -> dict[str, str]:
        if node == VISITS[1]:
            raise OSError("killed")
        return write(self, node, *values)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Store, "write", killed)
        with pytest.raises(OSError, match="killed"):
            train_subjects(plan, store, LocalPool(1), "cpu", lambda _: None)
    assert not store.committed(TRAIN), "a subject without its last visits is not done"
    train_subjects(plan, Store.open(store.path), LocalPool(1), "cpu", lambda _: None)
    for each in (whole, store):
        each.finish()
    assert contents(store.path) == contents(whole.path)


@pytest.mark.usefixtures("large")
def test_a_damaged_state_is_found_and_its_subject_is_made_anew(plan: Plan, tmp_path: Path) -> None:
    store = trained_store(tmp_path, plan)
    [chunk] = store.path.glob("snapshots/mlp/visit-1/state/c.2.*")
    sound = chunk.read_bytes()
    chunk.write_bytes(sound[:-1])
    with pytest.raises(MachineError, match=r"visit-1"):
        list(preserved_states(Store.open(store.path), plan.network_groups[0], 2))
    store = Store.open(store.path)
    assert store.invalidate_damaged(TRAIN) == 1
    train_subjects(plan, store, LocalPool(1), "cpu", lambda _: None)
    assert chunk.read_bytes() == sound
