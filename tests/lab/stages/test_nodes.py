"""Which subjects are preserved, and where what a probe recorded lies."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from unittest import mock

import pytest

from tests.lab.stages.tiny import WILD, tiny_plan, tiny_store, trained_store
from virtuallab.errors import UserError
from virtuallab.lab.services.workers import LocalPool, Piece
from virtuallab.lab.stages import nodes, train
from virtuallab.lab.stages.record import declare
from virtuallab.probes import GaussianNoise, Probe


def test_a_probe_has_a_place_before_it_has_recorded(tmp_path: Path) -> None:
    plan = tiny_plan()
    store = tiny_store(tmp_path, plan)
    assert nodes.probes_in(store) == []
    noisy = Probe(observables=("activity",), units=4, noise=GaussianNoise(snr=1.0))
    few = Probe(observables=("activity",), units=2, keep="statistics")
    declare(plan, store, {"noisy": noisy, "few": few})
    assert nodes.probes_in(store) == ["few", "noisy"]
    [group] = plan.network_groups
    there = set(store.nodes())
    assert {nodes.feature_node(name) for name in ("few", "noisy")} <= there
    assert nodes.recording_node("noisy", group.name) in there
    assert nodes.recording_node("few", group.name) not in there
    assert nodes.noise_node("noisy") in there
    assert nodes.noise_node("few") not in there
    assert nodes.recording_node("few", "mlp").startswith(nodes.recordings_of("few"))


def test_a_subject_that_diverged_is_preserved_and_cannot_be_recorded(tmp_path: Path) -> None:
    store = trained_store(tmp_path, tiny_plan(WILD))
    assert nodes.living(store) == {0, 1}
    nodes.check_trained(store)
    nodes.check_living(store)


def test_where_every_subject_diverged_a_remedy_is_named(tmp_path: Path) -> None:
    store = trained_store(tmp_path, tiny_plan("subjects.optimizer.learning_rate=1.0e+30"))
    nodes.check_trained(store)
    with pytest.raises(UserError, match=r"every subject diverged.*Lower the learning rates"):
        nodes.check_living(store)


def test_subjects_that_are_not_trained_are_counted_and_the_command_is_named(tmp_path: Path) -> None:
    plan = tiny_plan()
    store = tiny_store(tmp_path, plan)
    for check in (nodes.check_trained, nodes.check_living):
        with pytest.raises(UserError, match=r"0 of 4 subjects .* `virtuallab run PROTOCOL --store"):
            check(store)
    whole = LocalPool.run

    def first(pool: LocalPool, cohorts: Iterable[Piece], threads: int) -> None:
        whole(pool, itertools.islice(cohorts, 1), threads)

    with mock.patch.object(LocalPool, "run", first):
        train.train_subjects(plan, store, LocalPool(1), "cpu", lambda _: None)
    nodes.check_living(store)
    with pytest.raises(UserError, match="2 of 4 subjects are trained"):
        nodes.check_trained(store)
