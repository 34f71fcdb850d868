"""Recordings by the place where they lie."""

from __future__ import annotations

from pathlib import Path

from virtuallab.lab.identification.own_recordings import (
    check_own,
    experiment_of,
    is_experiment,
    recorded_subjects,
)


def test_a_recording_lies_in_an_experiment_that_has_its_records_beside_it(tmp_path: Path) -> None:
    store, node = tmp_path / "a.zarr", tmp_path / "a.zarr" / "recordings" / "p" / "mlp"
    node.mkdir(parents=True)
    assert not is_experiment(store), "a zarr folder of somebody else"
    assert experiment_of(node) is None
    assert recorded_subjects(node) is None
    check_own(node, None)
    (tmp_path / "a.records").mkdir()
    assert is_experiment(store)
    assert experiment_of(node) == store
    assert experiment_of(store) is None
    assert not is_experiment(node)
