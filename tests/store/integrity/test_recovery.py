from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr

from tests.store.toy import CHUNK, NODE, STAGE, TABLE, contents, declare, flip, sample, verdict
from virtuallab.errors import MachineError
from virtuallab.store import Store, open_tree
from virtuallab.store.integrity.recovery import repair_root


def test_what_is_damaged_is_made_anew_with_the_same_bytes(folder: Path, sound: Path) -> None:
    path = folder / "lab.zarr"
    static = (
        *(f"{NODE}/unit_layer/c/0", f"{NODE}/activity/zarr.json", f"{NODE}/zarr.json"),
        *("recordings/zarr.json", "zarr.json"),
    )
    for name in static:
        flip(path / name, 20, 0)
    (path / TABLE / "accuracy" / "zarr.json").unlink()
    (folder / CHUNK).write_bytes(b"")
    flip(folder / "lab.records" / STAGE / "000002.json", 30, 2)
    repair_root(path)
    store = Store.open(path)
    with pytest.raises(MachineError, match="unit_layer/c/0 is damaged"):
        store.read(NODE)
    declare(store)
    assert store.invalidate_damaged(STAGE) == 2
    assert list(store.committed(STAGE)) == [0]
    for index in (1, 2):
        written = store.write(NODE, index, sample(float(index)))
        store.commit(STAGE, index, {"checksums": {NODE: written}})
    store.write_table(TABLE, verdict())
    store.finish()
    assert store.verify() == []
    assert contents(path) == contents(sound / "lab.zarr")
    assert list(store.committed(STAGE)) == [0, 1, 2]


def open_subjects(folder: Path) -> xr.Dataset:
    return Store.open(folder / "lab.zarr").subjects.load()


def test_a_lost_manifest_is_made_anew_node_by_node(folder: Path, sound: Path) -> None:
    path = folder / "lab.zarr"
    (folder / "lab.records" / "manifest.json").unlink()
    for opening in (Store.open, open_tree):
        with pytest.raises(MachineError, match=r"manifest\.json is missing.*virtuallab run"):
            opening(path)
    repair_root(path)
    store = Store.open(path)
    assert [str(each.file.relative_to(path)) for each in store.verify()] == [
        TABLE, NODE, "subjects"
    ]  # fmt: skip
    with pytest.raises(MachineError, match=r"is not in .*manifest\.json.*virtuallab decode"):
        store.read(TABLE)
    store.write_table("subjects", open_subjects(sound))
    declare(store)
    store.write_table(TABLE, verdict())
    assert store.verify() == []
    assert contents(path) == contents(sound / "lab.zarr")


def test_root_and_manifest_lost_together_are_said_to_be(folder: Path) -> None:
    (folder / "lab.records" / "manifest.json").unlink()
    (folder / "lab.zarr" / "zarr.json").write_text("{", encoding="utf-8")
    with pytest.raises(MachineError, match="both damaged or missing"):
        repair_root(folder / "lab.zarr")


def test_metadata_that_cannot_be_made_as_it_was_is_left(folder: Path) -> None:
    store = Store.open(folder / "lab.zarr")
    flip(folder / "lab.zarr" / NODE / "zarr.json", 9, 0)
    before = contents(folder / "lab.zarr" / NODE)
    with pytest.raises(MachineError, match="cannot be made as they were"):
        store.declare(NODE, sample().assign_coords(step=("visit", [0, 1, 2])))
    assert contents(folder / "lab.zarr" / NODE) == before
